//! THREATS rows 26, 27 and 39: what a route requires, and routes that forget to.

mod common;

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, test::TestRequest, web};
use flask_pyjwt::{AnyClaims, AuthManager, CurrentToken, RequireToken, require_token};
use proptest::prelude::*;
use serde_json::{Value, json};

use self::common::{hs256, log, manager, site::Site, wire::Server};

#[require_token(sub = "name")]
async fn by_subject(name: web::Path<String>) -> String {
    name.into_inner()
}

#[require_token(team = path("name"))]
async fn by_team(name: web::Path<String>) -> String {
    name.into_inner()
}

async fn echo(name: web::Path<String>) -> String {
    name.into_inner()
}

async fn by_variables(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(|app| {
        let by_team = || web::get().to(by_team);
        let wrapped = RequireToken::auth().sub_from_path("name");
        app.app_data(auth)
            .route("/open/{name}", web::get().to(echo))
            .route("/sub/{name}", web::get().to(by_subject))
            .route("/team/{name}", by_team())
            .route("/tail/{name:.*}", by_team())
            .route("/digits/{name:[0-9]+}/x", by_team())
            .service(web::resource("/wrapped/{name}").wrap(wrapped).to(echo));
    })
    .await
}

fn token_of(auth: &AuthManager, subject: &str) -> String {
    let token = auth.auth_token(subject).sign().expect("minted");
    token.signed().to_owned()
}

fn token_with(auth: &AuthManager, claims: &Value) -> String {
    let builder = auth.auth_token("alice");
    let builder = claims
        .as_object()
        .expect("an object")
        .iter()
        .fold(builder, |builder, (name, value)| builder.claim(name, value));
    builder.sign().expect("minted").signed().to_owned()
}

#[actix_web::test]
async fn threat_26_a_variable_is_compared_as_the_handler_sees_it() {
    let auth = manager(hs256());
    let site = by_variables(&auth).await;
    for (segment, subject, passes) in [
        ("alice", "alice", true),
        ("%61lice", "alice", true),
        ("%61%6C%69%63%65", "alice", true),
        ("Alice", "alice", false),
        ("alice", "Alice", false),
        ("alic", "alice", false),
        ("alicee", "alice", false),
        ("alice%20", "alice", false),
        ("alice%00", "alice", false),
        ("%00", "0", false),
        ("alice.", "alice", false),
        ("alice;x=y", "alice", false),
        ("alice%3F", "alice", false),
        ("alice%23", "alice", false),
        ("*", "alice", false),
        ("%2A", "*", true),
        // A slash that is encoded is part of the segment; encoded twice, it is a text with a %.
        ("a%2Fb", "a/b", true),
        ("a%2fb", "a/b", true),
        ("a%2Fb", "a%2Fb", false),
        ("a%252Fb", "a/b", false),
        ("a%252Fb", "a%2Fb", true),
        ("a%25252Fb", "a%252Fb", true),
        ("a%25252Fb", "a%2Fb", false),
        ("..%2Falice", "alice", false),
        ("root%2F..%2Falice", "alice", false),
        ("a%5Cb", "a\\b", true),
        // No form's encoding: a plus is a plus.
        ("a+b", "a+b", true),
        ("a+b", "a b", false),
        ("a%2Bb", "a+b", true),
        ("a%20b", "a b", true),
        ("a%2Bb", "a b", false),
        // The same to the eye, other bytes.
        ("caf%C3%A9", "caf\u{e9}", true),
        ("cafe%CC%81", "caf\u{e9}", false),
        ("caf%C3%A9", "cafe\u{301}", false),
        ("cafe%CC%81", "cafe\u{301}", true),
        ("%D0%B0lice", "alice", false),
        ("%EF%BB%BFalice", "alice", false),
        ("%E2%84%AA", "K", false),
        // What is not UTF-8 matches nothing, not even the sign that stands for it.
        ("%FF", "\u{fffd}", false),
        ("alice%FF", "alice", false),
        ("alice%FF", "alice\u{fffd}", false),
        ("%E9", "\u{e9}", false),
        ("%C0%AFalice", "/alice", false),
        ("%ED%A0%80", "\u{fffd}", false),
        ("%EF%BF%BD", "\u{fffd}", true),
        ("%25FF", "%FF", true),
        ("%25FF", "\u{fffd}", false),
        ("%", "%", true),
        ("%zz", "%zz", true),
        ("%4", "%4", true),
        ("42", "42", true),
        ("042", "42", false),
    ] {
        let token = token_of(&auth, subject);
        for path in ["sub", "wrapped"] {
            let reply = site.get(&format!("/{path}/{segment}"), &token).await;
            let what = format!("{path} {segment} {subject}");
            if passes {
                assert_eq!(
                    (reply.outcome(), reply.text()),
                    ((200, ""), subject),
                    "{what}"
                );
            } else {
                reply.is_refused(403, "insufficient_scope", "claim_not_met", &what);
            }
        }
    }
}

