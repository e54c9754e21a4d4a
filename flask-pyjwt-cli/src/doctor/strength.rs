//! Secrets that can be guessed.

use std::{collections::BTreeMap, fs, path::Path};

use flask_pyjwt::AuthType;
use zeroize::Zeroizing;

use super::report::{Check, Report, State};
use crate::{
    generate::{self, Kind},
    variables::Variables,
};

/// Less than this many bits are in reach of an attacker who has one token.
const FEWEST_BITS: f64 = 112.0;
/// The longest secret that is looked at.
const LONGEST: u64 = 64 * 1024;
/// What secrets of documentation and of lazy hands contain.
const KNOWN: [&str; 13] = [
    "change-me",
    "change_me",
    "changeme",
    "changeit",
    "your-256-bit-secret",
    "your-secret",
    "secret",
    "password",
    "example",
    "qwerty",
    "0123456789abcdef",
    "1234567890",
    "abcdefghijkl",
];

pub(super) fn check(report: &mut Report, variables: &Variables) {
    let configured = variables.get("JWT_AUTHTYPE");
    let auth_type: Option<AuthType> = configured.and_then(|name| name.parse().ok());
    if let Some(auth_type) = auth_type
        && let Kind::Secret(length) = generate::kind(auth_type)
    {
        if let Some(secret) = variables.get("JWT_SECRET") {
            look(report, "`JWT_SECRET`", secret.as_bytes(), length);
        }
        if let Some(secret) = variables.get("JWT_SECRET_FILE").and_then(content) {
            look(report, "the file of `JWT_SECRET_FILE`", &secret, length);
        }
    }
    if let Some(secret) = variables.get("JWT_CSRFSECRET") {
        look(report, "`JWT_CSRFSECRET`", secret.as_bytes(), 32);
    }
    if let Some(folder) = variables.get("JWT_KEYS_DIR") {
        look_in(report, Path::new(folder), auth_type);
    }
}

/// Looks at the HMAC secrets of the keys folder.
fn look_in(report: &mut Report, folder: &Path, default: Option<AuthType>) {
    // The check of the configuration says what is wrong with the folder.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_key = matches!(name.rsplit('.').next(), Some("pem" | "key"));
        if !is_key || name.starts_with('.') {
            continue;
        }
        let named = name.split('.').find_map(|part| part.parse().ok());
        let Some(Kind::Secret(length)) = named.or(default).map(generate::kind) else {
            continue;
        };
        if let Some(secret) = content(entry.path()) {
            look(
                report,
                &format!("`{name}` in the keys folder"),
                &secret,
                length,
            );
        }
    }
}

fn content(path: impl AsRef<Path>) -> Option<Zeroizing<Vec<u8>>> {
    let about = fs::metadata(&path).ok()?;
    if !about.is_file() || about.len() > LONGEST {
        return None;
    }
    let mut content = Zeroizing::new(fs::read(path).ok()?);
    while content.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        content.pop();
    }
    Some(content)
}

fn look(report: &mut Report, what: &str, secret: &[u8], length: usize) {
    let problem = if secret.len() < length {
        Some(format!(
            "has {} bytes, and {length} are recommended (RFC 7518, section 3.2)",
            secret.len()
        ))
    } else {
        guessable(secret).map(str::to_owned)
    };
    report.add(match problem {
        None => {
            let text = format!("{what} is long enough, and looks random");
            Check::new("secret", State::Ok, text)
        }
        Some(problem) => {
            let check = Check::new("secret", State::Weak, format!("{what} {problem}"));
            check.advice(
                "replace it with a random one: `flask-pyjwt keygen` or `openssl rand -hex 32`",
            )
        }
    });
}

/// Why a secret can be guessed, if it can.
fn guessable(secret: &[u8]) -> Option<&'static str> {
    let lower = secret.to_ascii_lowercase();
    let contains = |known: &&str| {
        lower
            .windows(known.len())
            .any(|part| part == known.as_bytes())
    };
    if KNOWN.iter().any(contains) {
        return Some("contains a word of examples and of lists of passwords");
    }
    let has_period = |period: &usize| {
        let mut pairs = secret.iter().zip(&secret[*period..]);
        pairs.all(|(a, b)| a == b)
    };
    if (1..=secret.len() / 2).any(|period| has_period(&period)) {
        return Some("repeats itself");
    }
    let steps: Vec<_> = secret
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    if bits(&steps) < FEWEST_BITS / 2.0 {
        return Some("counts up or down");
    }
    (bits(secret) < FEWEST_BITS).then_some("has few different bytes")
}

/// An upper estimate of the entropy: that of the single bytes, times their number.
fn bits(bytes: &[u8]) -> f64 {
    let mut counts = BTreeMap::<u8, u32>::new();
    for byte in bytes {
        *counts.entry(*byte).or_default() += 1;
    }
    let total = f64::from(counts.values().sum::<u32>().max(1));
    let counts = counts.values().map(|count| f64::from(*count));
    counts.map(|count| -count * (count / total).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_can_be_guessed_are_found() {
        for weak in [
            "change-me: at least 32 bytes of secret",
            "My-PassWord-is-quite-long-but-known",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "xK3vxK3vxK3vxK3vxK3vxK3vxK3vxK3vxK3v",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdef",
            "abababbabaabbbabababaabababbbaabababab",
        ] {
            assert!(guessable(weak.as_bytes()).is_some(), "{weak}");
        }
    }

    #[test]
    fn generated_secrets_are_not() {
        for auth_type in [AuthType::HS256, AuthType::HS384, AuthType::HS512] {
            for _ in 0..200 {
                let secret = generate::key(auth_type, None).expect("a secret");
                assert_eq!(guessable(secret.as_bytes()), None);
            }
        }
        // openssl rand -hex 32
        let hex = "9f2c61b8e07d4a35c8116fd29be3a7405d8e1cb2f60397a4ed5b18c3720fa966";
        assert_eq!(guessable(hex.as_bytes()), None);
    }
}
