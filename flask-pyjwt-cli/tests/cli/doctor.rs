use std::{collections::BTreeSet, os::unix::fs::symlink, process::Command};

use serde_json::Value;
use support::folder::Folder;

use crate::program::{GOOD, Program, SECRET, set_mode};

/// Whether a check of this name has this state and text.
fn has(report: &Value, name: &str, state: &str, text: &str) -> bool {
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().any(|check| {
        let said = check["text"].as_str().expect("a text");
        assert!(check["advice"].is_null() || check["advice"].is_string());
        check["name"] == name && check["state"] == state && said.contains(text)
    })
}

#[test]
fn a_good_configuration_is_ok() {
    let folder = Folder::new("good");
    let report = Program::good(&folder)
        .run(&["doctor", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(report["ok"], true);
    for (name, text) in [
        ("env-file", "no `.env`"),
        ("variable", "`JWT_SECRET` is set in the environment"),
        ("secret", "`JWT_SECRET`"),
        ("configuration", "https://issuer.example"),
        ("key", "HS256"),
        ("lifetime", "1 hour"),
        ("round-trip", "verified"),
        ("clock", ""),
    ] {
        assert!(has(&report, name, "ok", text), "{name}: {report:#}");
    }
    let states: BTreeSet<_> = report["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| check["state"].as_str())
        .collect();
    assert_eq!(states, BTreeSet::from([Some("ok"), Some("note")]));
    let run = Program::good(&folder).run(&["doctor"]).ends_with(0);
    assert!(
        run.out.contains("ok    round-trip: ") && !run.out.contains('\u{1b}'),
        "{run:?}"
    );
}

#[test]
fn weak_points_are_weak_and_not_wrong() {
    let folder = Folder::new("weak");
    let file = folder.write(
        ".env",
        format!("JWT_SECRET={SECRET}\nJWT_LEEWAY=61\nJWT_AUTHMAXAGE=86401\n"),
    );
    set_mode(&file, 0o644);
    let program = Program::bare(&folder).with(&GOOD[..2]);
    let report = program.run(&["doctor", "--json"]).ends_with(0).json();
    for (name, text) in [
        ("leeway", "61"),
        ("lifetime", "1 day"),
        ("log", "every user of this machine can read"),
    ] {
        assert!(has(&report, name, "weak", text), "{name}: {report:#}");
    }
    assert!(has(
        &report,
        "variable",
        "ok",
        "`JWT_LEEWAY` is set in the `.env` file"
    ));

    let short = [
        GOOD[0],
        GOOD[1],
        ("JWT_SECRET", "short"),
        ("JWT_ALLOW_WEAK_SECRET", "true"),
    ];
    let known = [
        GOOD[0],
        GOOD[1],
        ("JWT_SECRET", "change-me: at least 32 bytes of secret"),
    ];
    let same = [
        GOOD[0],
        GOOD[1],
        ("JWT_SECRET", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"),
    ];
    let elsewhere = Folder::new("weak-secrets");
    for (variables, text) in [
        (&short[..], "has 5 bytes"),
        (&known, "word of examples"),
        (&same, "repeats itself"),
    ] {
        let report = Program::bare(&elsewhere)
            .with(variables)
            .run(&["doctor", "--json"])
            .ends_with(0)
            .json();
        assert!(has(&report, "secret", "weak", text), "{report:#}");
    }
}

#[test]
fn every_failure_is_a_check() {
    let folder = Folder::new("wrong");
    let unread = folder.write("unread.env", [0xff, 0xfe, 0x80]);
    let unread = unread.to_str().expect("UTF-8");
    for (variables, arguments, name, text) in [
        (vec![], vec![], "configuration", "JWT_ISSUER"),
        (
            vec![GOOD[0], GOOD[1], ("JWT_SECRET", "short")],
            vec![],
            "configuration",
            "JWT_SECRET",
        ),
        (
            vec![GOOD[0], ("JWT_AUTHTYPE", "none"), GOOD[2]],
            vec![],
            "configuration",
            "JWT_AUTHTYPE",
        ),
        (
            vec![GOOD[0], GOOD[1], ("JWT_KEYS_DIR", "missing")],
            vec![],
            "configuration",
            "JWT_KEYS_DIR",
        ),
        (
            [GOOD, &[("JWT_SECERT", "x")]].concat(),
            vec![],
            "variable",
            "did you mean `JWT_SECRET`",
        ),
        (
            GOOD.to_vec(),
            vec!["--env-file", unread],
            "configuration",
            "UTF-8",
        ),
        (
            GOOD.to_vec(),
            vec!["--env-file", "missing"],
            "configuration",
            "missing",
        ),
        (
            GOOD.to_vec(),
            vec!["--store", "redis://127.0.0.1:1"],
            "store",
            "Redis does not answer",
        ),
        (
            GOOD.to_vec(),
            vec!["--store", "postgres://a@127.0.0.1:1/a"],
            "store",
            "PostgreSQL does not answer",
        ),
        (GOOD.to_vec(), vec!["--store", "memory"], "store", "memory"),
        (
            GOOD.to_vec(),
            vec!["--issuer", "http://127.0.0.1:1"],
            "issuer",
            "127.0.0.1",
        ),
    ] {
        let program = Program::bare(&folder).with(&variables);
        let run = program
            .run(&[&["doctor", "--json"], &arguments[..]].concat())
            .ends_with(1);
        let report = run.json();
        assert_eq!(report["ok"], false);
        assert!(
            has(&report, name, "wrong", text),
            "{name} {text}: {report:#}"
        );
    }
}

#[test]
fn the_keys_folder_is_checked() {
    let folder = Folder::new("folder");
    let program = Program::on_keys(&folder);
    program.run(&["keygen"]).ends_with(0);
    program
        .run(&["keygen", "--alg", "HS256", "--next"])
        .ends_with(0);
    let report = program.run(&["doctor", "--json"]).ends_with(0).json();
    assert!(has(&report, "key", "ok", "signs") && has(&report, "key", "ok", "verifies"));
    assert!(
        has(&report, "secret", "ok", "in the keys folder"),
        "{report:#}"
    );
    set_mode(&folder.file("keys"), 0o755);
    let report = program.run(&["doctor", "--json"]).ends_with(0).json();
    assert!(
        has(&report, "file-mode", "weak", "the keys folder"),
        "{report:#}"
    );
}

#[test]
fn every_variable_of_the_guide_is_known() {
    let folder = Folder::new("known");
    let guide = std::fs::read_to_string("../docs/guide/configuration.md").expect("the page");
    let rows = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `JWT_"));
    let names: Vec<_> = rows
        .filter(|row| row.matches('|').count() >= 3)
        .map(|row| format!("JWT_{}", row.split('`').next().expect("a name")))
        .collect();
    assert!(names.len() >= 16, "{names:?}");
    for name in names {
        let report = Program::bare(&folder)
            .with(&[(&name, "1")])
            .run(&["doctor", "--json"])
            .json();
        assert!(has(&report, "variable", "ok", &name), "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_not_said_to_be_read() {
    let folder = Folder::new("env-files");
    folder.folder("directory");
    folder.write("utf16", b"J\0W\0T\0_\0X\0=\x001\0");
    folder.write("latin", b"JWT_ISSUER=\xe4");
    folder.write("long", vec![b'#'; (1 << 20) + 1]);
    symlink("nowhere", folder.file("dangling")).expect("a link");
    let made = Command::new("mkfifo").arg(folder.file("pipe")).status();
    assert!(made.expect("mkfifo").success());
    for name in [
        "missing",
        "directory",
        "utf16",
        "latin",
        "long",
        "dangling",
        "pipe",
    ] {
        let report = Program::good(&folder)
            .run(&["doctor", "--json", "--env-file", name])
            .ends_with(1)
            .json();
        assert!(has(&report, "env-file", "wrong", name), "{report:#}");
        assert!(!has(&report, "env-file", "ok", ""), "{report:#}");
        assert!(has(&report, "configuration", "wrong", name), "{report:#}");
    }
    // The same for a file that is found.
    symlink("nowhere", folder.file(".env")).expect("a link");
    let report = Program::good(&folder)
        .run(&["doctor", "--json"])
        .ends_with(1)
        .json();
    assert!(has(&report, "env-file", "wrong", ".env"), "{report:#}");
    folder.write("good", "JWT_LEEWAY=1");
    let report = Program::good(&folder)
        .run(&["doctor", "--json", "--env-file", "good"])
        .ends_with(0)
        .json();
    assert!(has(&report, "env-file", "ok", "is read"), "{report:#}");
}

#[test]
fn the_same_is_said_once() {
    let folder = Folder::new("once");
    let program = Program::on_keys(&folder);
    program.run(&["keygen"]).ends_with(0);
    set_mode(&folder.file("keys"), 0o777);
    let report = program.run(&["doctor"]).ends_with(1);
    assert_eq!(report.all().matches("mode 0777").count(), 1, "{report:?}");
    let run = program.run(&["rotate"]).ends_with(0);
    assert_eq!(run.err.matches("mode 0777").count(), 1, "{run:?}");
}
