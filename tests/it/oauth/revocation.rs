//! Revocation (RFC 7009).

use flask_pyjwt::{AuthType, Config, Issuer, Key, MemoryStore};
use serde_json::json;
use time::Duration;

use support::SECRET;

use super::{BASIC, DEMO, Server, is_refused};

#[track_caller]
fn is_done(reply: &support::site::Reply, what: &str) {
    assert_eq!((reply.status, reply.text()), (200, ""), "{what}");
    assert_eq!(reply.field("cache-control"), "no-store", "{what}");
}

#[actix_web::test]
async fn a_refresh_token_ends_its_session_and_an_auth_token_only_itself() {
    let server = Server::new().await;
    let pair = server.login().await;
    is_done(&server.revoke(pair.auth.signed()).await, "the auth token");
    assert!(!server.is_accepted(pair.auth.signed()).await);
    let next = server
        .auth
        .refresh(&pair.refresh)
        .await
        .expect("the session is open");
    assert!(server.is_accepted(next.auth.signed()).await);

    is_done(
        &server.revoke(next.refresh.signed()).await,
        "the refresh token",
    );
    assert!(!server.is_accepted(next.auth.signed()).await);
    assert!(
        server
            .auth
            .sessions("alice")
            .await
            .expect("listed")
            .is_empty()
    );
    is_done(&server.revoke(next.refresh.signed()).await, "again");

    let without_session = server.auth.refresh_token("alice").sign().expect("minted");
    is_done(
        &server.revoke(without_session.signed()).await,
        "without a session",
    );
    assert!(
        server
            .auth
            .check_revocation(&without_session)
            .await
            .is_err()
    );
}

#[actix_web::test]
async fn unknown_tokens_are_answered_like_revoked_ones() {
    let server = Server::new().await;
    let pair = server.login().await;
    let forged = pair.refresh.signed().replacen('.', ".e30.", 1);
    for token in ["garbage", "\0", &*forged, &*"x".repeat(9_000)] {
        is_done(&server.revoke(token).await, token);
    }
    for hint in ["access_token", "x"] {
        let form = [("token", "garbage"), ("token_type_hint", hint)];
        is_done(&server.post("/revoke", BASIC, &form).await, hint);
    }
    assert!(server.is_accepted(pair.auth.signed()).await);
    let reply = server.post("/revoke", BASIC, &[]).await;
    is_refused(&reply, 400, "invalid_request", "no token");
    server.clock.advance(Duration::days(8));
    is_done(&server.revoke(pair.refresh.signed()).await, "expired");
}

#[actix_web::test]
async fn the_tokens_of_another_client_are_refused_and_stay_valid() {
    let server = Server::new().await;
    let pair = server.login_of("demo").await;
    let spa = |token| [("token", token), ("client_id", "spa")];
    for token in [&pair.auth, &pair.refresh] {
        let secret = std::str::from_utf8(SECRET).expect("UTF-8");
        let form = [("token", token.signed())];
        // The client must not believe that it is revoked (section 2.1).
        let reply = server.post("/revoke", Some(("other", secret)), &form).await;
        is_refused(&reply, 400, "invalid_grant", "other");
        let reply = server.post("/revoke", None, &spa(token.signed())).await;
        is_refused(&reply, 400, "invalid_grant", "spa");
    }
    // Those that are worth nothing are not told from others.
    let forged = pair.auth.signed().replacen('.', ".e30.", 1);
    is_done(&server.post("/revoke", None, &spa(&forged)).await, "forged");
    assert!(server.is_accepted(pair.auth.signed()).await);
    assert_eq!(
        server.auth.sessions("alice").await.expect("listed").len(),
        1
    );

    let reply = server.revoke(pair.refresh.signed()).await;
    is_done(&reply, "its own client");
    assert!(!server.is_accepted(pair.auth.signed()).await);
    let spas = server.login_of("spa").await;
    is_done(
        &server
            .post("/revoke", None, &spa(spas.refresh.signed()))
            .await,
        "a public client",
    );
    assert!(!server.is_accepted(spas.auth.signed()).await);
}

/// The clock of this server is behind that of the one that has issued it.
#[actix_web::test]
async fn a_token_that_becomes_valid_later_is_revoked() {
    let trusting = |config: Config| {
        let issuer = Issuer::new("https://other.example").audience("our-api");
        let config = config.session_store(MemoryStore::default());
        config.trust(issuer.key(Key::new(AuthType::HS256, support::SECRET)))
    };
    for server in [Server::new().await, Server::with(trusting).await] {
        let pair = server.login().await;
        let single = server.login().await.auth;
        server.clock.advance(Duration::seconds(-3));
        let other = server.login_of("other").await;
        server.clock.advance(Duration::seconds(-3));
        assert!(!server.is_accepted(single.signed()).await);
        let forged = pair.refresh.signed().replacen('.', ".e30.", 1);
        is_done(&server.revoke(&forged).await, "forged");
        is_done(&server.revoke(single.signed()).await, "an auth token");
        is_done(&server.revoke(pair.refresh.signed()).await, "a session");
        let reply = server.revoke(other.refresh.signed()).await;
        is_refused(&reply, 400, "invalid_grant", "of another client");
        server.clock.advance(Duration::seconds(6));
        for token in [&single, &pair.auth] {
            assert!(!server.is_accepted(token.signed()).await);
        }
        assert!(server.auth.refresh(&pair.refresh).await.is_err());
        assert!(server.is_accepted(other.auth.signed()).await);
    }
}

#[actix_web::test]
async fn what_cannot_be_revoked_is_an_unsupported_token_type() {
    let server = Server::new().await;
    let without_id = server.auth.auth_token("alice").sign().expect("minted");
    let reply = server.revoke(without_id.signed()).await;
    is_refused(&reply, 400, "unsupported_token_type", "without an id");

    let server = Server::with(|config| config).await;
    let refresh = server.auth.refresh_token("alice").sign().expect("minted");
    for token in [&without_id, &refresh] {
        let reply = server.revoke(token.signed()).await;
        is_refused(&reply, 400, "unsupported_token_type", "without a store");
    }
    is_done(&server.revoke("garbage").await, "garbage without a store");
    let reply = server.refresh(Some(("demo", DEMO)), refresh.signed()).await;
    is_refused(&reply, 500, "server_error", "a refresh without a store");
    assert_eq!(
        reply.json()["error_description"],
        json!("The server is misconfigured")
    );
}
