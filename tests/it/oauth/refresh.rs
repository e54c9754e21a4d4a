//! The refresh grant (RFC 6749, section 6).

use std::collections::HashSet;

use actix_web::{http::Method, test::TestRequest};
use flask_pyjwt::{MemoryStore, TokenCheckError};
use futures_util::future::join_all;
use serde_json::json;
use time::Duration;

use super::{BASIC, Server, is_refused};

#[actix_web::test]
async fn a_refresh_token_is_exchanged_for_the_next_pair() {
    let server = Server::new().await;
    let first = server.login().await;
    server.clock.advance(Duration::minutes(10));
    let reply = server.refresh(BASIC, first.refresh.signed()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.field("cache-control"), "no-store");
    assert_eq!(reply.field("content-type"), "application/json");
    let answer = reply.json();
    let text = |name: &str| answer[name].as_str().expect(name).to_owned();
    assert_eq!(text("token_type"), "Bearer");
    assert_eq!(text("scope"), "read write");
    assert_eq!(answer["expires_in"], 3_600);
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(5));
    assert!(server.is_accepted(&text("access_token")).await);
    let next = server.refresh(BASIC, &text("refresh_token")).await;
    assert_eq!(next.status, 200);
    // The time that has passed counts if the same pair is given again.
    server.clock.advance(Duration::seconds(3));
    let again = server.refresh(BASIC, &text("refresh_token")).await;
    assert_eq!(again.json()["expires_in"], 3_597);
    assert_eq!(again.json()["access_token"], next.json()["access_token"]);
    // `exp` is a whole second, and the clock is not.
    let first = server.login().await;
    server.clock.advance(Duration::milliseconds(600));
    let reply = server.refresh(BASIC, first.refresh.signed()).await;
    assert_eq!(reply.json()["expires_in"], 3_600);
}

/// The same bytes for a valid token as for any other text (RFC 6749, section 5.2; RFC 9700, section 2.2.2).
/// By the profile, its access tokens have a `client_id` (RFC 9068, section 2.2).
#[actix_web::test]
async fn other_tokens_are_an_invalid_grant() {
    let server = Server::new().await;
    let pair = server.login().await;
    let without_session = server.auth.refresh_token("alice").sign().expect("minted");
    let forged = pair.refresh.signed().replacen('.', ".e30.", 1);
    let ended = server.login().await;
    server.auth.logout(&ended.auth).await.expect("ended");
    for (token, what) in [
        (pair.auth.signed(), "an auth token"),
        (without_session.signed(), "without a session"),
        (&*forged, "forged"),
        (ended.refresh.signed(), "ended"),
        ("garbage", "garbage"),
        ("\0", "a NUL"),
        (&*"x".repeat(9_000), "too long"),
    ] {
        let reply = server.refresh(BASIC, token).await;
        is_refused(&reply, 400, "invalid_grant", what);
    }
    server.clock.advance(Duration::days(8));
    let reply = server.refresh(BASIC, pair.refresh.signed()).await;
    is_refused(&reply, 400, "invalid_grant", "expired");
}

#[actix_web::test]
async fn other_grants_and_missing_parameters_are_refused() {
    let server = Server::new().await;
    let token = server.login().await.refresh;
    let token = ("refresh_token", token.signed());
    for (form, error) in [
        (
            &[("grant_type", "password"), token][..],
            "unsupported_grant_type",
        ),
        (
            &[("grant_type", "REFRESH_TOKEN"), token],
            "unsupported_grant_type",
        ),
        (&[token], "invalid_request"),
        (&[("grant_type", ""), token], "invalid_request"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "")],
            "invalid_request",
        ),
    ] {
        let reply = server.post("/token", BASIC, form).await;
        is_refused(&reply, 400, error, &format!("{form:?}"));
    }
    for path in ["/token", "/introspect", "/revoke"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let request = TestRequest::with_uri(path).method(method.clone());
            assert_eq!(
                server.site.ask(request).await.status,
                405,
                "{method} {path}"
            );
        }
    }
}

#[actix_web::test]
async fn a_scope_is_narrowed_for_one_token_and_never_widened() {
    let server = Server::new().await;
    let mut refresh = server.login().await.refresh.signed().to_owned();
    for (wanted, granted) in [
        ("read write", Some("read write")),
        ("write read", Some("read write")),
        ("read", Some("read")),
        ("write", Some("write")),
        ("read write admin", None),
        ("admin", None),
        ("read  write", None),
        (" ", None),
        ("READ", None),
        ("read\0", None),
    ] {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
            ("scope", wanted),
        ];
        let reply = server.post("/token", BASIC, &form).await;
        let Some(granted) = granted else {
            is_refused(&reply, 400, "invalid_scope", wanted);
            continue;
        };
        let answer = reply.json();
        assert_eq!(answer["scope"], granted, "{wanted}");
        let token = answer["access_token"].as_str().expect("text");
        let token = server.auth.verify_token(token).expect("valid");
        assert_eq!(token.scope(), Some(&json!(granted)), "{wanted}");
        refresh = answer["refresh_token"].as_str().expect("text").to_owned();
    }
    let all = server.refresh(BASIC, &refresh).await;
    assert_eq!(
        all.json()["scope"],
        "read write",
        "the session keeps its scope"
    );
}

