//! Warns of variables that nothing reads, and whose names look like misspelt ones.

use std::{collections::BTreeSet, env};

use super::key;
use crate::rules::is_one_edit_away;

/// Every variable that is read.
const VARIABLES: [&str; 18] = [
    key::ISSUER,
    key::AUTH_TYPE,
    key::SECRET,
    key::SECRET_FILE,
    key::PUBLIC_KEY,
    key::PUBLIC_KEY_FILE,
    key::AUTH_MAX_AGE,
    key::REFRESH_MAX_AGE,
    key::AUDIENCE,
    key::LEEWAY,
    key::KEY_ID,
    key::KEYS_DIR,
    key::ALLOW_WEAK_SECRET,
    key::SESSION_MAX_AGE,
    key::SESSION_IDLE,
    key::REFRESH_GRACE,
    key::LOST_ANSWER_WINDOW,
    key::CSRF_SECRET,
];

/// Logs a warning for each name, in the environment or among these of a `.env` file, that is one edit away from a variable.
pub(super) fn warn<'a>(in_file: impl Iterator<Item = &'a str>) {
    let mut names: BTreeSet<String> = in_file.map(str::to_owned).collect();
    names.extend(env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    for name in names {
        if let Some(meant) = meant(&name) {
            // A name in a `.env` file can contain any character.
            let name = name.escape_debug();
            tracing::warn!("`{name}` is not read: did you mean `{meant}`?");
        }
    }
}

/// The variable that was probably meant by a name that is none.
fn meant(name: &str) -> Option<&'static str> {
    if !name.starts_with("JWT_") || VARIABLES.contains(&name) {
        return None;
    }
    VARIABLES
        .into_iter()
        .find(|variable| is_one_edit_away(variable, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_one_edit_away_means_a_variable() {
        for (name, expected) in [
            ("JWT_AUTHMAXAGES", Some(key::AUTH_MAX_AGE)),
            ("JWT_SECERT", Some(key::SECRET)),
            ("JWT_ISUER", Some(key::ISSUER)),
            ("JWT_AUTH_TYPE", Some(key::AUTH_TYPE)),
            ("JWT_KEY_ID", Some(key::KEY_ID)),
            ("JWT_KEYSDIR", Some(key::KEYS_DIR)),
            ("JWT_SECRET_KEY", None),
            ("JWT_ALGORITHM", None),
            ("JWT_", None),
            ("JWT_\u{e9}", None),
            ("JTW_SECRET", None),
            ("PATH", None),
        ] {
            assert_eq!(meant(name), expected, "{name}");
        }
        for variable in VARIABLES {
            assert_eq!(meant(variable), None, "{variable}");
            assert_eq!(meant(&format!("{variable}X")), Some(variable));
        }
    }

    #[test]
    fn every_variable_of_the_table_in_the_documentation_is_known() {
        let documented: BTreeSet<_> = include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("/// | `JWT_"))
            .filter_map(|row| row.split('|').next())
            .flat_map(|cell| cell.split("`, `JWT_"))
            .map(|name| format!("JWT_{}", name.trim().trim_end_matches('`')))
            .collect();
        assert_eq!(documented, VARIABLES.map(str::to_owned).into());
    }
}