#[actix_web::test]
async fn threat_26_a_variable_that_spells_a_number_matches_that_number_alone() {
    let auth = manager(hs256());
    let site = by_variables(&auth).await;
    for (path, claim, passes) in [
        ("/team/42", json!(42), true),
        ("/team/%34%32", json!(42), true),
        ("/team/42", json!("42"), true),
        ("/team/-7", json!(-7), true),
        ("/team/18446744073709551615", json!(u64::MAX), true),
        (
            "/team/9007199254740993",
            json!(9_007_199_254_740_993_u64),
            true,
        ),
        (
            "/team/9007199254740993",
            json!(9_007_199_254_740_992_u64),
            false,
        ),
        ("/team/1.5", json!(1.5), true),
        ("/team/042", json!(42), false),
        ("/team/+42", json!(42), false),
        ("/team/%2B42", json!(42), false),
        ("/team/42%20", json!(42), false),
        ("/team/42.0", json!(42), false),
        ("/team/4.2e1", json!(42), false),
        ("/team/42", json!(42.0), false),
        ("/team/0x2a", json!(42), false),
        ("/team/%D9%A4%D9%A2", json!(42), false),
        ("/team/-0", json!(0), false),
        ("/team/true", json!(true), false),
        ("/team/1", json!(true), false),
        ("/team/null", Value::Null, false),
        ("/team/42", json!([42]), false),
        ("/team/42", json!(["42"]), false),
        ("/team/42", json!({"42": 42}), false),
        ("/team/%5B%5D", json!([]), false),
        ("/tail/a/b", json!("a/b"), true),
        ("/tail/a%2Fb", json!("a/b"), true),
        ("/tail/a//b", json!("a/b"), false),
        ("/tail/a/../b", json!("b"), false),
        ("/tail/a/../b", json!("a/../b"), true),
        ("/tail/", json!(""), true),
        ("/tail/a/", json!("a"), false),
        ("/digits/7/x", json!(7), true),
        ("/digits/7/x", json!(8), false),
    ] {
        let token = token_with(&auth, &json!({"team": claim}));
        let reply = site.get(path, &token).await;
        let what = format!("{path} {claim}");
        if passes {
            assert_eq!(reply.outcome(), (200, ""), "{what}");
        } else {
            reply.is_refused(403, "insufficient_scope", "claim_not_met", &what);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the path, the guard compares what `web::Path` gives the handler.
    #[test]
    fn threat_26_guard_and_handler_see_the_same(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "%", "%2", "%25", "%2F", "%2f", "%2B", "%25FF", "%FF", "%C3", "%A9", "%C3%A9", "+", "a", "F", "4",
                "1", "%41", "%00", "%EF%BF%BD", "%7F", "~", ".", "%2E", "%20", "%25%32%46", "2F", "%c3%a9",
            ]),
            1..6,
        ),
    ) {
        let segment = parts.concat();
        prop_assume!(segment != "." && segment != "..");
        actix_web::rt::System::new().block_on(async {
            let auth = manager(hs256());
            let site = by_variables(&auth).await;
            let open = site.ask(TestRequest::get().uri(&format!("/open/{segment}"))).await;
            prop_assert_eq!(open.status, 200);
            let seen = open.text().to_owned();
            let reply = site
                .get(&format!("/team/{segment}"), &token_with(&auth, &json!({"team": seen})))
                .await;
            if reply.status == 200 {
                prop_assert_eq!(reply.text(), &seen);
            } else {
                prop_assert_eq!(reply.outcome(), (403, "claim_not_met"));
                prop_assert!(seen.contains('\u{fffd}'), "{seen:?}");
            }
            let others = [segment.clone(), segment.replace("%25", "%"), seen.replace('%', ""), seen.to_lowercase()];
            for other in others.into_iter().filter(|other| *other != seen) {
                let token = token_with(&auth, &json!({"team": other}));
                let reply = site.get(&format!("/team/{segment}"), &token).await;
                prop_assert_eq!(reply.outcome(), (403, "claim_not_met"), "{}", other);
            }
            Ok(())
        })?;
    }
}

