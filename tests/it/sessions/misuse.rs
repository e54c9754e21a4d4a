//! Mistakes that a server's author can make with sessions: they end no session.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, MemoryStore, MintError, SessionError, TokenError,
};
use serde_json::{Value, json};
use time::Duration;

use super::{clock, with_memory};
use support::{
    ISSUER, claims_with, config, forge::forge, header, hs256, keys, log, manager, site::Site,
};

#[actix_web::test]
async fn a_failure_to_mint_does_not_rotate() {
    let auth = with_memory(&clock());
    let pair = auth.login("alice").await.expect("opened");
    let refused = auth
        .refresh(&pair.refresh)
        .claim("long", "x".repeat(9_000))
        .await;
    assert!(matches!(refused, Err(SessionError::Mint(_))), "{refused:?}");
    let refused = auth.refresh(&pair.refresh).claim("exp", 1).await;
    assert!(matches!(refused, Err(SessionError::Mint(_))), "{refused:?}");
    let next = auth
        .refresh(&pair.refresh)
        .await
        .expect("its first rotation");
    assert_eq!(next.auth.claim("long"), None);

    let store = Arc::new(MemoryStore::default());
    let private = keys::secret(AuthType::EdDSA);
    let public = keys::public(AuthType::EdDSA).expect("it has one");
    let clock = clock();
    let issuer = config(AuthType::EdDSA, private).clock(clock.clone());
    let issuer = manager(issuer.session_store(Arc::clone(&store)));
    let verifier = Config::verify_only(ISSUER, AuthType::EdDSA, public).clock(clock.clone());
    let verifier = manager(verifier.session_store(store));
    let pair = issuer.login("alice").await.expect("opened");
    let refused = verifier.refresh(&pair.refresh).await;
    assert!(matches!(refused, Err(SessionError::Mint(_))), "{refused:?}");
    clock.advance(Duration::minutes(1));
    assert!(issuer.refresh(&pair.refresh).await.is_ok());
}

#[test]
fn a_lifetime_limit_is_exact_to_the_second() {
    let config = || hs256().session_store(MemoryStore::default());
    for (limit, idle, is_good) in [
        (Duration::MAX, Duration::WEEK, true),
        (Duration::seconds(i64::MAX / 1_000), Duration::WEEK, true),
        (Duration::WEEK, Duration::WEEK, true),
        (Duration::WEEK, Duration::WEEK + Duration::SECOND, false),
    ] {
        let made = AuthManager::new(config().max_lifetime(limit).session_idle(idle));
        assert_eq!(made.is_ok(), is_good, "{limit} {idle}");
    }
}

#[actix_web::test]
async fn a_full_store_ends_sessions_of_the_account_that_fills_it() {
    let auth = manager(hs256().session_store(MemoryStore::new(60)));
    let mut opened = 0;
    while auth.login("mallory").await.is_ok() {
        opened += 1;
        assert!(opened <= 60, "it is bounded");
    }
    auth.revoke_subject("mallory")
        .await
        .expect("that makes room");
    assert!(auth.login("mallory").await.is_ok());
}

#[actix_web::test]
async fn a_login_beyond_the_limit_ends_the_least_recently_refreshed_session() {
    let clock = clock();
    let config = |most| {
        hs256()
            .clock(clock.clone())
            .session_store(MemoryStore::default())
            .max_sessions(most)
    };
    assert!(AuthManager::new(config(0)).is_err());
    let auth = manager(config(2));
    let login = async || {
        clock.advance(Duration::seconds(1));
        auth.login("alice").await.expect("opened")
    };
    let (first, second) = (login().await, login().await);
    let other = auth.login("bob").await.expect("opened");
    clock.advance(Duration::seconds(1));
    let first = auth.refresh(&first.refresh).await.expect("rotated");
    let third = login().await;
    let revoked = Err(SessionError::Token(TokenError::Revoked));
    assert_eq!(auth.check_revocation(&second.auth).await, revoked);
    for token in [&first.auth, &third.auth, &other.auth] {
        assert_eq!(auth.check_revocation(token).await, Ok(()));
    }
    assert_eq!(auth.sessions("alice").await.expect("listed").len(), 2);
}

async fn login(auth: AuthManager) -> Result<HttpResponse, SessionError> {
    auth.login("alice").claim("exp", 1).await?;
    Ok(HttpResponse::Ok().finish())
}

#[actix_web::test]
async fn a_login_that_fails_because_of_the_configuration_is_logged() {
    let auth = with_memory(&clock());
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/login", web::get().to(login));
    })
    .await;
    let log = log::capture();
    assert_eq!(site.get("/login", "").await.status, 500);
    assert!(log.text().contains("`exp` is reserved"), "{}", log.text());
}

#[actix_web::test]
async fn a_further_token_of_a_session_ends_with_the_session() {
    let auth = with_memory(&clock());
    let pair = auth.login("alice").await.expect("opened");
    let with = |session: Value| auth.auth_token("alice").claim("sid", session).sign();
    for session in [json!(7), json!(null), json!(""), json!(["a"])] {
        let error = with(session.clone()).expect_err("no id");
        assert!(
            matches!(error, MintError::Refused(TokenError::MistypedClaim("sid"))),
            "{session}: {error}"
        );
    }
    let token = with(json!(pair.auth.session_id())).expect("minted");
    assert_eq!(auth.check_revocation(&token).await, Ok(()));
    auth.logout(&pair.auth).await.expect("ended");
    let revoked = Err(SessionError::Token(TokenError::Revoked));
    assert_eq!(auth.check_revocation(&token).await, revoked);
}

#[actix_web::test]
async fn a_token_without_a_session_can_have_any_id() {
    let auth = with_memory(&clock());
    let claims = claims_with(json!({"jti": 7}));
    let forged = forge(header(AuthType::HS256), claims, &keys::key(AuthType::HS256));
    let token = auth.verify_token(&forged).expect("valid");
    assert_eq!(auth.check_revocation(&token).await, Ok(()));
}
