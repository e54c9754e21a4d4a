use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    thread,
    time::{Duration, SystemTime},
};

use flask_pyjwt::AuthType;
use support::folder::Folder;

use crate::program::{Program, key_file, key_files, mode, set_mode};

fn name_of(out: &str) -> String {
    let path = out.lines().next().expect("a path");
    path.strip_prefix("keys/")
        .expect("in the folder")
        .to_owned()
}

#[test]
fn every_algorithm_is_generated_and_its_tokens_verify() {
    let check = |auth_type: AuthType| {
        let folder = Folder::new("keygen");
        let name = auth_type.name();
        let program = Program::bare(&folder).with(&[
            ("JWT_ISSUER", "https://issuer.example"),
            ("JWT_AUTHTYPE", name),
            ("JWT_KEYS_DIR", "keys"),
        ]);
        let made = program.run(&["keygen", "--alg", name]).ends_with(0);
        let kid = made
            .out
            .lines()
            .nth(1)
            .and_then(|line| line.strip_prefix("kid: "));
        let kid = kid.expect("a key ID").to_owned();
        let file = name_of(&made.out);
        let ending = if name.starts_with("HS") { "key" } else { "pem" };
        assert!(file.ends_with(&format!(".{name}.{ending}")), "{file}");
        assert_eq!(mode(&key_file(&folder, &file)), 0o600);
        assert_eq!(mode(&folder.file("keys")), 0o700);
        let content = fs::read_to_string(key_file(&folder, &file)).expect("a key");
        assert!(
            !made
                .all()
                .contains(content.lines().nth(1).unwrap_or(&content))
        );

        let token = program.run(&["mint", "alice"]).ends_with(0).out;
        let program = program.input(&token);
        let shown = program.run(&["inspect", "--json", "-"]).ends_with(0).json();
        assert_eq!(shown["verified"], true);
        assert_eq!(shown["header"]["alg"], name);
        assert_eq!(shown["header"]["kid"], kid);

        let set = program.run(&["jwks"]).ends_with(0).json();
        let keys = set["keys"].as_array().expect("keys");
        if ending == "key" {
            assert!(keys.is_empty());
        } else {
            assert_eq!(keys[0]["kid"], kid);
            assert_eq!(keys[0]["alg"], name);
            assert!(keys[0].get("d").is_none());
        }
        let of_folder = program.run(&["jwks", "--dir", "keys"]).ends_with(0).json();
        assert_eq!(of_folder, set);
    };
    thread::scope(|scope| {
        for auth_type in AuthType::ALL {
            scope.spawn(move || check(auth_type));
        }
    });
}

#[test]
fn rsa_keys_have_the_size_that_is_asked_for() {
    let folder = Folder::new("bits");
    let program = Program::bare(&folder);
    let size = |arguments: &[&str]| program.run(arguments).ends_with(0).out.len();
    let small = size(&[
        "keygen",
        "--alg",
        "PS256",
        "--bits",
        "2048",
        "--show-secret",
    ]);
    let default = size(&["keygen", "--alg", "PS256", "--show-secret"]);
    assert!(small < default, "{small} {default}");
    program
        .run(&[
            "keygen",
            "--alg",
            "RS256",
            "--bits",
            "1024",
            "--show-secret",
        ])
        .ends_with(2);
    program
        .run(&[
            "keygen",
            "--alg",
            "EdDSA",
            "--bits",
            "2048",
            "--show-secret",
        ])
        .ends_with(2);
}

#[test]
fn a_file_is_never_overwritten() {
    let folder = Folder::new("overwrite");
    let program = Program::bare(&folder);
    let keygen = ["keygen", "--dir", "keys", "--name", "first"];
    program.run(&keygen).ends_with(0);
    let file = key_file(&folder, "first.EdDSA.pem");
    let before = fs::read(&file).expect("a key");
    let again = program
        .run(&[&keygen[..], &["--sign-now"]].concat())
        .ends_with(1);
    assert!(again.err.contains("exists"), "{again:?}");
    assert_eq!(fs::read(&file).expect("a key"), before);
    assert_eq!(key_files(&folder), ["first.EdDSA.pem"]);
}

#[test]
fn a_second_key_does_not_sign_by_accident() {
    let folder = Folder::new("second");
    let program = Program::bare(&folder);
    let keygen = ["keygen", "--keys-dir", "keys"];
    let first = name_of(&program.run(&keygen).ends_with(0).out);
    let refused = program.run(&keygen).ends_with(1);
    assert!(refused.err.contains("--next"), "{refused:?}");

    let next = name_of(
        &program
            .run(&[&keygen[..], &["--next"]].concat())
            .ends_with(0)
            .out,
    );
    assert!(next.contains(".EdDSA.next.pem"), "{next}");
    let now = name_of(
        &program
            .run(&[&keygen[..], &["--sign-now"]].concat())
            .ends_with(0)
            .out,
    );
    // The order of the names decides if all files have one time.
    assert!(first < next && next < now, "{first} {next} {now}");
    assert_eq!(key_files(&folder).len(), 3);
}

#[test]
fn a_name_that_a_server_would_misread_is_refused() {
    let folder = Folder::new("names");
    let program = Program::bare(&folder);
    for name in [
        "", "../a", "a.b", ".hidden", "a-next", "NEXT", "nxt", "es256", "EdDSA", "a b",
    ] {
        let run = program.run(&["keygen", "--dir", "keys", "--name", name]);
        assert_eq!(run.code, 2, "{name}: {run:?}");
    }
    assert!(!folder.file("keys").exists());
}

