//! Clients that authenticate with a JWT (RFC 7523, section 3).

use std::sync::Arc;

use flask_pyjwt::{AuthType, MemoryStore, OAuthClient, OAuthClients, jsonwebtoken::jwk::Jwk};
use serde_json::{Value, json};

use crate::dpop::stores::{Proofs, Store};
use support::{
    ISSUER, NOW, dpop,
    forge::{Key, forge},
    frozen, hs256, keys, manager,
    site::Site,
};

use super::{Server, clients, is_refused, request};

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
        json!({"nbf": NOW, "exp": NOW + 3_600}),
        json!({"iat": NOW + 5, "nbf": NOW + 5}),
        json!({"exp": NOW - 4}),
        json!({"exp": NOW + 3_605}),
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
        json!({"exp": NOW + 3_606}),
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

/// A server of a fleet, with a list of clients of its own.
async fn member(proofs: &Proofs, list: &OAuthClients) -> Site {
    let store = Store {
        sessions: MemoryStore::default(),
        proofs: proofs.clone(),
    };
    let config = hs256().clock(frozen()).session_store(store);
    let auth = manager(config.store_timeout(time::Duration::milliseconds(20)));
    Site::new(|app| {
        app.service(auth.introspection(list));
    })
    .await
}

async fn ask_at(site: &Site, assertion: &str) -> support::site::Reply {
    let form = [
        ("token", "x"),
        ("client_assertion", assertion),
        ("client_assertion_type", JWT_BEARER),
    ];
    site.ask(request("/introspect", None, &form)).await
}

#[actix_web::test]
async fn an_assertion_works_once_in_a_fleet_if_the_store_keeps_what_was_used() {
    let proofs = Proofs::Shared(Arc::default());
    let one = member(&proofs, &clients()).await;
    let two = member(&proofs, &clients()).await;
    let copy = assertion(&json!({}));
    assert_eq!(ask_at(&one, &copy).await.status, 200);
    for site in [&two, &one] {
        let reply = ask_at(site, &copy).await;
        is_refused(&reply, 401, "invalid_client", "a copy");
    }
    let next = assertion(&json!({"jti": "two"}));
    assert_eq!(ask_at(&two, &next).await.status, 200);
    for broken in [Proofs::Failing, Proofs::Hanging] {
        let site = member(&broken, &clients()).await;
        let reply = ask_at(&site, &assertion(&json!({}))).await;
        is_refused(&reply, 503, "temporarily_unavailable", "no store");
    }
}

/// Such as a resource server that introspects often.
#[actix_web::test]
async fn a_client_can_ask_ten_thousand_times_a_minute() {
    let server = Server::new().await;
    for number in 0..10_001 {
        let assertion = assertion(&json!({"jti": number.to_string()}));
        assert_eq!(ask(&server, &assertion).await.status, 200, "{number}");
    }
}

#[actix_web::test]
async fn during_a_rotation_assertions_without_kid_are_accepted_by_both_keys() {
    let jwk = |pair, kid: &str| {
        let mut jwk = dpop::jwk(pair);
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!("ES256");
        let jwk: Jwk = serde_json::from_value(jwk).expect("a JWK");
        flask_pyjwt::Key::from_jwk(&jwk).expect("a key")
    };
    let service = OAuthClient::with_key("service", jwk(&keys::P256, "old"));
    let service = service.key(jwk(&keys::OTHER_P256, "new"));
    let list = OAuthClients::new([service]).expect("valid clients");
    let site = member(&Proofs::Shared(Arc::default()), &list).await;
    for (number, (pair, kid, status)) in [
        (&keys::P256, None, 200),
        (&keys::OTHER_P256, None, 200),
        (&keys::P256, Some("old"), 200),
        (&keys::OTHER_P256, Some("new"), 200),
        (&keys::P256, Some("new"), 401),
        (&keys::P256, Some("unknown"), 401),
    ]
    .into_iter()
    .enumerate()
    {
        let mut header = json!({"alg": "ES256", "typ": "JWT"});
        if let Some(kid) = kid {
            header["kid"] = json!(kid);
        }
        let claims = claims(&json!({"jti": number.to_string()}));
        let assertion = forge(header.to_string(), claims, &Key::Ecdsa(pair));
        let reply = ask_at(&site, &assertion).await;
        assert_eq!(reply.status, status, "{number}: {}", reply.text());
    }
}
