//! `docs/threats.md` 26, 27 and 39: what a route requires, and routes without a guard.

mod variables;

use actix_web::{HttpRequest, HttpResponse, web};
use flask_pyjwt::{AnyClaims, AuthManager, CurrentToken, RequireToken, require_token};
use serde_json::{Value, json};

use support::{hs256, log, manager, site::Site, wire::Server};

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
async fn threat_27_a_claim_must_have_the_required_value_and_type() {
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
fn threat_39_a_handler_without_a_guard_gets_no_token() {
    let auth = manager(hs256());
    let good = token_of(&auth, "alice");
    let (own, guarded) = (auth.clone(), support::guarded(&auth));
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
            // There is one worker. Earlier requests must not have left a token behind.
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
    // On one connection, with the guarded request first.
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
async fn threat_39_the_log_says_how_to_add_a_guard() {
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
