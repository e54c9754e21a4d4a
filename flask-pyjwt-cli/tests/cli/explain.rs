//! `explain`, alone and beside the guards of the attribute.

use actix_web::{
    App, HttpResponse,
    dev::{HttpServiceFactory, ServiceResponse},
    get, rt, test as actix_test, web,
};
use flask_pyjwt::{AuthManager, AuthType, Config, FileStore, require_token};
use serde_json::{Value, json};
use support::folder::Folder;

use crate::program::{Program, Run, SECRET};

fn config() -> Config {
    Config::new("https://issuer.example", AuthType::HS256, SECRET)
}

/// The tokens of the tables, in the order of their columns.
fn tokens() -> [String; 5] {
    let auth = AuthManager::new(config()).expect("valid");
    let other = "another secret of many, many bytes";
    let other = Config::new("https://issuer.example", AuthType::HS256, other);
    let other = AuthManager::new(other).expect("valid");
    let signed = |token: Result<flask_pyjwt::Token, flask_pyjwt::MintError>| {
        token.expect("signed").signed().to_owned()
    };
    [
        signed(
            auth.auth_token("alice")
                .scope(json!({"admin": true, "teams": [1, 2]}))
                .claim("role", "editor")
                .claim("level", 7)
                .claim("rate", -1.5)
                .claim("gone", Value::Null)
                .acr("urn:mfa")
                .sign(),
        ),
        signed(
            auth.auth_token("bob")
                .scope("read write")
                .claim("role", ["editor", "owner"])
                .claim("level", "7")
                .claim("root", true)
                .sign(),
        ),
        signed(auth.auth_token("literal").sign()),
        signed(auth.refresh_token("alice").sign()),
        signed(other.auth_token("alice").sign()),
    ]
}

/// Runs the command for a token, on a route whose variable `username` is `alice`.
fn explain(token: &str, require: &str) -> Run {
    let folder = Folder::new("explain");
    Program::good(&folder).input(token).run(&[
        "explain",
        "--token",
        "-",
        "--require",
        require,
        "--path",
        "username=alice",
        "--json",
    ])
}

/// The status of a guard for a token.
fn guarded(route: impl HttpServiceFactory + 'static, token: &str) -> u16 {
    rt::System::new().block_on(async {
        let auth = AuthManager::new(config()).expect("valid");
        let app = App::new().app_data(auth).service(route);
        let app = actix_test::init_service(app).await;
        let request = actix_test::TestRequest::with_uri("/users/alice")
            .insert_header(("authorization", format!("Bearer {token}")));
        let answer: ServiceResponse<_> = actix_test::call_service(&app, request.to_request()).await;
        answer.status().as_u16()
    })
}

/// Runs a row: the arguments of the attribute, and for each token the rule that fails first, or "".
macro_rules! table {
    ($( ($($arguments:tt)*) => $expected:expr, )*) => {
        $({
            #[require_token($($arguments)*)]
            #[get("/users/{username}")]
            async fn route(_name: web::Path<String>) -> HttpResponse {
                HttpResponse::Ok().finish()
            }
            let require = stringify!($($arguments)*);
            let expected: [&str; 5] = $expected;
            for (token, expected) in tokens().iter().zip(expected) {
                assert_eq!(first_failing(token, require), expected, "{require}");
                let status = guarded(route, token);
                assert_eq!(status == 200, expected.is_empty(), "{require}: {status}");
            }
        })*
    };
}

/// The name of the first rule that fails. The exit code has to agree with it.
#[track_caller]
fn first_failing(token: &str, require: &str) -> String {
    let run = explain(token, require);
    assert!(run.code == 0 || run.code == 1, "{run:#?}");
    let shown = run.json();
    assert_eq!(shown["accepted"], run.code == 0, "{run:#?}");
    let rules = shown["rules"].as_array().expect("rules");
    let mut failing = rules.iter().filter(|rule| rule["outcome"] == "fails");
    let failing = failing.next().and_then(|rule| rule["rule"].as_str());
    assert_eq!(failing.is_none(), run.code == 0, "{run:#?}");
    failing.unwrap_or_default().to_owned()
}