#[actix_web::test]
async fn a_scope_that_is_no_text_cannot_be_narrowed() {
    let server = Server::new().await;
    for scope in [json!({"admin": true}), json!(["read"]), json!(null)] {
        let login = server.auth.login("alice").scope(scope.clone());
        let token = login.await.expect("logged in").refresh;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.signed()),
            ("scope", "read"),
        ];
        let reply = server.post("/token", BASIC, &form).await;
        is_refused(&reply, 400, "invalid_scope", &scope.to_string());
        let reply = server.refresh(BASIC, token.signed()).await;
        assert_eq!(reply.json().get("scope"), None, "{scope}");
    }
}

#[actix_web::test]
async fn threat_36_a_copy_of_a_rotated_token_ends_the_session() {
    let server = Server::new().await;
    let first = server.login().await;
    let second = server.refresh(BASIC, first.refresh.signed()).await.json();
    let auth = second["access_token"].as_str().expect("text");
    assert!(server.is_accepted(auth).await);
    server.clock.advance(Duration::minutes(1));
    let reply = server.refresh(BASIC, first.refresh.signed()).await;
    is_refused(&reply, 400, "invalid_grant", "a copy");
    assert!(!server.is_accepted(auth).await);
    let reply = server
        .refresh(BASIC, second["refresh_token"].as_str().expect("text"))
        .await;
    is_refused(&reply, 400, "invalid_grant", "the owner's");
}

/// Also if it asks for a scope that the login does not have: otherwise a thief finds out the scope unnoticed.
#[actix_web::test]
async fn threat_36_a_copy_ends_the_session_whatever_scope_it_asks_for() {
    for wanted in ["read", "admin", ""] {
        let server = Server::new().await;
        let first = server.login().await;
        let second = server.refresh(BASIC, first.refresh.signed()).await.json();
        let auth = second["access_token"].as_str().expect("text");
        assert!(server.is_accepted(auth).await);
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", first.refresh.signed()),
            ("scope", wanted),
        ];
        // Within the grace window it is a repetition.
        let status = if wanted == "admin" { 400 } else { 200 };
        let reply = server.post("/token", BASIC, &form).await;
        assert_eq!(reply.status, status, "{wanted}");
        if status == 400 {
            is_refused(&reply, 400, "invalid_scope", wanted);
        }
        assert!(server.is_accepted(auth).await, "{wanted}");
        server.clock.advance(Duration::minutes(1));
        let reply = server.post("/token", BASIC, &form).await;
        is_refused(&reply, 400, "invalid_grant", wanted);
        assert!(!server.is_accepted(auth).await, "{wanted}");
    }
}

#[actix_web::test]
async fn threat_37_a_hundred_concurrent_refreshes_have_one_successor() {
    let server = Server::new().await;
    let first = server.login().await;
    let refreshes = (0..100).map(|_| server.refresh(BASIC, first.refresh.signed()));
    let replies = join_all(refreshes).await;
    let tokens = replies.iter().map(|reply| {
        assert_eq!(reply.status, 200);
        reply.json()["refresh_token"]
            .as_str()
            .expect("text")
            .to_owned()
    });
    assert_eq!(tokens.collect::<HashSet<_>>().len(), 1);
    let open = server.auth.sessions("alice").await.expect("listed");
    assert_eq!(open.len(), 1);
}

#[actix_web::test]
async fn the_token_check_of_the_application_decides_as_well() {
    let server = Server::with(|config| {
        let config = config.session_store(MemoryStore::default());
        config.token_check(|token| async move {
            match token.sub() {
                "mallory" => Err(TokenCheckError::Revoked),
                "nobody" => Err(TokenCheckError::Unavailable {
                    retry_after: Duration::seconds(7),
                }),
                _ => Ok(()),
            }
        })
    })
    .await;
    let login = |name: &'static str| {
        let auth = server.auth.clone();
        async move { auth.login(name).await.expect("logged in") }
    };
    let (mallory, nobody) = (login("mallory").await, login("nobody").await);
    let reply = server.refresh(BASIC, mallory.refresh.signed()).await;
    is_refused(&reply, 400, "invalid_grant", "revoked");
    let reply = server.refresh(BASIC, nobody.refresh.signed()).await;
    is_refused(&reply, 503, "temporarily_unavailable", "unavailable");
    assert_eq!(reply.field("retry-after"), "7");
    let reply = server.introspect(mallory.auth.signed()).await;
    assert_eq!(reply.text(), r#"{"active":false}"#);
    let reply = server.introspect(nobody.auth.signed()).await;
    is_refused(&reply, 503, "temporarily_unavailable", "unavailable");
}
