//! Introspection (RFC 7662).

use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, MemoryStore};
use serde_json::{Value, json};
use time::Duration;

use support::{
    ISSUER, NOW, SECRET, at, claims_with,
    forge::{Key, forge},
    header, manager,
};

use super::{BASIC, Server, is_refused};

const INACTIVE: &str = r#"{"active":false}"#;

impl Server {
    async fn is_inactive(&self, token: &str, what: &str) {
        let reply = self.introspect(token).await;
        assert_eq!((reply.status, reply.text()), (200, INACTIVE), "{what}");
        assert_eq!(reply.field("cache-control"), "no-store", "{what}");
    }
}

#[actix_web::test]
async fn an_active_token_is_described_by_its_claims() {
    let server = Server::with(|config| {
        config
            .session_store(MemoryStore::default())
            .audience("our-api")
    })
    .await;
    let login = server
        .auth
        .login("alice")
        .scope("read")
        .claim("client_id", "spa");
    let pair = login
        .claim("team", json!({"id": 7}))
        .await
        .expect("logged in");
    let reply = server.introspect(pair.auth.signed()).await;
    assert_eq!(reply.field("cache-control"), "no-store");
    assert_eq!(reply.field("content-type"), "application/json");
    let claims = pair.auth.claims();
    let expected = json!({
        "active": true, "token_type": "Bearer", "iss": ISSUER, "sub": "alice", "aud": "our-api",
        "exp": NOW + 3_600, "iat": NOW, "auth_time": NOW, "scope": "read", "client_id": "spa",
        "team": {"id": 7}, "type": "auth", "jti": claims["jti"], "sid": claims["sid"],
    });
    assert_eq!(reply.json(), expected);

    let reply = server.introspect(pair.refresh.signed()).await.json();
    assert_eq!(
        (&reply["active"], &reply["type"]),
        (&json!(true), &json!("refresh"))
    );
    assert_eq!(reply["client_id"], "spa");
    assert_eq!(reply.get("token_type"), None, "it is no access token");

    // A hint is a hint, also a wrong or unknown one (section 2.1).
    for hint in ["access_token", "refresh_token", "x"] {
        let form = [("token", pair.auth.signed()), ("token_type_hint", hint)];
        let reply = server.post("/introspect", BASIC, &form).await;
        assert_eq!(reply.json()["active"], true, "{hint}");
    }
    let reply = server.post("/introspect", BASIC, &[("token", "")]).await;
    is_refused(&reply, 400, "invalid_request", "no token");
}

#[actix_web::test]
async fn claims_cannot_replace_what_the_answer_says_itself() {
    let server = Server::new().await;
    let token = server.auth.auth_token("alice").claim("active", false);
    let token = token.claim("token_type", "DPoP").sign().expect("minted");
    let reply = server.introspect(token.signed()).await.json();
    assert_eq!(
        (&reply["active"], &reply["token_type"]),
        (&json!(true), &json!("Bearer"))
    );
    let login = server.auth.login("alice").claim("token_type", "Bearer");
    let pair = login.await.expect("logged in");
    let reply = server.introspect(pair.refresh.signed()).await.json();
    assert_eq!(
        (&reply["active"], reply.get("token_type")),
        (&json!(true), None)
    );
}