#[test]
#[rustfmt::skip] // a row a line
fn the_attribute_and_the_command_decide_alike() {
    let (kind, key) = ("type", "signature");
    table! {
        () => ["", "", "", kind, key],
        ("auth") => ["", "", "", kind, key],
        ("refresh") => [kind, kind, kind, "", key],
        (token_type = "refresh", sub = "username") => [kind, kind, kind, "", key],
        (sub = "username") => ["", "claim:sub", "claim:sub", kind, key],
        (sub = path("username")) => ["", "claim:sub", "claim:sub", kind, key],
        (sub = literal("literal")) => ["claim:sub", "claim:sub", "", kind, key],
        (role = "editor") => ["", "claim:role", "claim:role", kind, key],
        (role = literal("username")) => ["claim:role", "claim:role", "claim:role", kind, key],
        (role = contains("owner")) => ["claim:role", "", "claim:role", kind, key],
        (role = any("owner", "editor")) => ["", "", "claim:role", kind, key],
        (role = all("owner", "editor")) => ["claim:role", "", "claim:role", kind, key],
        (level = 7) => ["", "claim:level", "claim:level", kind, key],
        (level = "7") => ["claim:level", "", "claim:level", kind, key],
        (rate = -1.5, "level" = 7) => ["", "claim:rate", "claim:rate", kind, key],
        (gone = null) => ["", "claim:gone", "claim:gone", kind, key],
        (scope = {"admin": true}) => ["", "scope", "scope", kind, key],
        (scope = {teams: [2]}) => ["", "scope", "scope", kind, key],
        (scope = contains("read")) => ["scope", "", "scope", kind, key],
        (scope = all("read", "admin")) => ["scope", "scope", "scope", kind, key],
        (sub = "username", override = {"root": true}) => ["", "", "claim:sub", kind, key],
        (issuer = "https://issuer.example") => ["", "", "", kind, key],
        (issuer = ["https://issuer.example", "x"]) => ["accepted_issuer", "accepted_issuer", "accepted_issuer", kind, key],
        (acr = "urn:mfa") => ["", "acr", "acr", kind, key],
        (acr = any("urn:hwk", "urn:mfa"), override = {"root": true}) => ["", "acr", "acr", kind, key],
        (acr = "urn:mfa", max_age = 300) => ["login", "acr", "acr", kind, key],
        ("acr" = "urn:mfa") => ["", "claim:acr", "claim:acr", kind, key],
        (fresh = true) => ["login", "login", "login", kind, key],
        (max_age = 300) => ["login", "login", "login", kind, key],
        (fresh = false, optional) => ["", "", "", kind, key],
    }
}

#[test]
fn what_is_about_requests_is_ignored_with_a_note() {
    let [token, ..] = tokens();
    for (require, ignored) in [
        (
            r#""auth", "cookies", csrf = false"#,
            "`location`, `csrf` are",
        ),
        (
            r#"location = ["cookies", "header"], cookie_name = "x", header_name = "y""#,
            "`location`, `cookie_name`, `header_name` are",
        ),
        (
            r#"location = "query", query_name = "q""#,
            "`location`, `query_name` are",
        ),
        ("crate = other", "`crate` is"),
    ] {
        let run = explain(&token, require).ends_with(0);
        assert!(
            run.err.contains(&format!("note: {ignored} ignored")),
            "{run:?}"
        );
    }
}

