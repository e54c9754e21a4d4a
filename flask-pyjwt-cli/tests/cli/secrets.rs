//! Secrets in arguments are refused, and secrets are in no output.

use support::folder::Folder;

use crate::program::{GOOD, Program, SECRET};

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";

#[test]
fn a_secret_as_an_argument_is_refused_and_not_repeated() {
    let folder = Folder::new("arguments");
    let program = Program::good(&folder);
    let bearer = format!("Bearer {TOKEN}");
    let header = format!("Authorization: Bearer {TOKEN}");
    let claim = format!(r#"x={{"t":"{TOKEN}"}}"#);
    let path = format!("tok=a={TOKEN}");
    let option = format!("--token={TOKEN}");
    for arguments in [
        &["inspect", TOKEN][..],
        &["inspect", &bearer],
        &["inspect", "--json", TOKEN],
        &["inspect", "-", TOKEN],
        &["inspect", &option],
        &["mint", TOKEN],
        &["inspect", &header],
        &[
            "inspect",
            &bearer.to_lowercase().replace(&TOKEN.to_lowercase(), TOKEN),
        ],
        &["mint", "a", "--claim", &claim],
        &["explain", "--token", "-", "--require", "", "--path", &path],
        &[
            "keygen",
            "MC4CAQAwBQYDK2VwBCIEIAhiddenhiddenhiddenhiddenhidden",
        ],
        &["doctor", "--store", "redis:u:hidden@127.0.0.1:1"],
        &["doctor", "--store", "postgres:/u:hidden@127.0.0.1:1/x"],
        &[
            "sessions",
            "list",
            "alice",
            "--store",
            "redis://:hidden@127.0.0.1:1",
        ],
        &[
            "sessions",
            "list",
            "alice",
            "--store=postgres://alice:hidden@127.0.0.1:1/shop",
        ],
        &[
            "doctor",
            "--store",
            "postgres://127.0.0.1:1/shop?password=hidden",
        ],
    ] {
        let run = program.run(arguments).ends_with(2);
        let all = run.all();
        assert!(!all.contains("eyJ") && !all.contains("hidden"), "{run:?}");
        assert!(run.out.is_empty(), "{run:?}");
    }
}

#[test]
fn no_command_prints_the_secret() {
    let folder = Folder::new("scan");
    folder.write("token", TOKEN);
    folder.private_file("sessions.redb");
    let password = "pA5swordOfTheStore";
    let url = format!("redis://:{password}@127.0.0.1:1");
    let postgres = format!("postgres://alice:{password}@127.0.0.1:1/shop");
    let mut wrong = GOOD.to_vec();
    wrong[1] = ("JWT_AUTHTYPE", "EdDSA");
    for variables in [
        GOOD.to_vec(),
        wrong,
        [GOOD, &[("JWT_SECRET_FILE", SECRET)]].concat(),
        [GOOD, &[("JWT_KEYS_DIR", SECRET)]].concat()[..2].to_vec(),
        vec![GOOD[0], GOOD[1], ("JWT_SECRET_FILE", SECRET)],
        vec![
            GOOD[0],
            GOOD[1],
            ("JWT_PUBLICKEY", SECRET),
            ("JWT_CSRFSECRET", SECRET),
        ],
        [GOOD, &[("JWT_CSRFSECRET", "short")]].concat(),
    ] {
        for store in [&url, &postgres] {
            let program = Program::bare(&folder)
                .with(&variables)
                .with(&[("STORE", store)]);
            for arguments in [
                &["doctor"][..],
                &["doctor", "--json"],
                &["jwks"],
                &["inspect", "token"],
                &["inspect", "--json", "token"],
                &["explain", "--token", "token", "--require", ""],
                &["mint", "alice"],
                &["rotate"],
                &["sessions", "list", "alice"],
                &["sessions", "end", "alice", "x"],
                &["sessions", "end-all", "alice", "--json"],
            ] {
                let run = program.run(arguments);
                let all = run.all();
                assert!(!all.contains(SECRET), "{arguments:?}: {run:?}");
                assert!(!all.contains(password), "{arguments:?}: {run:?}");
                assert!(!all.contains("c2lnbmF0dXJl"), "{arguments:?}: {run:?}");
            }
        }
    }
}

#[test]
fn a_key_in_the_place_of_a_path_is_not_printed() {
    let folder = Folder::new("wrong-place");
    let made = Program::bare(&folder)
        .run(&["keygen", "--show-secret"])
        .ends_with(0);
    let key = made.out.trim_end();
    let body = key.lines().nth(1).expect("a line");
    for variable in [
        "JWT_KEYS_DIR",
        "JWT_SECRET_FILE",
        "JWT_PUBLICKEY_FILE",
        "STORE",
    ] {
        let program = Program::bare(&folder).with(&[GOOD[0], ("JWT_AUTHTYPE", "EdDSA")]);
        let program = program.with(&[(variable, key)]);
        for arguments in [
            &["doctor"][..],
            &["doctor", "--json"],
            &["mint", "a"],
            &["jwks"],
            &["rotate"],
            &["keygen"],
            &["keygen", "--next"],
            &["sessions", "list", "a"],
        ] {
            let all = program.run(arguments).all();
            assert!(!all.contains(body), "{variable} {arguments:?}: {all}");
            assert!(!all.contains("BEGIN"), "{variable} {arguments:?}: {all}");
        }
    }
    for variable in ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_KEYID"] {
        let program = Program::good(&folder).with(&[(variable, key)]);
        let report = program.run(&["doctor"]).ends_with(1);
        assert!(report.out.contains(&format!("`{variable}` is a key")));
        assert!(!report.all().contains(body), "{report:?}");
    }
    let in_argument = Program::bare(&folder)
        .run(&["rotate", "--dir", "no-such-folder"])
        .ends_with(1);
    assert!(
        in_argument.err.contains("no-such-folder"),
        "{in_argument:?}"
    );
}