#[actix_web::test]
async fn whatever_is_wrong_the_token_is_inactive_and_nothing_else() {
    let server = Server::new().await;
    let pair = server.login().await;
    let by = |config: Config| manager(config.clock(server.clock.clone()));
    let other_key = by(Config::new(
        ISSUER,
        AuthType::HS256,
        "another secret of at least 32 bytes",
    ));
    let other_issuer = by(Config::new(
        "https://other.example",
        AuthType::HS256,
        SECRET,
    ));
    let sign = |auth: &AuthManager| auth.auth_token("alice").sign().expect("minted");
    let forged = |changes: Value| {
        forge(
            header(AuthType::HS256),
            claims_with(changes),
            &Key::Hs256(SECRET),
        )
    };
    for (token, what) in [
        ("garbage".to_owned(), "garbage"),
        ("\0".to_owned(), "a NUL"),
        ("x".repeat(9_000), "too long"),
        (pair.auth.signed().replacen('.', ".e30.", 1), "forged"),
        (sign(&other_key).signed().to_owned(), "another key"),
        (sign(&other_issuer).signed().to_owned(), "another issuer"),
        (forged(json!({"exp": NOW})), "expired"),
        (forged(json!({"iat": NOW + 1})), "issued in the future"),
        (forged(json!({"aud": "x"})), "for another audience"),
        (forged(json!({"type": "id"})), "of another type"),
        (forged(json!({"sid": "unknown"})), "of an unknown session"),
    ] {
        server.is_inactive(&token, what).await;
    }
    let ended = server.login().await;
    server.auth.logout(&ended.auth).await.expect("ended");
    server.is_inactive(ended.auth.signed(), "ended").await;
    server.is_inactive(ended.refresh.signed(), "ended").await;
    let revoked = server.login().await;
    server
        .auth
        .revoke_token(&revoked.auth)
        .await
        .expect("revoked");
    server.is_inactive(revoked.auth.signed(), "revoked").await;
    server
        .auth
        .revoke_token(&revoked.refresh)
        .await
        .expect("revoked");
    server
        .is_inactive(revoked.refresh.signed(), "revoked")
        .await;

    server.clock.set(at(NOW + 3_600));
    server.is_inactive(pair.auth.signed(), "expired").await;
    assert_eq!(
        server.introspect(pair.refresh.signed()).await.json()["active"],
        true
    );
}

/// Not even within the grace window, and without any effect on the session.
#[actix_web::test]
async fn a_rotated_refresh_token_is_inactive() {
    let server = Server::new().await;
    let first = server.login().await;
    let second = server.auth.refresh(&first.refresh).await.expect("rotated");
    for after in [0, 9, 3_000, 5_000] {
        server.clock.set(at(NOW + after));
        server.is_inactive(first.refresh.signed(), "rotated").await;
        let reply = server.introspect(second.refresh.signed()).await;
        assert_eq!(reply.json()["active"], true, "after {after} s");
    }
    assert_eq!(
        server.auth.sessions("alice").await.expect("listed").len(),
        1
    );
}

/// The client has shown the token to the server that asks, so its pair has arrived.
#[actix_web::test]
async fn an_introspected_auth_token_counts_as_used() {
    let server = Server::new().await;
    let first = server.login().await;
    let second = server.auth.refresh(&first.refresh).await.expect("rotated");
    server.introspect(second.auth.signed()).await;
    server.clock.advance(Duration::minutes(1));
    let copy = server.auth.refresh(&first.refresh).await;
    assert!(copy.is_err(), "it is no lost answer");
    server
        .is_inactive(second.auth.signed(), "the session was revoked")
        .await;
}

#[actix_web::test]
async fn tokens_are_described_without_a_store_too() {
    let server = Server::with(|config| config).await;
    let token = server.auth.auth_token("alice").sign().expect("minted");
    assert_eq!(
        server.introspect(token.signed()).await.json()["sub"],
        "alice"
    );
}

/// Guards accept them, but this server has not issued them.
#[actix_web::test]
async fn tokens_of_trusted_issuers_are_not_active() {
    let key = flask_pyjwt::Key::new(AuthType::HS256, SECRET);
    let issuer = Issuer::new("https://other.example").audience("our-api");
    let server = Server::with(|config| config.trust(issuer.key(key))).await;
    let config = Config::new("https://other.example", AuthType::HS256, SECRET);
    let other = manager(config.audience("our-api").clock(server.clock.clone()));
    let token = other.auth_token("alice").sign().expect("minted");
    assert!(server.is_accepted(token.signed()).await);
    server.is_inactive(token.signed(), "another issuer").await;
    let refresh = other.refresh_token("alice").sign().expect("minted");
    let reply = server.refresh(BASIC, refresh.signed()).await;
    is_refused(&reply, 400, "invalid_grant", "another issuer");
    let own = server.auth.auth_token("alice").sign().expect("minted");
    assert_eq!(server.introspect(own.signed()).await.json()["active"], true);
}
