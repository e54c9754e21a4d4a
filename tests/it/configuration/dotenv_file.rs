//! `.env` files: which one is found, what overrides it, and how it is read.

use serde_json::json;
use support::folder::Folder;

use super::{
    environment::{OTHER, TEXT, error, is_signed_with, manager},
    probe::{CODE_SECRET, Probe},
};
use support::keys::{self, RSA};

#[test]
fn the_nearest_dotenv_is_read_and_the_environment_overrides_it() {
    let folder = Folder::new("configuration");
    let text =
        format!("JWT_ISSUER=outer\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\nJWT_AUTHMAXAGE=60\n");
    folder.write(".env", text);
    let inner = folder.folder("a/b/c");
    let reported = manager(&Probe::default().in_folder(&inner));
    assert_eq!(
        (&reported["issuer"], &reported["auth_max_age"]),
        (&json!("outer"), &json!(60))
    );
    is_signed_with(&reported, TEXT);
    assert_eq!(
        manager(&Probe::default().in_folder(folder.path()))["issuer"],
        "outer"
    );

    // A folder of that name is skipped.
    folder.folder("a/b/.env");
    assert_eq!(
        manager(&Probe::default().in_folder(&inner))["issuer"],
        "outer"
    );

    // Only the nearest one is read.
    folder.write("a/.env", "JWT_ISSUER=inner\n");
    error(
        &Probe::default().in_folder(&inner),
        "missing",
        "JWT_AUTHTYPE",
    );
    assert_eq!(
        manager(&Probe::default().in_folder(folder.path()))["issuer"],
        "outer"
    );

    let over = Probe::new(&[("JWT_ISSUER", "environment"), ("JWT_SECRET", OTHER)])
        .in_folder(folder.path());
    let reported = manager(&over);
    assert_eq!(
        (&reported["issuer"], &reported["auth_max_age"]),
        (&json!("environment"), &json!(60))
    );
    is_signed_with(&reported, OTHER);
    // An empty variable overrides the file, and then counts as unset.
    error(
        &Probe::new(&[("JWT_ISSUER", "")]).in_folder(folder.path()),
        "missing",
        "JWT_ISSUER",
    );

    // Code overrides both.
    let reported = manager(&over.with_code());
    assert_eq!(
        (&reported["issuer"], &reported["auth_max_age"]),
        (&json!("code"), &json!(60))
    );
    is_signed_with(&reported, CODE_SECRET);
    // It overrides an invalid value, too.
    let wrong = Probe::new(&[
        ("JWT_AUTHTYPE", "x"),
        ("JWT_SECRET", "x"),
        ("JWT_SECRET_FILE", "/no/file"),
    ]);
    assert_eq!(manager(&wrong.with_code())["issuer"], "code");
}

#[test]
fn a_named_dotenv_that_does_not_exist_is_an_error() {
    let folder = Folder::new("configuration");
    let text = format!("JWT_ISSUER=named\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n");
    let named = folder.write("service.conf", text);
    folder.write(".env", "JWT_ISSUER=found\nJWT_AUTHMAXAGE=7\n");
    let probe = || Probe::default().in_folder(folder.path());
    let reported = manager(&probe().of_file(&named));
    assert_eq!(
        (&reported["issuer"], &reported["auth_max_age"]),
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

    for path in [folder.path().join("nowhere"), folder.path().to_owned()] {
        let message = error(&probe().of_file(&path), "unreadable", "path");
        assert!(message.contains(&*path.to_string_lossy()), "{message}");
    }
    let no_text = folder.write("latin1", b"JWT_SECRET=marker\xff\n");
    let message = error(&probe().of_file(&no_text), "unreadable", "path");
    assert!(!message.contains("marker"), "{message}");
    folder.write(".env", b"JWT_SECRET=marker\xff\n");
    let reported = probe().run()["reported"].take();
    assert_eq!(reported["kind"], "unreadable", "{reported}");
    assert!(!reported.to_string().contains("marker"), "{reported}");
}

#[test]
fn a_dotenv_is_read_as_python_dotenv_reads_it() {
    let folder = Folder::new("configuration");
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
        is_signed_with(
            &manager(&Probe::default().in_folder(folder.path())),
            expected,
        );
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
            manager(&Probe::default().in_folder(folder.path()))["auth_type"],
            "RS256"
        );
    }
}

#[test]
fn the_log_says_where_no_dotenv_was_found() {
    let folder = Folder::new("configuration");
    let inner = folder.folder("a/b");
    let probe = Probe::default().in_folder(&inner);
    let log = probe.run()["log"].to_string();
    let expected = format!("no `.env` is in `{}` or a folder above it", inner.display());
    assert!(log.contains(&expected), "{log}");
    folder.write(".env", "JWT_ISSUER=outer\n");
    let log = probe.run()["log"].to_string();
    assert!(!log.contains("no `.env` is in"), "{log}");
}
