//! `JWT_KEYS_DIR`: a folder with one file for each key.
//!
//! The whole folder is read regularly and compared with the keys in use. When a file is gone, its key is removed at once,
//! whatever state the other files are in. A key is added when its file is complete: when the file was not modified
//! recently, or was the same in two readings. A file that cannot be used changes nothing: its previous key and all other
//! keys stay in use.

mod name;
mod place;
mod reading;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    ffi::{OsStr, OsString},
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use zeroize::Zeroizing;

pub(crate) use self::place::Place;
use self::{
    name::Name,
    reading::{Found, Reading},
};
use super::{
    AuthType, Change, Crypto, Family, Key, Material, Prepared, PrivatePart, PublicPart, Role,
    Wanted,
};
use crate::{
    error::{ConfigError, Problem},
    files,
};

/// The variable that names the folder.
pub(crate) const KEYS_DIR: &str = "JWT_KEYS_DIR";
/// A file that was not modified for this long is complete.
const UNTOUCHED: Duration = Duration::from_secs(2);
/// A file that is the same in two readings this far apart is complete, whatever its modification time.
const APART: Duration = Duration::from_secs(1);
/// How often the folder is read at start, [`APART`] from each other, while a file is incomplete.
const ATTEMPTS: usize = 4;

/// A folder of keys.
pub(crate) struct KeyDirectory {
    place: Place,
    /// The algorithm for files whose names contain none.
    auth_type: AuthType,
    allow_weak: bool,
    crypto: Crypto,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    /// The files whose keys are in use.
    used: BTreeMap<OsString, Used>,
    /// The files that may be incomplete.
    fresh: BTreeMap<OsString, Fresh>,
    /// Whether the last change of `used` could not be applied to the ring.
    is_behind: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct Used {
    content: Arc<Zeroizing<Vec<u8>>>,
    modified: SystemTime,
    /// The key ID.
    id: String,
}

#[derive(Clone)]
struct Fresh {
    content: Arc<Zeroizing<Vec<u8>>>,
    modified: Option<SystemTime>,
    since: Instant,
}

/// The time of a reading, by the monotonic clock and by the system clock, which sets the modification times of files.
#[derive(Clone, Copy)]
struct Now {
    steady: Instant,
    system: SystemTime,
}

impl Now {
    fn get() -> Self {
        Self {
            steady: Instant::now(),
            system: SystemTime::now(),
        }
    }
}

/// The result of reading the folder.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Whether the keys in use have changed.
    pub(crate) is_changed: bool,
    /// The files that cannot be used, with the reasons.
    pub(crate) problems: Vec<Problem>,
    /// The files that are used if they are unchanged in a later reading.
    pub(crate) incomplete: Vec<Problem>,
}

impl Look {
    /// Returns an error unless every file is in use.
    pub(crate) fn result(self) -> Result<(), ConfigError> {
        let mut reasons = self.problems.into_iter().chain(self.incomplete);
        let invalid = |reason| Err(ConfigError::invalid(KEYS_DIR, reason));
        reasons.next().map_or(Ok(()), invalid)
    }
}

/// Repeats `look` while files may still be being written, for three seconds at most.
pub(crate) fn until_complete(
    mut look: impl FnMut() -> Result<Look, ConfigError>,
) -> Result<Look, ConfigError> {
    for _ in 1..ATTEMPTS {
        let seen = look()?;
        if !seen.problems.is_empty() || seen.incomplete.is_empty() {
            return Ok(seen);
        }
        thread::sleep(APART);
    }
    look()
}

impl KeyDirectory {
    /// Reads the folder for the first time and applies its keys. Any file that is not a valid key is an error. Waits up to
    /// three seconds for files that were just modified.
    pub(crate) fn open(
        place: Place,
        auth_type: AuthType,
        allow_weak: bool,
        crypto: Crypto,
        change: impl Fn(Change) -> Result<(), Problem>,
    ) -> Result<Self, ConfigError> {
        let directory = Self {
            place,
            auth_type,
            allow_weak,
            crypto,
            state: Mutex::default(),
        };
        directory.warn_of_mode();
        until_complete(|| directory.look(&change))?.result()?;
        Ok(directory)
    }

    /// Reads the folder, and applies its keys if they have changed.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read or its keys cannot be applied.
    pub(crate) fn look(
        &self,
        change: impl FnOnce(Change) -> Result<(), Problem>,
    ) -> Result<Look, ConfigError> {
        self.look_at(Now::get(), change)
    }

