//! Variables, `.env` files and `*_FILE`: which one takes precedence, and how each is read.

use serde_json::{Value, json};
use support::folder::Folder;

use super::probe::Probe;
use support::{
    SECRET,
    forge::{Key, encode},
    keys::{self, RSA},
};

pub(crate) const TEXT: &str = "a secret of 32 bytes, at the least";
pub(crate) const OTHER: &str = "another secret of 32 bytes and more";

/// The three variables that every manager needs.
const GOOD: [(&str, &str); 3] = [
    ("JWT_ISSUER", "issuer"),
    ("JWT_AUTHTYPE", "HS256"),
    ("JWT_SECRET", TEXT),
];

/// The valid variables and these.
fn good_and(variables: &[(&str, &str)]) -> Probe {
    Probe::new(&[&GOOD[..], variables].concat())
}

/// What a process with a manager prints about it.
#[track_caller]
pub(crate) fn manager(probe: &Probe) -> Value {
    let reported = probe.run()["reported"].take();
    assert_eq!(reported["kind"], "manager", "{reported}");
    reported
}

/// Asserts that no manager is made, and returns the error's message.
#[track_caller]
pub(crate) fn error(probe: &Probe, kind: &str, key: &str) -> String {
    let reported = probe.run()["reported"].take();
    assert_eq!(
        (&reported["kind"], &reported["key"]),
        (&json!(kind), &json!(key)),
        "{reported}"
    );
    let message = reported["message"].as_str().expect("a text").to_owned();
    assert!(message.contains(key), "{message}");
    message
}

/// Whether a manager's token was signed with this HMAC secret.
#[track_caller]
pub(crate) fn is_signed_with(reported: &Value, secret: &str) {
    let token = reported["token"].as_str().expect("a text");
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let expected = encode(Key::Hs256(secret.as_bytes()).sign(message.as_bytes()));
    assert_eq!(signature, expected, "{secret}");
}

