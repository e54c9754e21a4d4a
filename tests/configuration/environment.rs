//! Variables, `.env` files and `*_FILE`: which of them wins, and how each is read.

use serde_json::{Value, json};

use crate::{
    common::{
        SECRET,
        forge::{Key, encode},
        keys::{self, RSA},
    },
    probe::{CODE_SECRET, Folder, Probe},
};

const TEXT: &str = "a secret of 32 bytes, at the least";
const OTHER: &str = "another secret of 32 bytes and more";

/// The three variables without which there is no manager.
const GOOD: [(&str, &str); 3] = [
    ("JWT_ISSUER", "issuer"),
    ("JWT_AUTHTYPE", "HS256"),
    ("JWT_SECRET", TEXT),
];

/// The good variables and these.
fn good_and(variables: &[(&str, &str)]) -> Probe {
    Probe::new(&[&GOOD[..], variables].concat())
}

/// What a process with a manager tells of it.
#[track_caller]
fn manager(probe: &Probe) -> Value {
    let told = probe.run()["told"].take();
    assert_eq!(told["kind"], "manager", "{told}");
    told
}

/// Asserts that there is no manager; gives the error's message.
#[track_caller]
fn error(probe: &Probe, kind: &str, key: &str) -> String {
    let told = probe.run()["told"].take();
    assert_eq!(
        (&told["kind"], &told["key"]),
        (&json!(kind), &json!(key)),
        "{told}"
    );
    let message = told["message"].as_str().expect("a text").to_owned();
    assert!(message.contains(key), "{message}");
    message
}

/// Whether a manager's token was signed with this HMAC secret.
#[track_caller]
fn is_signed_with(told: &Value, secret: &str) {
    let token = told["token"].as_str().expect("a text");
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let expected = encode(Key::Hs256(secret.as_bytes()).sign(message.as_bytes()));
    assert_eq!(signature, expected, "{secret}");
}