#[test]
fn a_text_is_a_variable_only_if_there_is_one() {
    let folder = Folder::new("texts");
    let [token, ..] = tokens();
    let run = |require: &str, path: &[&str]| {
        let arguments = ["explain", "--token", "-", "--require", require];
        let program = Program::good(&folder).input(&token);
        program.run(&[&arguments[..], path].concat())
    };
    let alone = run(r#"sub = "alice", role = "editor""#, &[]).ends_with(0);
    assert!(
        alone.err.contains(r#"write `sub = literal("alice")`"#),
        "{alone:?}"
    );
    let bound = run(r#"sub = "alice""#, &["--path", "alice=bob"]).ends_with(1);
    assert!(bound.err.is_empty(), "{bound:?}");
    // As on a route: this is a slip of the finger.
    let near = run(r#"role = "edito""#, &["--path", "editor=x"]).ends_with(1);
    assert!(
        near.out.ends_with("refused: 500 server_error\n"),
        "{near:?}"
    );
    for require in [r#"sub = path("x")"#, r#"role = outer_path("x")"#] {
        let run = run(require, &["--path", "y=1"]).ends_with(2);
        assert!(run.err.contains("add `--path x=…`"), "{run:?}");
    }
    for path in ["x", "=x", ""] {
        run("", &["--path", path]).ends_with(2);
    }
    run("", &["--path", "x=1", "--path", "x=1"]).ends_with(2);
}

#[test]
fn mistakes_are_marked_under_the_text() {
    for (require, expected) in [
        (
            r#"role = any("a"), scop = 1"#,
            "  role = any(\"a\"), scop = 1\n                   ^^^^ did you mean `scope`?",
        ),
        (
            "a = 1,\n  größe = admin",
            "\n    größe = admin\n            ^^^^^ a value is written out",
        ),
        (
            "a =",
            "\n  a =\n     ^ unexpected end of input, expected a value",
        ),
        ("a = \"x", "^ from here on this cannot be read"),
        ("a = {", "^ from here on this cannot be read"),
        ("a = 1 }", "^ from here on this cannot be read"),
        (
            r#"sub = """#,
            "  sub = \"\"\n        ^^ a subject is never empty",
        ),
        ("a = 1, a = 2", "         ^ `a` is given twice"),
        ("a\u{1b}[2J = 1", "\\u001b"),
    ] {
        let run = explain("x", require).ends_with(2);
        assert!(run.err.contains(expected), "{}", run.err);
        assert!(run.out.is_empty() && !run.err.contains('\u{1b}'), "{run:?}");
    }
    let deep = "a = ".to_owned() + &"[".repeat(5_000);
    explain("x", &deep).ends_with(2);
    let both = explain("x", "fres = true, role = None").ends_with(2);
    assert_eq!(both.err.matches('^').count(), 4 + 4, "{}", both.err);
}

#[test]
fn the_store_is_asked_if_it_is_named() {
    let folder = Folder::new("store");
    let path = folder.file("sessions.redb");
    let (token, other) = rt::System::new().block_on(async {
        let store = FileStore::open(&path).expect("opened");
        let auth = AuthManager::new(config().session_store(store)).expect("valid");
        let ended = auth.login("alice").await.expect("a session");
        auth.logout(&ended.auth).await.expect("ended");
        let open = auth.login("alice").await.expect("a session");
        (
            ended.auth.signed().to_owned(),
            open.auth.signed().to_owned(),
        )
    });
    let arguments = ["explain", "--token", "-", "--require", "fresh = true"];
    let run = |token: &str, store: &[&str]| {
        let program = Program::good(&folder).input(token);
        program.run(&[&arguments[..], store].concat())
    };
    let asked = ["--store", "file:sessions.redb"];
    let ended = run(&token, &asked).ends_with(1);
    assert!(
        ended.out.contains("\nno session: the token is revoked\n"),
        "{ended:?}"
    );
    assert!(
        ended.out.ends_with("\nrefused: 401 invalid_token\n"),
        "{ended:?}"
    );
    let open = run(&other, &asked).ends_with(0);
    assert!(
        open.out.contains("\nok session: the session store"),
        "{open:?}"
    );
    let alone = run(&token, &[]).ends_with(0);
    assert!(
        alone
            .out
            .contains("\n-- session: not asked: no session store is configured\n")
    );
    assert!(alone.out.ends_with("\naccepted\n"), "{alone:?}");
    run(&other, &["--store", "file:none.redb"]).ends_with(1);
    run(&other, &["--store", "memory:"]).ends_with(2);
}

#[test]
fn wrong_use_is_told_from_a_refusal() {
    let folder = Folder::new("use");
    let [token, ..] = tokens();
    let program = Program::good(&folder).input(&token);
    program.run(&["explain", "--token", "-"]).ends_with(2);
    program.run(&["explain", "--require", ""]).ends_with(2);
    let run = program.run(&["explain", "--token", &token, "--require", ""]);
    assert!(!run.ends_with(2).all().contains("eyJ"));
    let missing = ["explain", "--token", "missing", "--require", ""];
    program.run(&missing).ends_with(1);
    folder.write("token", format!("Bearer {token}\n"));
    let file = ["explain", "--token", "token", "--require", ""];
    let run = program.run(&file).ends_with(0);
    assert!(
        !run.all().contains(SECRET) && !run.all().contains("eyJ"),
        "{run:?}"
    );
}
