use std::iter;

use serde_json::json;
use support::{
    folder::Folder,
    forge::{Key, encode, forge},
};

use crate::program::{Program, Run, SECRET};

fn inspect(token: impl AsRef<[u8]>) -> Run {
    let folder = Folder::new("inspect");
    let run = Program::good(&folder)
        .input(token)
        .run(&["inspect", "--json", "-"]);
    assert!(!run.all().contains(SECRET));
    run
}

/// A token of the configured key with these claims.
fn token(claims: &serde_json::Value) -> String {
    forge(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        claims.to_string(),
        &Key::Hs256(SECRET.as_bytes()),
    )
}

fn claims() -> serde_json::Value {
    json!({"iss": "https://issuer.example", "sub": "alice", "iat": 1_000_000_000, "exp": 4_000_000_000_u32, "type": "auth"})
}

#[test]
fn a_valid_token_is_verified_from_a_file_and_from_standard_input() {
    let folder = Folder::new("forms");
    let token = token(&claims());
    for text in [
        token.clone(),
        format!("  {token}\r\n"),
        format!("Bearer {token}\n"),
        format!("bearer  {token}"),
    ] {
        assert_eq!(
            inspect(&text).ends_with(0).json()["verified"],
            true,
            "{text}"
        );
        folder.write("token", text);
        let run = Program::good(&folder)
            .run(&["inspect", "token"])
            .ends_with(0);
        assert!(
            run.out.contains("expires in ") && run.out.ends_with("\nverified\n"),
            "{run:?}"
        );
    }
}

#[test]
fn a_token_that_is_refused_is_shown_with_the_reason() {
    let mut expired = claims();
    expired["exp"] = json!(1_000_000_060);
    let forged = forge(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        claims().to_string(),
        &Key::Hs256(b"another secret of many, many bytes"),
    );
    for (token, reason) in [
        (token(&expired), "token_expired"),
        (forged, "token_signature"),
    ] {
        let shown = inspect(&token).ends_with(1).json();
        assert_eq!(
            (&shown["verified"], &shown["error"]),
            (&json!(false), &json!(reason))
        );
        assert_eq!(shown["claims"]["sub"], "alice");
    }
    let shown = inspect(token(&expired)).json();
    assert_eq!(
        shown["times"],
        json!({"iat": "2001-09-09T01:46:40Z", "nbf": null, "exp": "2001-09-09T01:47:40Z"})
    );
    let folder = Folder::new("expired");
    let run = Program::good(&folder)
        .input(token(&expired))
        .run(&["inspect", "-"])
        .ends_with(1);
    assert!(
        run.out.contains("expired 2") && run.out.contains(" years ago"),
        "{run:?}"
    );
    assert!(
        run.out
            .contains("not verified: the token has expired (token_expired)"),
        "{run:?}"
    );
}

#[test]
fn without_a_key_a_token_is_shown_and_not_verified() {
    let folder = Folder::new("no-key");
    let program = Program::bare(&folder).input(token(&claims()));
    let run = program.run(&["inspect", "-"]).ends_with(0);
    assert!(
        run.out.contains("not verified: no key is configured"),
        "{run:?}"
    );
    let shown = program.run(&["inspect", "--json", "-"]).ends_with(0).json();
    assert_eq!(
        (&shown["verified"], &shown["error"]),
        (&json!(false), &json!("no_key"))
    );

    let program = program.with(&[("JWT_SECRET", "short")]);
    let shown = program.run(&["inspect", "--json", "-"]).ends_with(1).json();
    assert_eq!(shown["error"], "configuration");
}

#[test]
fn what_is_no_token_is_refused() {
    let long = "A".repeat((1 << 20) + 1);
    let almost = iter::repeat_n("A", 1 << 20).collect::<String>();
    for input in [
        "", "  \n", "Bearer ", "a.b", "a.b.c", "....", &long, &almost,
    ] {
        let run = inspect(input).ends_with(1);
        assert!(run.err.len() < 300 && run.out.len() < 400, "{run:?}");
    }
    inspect(b"\xff\xfe.\x80.\x00").ends_with(1);
    let folder = Folder::new("no-file");
    for path in ["missing", "."] {
        let run = Program::good(&folder).run(&["inspect", path]).ends_with(1);
        assert!(
            run.out.is_empty() && !run.err.contains("missing"),
            "{run:?}"
        );
    }
    // Too long for the server, and still shown.
    let mut large = claims();
    large["text"] = json!("x".repeat(100_000));
    assert_eq!(
        inspect(token(&large)).ends_with(1).json()["error"],
        "token_too_large"
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let mut hostile = claims();
    hostile["\u{1b}]0;title\u{7}"] = json!("\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{2028}\r");
    let folder = Folder::new("hostile");
    for (token, code) in [
        (token(&hostile), 0),
        (
            format!(
                "{}.{}.AA",
                encode("{\"alg\":\"\u{9b}x\"}"),
                encode(hostile.to_string())
            ),
            1,
        ),
    ] {
        let program = Program::good(&folder).input(&token);
        for arguments in [&["inspect", "-"][..], &["inspect", "--json", "-"]] {
            let run = program.run(arguments).ends_with(code);
            let is_shown = |character: char| {
                character == '\n'
                    || !(character.is_control() || "\u{202e}\u{2028}".contains(character))
            };
            assert!(run.all().chars().all(is_shown), "{run:?}");
        }
        let shown = program.run(&["inspect", "--json", "-"]).json();
        assert_eq!(shown["claims"], hostile);
    }
}

#[test]
fn a_token_that_the_library_does_not_decode_is_shown_and_refused() {
    let payload = r#"{"sub":"mallory","sub":"alice","exp":4000000000}"#;
    for (header, payload, signature) in [
        (r#"{"alg":"none"}"#, r#"{"sub":"alice"}"#, ""),
        (r#"{"alg":"HS256"}"#, payload, "AA"),
        (r#"{"alg":"HS256","alg":"none"}"#, payload, "AA"),
    ] {
        let token = format!("{}.{}.{signature}", encode(header), encode(payload));
        let shown = inspect(&token).ends_with(1).json();
        assert_eq!(shown["claims"]["sub"], "alice", "{token}");
        assert!(shown["header"]["alg"].is_string(), "{token}");
        assert_eq!(shown["verified"], false);
        // Nor without a key, where nothing else is checked.
        let folder = Folder::new("lenient");
        let run = Program::bare(&folder)
            .input(&token)
            .run(&["inspect", "-"])
            .ends_with(1);
        assert!(
            run.out.contains("alice") && run.out.contains("not verified: "),
            "{run:?}"
        );
    }
}

#[test]
fn a_lifetime_is_not_one_unit_short() {
    let folder = Folder::new("units");
    for (age, expected) in [
        ("3600", "expires in 1 hour"),
        ("300", "expires in 5 minutes"),
    ] {
        let token = Program::good(&folder)
            .run(&["mint", "alice", "--age", age])
            .ends_with(0)
            .out;
        let run = Program::good(&folder)
            .input(token)
            .run(&["inspect", "-"])
            .ends_with(0);
        assert!(run.out.contains(expected), "{run:?}");
    }
}