#[test]
fn every_variable_is_read() {
    let reported = manager(&good_and(&[]));
    assert_eq!(
        (&reported["issuer"], &reported["auth_type"]),
        (&json!("issuer"), &json!("HS256"))
    );
    assert_eq!(
        (&reported["auth_max_age"], &reported["refresh_max_age"]),
        (&json!(3_600), &json!(604_800))
    );
    assert_eq!(reported["header"], json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(reported["claims"].get("aud"), None);
    is_signed_with(&reported, TEXT);

    for (variable, text, shown, value) in [
        (
            "JWT_ISSUER",
            "https://x.example/ é",
            "/issuer",
            json!("https://x.example/ é"),
        ),
        ("JWT_AUTHMAXAGE", "60", "/auth_max_age", json!(60)),
        ("JWT_AUTHMAXAGE", " 60 ", "/auth_max_age", json!(60)),
        ("JWT_AUTHMAXAGE", "+1_000", "/auth_max_age", json!(1_000)),
        (
            "JWT_REFRESHMAXAGE",
            "86400",
            "/refresh_max_age",
            json!(86_400),
        ),
        ("JWT_AUDIENCE", "api", "/claims/aud", json!("api")),
        ("JWT_KEYID", "2024-1", "/header/kid", json!("2024-1")),
        ("JWT_LEEWAY", "0", "/issuer", json!("issuer")),
        ("JWT_LEEWAY", "300", "/issuer", json!("issuer")),
        ("JWT_ALLOW_WEAK_SECRET", "false", "/issuer", json!("issuer")),
        ("JWT_ALLOW_WEAK_SECRET", "0", "/issuer", json!("issuer")),
        ("JWT_SECRET_FILE", "", "/issuer", json!("issuer")),
        ("JWT_PUBLICKEY", "", "/issuer", json!("issuer")),
        (
            "JWT_PUBLICKEY",
            "of no use for HMAC",
            "/issuer",
            json!("issuer"),
        ),
        ("JWT_UNKNOWN", "x", "/issuer", json!("issuer")),
    ] {
        let reported = manager(&good_and(&[(variable, text)]));
        assert_eq!(
            reported.pointer(shown),
            Some(&value),
            "{variable}={text}: {reported}"
        );
    }
    for switch in ["true", "True", "TRUE", "1"] {
        let weak = [("JWT_SECRET", "weak"), ("JWT_ALLOW_WEAK_SECRET", switch)];
        is_signed_with(&manager(&good_and(&weak)), "weak");
    }
}

#[test]
fn every_wrong_variable_is_named_and_no_value_is_shown() {
    for missing in 0..GOOD.len() {
        let mut variables = GOOD.to_vec();
        let (key, _) = variables.remove(missing);
        error(&Probe::new(&variables), "missing", key);
        error(&Probe::new(&variables).with(key, ""), "missing", key);
    }
    error(&Probe::new(&[]), "missing", "JWT_ISSUER");
    for (key, wrong, expected_text) in [
        ("JWT_AUTHTYPE", "hs256-marker", "HS256, HS384"),
        ("JWT_AUTHTYPE", "none", "HS256, HS384"),
        ("JWT_AUTHTYPE", " HS256 ", "HS256, HS384"),
        ("JWT_AUTHTYPE", "ES521", "HS256, HS384"),
        ("JWT_SECRET", "marker", "openssl rand"),
        ("JWT_SECRET", "ssh-rsa marker marker", "SSH"),
        ("JWT_AUTHMAXAGE", "", "seconds"),
        ("JWT_AUTHMAXAGE", "marker", "seconds"),
        ("JWT_AUTHMAXAGE", "1h", "seconds"),
        ("JWT_AUTHMAXAGE", "60.0", "seconds"),
        ("JWT_AUTHMAXAGE", "6e1", "seconds"),
        ("JWT_AUTHMAXAGE", "0x10", "seconds"),
        ("JWT_AUTHMAXAGE", "0", "at least 1 second"),
        ("JWT_AUTHMAXAGE", "-60", "at least 1 second"),
        ("JWT_AUTHMAXAGE", "9223372036854775807", "at most"),
        ("JWT_AUTHMAXAGE", "9223372036854775808", "seconds"),
        ("JWT_REFRESHMAXAGE", "marker", "seconds"),
        ("JWT_REFRESHMAXAGE", "0", "at least 1 second"),
        ("JWT_LEEWAY", "marker", "seconds"),
        ("JWT_LEEWAY", "-1", "0 to 300"),
        ("JWT_LEEWAY", "301", "0 to 300"),
        ("JWT_AUDIENCE", "", "empty"),
        ("JWT_KEYID", "", "empty"),
        ("JWT_ALLOW_WEAK_SECRET", "marker", "true"),
        ("JWT_ALLOW_WEAK_SECRET", "yes", "true"),
        ("JWT_ALLOW_WEAK_SECRET", "", "true"),
    ] {
        let message = error(&good_and(&[(key, wrong)]), "invalid", key);
        assert!(message.contains(expected_text), "{key}={wrong}: {message}");
        for value in ["marker", TEXT] {
            assert!(!message.contains(value), "{key}={wrong}: {message}");
        }
        assert!(
            wrong.len() < 3 || !message.contains(&format!("`{wrong}`")),
            "{message}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStrExt as _;
    let no_text = std::ffi::OsStr::from_bytes(b"marker \xff, and thirty-two bytes or more");
    for key in [
        "JWT_ISSUER",
        "JWT_AUTHTYPE",
        "JWT_SECRET",
        "JWT_AUTHMAXAGE",
        "JWT_AUDIENCE",
    ] {
        let message = error(&good_and(&[]).with(key, no_text), "invalid", key);
        assert!(
            message.contains("UTF-8") && !message.contains("marker"),
            "{message}"
        );
    }
}

#[test]
fn keys_in_variables_are_on_one_line_or_on_many() {
    for auth_type in [
        flask_pyjwt::AuthType::RS256,
        flask_pyjwt::AuthType::ES384,
        flask_pyjwt::AuthType::ES512,
        flask_pyjwt::AuthType::EdDSA,
    ] {
        let secret = String::from_utf8(keys::secret(auth_type)).expect("PEM");
        let public = keys::public(auth_type).expect("PEM");
        let name = auth_type.name();
        for spell in [
            |pem: &str| pem.to_owned(),
            |pem: &str| pem.replace('\n', "\\n"),
        ] {
            let base = [("JWT_ISSUER", "issuer"), ("JWT_AUTHTYPE", name)];
            let pair = Probe::new(&base)
                .with("JWT_SECRET", spell(&secret))
                .with("JWT_PUBLICKEY", spell(&public));
            assert_eq!(manager(&pair)["auth_type"], name);
            let alone = Probe::new(&base).with("JWT_SECRET", spell(&secret));
            assert_ne!(manager(&alone)["token"], "");
            let public = Probe::new(&base).with("JWT_PUBLICKEY", spell(&public));
            assert_eq!(manager(&public)["token"], "");
            error(&Probe::new(&base), "missing", "JWT_SECRET");
        }
    }
}

#[test]
fn one_line_break_at_the_end_of_a_secret_file_is_cut_off() {
    let folder = Folder::new("configuration");
    let base = [GOOD[0], GOOD[1]];
    for (content, secret) in [
        (TEXT.to_owned(), TEXT.to_owned()),
        (format!("{TEXT}\n"), TEXT.to_owned()),
        (format!("{TEXT}\r\n"), TEXT.to_owned()),
        (format!("{TEXT}\n\n"), format!("{TEXT}\n")),
        (format!(" {TEXT} "), format!(" {TEXT} ")),
        (
            format!("\"{TEXT}\" # $HOME\n"),
            format!("\"{TEXT}\" # $HOME"),
        ),
    ] {
        let path = folder.write("secret", &content);
        is_signed_with(
            &manager(&Probe::new(&base).with("JWT_SECRET_FILE", &path)),
            &secret,
        );
        // Relative to the working directory, and named by a `.env`.
        folder.write(
            ".env",
            "JWT_ISSUER=issuer\nJWT_AUTHTYPE=HS256\nJWT_SECRET_FILE=secret\n",
        );
        is_signed_with(
            &manager(&Probe::default().in_folder(folder.path())),
            &secret,
        );
    }
    let (private, public) = (keys::rsa_private(&RSA), keys::rsa_public(&RSA));
    let base = [("JWT_ISSUER", "issuer"), ("JWT_AUTHTYPE", "RS256")];
    let private = folder.write("private.pem", private.replace('\n', "\r\n"));
    let public = folder.write("public.pem", public);
    let both = Probe::new(&base)
        .with("JWT_SECRET_FILE", &private)
        .with("JWT_PUBLICKEY_FILE", &public);
    assert_ne!(manager(&both)["token"], "");
    assert_eq!(
        manager(&Probe::new(&base).with("JWT_PUBLICKEY_FILE", &public))["token"],
        ""
    );
}

#[test]
fn a_file_that_is_unreadable_or_set_in_addition_to_a_value_is_an_error() {
    let folder = Folder::new("configuration");
    let base = [GOOD[0], GOOD[1]];
    let secret = folder.write("secret", OTHER);
    let empty = folder.write("empty", "");
    for key in ["JWT_SECRET_FILE", "JWT_PUBLICKEY_FILE"] {
        for path in [
            folder.path().join("nowhere"),
            folder.path().to_owned(),
            secret.join("below"),
        ] {
            // The message shows no path: it could be a secret in the wrong variable.
            error(&Probe::new(&base).with(key, &path), "unreadable", key);
        }
    }
    error(
        &Probe::new(&base).with("JWT_SECRET_FILE", &empty),
        "invalid",
        "JWT_SECRET",
    );
    let message = error(
        &good_and(&[]).with("JWT_SECRET_FILE", &secret),
        "invalid",
        "JWT_SECRET",
    );
    assert!(message.contains("JWT_SECRET_FILE"), "{message}");
    let both = good_and(&[("JWT_PUBLICKEY", "x")]).with("JWT_PUBLICKEY_FILE", &secret);
    error(&both, "invalid", "JWT_PUBLICKEY");
    // A secret in place of a file name must not appear in the error.
    let pem = keys::rsa_private(&RSA);
    for value in [pem.clone(), pem.replace('\n', "\\n")] {
        let reported = Probe::new(&base).with("JWT_SECRET_FILE", &value).run();
        let line = pem.lines().nth(3).expect("a line");
        assert_eq!(reported["reported"]["key"], "JWT_SECRET_FILE", "{reported}");
        assert!(!reported.to_string().contains(line), "{reported}");
    }
}

#[test]
fn debug_output_of_a_configuration_shows_no_secret() {
    let shown = good_and(&[("JWT_PUBLICKEY", "public marker")]).run();
    let text = shown["shown"].as_str().expect("a text");
    assert!(text.contains("issuer") && text.contains("HS256"), "{text}");
    for hidden in [TEXT, "marker", std::str::from_utf8(SECRET).expect("a text")] {
        assert!(!text.contains(hidden), "{text}");
    }
}
