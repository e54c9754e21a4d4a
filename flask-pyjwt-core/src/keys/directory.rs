//! `JWT_KEYS_DIR`: a folder with one file for each key.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use zeroize::Zeroizing;

use super::{AuthType, Family, Key, Material, Prepared, Role, Wanted};
use crate::{
    config::{Secret, key::KEYS_DIR},
    error::ConfigError,
};

/// More files than anybody has keys, and no more than can be read in a moment.
const MOST_FILES: usize = 1_000;
/// No key is longer, in bytes.
const LONGEST_FILE: u64 = 64 * 1024;

/// A folder of keys.
#[derive(Debug, Clone)]
pub(crate) struct KeyDirectory {
    pub(crate) path: PathBuf,
    /// The algorithm of the files whose names say none.
    pub(crate) auth_type: AuthType,
    pub(crate) allow_weak: bool,
}

/// What a folder looked like when it was read: it is read again when this changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing(Vec<File>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    modified: SystemTime,
    name: String,
    length: u64,
}

/// What a file's name says: `2026-02.EdDSA.next.pem`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Name {
    auth_type: Option<AuthType>,
    is_next: bool,
}

impl Name {
    /// Whether a file is a key at all: not one of another ending than `.pem` and `.key`, or a hidden one.
    fn is_of_key(name: &str) -> bool {
        !name.starts_with('.') && matches!(name.rsplit('.').next(), Some("pem" | "key"))
    }

    /// Reads the name of a key: what stands between dots. A part that nearly says something is a mistake,
    /// since a key that signs too early is an outage.
    fn parse(name: &str) -> Result<Self, &'static str> {
        let mut parsed = Self::default();
        let parts = name.rsplit_once('.').map_or("", |(parts, _)| parts);
        for part in parts.split('.') {
            match part.parse() {
                Ok(_) if parsed.auth_type.is_some() => return Err("names two algorithms"),
                Ok(auth_type) => parsed.auth_type = Some(auth_type),
                Err(_) if part == "next" => parsed.is_next = true,
                Err(_) if is_nearly_next(part) => {
                    return Err(
                        "has a part that is nearly `next`: a key that does not sign yet is \
                                called `<name>.next.pem` or `<name>.<algorithm>.next.pem`",
                    );
                }
                Err(_)
                    if AuthType::ALL
                        .iter()
                        .any(|known| known.name().eq_ignore_ascii_case(part)) =>
                {
                    return Err(
                        "names an algorithm in other letters than its own, such as `EdDSA`",
                    );
                }
                Err(_) => {}
            }
        }
        Ok(parsed)
    }
}

/// Whether somebody who wrote this between two dots most likely meant `next`. Not every text that is one
/// edit away: `net` is a part of many a host's name.
fn is_nearly_next(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    part.ends_with("next") || ["nxt", "nex", "netx", "nextt", "neext"].contains(&&*part)
}

