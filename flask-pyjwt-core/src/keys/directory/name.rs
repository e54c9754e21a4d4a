//! The names of key files.

use crate::{error::Problem, keys::AuthType};

/// A parsed name such as `2026-02.EdDSA.next.pem`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) auth_type: Option<AuthType>,
    pub(super) is_next: bool,
}

impl Name {
    /// Returns whether a file is a key file: its name ends with `.pem` or `.key`, and it is not hidden.
    pub(super) fn is_of_key(name: &str) -> bool {
        !name.starts_with('.') && matches!(name.rsplit('.').next(), Some("pem" | "key"))
    }

    /// Parses the parts between the dots of a name. A part that is nearly `next` or nearly an algorithm is an error: a
    /// key that signs too early causes an outage.
    pub(super) fn parse(name: &str) -> Result<Self, Problem> {
        let mut parsed = Self::default();
        let parts = name.rsplit_once('.').map_or("", |(parts, _)| parts);
        for part in parts.split('.') {
            match part.parse() {
                Ok(_) if parsed.auth_type.is_some() => {
                    return Err(Problem::new("names two algorithms"));
                }
                Ok(auth_type) => parsed.auth_type = Some(auth_type),
                Err(_) if part == "next" => parsed.is_next = true,
                Err(_) if is_nearly_next(part) => {
                    return Err(Problem::new(
                        "has a part similar to `next`: name a key that must not sign yet `<name>.next.pem` or \
                         `<name>.<algorithm>.next.pem`",
                    ));
                }
                Err(_)
                    if AuthType::ALL
                        .iter()
                        .any(|known| known.name().eq_ignore_ascii_case(part)) =>
                {
                    return Err(Problem::new(
                        "names an algorithm with wrong upper or lower case: write it as in `EdDSA` or `RS256`",
                    ));
                }
                Err(_) => {}
            }
        }
        Ok(parsed)
    }
}

/// Returns whether a part is likely a misspelt `next`. Not every text at an edit distance of one counts: `net` is part of
/// many host names.
fn is_nearly_next(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    part.ends_with("next") || ["nxt", "nex", "netx", "nextt", "neext"].contains(&&*part)
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