#[test]
fn a_folder_that_a_server_cannot_use_is_refused() {
    let folder = Folder::new("broken");
    folder.write("keys/broken.pem", "no key");
    let run = Program::bare(&folder)
        .run(&["keygen", "--dir", "keys"])
        .ends_with(1);
    assert!(run.err.contains("broken.pem"), "{run:?}");
    assert_eq!(key_files(&folder), ["broken.pem"]);
}

#[test]
fn without_a_folder_the_key_is_printed_only_on_request() {
    let folder = Folder::new("no-folder");
    let program = Program::bare(&folder);
    program.run(&["keygen"]).ends_with(2);
    let pem = program.run(&["keygen", "--show-secret"]).ends_with(0);
    assert!(pem.out.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(pem.err.contains("kid: "));
    let secret = program
        .run(&["keygen", "--alg", "HS512", "--show-secret"])
        .ends_with(0);
    assert_eq!(secret.out.trim_end().len(), 86, "64 bytes in base64url");
    let shown = program
        .run(&["keygen", "--dir", "keys", "--show-secret"])
        .ends_with(0);
    let content = fs::read_to_string(key_file(&folder, &key_files(&folder)[0])).expect("a key");
    assert!(shown.out.contains(&content));
}

#[test]
fn options_about_a_file_need_a_folder() {
    let folder = Folder::new("options");
    for options in [&["--next"][..], &["--sign-now"], &["--name", "a"]] {
        let run = Program::bare(&folder)
            .run(&[&["keygen", "--show-secret"], options].concat())
            .ends_with(2);
        assert!(run.out.is_empty() && run.err.contains("--dir"), "{run:?}");
    }
}

#[test]
fn a_key_that_would_not_sign_now_is_not_made() {
    let folder = Folder::new("future");
    let program = Program::bare(&folder);
    let keygen = ["keygen", "--dir", "keys", "--name"];
    program.run(&[&keygen[..], &["old"]].concat()).ends_with(0);
    let file = fs::File::open(key_file(&folder, "old.EdDSA.pem")).expect("a key");
    file.set_modified(SystemTime::now() + Duration::from_hours(8_766))
        .expect("a time");
    let run = program
        .run(&[&keygen[..], &["new", "--sign-now"]].concat())
        .ends_with(1);
    assert!(
        run.err.contains("`old.EdDSA.pem`") && !run.err.contains("signs"),
        "{run:?}"
    );
    assert_eq!(key_files(&folder), ["old.EdDSA.pem"]);
    // A key whose later name is taken could never sign.
    let run = program
        .run(&[&keygen[..], &["old", "--next"]].concat())
        .ends_with(1);
    assert!(run.err.contains("`old.EdDSA.pem` exists"), "{run:?}");
    // A key that only waits is no promise.
    program
        .run(&[&keygen[..], &["new", "--next"]].concat())
        .ends_with(0);
    let report = Program::on_keys(&folder)
        .run(&["doctor", "--json"])
        .ends_with(0);
    assert!(
        report
            .out
            .contains("`old.EdDSA.pem` was modified in the future"),
        "{report:?}"
    );
}

#[test]
fn the_server_can_read_the_key_that_an_administrator_makes() {
    let folder = Folder::new("owner");
    let keys = folder.folder("keys");
    set_mode(&keys, 0o700);
    // Only an administrator can give the folder away.
    if chown(&keys, Some(12_345), Some(23_456)).is_err() {
        return;
    }
    let program = Program::on_keys(&folder);
    program.run(&["keygen"]).ends_with(0);
    program.run(&["rotate"]).ends_with(0);
    for name in key_files(&folder) {
        let file = key_file(&folder, &name);
        let about = fs::metadata(&file).expect("a key");
        assert_eq!((about.uid(), about.gid()), (12_345, 23_456), "{name}");
        assert_eq!(mode(&file), 0o600);
    }
    // A new folder in that of another user.
    let run = program.run(&["keygen", "--dir", "keys/more"]).ends_with(0);
    assert!(run.err.contains("chown"), "{run:?}");
}

#[test]
fn errors_about_a_folder_name_the_file_and_not_a_variable_that_is_not_set() {
    let folder = Folder::new("garbage");
    folder.write("keys/broken.pem", "no key");
    let secret = "7ExOroJFLbQvs6SUwknryPhdXRm5N1S49IverMg9NCA";
    folder.write("copies/a.HS256.key", secret);
    folder.write("copies/b.HS256.key", secret);
    for command in ["keygen", "rotate", "jwks"] {
        let run = Program::bare(&folder)
            .run(&[command, "--dir", "keys"])
            .ends_with(1);
        assert!(
            run.err.contains("`broken.pem`") && !run.err.contains("JWT_SECRET"),
            "{run:?}"
        );
        let copies = Program::bare(&folder)
            .run(&[command, "--dir", "copies"])
            .ends_with(1);
        assert!(
            copies.err.contains("`copies`") && !copies.err.contains("config value"),
            "{copies:?}"
        );
        let run = Program::bare(&folder)
            .with(&[("JWT_AUTHTYPE", "RS-256")])
            .run(&[command, "--dir", "keys"])
            .ends_with(1);
        assert!(run.err.contains("JWT_AUTHTYPE"), "{run:?}");
    }
}