    fn look_at(
        &self,
        now: Now,
        change: impl FnOnce(Change) -> Result<(), Problem>,
    ) -> Result<Look, ConfigError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unreadable = |source: io::Error| ConfigError::Unreadable {
            key: KEYS_DIR,
            path: self.place.shown(),
            source,
        };
        let readings = reading::read(self.place.path()).map_err(unreadable)?;
        let (next, mut look) = self.next(&state, readings, now);
        if next.used.is_empty() && look.problems.is_empty() && look.incomplete.is_empty() {
            let reason = "has no key: add a file whose name ends with `.pem` or `.key`";
            look.problems.push(reason.into());
        }
        if next.used != state.used || state.is_behind {
            let invalid = |reason| ConfigError::invalid(KEYS_DIR, reason);
            match self.wanted(&next.used) {
                Ok(keys) => change(Change::To(keys)).map_err(invalid)?,
                Err(problem) => {
                    // A provider can refuse a key that it accepted before. Keys whose files are gone must end anyway.
                    let used = &mut state.used;
                    used.retain(|_, file| next.used.values().any(|next| next.id == file.id));
                    let ids = used.values().map(|file| file.id.clone()).collect();
                    state.is_behind = true;
                    change(Change::Only(ids)).map_err(invalid)?;
                    return Err(invalid(problem));
                }
            }
            look.is_changed = true;
        }
        *state = next;
        Ok(look)
    }

    /// Computes the next state from a reading.
    fn next(&self, old: &State, readings: BTreeMap<OsString, Reading>, now: Now) -> (State, Look) {
        let (mut next, mut look) = (State::default(), Look::default());
        let mut exposed = Vec::new();
        for (name, reading) in readings {
            let known = old.used.get(&name);
            let kept = match reading {
                Reading::Gone(reason) => {
                    look.problems.push(file_problem(&name, &reason));
                    None
                }
                Reading::Unread(reason) => {
                    look.problems.push(file_problem(&name, &reason));
                    known.cloned()
                }
                Reading::File(found) => {
                    let key = match known.filter(|known| known.content == found.content) {
                        Some(known) => Ok((known.id.clone(), false)),
                        None => self.key_of(&name, &found.content).map(|(key, _)| {
                            let is_exposed = found.is_readable_by_all && key.signer.is_some();
                            (key.verifying.id, is_exposed)
                        }),
                    };
                    match key {
                        Ok((id, is_exposed)) if is_complete(old, &name, &found, now) => {
                            exposed.extend(is_exposed.then(|| shown(&name)));
                            Some(Used {
                                modified: found.modified.unwrap_or(now.system),
                                content: found.content,
                                id,
                            })
                        }
                        Ok(_) => {
                            look.incomplete.push(file_problem(
                                &name,
                                "was just modified: it is used if it is the same a second later",
                            ));
                            next.fresh
                                .insert(name.clone(), Fresh::of(old, &name, found, now));
                            known.cloned()
                        }
                        Err(reason) => {
                            look.problems.push(reason);
                            known.cloned()
                        }
                    }
                }
            };
            if let Some(kept) = kept {
                next.used.insert(name, kept);
            }
        }
        drop_copies(&old.used, &mut next.used, &mut look);
        if let [first, ..] = &exposed[..] {
            tracing::warn!(
                files = exposed.len(),
                "every user of this machine can read private keys in `JWT_KEYS_DIR`, such as `{first}`: restrict \
                 them with `chmod o-r`"
            );
        }
        (next, look)
    }

    /// Prepares the keys of these files with their roles. The newest key signs.
    fn wanted(&self, used: &BTreeMap<OsString, Used>) -> Result<Vec<Wanted>, Problem> {
        let mut files: Vec<_> = used.iter().collect();
        files.sort_by(|(a, file), (b, other)| (other.modified, b).cmp(&(file.modified, a)));
        let mut wanted = Vec::new();
        // When a newer key replaced the current one as the signing key.
        let mut replaced_at = None;
        for (name, file) in files {
            let (key, is_next) = self.key_of(name, &file.content)?;
            let role = match replaced_at {
                _ if is_next || key.signer.is_none() => Role::Verifies,
                None => Role::Signs,
                Some(second) => Role::SignedUntil(second),
            };
            if matches!(role, Role::Signs | Role::SignedUntil(_)) {
                replaced_at = Some(seconds(file.modified));
            }
            wanted.push(Wanted { key, role });
        }
        // The ring expects the signing key first.
        wanted.sort_by_key(|wanted| wanted.role != Role::Signs);
        Ok(wanted)
    }

    /// Reads the key in a file. Also returns whether the name marks it as the next key, which does not sign yet.
    fn key_of(&self, name: &OsStr, content: &[u8]) -> Result<(Prepared, bool), Problem> {
        let parsed =
            Name::parse(&name.to_string_lossy()).map_err(|reason| file_problem(name, reason))?;
        let auth_type = parsed.auth_type.unwrap_or(self.auth_type);
        let secret = files::secret(content).map_err(|reason| file_problem(name, reason))?;
        let key = if auth_type.family() == Family::Hmac {
            Key::of(auth_type, Some(PrivatePart::text(secret)), None)
        } else if Material::public(content).is_ok() {
            Key::of(auth_type, None, Some(PublicPart::text(content)))
        } else {
            Key::of(auth_type, Some(PrivatePart::text(content)), None)
        };
        let key = key
            .allow_weak(self.allow_weak)
            .prepare(KEYS_DIR, KEYS_DIR, self.crypto);
        let key = key.map_err(|error| match error {
            ConfigError::Invalid { reason, .. } => file_problem(name, reason),
            other => file_problem(name, format_args!("cannot be used: {other}")),
        })?;
        Ok((key, parsed.is_next))
    }

    /// Warns if every user can create files in the folder, and so sign tokens. It is not an error: Kubernetes creates
    /// such folders (`emptyDir`) in containers that have no other users.
    fn warn_of_mode(&self) {
        let mode = std::fs::metadata(self.place.path()).map_or(0, |about| files::mode(&about));
        if mode & 0o002 != 0 {
            tracing::error!(
                "every user of this machine can add keys to `JWT_KEYS_DIR` (mode {mode:04o}), and so sign tokens: \
                 restrict the folder with `chmod o-w`"
            );
        }
    }
}

