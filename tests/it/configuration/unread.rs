//! Variables that nothing reads: a warning for those whose names look like misspelt ones.

use serde_json::Value;
use support::folder::Folder;

use super::{environment::TEXT, probe::Probe};

/// The names of the warnings that a process logged, with the variable that each one proposes.
fn warnings(log: &Value) -> Vec<(String, String)> {
    let log = log["log"].as_str().expect("a text");
    log.lines()
        .filter(|line| line.contains("WARN"))
        .filter_map(|line| line.split_once("` is not read: did you mean `"))
        .map(|(before, after)| {
            let name = before.rsplit('`').next().expect("a name");
            let meant = after.split('`').next().expect("a name");
            (name.to_owned(), meant.to_owned())
        })
        .collect()
}

#[test]
fn a_misspelt_variable_is_a_warning_with_its_name_and_without_its_value() {
    let folder = Folder::new("configuration");
    folder.write(
        ".env",
        "JWT_ISSUER=issuer\nJWT_AUTHTYPE=HS256\nJWT_SECERT=marker\nJWT_AUTHMAXAGES=marker\nJWT_LEWAY\n\
         JWT_AUTHMAXAGES=marker\nJWT_UNKNOWN=marker\nJWT_SECRET_KEY=marker\nSECRET=marker\n",
    );
    let found = Probe::new(&[
        ("JWT_SECRET", TEXT),
        ("JWT_SECERT", "marker"),
        ("JWT_KEY_ID", "marker"),
        ("JWT_ALGORITHM", "marker"),
        ("jwt_secret", "marker"),
    ])
    .in_folder(folder.path())
    .run();
    let expected = [
        ("JWT_AUTHMAXAGES", "JWT_AUTHMAXAGE"),
        ("JWT_KEY_ID", "JWT_KEYID"),
        ("JWT_LEWAY", "JWT_LEEWAY"),
        ("JWT_SECERT", "JWT_SECRET"),
    ]
    .map(|(name, meant)| (name.to_owned(), meant.to_owned()));
    assert_eq!(warnings(&found), expected);
    assert!(!found["log"].to_string().contains("marker"), "{found}");
    assert_eq!(found["reported"]["kind"], "manager", "{found}");
}

#[test]
fn known_and_unrelated_variables_are_no_warning() {
    let found = Probe::new(&[
        ("JWT_ISSUER", "issuer"),
        ("JWT_AUTHTYPE", "HS256"),
        ("JWT_SECRET", TEXT),
        ("JWT_AUTHMAXAGE", "60"),
        ("JWT_COOKIE_SECURE", "1"),
        ("JWT_SECRET_KEY", "marker"),
    ])
    .run();
    assert_eq!(warnings(&found), []);
}

#[cfg(unix)]
#[test]
fn a_misspelt_variable_whose_value_is_not_unicode_is_a_warning() {
    use std::os::unix::ffi::OsStrExt as _;
    let value = std::ffi::OsStr::from_bytes(b"\xff");
    let found = Probe::new(&[
        ("JWT_ISSUER", "issuer"),
        ("JWT_AUTHTYPE", "HS256"),
        ("JWT_SECRET", TEXT),
    ])
    .with("JWT_SECERT", value)
    .run();
    assert_eq!(found["reported"]["kind"], "manager", "{found}");
    assert_eq!(warnings(&found).len(), 1);
}
