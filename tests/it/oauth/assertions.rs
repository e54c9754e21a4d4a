//! Clients that authenticate with a JWT (RFC 7523, section 3).

use flask_pyjwt::AuthType;
use serde_json::{Value, json};

use support::{
    ISSUER, NOW,
    forge::{Key, forge},
    keys,
};

use super::{Server, is_refused};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The claims of a valid assertion of `service`, some of them changed. `null` removes one.
fn claims(changes: &Value) -> String {
    let mut claims = json!({
        "iss": "service", "sub": "service", "aud": ISSUER, "iat": NOW, "exp": NOW + 60, "jti": "one",
    });
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    claims.to_string()
}

fn assertion(changes: &Value) -> String {
    let header = r#"{"alg":"ES256","typ":"JWT"}"#;
    forge(header, claims(changes), &keys::key(AuthType::ES256))
}

async fn ask(server: &Server, assertion: &str) -> support::site::Reply {
    let form = [
        ("token", "x"),
        ("client_assertion", assertion),
        ("client_assertion_type", JWT_BEARER),
    ];
    server.post("/introspect", None, &form).await
}

#[actix_web::test]
async fn an_assertion_authenticates_its_client_once() {
    let server = Server::new().await;
    for (number, changes) in [
        json!({}),
        json!({"aud": [ISSUER]}),
        json!({"aud": ["https://other.example", format!("{ISSUER}/introspect")]}),
        json!({"aud": format!("{ISSUER}/introspect")}),
        json!({"iat": null}),
        json!({"nbf": NOW, "exp": NOW + 300}),
        json!({"iat": NOW + 5, "nbf": NOW + 5}),
        json!({"exp": NOW - 4}),
        json!({"exp": NOW + 305}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut changes = changes;
        changes["jti"] = json!(number.to_string());
        let assertion = assertion(&changes);
        let reply = ask(&server, &assertion).await;
        assert_eq!(reply.text(), r#"{"active":false}"#, "{number}");
        is_refused(
            &ask(&server, &assertion).await,
            401,
            "invalid_client",
            "again",
        );
    }
    // The same `jti` in another assertion is a repetition, too.
    let other = assertion(&json!({"jti": "0", "exp": NOW + 61}));
    is_refused(
        &ask(&server, &other).await,
        401,
        "invalid_client",
        "the same `jti`",
    );
    let form = [
        ("token", "x"),
        ("client_id", "service"),
        ("client_assertion", &assertion(&json!({"jti": "named"}))),
        ("client_assertion_type", JWT_BEARER),
    ];
    assert_eq!(server.post("/introspect", None, &form).await.status, 200);
}

#[actix_web::test]
async fn assertions_with_wrong_claims_are_refused() {
    let server = Server::new().await;
    for changes in [
        json!({"iss": "demo"}),
        json!({"iss": null}),
        json!({"iss": ["service"]}),
        json!({"sub": "demo"}),
        json!({"sub": "nobody", "iss": "nobody"}),
        json!({"sub": null}),
        json!({"aud": null}),
        json!({"aud": "https://other.example"}),
        json!({"aud": format!("{ISSUER}/token")}), // another endpoint
        json!({"aud": []}),
        json!({"aud": {}}),
        json!({"aud": format!("{ISSUER}/")}),
        json!({"exp": null}),
        json!({"exp": "1"}),
        json!({"exp": NOW - 5}),
        json!({"exp": NOW + 306}),
        json!({"exp": 1e300}),
        json!({"iat": NOW + 6}),
        json!({"nbf": NOW + 6}),
        json!({"nbf": "x"}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"jti": 7}),
    ] {
        let reply = ask(&server, &assertion(&changes)).await;
        is_refused(&reply, 401, "invalid_client", &changes.to_string());
    }
}

#[actix_web::test]
async fn assertions_that_the_client_did_not_sign_are_refused() {
    let server = Server::new().await;
    let public = keys::public(AuthType::ES256).expect("a public key");
    let by = |header: &str, key: &Key<'_>| forge(header, claims(&json!({})), key);
    let right = keys::key(AuthType::ES256);
    let good = assertion(&json!({}));
    let cut = good
        .rsplit_once('.')
        .map(|(message, _)| format!("{message}."));
    for forged in [
        by(
            r#"{"alg":"HS256","typ":"JWT"}"#,
            &Key::Hs256(public.as_bytes()),
        ),
        by(r#"{"alg":"none"}"#, &right),
        by(
            r#"{"alg":"ES384","typ":"JWT"}"#,
            &keys::key(AuthType::ES384),
        ),
        by(r#"{"alg":"ES256","typ":"JWT","crit":["x"]}"#, &right),
        by(r#"{"alg":"ES256","typ":"at+jwt"}"#, &right),
        by(r#"{"alg":"ES256","typ":"dpop+jwt"}"#, &right),
        by(r#"{"typ":"JWT"}"#, &right),
        good.replacen('.', ".e30.", 1),
        cut.expect("three segments"),
        "x".repeat(9_000),
        "a.b.c".to_owned(),
        "..".to_owned(),
    ] {
        let reply = ask(&server, &forged).await;
        is_refused(&reply, 401, "invalid_client", &forged);
    }
    // None of them has used it up.
    assert_eq!(ask(&server, &good).await.status, 200);
    // An assertion of another client, and of another type.
    let good = assertion(&json!({"jti": "two"}));
    for (id, assertion_type) in [("demo", JWT_BEARER), ("service", "urn:x")] {
        let form = [
            ("token", "x"),
            ("client_id", id),
            ("client_assertion", good.as_str()),
            ("client_assertion_type", assertion_type),
        ];
        let reply = server.post("/introspect", None, &form).await;
        is_refused(&reply, 401, "invalid_client", id);
    }
}

#[actix_web::test]
async fn an_assertion_is_not_accepted_again_after_the_clock_was_set_back() {
    let server = Server::new().await;
    let assertion = assertion(&json!({}));
    assert_eq!(ask(&server, &assertion).await.status, 200);
    server.clock.set(support::at(NOW + 100));
    is_refused(
        &ask(&server, &assertion).await,
        401,
        "invalid_client",
        "expired",
    );
    server.clock.set(support::at(NOW));
    is_refused(
        &ask(&server, &assertion).await,
        401,
        "invalid_client",
        "set back",
    );
}