#[require_token(active = true)]
async fn active() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(level = 1)]
async fn level() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(roles = ["admin"])]
async fn roles() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(role = "admin")]
async fn role() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(org = {"role": {"a": 1, "b": 2}, "name": "x"}, level = 5)]
async fn nested() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(scope = {"x": {"y": true}, "admin": true})]
async fn scope() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(note = null)]
async fn note() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(scope = {})]
async fn any_scope() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(level = 0, active = false, name = "", list = [], map = {})]
async fn falsy() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn threat_27_a_claim_is_the_required_value_of_the_required_type() {
    let auth = manager(hs256());
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/active", web::get().to(active))
            .route("/level", web::get().to(level))
            .route("/roles", web::get().to(roles))
            .route("/role", web::get().to(role))
            .route("/nested", web::get().to(nested))
            .route("/scope", web::get().to(scope))
            .route("/note", web::get().to(note))
            .route("/any_scope", web::get().to(any_scope))
            .route("/falsy", web::get().to(falsy));
    })
    .await;
    let whole = json!({"role": {"a": 1, "b": 2, "c": 3}, "name": "x", "more": []});
    let falsy = json!({"level": 0, "active": false, "name": "", "list": [], "map": {}});
    let without = |name: &str| {
        let mut claims = falsy.clone();
        claims.as_object_mut().expect("an object").remove(name);
        claims
    };
    let is_not = |name: &str, value: Value| {
        let mut claims = falsy.clone();
        claims[name] = value;
        claims
    };
    for (path, claims, passes) in [
        ("/active", json!({"active": true}), true),
        ("/active", json!({"active": 1}), false),
        ("/active", json!({"active": 1.0}), false),
        ("/active", json!({"active": "true"}), false),
        ("/active", json!({"active": [true]}), false),
        ("/active", json!({"active": {"active": true}}), false),
        ("/active", json!({"active": false}), false),
        ("/active", json!({"active": null}), false),
        ("/active", json!({"Active": true}), false),
        ("/active", json!({}), false),
        ("/level", json!({"level": 1}), true),
        ("/level", json!({"level": true}), false),
        ("/level", json!({"level": 1.0}), false),
        ("/level", json!({"level": "1"}), false),
        ("/level", json!({"level": 10}), false),
        ("/level", json!({"level": -1}), false),
        ("/roles", json!({"roles": ["admin"]}), true),
        ("/roles", json!({"roles": ["user", "admin"]}), true),
        ("/roles", json!({"roles": ["nonadmin"]}), false),
        ("/roles", json!({"roles": "admin"}), false),
        ("/roles", json!({"roles": "nonadmin"}), false),
        ("/roles", json!({"roles": {"admin": true}}), false),
        ("/roles", json!({"roles": [["admin"]]}), false),
        ("/roles", json!({"roles": ["Admin", "admin "]}), false),
        ("/roles", json!({"roles": []}), false),
        ("/role", json!({"role": "admin"}), true),
        ("/role", json!({"role": "nonadmin"}), false),
        ("/role", json!({"role": "admin,user"}), false),
        ("/role", json!({"role": ["admin"]}), false),
        ("/nested", json!({"org": whole, "level": 5}), true),
        ("/nested", json!({"org": whole, "level": 4}), false),
        ("/nested", json!({"org": whole}), false),
        ("/nested", json!({"level": 5}), false),
        (
            "/nested",
            json!({"org": {"role": {"a": 1, "b": 2}}, "level": 5}),
            false,
        ),
        (
            "/nested",
            json!({"org": {"role": {"a": 1}, "name": "x"}, "level": 5}),
            false,
        ),
        (
            "/nested",
            json!({"org": {"role": {"a": 1, "b": 3}, "name": "x"}, "level": 5}),
            false,
        ),
        (
            "/nested",
            json!({"org": {"role": {"a": true, "b": 2}, "name": "x"}, "level": 5}),
            false,
        ),
        ("/nested", json!({"org": [whole], "level": 5}), false),
        (
            "/scope",
            json!({"scope": {"x": {"y": true}, "admin": true}}),
            true,
        ),
        (
            "/scope",
            json!({"scope": {"x": {"y": true}, "admin": 1}}),
            false,
        ),
        ("/scope", json!({"scope": {"x": {"y": true}}}), false),
        (
            "/scope",
            json!({"scope": {"x": {"y": 1}, "admin": true}}),
            false,
        ),
        (
            "/scope",
            json!({"scope": {"x": true, "admin": true}}),
            false,
        ),
        ("/scope", json!({"scope": "admin"}), false),
        ("/scope", json!({"x": {"y": true}, "admin": true}), false),
        ("/scope", json!({}), false),
        ("/note", json!({"note": null}), true),
        ("/note", json!({"note": 0}), false),
        ("/note", json!({"note": ""}), false),
        ("/note", json!({}), false),
        ("/any_scope", json!({"scope": {}}), true),
        ("/any_scope", json!({"scope": {"x": 1}}), true),
        ("/any_scope", json!({"scope": []}), false),
        ("/any_scope", json!({"scope": null}), false),
        ("/any_scope", json!({}), false),
        ("/falsy", falsy.clone(), true),
        ("/falsy", without("level"), false),
        ("/falsy", without("active"), false),
        ("/falsy", without("name"), false),
        ("/falsy", without("list"), false),
        ("/falsy", without("map"), false),
        ("/falsy", is_not("level", json!(false)), false),
        ("/falsy", is_not("active", json!(0)), false),
        ("/falsy", is_not("name", Value::Null), false),
        ("/falsy", is_not("list", json!({})), false),
        ("/falsy", is_not("map", json!([])), false),
    ] {
        let reply = site.get(path, &token_with(&auth, &claims)).await;
        let what = format!("{path} {claims}");
        let reason = match path {
            "/scope" | "/any_scope" => "scope_not_met",
            _ => "claim_not_met",
        };
        if passes {
            assert_eq!(reply.outcome(), (200, ""), "{what}");
        } else {
            reply.is_refused(403, "insufficient_scope", reason, &what);
        }
    }
}

