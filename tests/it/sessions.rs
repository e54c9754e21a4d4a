//! Sessions over HTTP: opened, rotated, replayed, listed, ended, and how guards use the store.

mod acr;
pub(crate) mod checks;
mod devices;
mod errors;
mod events;
mod limits;
mod lost_answers;
mod marks;
mod misuse;
mod pages;
mod races;
mod subscribers;

use std::sync::{Arc, Mutex};

use actix_web::{HttpResponse, web};
use flask_pyjwt::{
    AuthManager, CurrentToken, MemoryStore, SessionError, SessionEvent, TokenError, TokenType,
    require_token, testing::FrozenClock,
};
use serde_json::json;
use time::Duration;

use support::{NOW, at, hs256, log, manager, site::Site};

#[require_token("refresh")]
async fn refresh(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, SessionError> {
    let pair = auth.refresh(&token).await?;
    Ok(HttpResponse::Ok().json([pair.auth.signed(), pair.refresh.signed()]))
}

#[require_token]
async fn me(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn site(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(move |app| {
        app.app_data(auth.clone())
            .route("/refresh", web::get().to(refresh))
            .route("/me", web::get().to(me));
    })
    .await
}

fn clock() -> FrozenClock {
    FrozenClock::new(at(NOW))
}

fn with_memory(clock: &FrozenClock) -> AuthManager {
    let config = hs256().clock(clock.clone());
    manager(config.session_store(MemoryStore::default()))
}

#[actix_web::test]
async fn a_login_returns_a_pair_whose_tokens_name_their_session() {
    let clock = clock();
    let auth = with_memory(&clock);
    let login = auth
        .login("alice")
        .scope(json!({"admin": true}))
        .claim("team", 7);
    let pair = login.label("a browser").await.expect("opened");
    assert_eq!(pair.auth.token_type(), TokenType::Auth);
    assert_eq!(pair.auth.claims()["scope"], json!({"admin": true}));
    assert_eq!(pair.auth.claims()["team"], 7);
    assert_eq!(pair.auth.auth_time(), Some(pair.auth.iat()));
    assert_eq!(pair.refresh.auth_time(), Some(pair.auth.iat()));
    assert!(pair.auth.claim("jti").is_some() && pair.auth.claim("rid").is_none());
    assert_eq!(pair.refresh.token_type(), TokenType::Refresh);
    assert!(pair.refresh.scope().is_none() && pair.refresh.claim("rid").is_some());
    assert_eq!(pair.auth.session_id(), pair.refresh.session_id());

    let sessions = auth.sessions("alice").await.expect("listed");
    assert_eq!(sessions.len(), 1);
    assert_eq!(Some(&*sessions[0].id), pair.auth.session_id());
    assert_eq!(sessions[0].label.as_deref(), Some("a browser"));
    assert_eq!(sessions[0].opened, at(NOW));
    assert_eq!(sessions[0].expires, at(NOW) + Duration::days(7));
    assert_eq!(auth.sessions("bob").await.expect("listed"), []);
}

#[actix_web::test]
async fn a_rotation_keeps_the_claims_of_the_login_or_replaces_them() {
    let clock = clock();
    let auth = with_memory(&clock);
    let first = auth.login("alice").claim("team", 7).await.expect("opened");
    clock.advance(Duration::minutes(5));
    let second = auth.refresh(&first.refresh).await.expect("rotated");
    assert_eq!(second.auth.claims()["team"], 7);
    assert_eq!(second.auth.auth_time(), first.auth.auth_time());
    assert_eq!(second.refresh.auth_time(), first.auth.auth_time());
    assert_eq!(second.auth.session_id(), first.auth.session_id());
    assert_ne!(
        second.refresh.claims()["rid"],
        first.refresh.claims()["rid"]
    );

    let third = auth
        .refresh(&second.refresh)
        .scope("all")
        .await
        .expect("rotated");
    assert_eq!(third.auth.claim("team"), None);
    let fourth = auth.refresh(&third.refresh).await.expect("rotated");
    assert_eq!(fourth.auth.scope(), Some(&json!("all")));
}

#[actix_web::test]
async fn a_retry_within_the_grace_window_gets_the_same_pair() {
    let clock = clock();
    let auth = with_memory(&clock);
    let first = auth.login("alice").await.expect("opened");
    let second = auth.refresh(&first.refresh).await.expect("rotated");
    clock.advance(Duration::milliseconds(9_999));
    let again = auth.refresh(&first.refresh).await.expect("in time");
    assert_eq!(again.auth.signed(), second.auth.signed());
    assert_eq!(again.refresh.signed(), second.refresh.signed());
}

#[actix_web::test]
async fn threat_36_a_replay_revokes_the_session_and_is_reported() {
    let clock = clock();
    let reported = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&reported);
    let config = hs256()
        .clock(clock.clone())
        .session_store(MemoryStore::default())
        .on_session_event(move |event| hook.lock().expect("not poisoned").push(event.clone()));
    let auth = manager(config);
    let site = site(&auth).await;
    let first = auth.login("alice").await.expect("opened");
    let other = auth.login("alice").await.expect("opened");
    let second = auth.refresh(&first.refresh).await.expect("rotated");
    clock.advance(Duration::seconds(10));
    for token in [&second.auth, &first.auth] {
        assert_eq!(site.get("/me", token.signed()).await.text(), "alice");
    }

    let log = log::capture();
    let reply = site.get("/refresh", first.refresh.signed()).await;
    reply.is_refused(401, "invalid_token", "token_replayed", "a replay");
    assert!(!log.text().contains(first.refresh.signed()));
    let event = SessionEvent::Replayed {
        subject: "alice".to_owned(),
        session: first.auth.session_id().expect("a session").to_owned(),
        at: at(NOW) + Duration::seconds(10),
    };
    assert_eq!(reported.lock().expect("not poisoned").last(), Some(&event));
    for token in [&second.auth, &first.auth] {
        let reply = site.get("/me", token.signed()).await;
        reply.is_refused(401, "invalid_token", "token_revoked", "after a replay");
    }
    let reply = site.get("/refresh", second.refresh.signed()).await;
    reply.is_refused(401, "invalid_token", "token_revoked", "after a replay");
    assert_eq!(site.get("/me", other.auth.signed()).await.text(), "alice");
}

#[actix_web::test]
async fn threat_35_only_revoked_tokens_are_refused_and_at_once() {
    let clock = clock();
    let auth = with_memory(&clock);
    let site = site(&auth).await;
    let is_in = async |token: &flask_pyjwt::Token| {
        let reply = site.get("/me", token.signed()).await;
        match reply.outcome() {
            (200, _) => true,
            (401, "token_revoked") => false,
            other => panic!("{other:?}"),
        }
    };
    let [a, b, c] = [
        auth.login("alice").await.expect("opened"),
        auth.login("alice").await.expect("opened"),
        auth.login("bob").await.expect("opened"),
    ];
    let plain = auth.auth_token("alice").sign().expect("minted");
    let next = auth.refresh(&a.refresh).await.expect("rotated");

    auth.revoke_token(&a.auth).await.expect("revoked");
    assert!(!is_in(&a.auth).await && is_in(&next.auth).await && is_in(&b.auth).await);

    // A user cannot end the session of somebody else.
    let session = a.auth.session_id().expect("a session");
    auth.revoke_session("bob", session)
        .await
        .expect("nothing to do");
    assert!(is_in(&next.auth).await);
    auth.logout(&next.refresh).await.expect("ended");
    assert!(!is_in(&next.auth).await && is_in(&b.auth).await && is_in(&plain).await);
    auth.logout(&next.auth).await.expect("ended already");

    auth.revoke_subject("alice").await.expect("revoked");
    assert!(!is_in(&b.auth).await && !is_in(&plain).await && is_in(&c.auth).await);
    let anew = auth.login("alice").await.expect("opened");
    assert!(
        is_in(&anew.auth).await,
        "a login of the same moment is good"
    );
    clock.advance(Duration::seconds(1));
    let plain = auth.auth_token("alice").sign().expect("minted");
    assert!(is_in(&plain).await);
    assert_eq!(
        auth.revoke_token(&plain).await,
        Err(SessionError::NotRevocable)
    );
    assert_eq!(auth.logout(&plain).await, Err(SessionError::NotRevocable));
}

#[actix_web::test]
async fn a_session_ends_when_idle_and_at_its_absolute_end() {
    let clock = clock();
    let config = hs256()
        .clock(clock.clone())
        .session_store(MemoryStore::default())
        .session_idle(Duration::hours(2))
        .session_lifetime(Duration::hours(5));
    let auth = manager(config);
    let mut pair = auth.login("alice").await.expect("opened");
    assert_eq!(pair.refresh.max_age(), Duration::hours(2));
    for _ in 0..4 {
        clock.advance(Duration::minutes(70));
        pair = auth.refresh(&pair.refresh).await.expect("rotated");
        assert!(pair.refresh.exp() <= at(NOW) + Duration::hours(5));
    }
    // 280 minutes have passed: both tokens expire with the session.
    assert_eq!(pair.auth.exp(), at(NOW) + Duration::hours(5));
    assert_eq!(pair.refresh.exp(), at(NOW) + Duration::hours(5));
    clock.advance(Duration::minutes(20));
    assert_eq!(
        auth.check_revocation(&pair.auth).await,
        Err(TokenError::Expired.into())
    );
    let rotated = auth.refresh(&pair.refresh).await.expect_err("over");
    assert_eq!(rotated, TokenError::Revoked.into());
    assert_eq!(auth.sessions("alice").await.expect("listed"), []);
}

#[actix_web::test]
async fn only_refresh_tokens_of_a_session_can_be_rotated() {
    let auth = with_memory(&clock());
    let pair = auth.login("alice").await.expect("opened");
    let expected = TokenType::Refresh;
    let error = auth.refresh(&pair.auth).await.expect_err("an auth token");
    assert_eq!(error, TokenError::WrongType { expected }.into());
    let plain = auth.refresh_token("alice").sign().expect("minted");
    let error = auth.refresh(&plain).await.expect_err("of no session");
    assert_eq!(error, TokenError::MissingClaim("sid").into());
    let without = manager(hs256());
    let error = without.login("alice").await.expect_err("no store");
    assert_eq!(error, SessionError::NoStore);
    for claim in ["sid", "auth_time", "jti", "exp"] {
        let error = auth.login("alice").claim(claim, 1).await.expect_err(claim);
        assert!(matches!(error, SessionError::Mint(_)), "{claim}: {error}");
    }
}