impl KeyDirectory {
    /// The files that are keys, the newest first; of two that are equally new the later name.
    pub(crate) fn list(&self) -> Result<Listing, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable {
            key: KEYS_DIR,
            path: Some(self.path.clone()),
            source,
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if !Name::is_of_key(&name) {
                continue;
            }
            // Follows links, as Kubernetes mounts secrets.
            let about = fs::metadata(entry.path()).map_err(unreadable)?;
            if !about.is_file() {
                continue;
            }
            if files.len() == MOST_FILES {
                return Err(ConfigError::invalid(KEYS_DIR, "has more than 1000 keys"));
            }
            files.push(File {
                modified: about.modified().map_err(unreadable)?,
                name,
                length: about.len(),
            });
        }
        files.sort_by(|a, b| (b.modified, &b.name).cmp(&(a.modified, &a.name)));
        Ok(Listing(files))
    }

    /// Reads every file of a listing. The first that is no good key spoils them all.
    pub(crate) fn read(&self, listing: &Listing) -> Result<Vec<Wanted>, ConfigError> {
        let mut wanted = Vec::new();
        // When the key that is looked at was followed by a newer one.
        let mut followed = None;
        for file in &listing.0 {
            let (key, is_next) = self.key_of(file)?;
            let role = match (&key.signer, followed) {
                (None, _) => Role::Verifies,
                _ if is_next => Role::Verifies,
                (Some(_), None) => Role::Signs,
                (Some(_), Some(second)) => Role::SignedUntil(second),
            };
            if matches!(role, Role::Signs | Role::SignedUntil(_)) {
                followed = Some(seconds(file.modified));
            }
            wanted.push(Wanted { key, role });
        }
        if wanted.is_empty() {
            let reason = "has no key: put a file there whose name ends with `.pem` or `.key`";
            return Err(ConfigError::invalid(KEYS_DIR, reason));
        }
        // The signing key comes first.
        wanted.sort_by_key(|wanted| wanted.role != Role::Signs);
        Ok(wanted)
    }

    fn key_of(&self, file: &File) -> Result<(Prepared, bool), ConfigError> {
        let told = |reason: &str| {
            ConfigError::invalid(
                KEYS_DIR,
                format!("has a file `{}` that {reason}", file.name),
            )
        };
        if file.length > LONGEST_FILE {
            return Err(told("is longer than 64 KiB"));
        }
        let name = Name::parse(&file.name).map_err(told)?;
        let content = read(&self.path.join(&file.name))
            .map_err(|error| told(&format!("cannot be read: {error}")))?;
        let auth_type = name.auth_type.unwrap_or(self.auth_type);
        let key = if auth_type.family() == Family::Hmac {
            let line = content.strip_suffix(b"\n").unwrap_or(&content);
            let secret = Secret::new(line.strip_suffix(b"\r").unwrap_or(line));
            Key::of(auth_type, Some(secret), None)
        } else if Material::public(&content).is_ok() {
            Key::of(auth_type, None, Some(Secret::new(&*content)))
        } else {
            Key::of(auth_type, Some(Secret::new(&*content)), None)
        };
        let key = key.allow_weak(self.allow_weak).prepare(KEYS_DIR, KEYS_DIR);
        let key = key.map_err(|error| match error {
            ConfigError::Invalid { reason, .. } => told(&reason),
            other => other,
        })?;
        Ok((key, name.is_next))
    }
}

fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    fs::read(path).map(Zeroizing::new)
}

fn seconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs().try_into().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_say_the_algorithm_and_that_the_key_is_the_next_one() {
        let name = |auth_type, is_next| Some(Name { auth_type, is_next });
        for (text, expected) in [
            ("a.pem", name(None, false)),
            ("2026-02.EdDSA.pem", name(Some(AuthType::EdDSA), false)),
            ("a.next.pem", name(None, true)),
            ("a.RS256.next.pem", name(Some(AuthType::RS256), true)),
            ("a.next.RS256.key", name(Some(AuthType::RS256), true)),
            ("RS256.pem", name(Some(AuthType::RS256), false)),
            ("next.pem", name(None, true)),
            ("sso.example.net.key", name(None, false)),
            ("RS256.old.pem", name(Some(AuthType::RS256), false)),
            ("a.next.old.pem", name(None, true)),
            ("a..pem", name(None, false)),
            ("a.NEXT.pem", None),
            ("a.nxt.pem", None),
            ("a-next.pem", None),
            ("Next.pem", None),
            ("a.rs256.pem", None),
            ("a.RS256.ES256.pem", None),
            ("a.ES256.ES256.pem", None),
        ] {
            assert!(Name::is_of_key(text), "{text}");
            assert_eq!(Name::parse(text).ok(), expected, "{text}");
        }
        for text in [
            ".pem",
            ".hidden.pem",
            "..data",
            "a.pem~",
            "a.pem.tmp",
            "README",
            "",
        ] {
            assert!(!Name::is_of_key(text), "{text}");
        }
    }
}