async fn reads_token(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn reads_claims(token: CurrentToken<Value>) -> String {
    token.sub().to_owned()
}

async fn reads_perhaps(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

async fn asks_request(request: HttpRequest) -> HttpResponse {
    match CurrentToken::<AnyClaims>::extract(&request).await {
        Ok(token) => HttpResponse::Ok().body(token.sub().to_owned()),
        Err(error) => error.error_response(),
    }
}

#[test]
fn threat_39_a_token_that_nothing_has_checked_is_given_to_nobody() {
    let auth = manager(hs256());
    let good = token_of(&auth, "alice");
    let (own, guarded) = (auth.clone(), common::guarded(&auth));
    let server = Server::start(move |app| {
        guarded(app);
        app.app_data(own.clone())
            .route("/token", web::get().to(reads_token))
            .route("/claims", web::get().to(reads_claims))
            .route("/request", web::get().to(asks_request))
            .route("/perhaps", web::get().to(reads_perhaps))
            .service(
                web::scope("/scope")
                    .service(
                        web::resource("/in")
                            .wrap(RequireToken::auth())
                            .to(reads_token),
                    )
                    .route("/out", web::get().to(reads_token)),
            )
            .default_service(web::to(reads_token));
    });
    let bearer = format!("Authorization: Bearer {good}\r\n");
    for fields in ["", "Authorization: Bearer a.b.c\r\n", &bearer] {
        for path in ["/token", "/claims", "/request", "/scope/out", "/nowhere"] {
            // One worker: requests before this one have left nothing behind.
            assert_eq!(server.get("/scope/in", &bearer).outcome(), (200, ""));
            let reply = server.get(path, fields);
            reply.is_refused(500, "server_error", "unguarded", path);
            assert_eq!(
                reply.json()["error_description"],
                "The server is misconfigured"
            );
        }
        assert_eq!(server.get("/perhaps", fields).text(), "nobody");
    }
    // On one connection, the guarded request first.
    let both = format!(
        "GET /scope/in HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n{bearer}\r\n\
         GET /scope/out HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n"
    );
    let [first, second] = server.send_two(both);
    assert_eq!(first.outcome(), (200, ""));
    second.is_refused(
        500,
        "server_error",
        "unguarded",
        "the second of a connection",
    );
}

#[actix_web::test]
async fn threat_39_the_log_says_what_to_add() {
    let auth = manager(hs256());
    let good = token_of(&auth, "alice");
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/token", web::get().to(reads_token));
    })
    .await;
    let log = log::capture();
    assert_eq!(site.get("/token", &good).await.status, 500);
    let lines = log.take();
    let [line] = lines.as_slice() else {
        panic!("one event: {lines:?}");
    };
    assert_eq!(
        (line.level.as_str(), line.reason.as_deref()),
        ("ERROR", Some("unguarded"))
    );
    assert!(
        line.text.contains("#[require_token]") && line.text.contains("RequireToken"),
        "{line:?}"
    );
    assert!(line.text.contains("/token"), "{line:?}");
}
