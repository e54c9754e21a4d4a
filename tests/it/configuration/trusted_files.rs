//! Files that a configuration is read from: their encoding, their type, and their permissions.

use std::{fs, path::Path, process::Command};
use support::folder::Folder;

use super::{
    environment::{TEXT, error, is_signed_with, manager},
    probe::Probe,
};
use support::keys::{self, RSA};

const BASE: [(&str, &str); 2] = [("JWT_ISSUER", "issuer"), ("JWT_AUTHTYPE", "HS256")];

/// What a process with this configuration logs.
#[track_caller]
fn log(probe: &Probe) -> String {
    let reported = probe.run();
    assert_eq!(reported["reported"]["kind"], "manager", "{reported}");
    reported["log"].as_str().expect("a text").to_owned()
}

fn in_folder(folder: &Folder) -> Probe {
    Probe::default().in_folder(folder.path())
}

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// All variants that an editor can write for a text in UTF-16.
fn all_utf_16(text: &str) -> Vec<Vec<u8>> {
    let marked = format!("\u{feff}{text}");
    let mut all = Vec::new();
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        all.extend([utf_16(text, unit), utf_16(&marked, unit)]);
    }
    all
}

#[test]
fn a_byte_order_mark_in_a_dotenv_is_skipped_and_logged() {
    let folder = Folder::new("configuration");
    let rest = format!("JWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n");
    for text in [
        format!("\u{feff}JWT_ISSUER=issuer\n{rest}"),
        format!(
            "\u{feff}JWT_ISSUER=issuer\r\n{}",
            rest.replace('\n', "\r\n")
        ),
        format!("\u{feff}# both fleets\nJWT_ISSUER=issuer\n{rest}"),
        format!("\u{feff}\u{feff}JWT_ISSUER=issuer\n{rest}"),
        format!("\u{feff}export JWT_ISSUER=issuer\n{rest}"),
        // Two files that were concatenated.
        format!("{rest}\u{feff}JWT_ISSUER=issuer\n"),
    ] {
        folder.write(".env", &text);
        let reported = manager(&in_folder(&folder));
        assert_eq!(reported["issuer"], "issuer", "{text:?}");
        is_signed_with(&reported, TEXT);
        let log = log(&in_folder(&folder));
        assert!(
            log.contains("WARN") && log.contains("byte order mark"),
            "{log}"
        );
    }
}

#[test]
fn a_dotenv_in_utf_16_is_an_error_that_says_so() {
    let folder = Folder::new("configuration");
    let text = format!("JWT_ISSUER=issuer\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n");
    for content in all_utf_16(&text) {
        folder.write(".env", content);
        let message = error(&in_folder(&folder), "unreadable", ".env");
        assert!(message.contains("UTF-16"), "{message}");
    }
}

#[test]
fn a_secret_with_a_byte_order_mark_or_in_utf_16_is_an_error_that_says_so() {
    let folder = Folder::new("configuration");
    let marked = format!("\u{feff}{TEXT}\n").into_bytes();
    for content in all_utf_16(TEXT).into_iter().chain([marked]) {
        let path = folder.write("secret", &content);
        let probe = Probe::new(&BASE).with("JWT_SECRET_FILE", &path);
        let message = error(&probe, "invalid", "JWT_SECRET_FILE");
        assert!(message.contains("byte order mark"), "{message}");
    }
    // Before a PEM block it has no effect.
    let base = [BASE[0], ("JWT_AUTHTYPE", "RS256")];
    let private = folder.write("private", format!("\u{feff}{}", keys::rsa_private(&RSA)));
    let public = folder.write("public", format!("\u{feff}{}", keys::rsa_public(&RSA)));
    let pair = Probe::new(&base)
        .with("JWT_SECRET_FILE", private)
        .with("JWT_PUBLICKEY_FILE", public);
    assert_eq!(manager(&pair)["auth_type"], "RS256");
}