#[test]
fn every_variable_is_read() {
    let told = manager(&good_and(&[]));
    assert_eq!(
        (&told["issuer"], &told["auth_type"]),
        (&json!("issuer"), &json!("HS256"))
    );
    assert_eq!(
        (&told["auth_max_age"], &told["refresh_max_age"]),
        (&json!(3_600), &json!(604_800))
    );
    assert_eq!(told["header"], json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(told["claims"].get("aud"), None);
    is_signed_with(&told, TEXT);

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
        let told = manager(&good_and(&[(variable, text)]));
        assert_eq!(
            told.pointer(shown),
            Some(&value),
            "{variable}={text}: {told}"
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
    for (key, wrong, says) in [
        ("JWT_AUTHTYPE", "hs256-marker", "HS256, HS384"),
        ("JWT_AUTHTYPE", "none", "HS256, HS384"),
        ("JWT_AUTHTYPE", " HS256 ", "HS256, HS384"),
        ("JWT_AUTHTYPE", "ES512", "HS256, HS384"),
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
        assert!(message.contains(says), "{key}={wrong}: {message}");
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
fn a_variable_that_is_no_text_is_an_error_and_not_missing() {
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
fn keys_stand_in_variables_in_one_line_or_in_many() {
    for auth_type in [
        flask_pyjwt::AuthType::RS256,
        flask_pyjwt::AuthType::ES384,
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
fn a_file_holds_a_secret_up_to_one_line_break() {
    let folder = Folder::new();
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
        is_signed_with(&manager(&Probe::default().in_folder(&folder.0)), &secret);
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
fn a_file_that_cannot_be_read_or_is_given_beside_a_value_is_an_error() {
    let folder = Folder::new();
    let base = [GOOD[0], GOOD[1]];
    let secret = folder.write("secret", OTHER);
    let empty = folder.write("empty", "");
    for key in ["JWT_SECRET_FILE", "JWT_PUBLICKEY_FILE"] {
        for path in [
            folder.0.join("nowhere"),
            folder.0.clone(),
            secret.join("below"),
        ] {
            // Which file it was might be a secret in the wrong place.
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
    // A secret where the name of its file is wanted must not come out in the error.
    let pem = keys::rsa_private(&RSA);
    for value in [pem.clone(), pem.replace('\n', "\\n")] {
        let told = Probe::new(&base).with("JWT_SECRET_FILE", &value).run();
        let line = pem.lines().nth(3).expect("a line");
        assert_eq!(told["told"]["key"], "JWT_SECRET_FILE", "{told}");
        assert!(!told.to_string().contains(line), "{told}");
    }
}

#[test]
fn the_nearest_dotenv_is_found_and_the_environment_wins_over_it() {
    let folder = Folder::new();
    let text =
        format!("JWT_ISSUER=outer\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\nJWT_AUTHMAXAGE=60\n");
    folder.write(".env", text);
    let inner = folder.folder("a/b/c");
    let told = manager(&Probe::default().in_folder(&inner));
    assert_eq!(
        (&told["issuer"], &told["auth_max_age"]),
        (&json!("outer"), &json!(60))
    );
    is_signed_with(&told, TEXT);
    assert_eq!(
        manager(&Probe::default().in_folder(&folder.0))["issuer"],
        "outer"
    );

    // A folder of that name is no file.
    folder.folder("a/b/.env");
    assert_eq!(
        manager(&Probe::default().in_folder(&inner))["issuer"],
        "outer"
    );

    // The nearest one counts, alone.
    folder.write("a/.env", "JWT_ISSUER=inner\n");
    error(
        &Probe::default().in_folder(&inner),
        "missing",
        "JWT_AUTHTYPE",
    );
    assert_eq!(
        manager(&Probe::default().in_folder(&folder.0))["issuer"],
        "outer"
    );

    let over =
        Probe::new(&[("JWT_ISSUER", "environment"), ("JWT_SECRET", OTHER)]).in_folder(&folder.0);
    let told = manager(&over);
    assert_eq!(
        (&told["issuer"], &told["auth_max_age"]),
        (&json!("environment"), &json!(60))
    );
    is_signed_with(&told, OTHER);
    // An empty value is a value that wins, and then none.
    error(
        &Probe::new(&[("JWT_ISSUER", "")]).in_folder(&folder.0),
        "missing",
        "JWT_ISSUER",
    );

    // Code wins over both.
    let told = manager(&over.with_code());
    assert_eq!(
        (&told["issuer"], &told["auth_max_age"]),
        (&json!("code"), &json!(60))
    );
    is_signed_with(&told, CODE_SECRET);
    // Even over what is wrong.
    let wrong = Probe::new(&[
        ("JWT_AUTHTYPE", "x"),
        ("JWT_SECRET", "x"),
        ("JWT_SECRET_FILE", "/no/file"),
    ]);
    assert_eq!(manager(&wrong.with_code())["issuer"], "code");
}

#[test]
fn a_named_dotenv_has_to_be_there() {
    let folder = Folder::new();
    let text = format!("JWT_ISSUER=named\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n");
    let named = folder.write("service.conf", text);
    folder.write(".env", "JWT_ISSUER=found\nJWT_AUTHMAXAGE=7\n");
    let probe = || Probe::default().in_folder(&folder.0);
    let told = manager(&probe().of_file(&named));
    assert_eq!(
        (&told["issuer"], &told["auth_max_age"]),
        (&json!("named"), &json!(3_600))
    );
    assert_eq!(
        manager(&probe().of_file(&named).with("JWT_ISSUER", "environment"))["issuer"],
        "environment"
    );
    assert_eq!(
        manager(&probe().of_file(&named).with_code())["issuer"],
        "code"
    );

    for path in [folder.0.join("nowhere"), folder.0.clone()] {
        let message = error(&probe().of_file(&path), "unreadable", "path");
        assert!(message.contains(&*path.to_string_lossy()), "{message}");
    }
    let no_text = folder.write("latin1", b"JWT_SECRET=marker\xff\n");
    let message = error(&probe().of_file(&no_text), "unreadable", "path");
    assert!(!message.contains("marker"), "{message}");
    folder.write(".env", b"JWT_SECRET=marker\xff\n");
    let told = probe().run()["told"].take();
    assert_eq!(told["kind"], "unreadable", "{told}");
    assert!(!told.to_string().contains("marker"), "{told}");
}

#[test]
fn a_dotenv_reads_as_python_dotenv_reads_it() {
    let folder = Folder::new();
    let pem = keys::rsa_private(&RSA);
    for (text, expected) in [
        (
            "JWT_SECRET=0123456789$HOME$x-0123456789-0123456789",
            "0123456789$HOME$x-0123456789-0123456789",
        ),
        (
            "JWT_SECRET=${JWT_ISSUER}-0123456789-0123456789-0123456789",
            "issuer-0123456789-0123456789-0123456789",
        ),
        (
            "JWT_SECRET=${NONE:-0123456789-0123456789-0123456789}",
            "0123456789-0123456789-0123456789",
        ),
        (
            "export JWT_SECRET='0123456789 # 0123456789 0123456789'",
            "0123456789 # 0123456789 0123456789",
        ),
        (
            "JWT_SECRET=0123456789#0123456789#0123456789 # comment",
            "0123456789#0123456789#0123456789",
        ),
        (
            "JWT_SECRET = \"0123456789\\t0123456789\\t0123456789\" # x",
            "0123456789\t0123456789\t0123456789",
        ),
        (
            "JWT_SECRET=\"line one of it\r\nand line two of the secret\"",
            "line one of it\nand line two of the secret",
        ),
        (
            "# JWT_SECRET=x\r\nJWT_SECRET=old\r\nJWT_SECRET=0123456789-0123456789-0123456789\r\n",
            "0123456789-0123456789-0123456789",
        ),
    ] {
        let line_break = if text.contains('\r') { "\r\n" } else { "\n" };
        let head = format!("JWT_ISSUER=issuer{line_break}JWT_AUTHTYPE=HS256{line_break}");
        folder.write(".env", format!("{head}{text}{line_break}"));
        is_signed_with(&manager(&Probe::default().in_folder(&folder.0)), expected);
    }
    for spelling in [
        format!("JWT_SECRET=\"{pem}\"\n"),
        format!("JWT_SECRET='{pem}'\n"),
        format!("JWT_SECRET=\"{}\"\n", pem.replace('\n', "\\n")),
        format!("JWT_SECRET={}\n", pem.replace('\n', "\\n")),
        format!("JWT_SECRET='{}'\n", pem.replace('\n', "\\n")),
        format!("JWT_SECRET=\"{}\"\n", pem.replace('\n', "\r\n")),
    ] {
        folder.write(
            ".env",
            format!("JWT_ISSUER=issuer\nJWT_AUTHTYPE=RS256\n{spelling}"),
        );
        assert_eq!(
            manager(&Probe::default().in_folder(&folder.0))["auth_type"],
            "RS256"
        );
    }
}

#[test]
fn a_configuration_as_it_is_shown_has_no_secret() {
    let shown = good_and(&[("JWT_PUBLICKEY", "public marker")]).run();
    let text = shown["shown"].as_str().expect("a text");
    assert!(text.contains("issuer") && text.contains("HS256"), "{text}");
    for hidden in [TEXT, "marker", std::str::from_utf8(SECRET).expect("a text")] {
        assert!(!text.contains(hidden), "{text}");
    }
}
