use serde_json::json;
use support::folder::Folder;

use crate::program::Program;

#[test]
fn a_token_has_the_scope_the_claims_and_the_age_that_are_given() {
    let folder = Folder::new("mint");
    let program = Program::good(&folder);
    let arguments = [
        "mint",
        "alice",
        "--scope",
        r#"["read"]"#,
        "--claim",
        "team=\"red\"",
        "--claim",
        "floor=3",
        "--age",
        "60",
    ];
    let token = program.run(&arguments).ends_with(0).out;
    let shown = program
        .input(&token)
        .run(&["inspect", "--json", "-"])
        .ends_with(0)
        .json();
    let claims = &shown["claims"];
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["scope"], json!(["read"]));
    assert_eq!(
        (&claims["team"], &claims["floor"]),
        (&json!("red"), &json!(3))
    );
    let age = claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat");
    assert_eq!((age, &shown["type"]), (60, &json!("auth")));
}

#[test]
fn urls_without_a_password_are_no_secrets() {
    let folder = Folder::new("urls");
    let program = Program::good(&folder);
    let subject = "https://mastodon.example:8443/@alice";
    for arguments in [
        &["mint", subject][..],
        &[
            "mint",
            "a",
            "--claim",
            r#"urls=["https://a.b","mailto:a@b.c"]"#,
        ],
        &["mint", "a", "--claim", r#"picture="https://a.b/?bypass=1""#],
    ] {
        program.run(arguments).ends_with(0);
    }
    let require =
        r#"issuer = "https://auth.example.com", override = {"admin": true}, email = "a@b.c""#;
    let token = program.run(&["mint", subject]).ends_with(0).out;
    let run = program
        .input(token)
        .run(&["explain", "--token", "-", "--require", require])
        .ends_with(1);
    assert!(run.out.contains("claim:email"), "{run:?}");
}

#[test]
fn a_refresh_token_has_neither_scope_nor_claims() {
    let folder = Folder::new("refresh");
    let program = Program::good(&folder);
    let token = program
        .run(&["mint", "alice", "--refresh", "--age", "90"])
        .ends_with(0)
        .out;
    program
        .run(&["mint", "alice", "--refresh", "--scope", "1"])
        .ends_with(2);
    let shown = program
        .input(&token)
        .run(&["inspect", "--json", "-"])
        .ends_with(0)
        .json();
    assert_eq!(shown["type"], "refresh");
}

#[test]
fn claims_that_are_not_json_or_reserved_are_refused() {
    let folder = Folder::new("claims");
    let program = Program::good(&folder);
    for (arguments, code, said) in [
        (["--claim", "team=red"], 2, "team=\"red\""),
        (["--claim", "team"], 2, "NAME=JSON"),
        (["--claim", "=1"], 2, "NAME=JSON"),
        (["--scope", "read write"], 2, "not JSON"),
        (["--claim", "exp=1"], 2, "reserved"),
        (["--claim", "sub=\"bob\""], 2, "reserved"),
        (["--age", "0"], 2, "`--age`"),
        (["--age", "-5"], 2, "`--age`"),
        (["--age=-5", "--scope=1"], 2, "`--age`"),
        (["--age", "9223372036854775807"], 2, "`--age`"),
        (["--claim=x=1", "--claim=x=2"], 2, "given twice"),
    ] {
        let run = program
            .run(&[&["mint", "alice"][..], &arguments].concat())
            .ends_with(code);
        assert!(run.err.contains(said) && run.out.is_empty(), "{run:?}");
        assert!(!run.err.contains("JWT_"), "{run:?}");
    }
    let run = program
        .run(&["mint", "alice", "--refresh", "--age", "0"])
        .ends_with(2);
    assert!(run.err.contains("`--age`"), "{run:?}");
    // Numbers are no options.
    program
        .run(&["mint", "-5", "--scope", "-1", "--age", "5"])
        .ends_with(0);
    // The variable is at fault, not the argument.
    let run = Program::good(&folder)
        .with(&[("JWT_AUTHMAXAGE", "0")])
        .run(&["mint", "alice"])
        .ends_with(1);
    assert!(run.err.contains("JWT_AUTHMAXAGE"), "{run:?}");
}

#[test]
fn the_configuration_is_that_of_the_named_file() {
    let folder = Folder::new("env-file");
    folder.write(".env", "JWT_ISSUER=wrong\nJWT_AUTHTYPE=none\n");
    let secret = crate::program::SECRET;
    let text = format!("JWT_ISSUER=named\nJWT_AUTHTYPE=HS256\nJWT_SECRET={secret}\n");
    folder.write("other.env", text);
    let program = Program::bare(&folder);
    program.run(&["mint", "alice"]).ends_with(1);
    let token = program
        .run(&["mint", "alice", "--env-file", "other.env"])
        .ends_with(0)
        .out;
    let shown = program
        .input(&token)
        .run(&["--env-file", "other.env", "inspect", "--json", "-"]);
    assert_eq!(shown.ends_with(0).json()["claims"]["iss"], "named");
    Program::bare(&folder)
        .run(&["mint", "alice", "--env-file", "missing"])
        .ends_with(1);
}