#[test]
fn the_log_names_the_dotenv_that_was_read() {
    let folder = Folder::new("configuration");
    let text = format!("JWT_ISSUER=issuer\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n");
    let path = folder.write(".env", &text);
    let inner = folder.folder("a/b");
    let log_of_found = log(&Probe::default().in_folder(&inner));
    let named = folder.write("named", &text);
    let log_of_named = log(&in_folder(&folder).of_file(&named));
    for (log, path) in [(log_of_found, path), (log_of_named, named)] {
        let name = format!("`{}`", path.canonicalize().expect("it exists").display());
        assert!(log.contains("INFO") && log.contains(&name), "{log}");
        assert!(!log.contains(TEXT), "{log}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_not_regular_or_too_long_is_an_error_at_once() {
    let folder = Folder::new("configuration");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let huge = folder.path().join("huge");
    fs::File::create(&huge)
        .and_then(|file| file.set_len(1 << 40))
        .expect("sparse");
    for (path, expected_text) in [
        (pipe.as_path(), "regular file"),
        (Path::new("/dev/zero"), "regular file"),
        (Path::new("/dev/null"), "regular file"),
        (&huge, "is longer than"),
        (folder.path(), "is a folder"),
    ] {
        for key in ["JWT_SECRET_FILE", "JWT_PUBLICKEY_FILE"] {
            let message = error(&Probe::new(&BASE).with(key, path), "unreadable", key);
            assert!(message.contains(expected_text), "{message}");
        }
        let message = error(&in_folder(&folder).of_file(path), "unreadable", "path");
        assert!(message.contains(expected_text), "{message}");
    }
    // Found as the nearest `.env`, they hide the one above, which could belong to another server.
    folder.write(
        ".env",
        format!("JWT_ISSUER=issuer\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n"),
    );
    for (number, target) in [Path::new("/dev/zero"), &pipe, &huge, Path::new("nowhere")]
        .iter()
        .enumerate()
    {
        let inner = folder.folder(&number.to_string());
        std::os::unix::fs::symlink(target, inner.join(".env")).expect("linked");
        error(&Probe::default().in_folder(&inner), "unreadable", ".env");
    }
}

#[cfg(unix)]
#[test]
fn files_readable_by_others_are_logged_and_files_writable_by_others_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("configuration");
    let text = format!("JWT_ISSUER=issuer\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n");
    let dotenv = folder.write(".env", &text);
    let secret = folder.write("secret", TEXT);
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    let of_secret = || Probe::new(&BASE).with("JWT_SECRET_FILE", &secret);
    for (wide, is_named) in [
        (0o600, false),
        (0o640, false),
        (0o660, false),
        (0o644, true),
        (0o444, true),
    ] {
        mode(&dotenv, wide);
        mode(&secret, wide);
        for probe in [in_folder(&folder), of_secret()] {
            let log = log(&probe);
            assert_eq!(log.contains("chmod o-r"), is_named, "{wide:o}: {log}");
            assert!(!log.contains(TEXT), "{log}");
        }
    }
    for wide in [0o602, 0o666, 0o777] {
        mode(&dotenv, wide);
        mode(&secret, wide);
        for (probe, key) in [
            (in_folder(&folder), ".env"),
            (of_secret(), "JWT_SECRET_FILE"),
        ] {
            let message = error(&probe, "unreadable", key);
            assert!(message.contains("chmod o-w"), "{message}");
        }
    }
    // A public key can be readable for everybody.
    mode(&dotenv, 0o644);
    mode(&secret, 0o644);
    folder.write(
        ".env",
        "JWT_ISSUER=issuer\nJWT_AUTHTYPE=RS256\nJWT_PUBLICKEY_FILE=public\n",
    );
    folder.write("public", keys::rsa_public(&RSA));
    assert!(!log(&in_folder(&folder)).contains("chmod"));
}

#[cfg(unix)]
#[test]
fn the_dotenv_of_another_user_in_a_shared_folder_is_refused_unless_it_is_named() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let folder = Folder::new("configuration");
    let text = format!("JWT_ISSUER=issuer\nJWT_AUTHTYPE=HS256\nJWT_SECRET='{TEXT}'\n");
    let path = folder.write(".env", text);
    let inner = folder.folder("a/b");
    let own = fs::metadata(&path).expect("it exists").uid();
    // A folder like `/tmp`.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).expect("set");
    let found = || Probe::default().in_folder(&inner);
    manager(&found());
    // Only the superuser can change the owner of a file.
    if chown(&path, Some(own + 12_345), None).is_err() {
        assert_ne!(own, 0);
        return;
    }
    let message = error(&found(), "unreadable", ".env");
    assert!(message.contains("from_dotenv"), "{message}");
    manager(&found().of_file(&path));
    // Where only the owner can have created it, it is trusted like the folder.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("set");
    manager(&found());
}