impl Fresh {
    fn of(old: &State, name: &OsStr, found: Found, now: Now) -> Self {
        let same = old.fresh.get(name).filter(|fresh| fresh.is(&found));
        Self {
            since: same.map_or(now.steady, |fresh| fresh.since),
            content: found.content,
            modified: found.modified,
        }
    }

    fn is(&self, found: &Found) -> bool {
        found.modified.is_some() && self.modified == found.modified && self.content == found.content
    }
}

/// Returns whether a file has been written completely. The content alone cannot tell: a secret has no end marker.
fn is_complete(old: &State, name: &OsStr, found: &Found, now: Now) -> bool {
    // The same content is already in use, for example under another name.
    let is_known = old.used.values().any(|used| used.content == found.content);
    let is_old = found.modified.is_some_and(|modified| {
        let age = now.system.duration_since(modified);
        age.is_ok_and(|age| age >= UNTOUCHED)
    });
    let is_same = old.fresh.get(name).is_some_and(|fresh| {
        fresh.is(found) && now.steady.saturating_duration_since(fresh.since) >= APART
    });
    is_known || is_old || is_same
}

/// Keeps one file for each key: the one that was in use before, or else the first one by name.
fn drop_copies(
    old: &BTreeMap<OsString, Used>,
    used: &mut BTreeMap<OsString, Used>,
    look: &mut Look,
) {
    let had_it = |name: &OsString, id: &str| old.get(name).is_some_and(|file| file.id == id);
    let in_order = |(name, file): (&OsString, &Used)| (!had_it(name, &file.id), name.clone());
    let mut names: Vec<_> = used.iter().map(in_order).collect();
    names.sort();
    let mut ids = HashSet::new();
    for (_, name) in names {
        let is_copy = |file: &Used| !ids.insert(file.id.clone());
        if used.get(&name).is_some_and(is_copy) {
            used.remove(&name);
            look.problems.push(file_problem(
                &name,
                "has the same key ID as another file: remove one of the two",
            ));
        }
    }
}

/// Returns a file's name with special characters escaped, for logs and errors.
fn shown(name: &OsStr) -> String {
    name.to_string_lossy().escape_debug().to_string()
}

fn file_problem(name: &OsStr, reason: impl fmt::Display) -> Problem {
    Problem::new(format!("has a file `{}` that {reason}", shown(name)))
}

fn seconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs().try_into().unwrap_or(i64::MAX))
}

impl fmt::Debug for KeyDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDirectory")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
