//! Users that are kept for a chosen time.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

use actix_web::web;
use flask_pyjwt::{AuthManager, AuthType, Issuer, Key, MemoryStore, testing::FrozenClock};
use support::{
    frozen,
    gate::Gate,
    hs256, manager,
    site::{Reply, Site},
};
use time::Duration;

use super::{Calls, User, me, signed, with_users};

fn kept(calls: &Calls) -> (AuthManager, FrozenClock) {
    let clock = frozen();
    let config = with_users(hs256(), calls)
        .clock(clock.clone())
        .session_store(MemoryStore::default())
        .user_cache(Duration::seconds(30));
    (manager(config), clock)
}

async fn site(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(|app| {
        app.app_data(auth).route("/me", web::get().to(me));
    })
    .await
}

#[actix_web::test]
async fn a_user_is_used_again_with_the_same_token_for_the_chosen_time() {
    let calls = Calls::default();
    let (auth, clock) = kept(&calls);
    let site = site(&auth).await;
    let token = signed(&auth, "alice");
    for (seconds, expected) in [(0, 1), (29, 1), (30, 2), (59, 2), (60, 3)] {
        clock.set(support::at(support::NOW + seconds));
        assert_eq!(site.get("/me", &token).await.text(), "alice@example.com");
        assert_eq!(calls.count(), expected, "after {seconds} s");
    }
    // A clock that was set back makes nothing young.
    clock.set(support::at(support::NOW + 10));
    assert_eq!(site.get("/me", &token).await.status, 200);
    assert_eq!(calls.count(), 4);
}

#[actix_web::test]
async fn another_token_of_the_same_subject_loads_the_user_anew() {
    let calls = Calls::default();
    let (auth, _) = kept(&calls);
    let site = site(&auth).await;
    for team in [1, 2] {
        let token = auth.auth_token("alice").claim("team", team).sign();
        let token = token.expect("minted");
        assert_eq!(site.get("/me", token.signed()).await.status, 200);
    }
    assert_eq!(calls.count(), 2);
}

#[actix_web::test]
async fn users_who_are_gone_and_errors_are_not_kept() {
    let calls = Calls::default();
    let (auth, _) = kept(&calls);
    let site = site(&auth).await;
    for (subject, status) in [("gone", 401), ("broken", 503)] {
        let (token, before) = (signed(&auth, subject), calls.count());
        for _ in 0..2 {
            assert_eq!(site.get("/me", &token).await.status, status);
        }
        assert_eq!(calls.count(), before + 2);
    }
}

#[actix_web::test]
async fn a_revoked_subject_is_forgotten_and_others_are_not() {
    let calls = Calls::default();
    let (auth, clock) = kept(&calls);
    let site = site(&auth).await;
    let (alice, bob) = (signed(&auth, "alice"), signed(&auth, "bob"));
    for token in [&alice, &bob, &alice, &bob] {
        assert_eq!(site.get("/me", token).await.status, 200);
    }
    assert_eq!(calls.count(), 2);
    auth.revoke_subject("alice").await.expect("revoked");
    assert_eq!(site.get("/me", &alice).await.status, 401);
    assert_eq!(site.get("/me", &bob).await.status, 200);
    assert_eq!(calls.count(), 2);
    clock.advance(Duration::seconds(2));
    assert_eq!(site.get("/me", &signed(&auth, "alice")).await.status, 200);
    assert_eq!(calls.count(), 3);
    auth.forget_users("bob");
    assert_eq!(site.get("/me", &bob).await.status, 200);
    assert_eq!(calls.count(), 4);
}

/// The record may have been read before the change that made somebody call `forget_users`.
#[actix_web::test]
async fn a_user_who_is_being_loaded_when_users_are_forgotten_is_not_kept() {
    let gate = Arc::new(Gate::default());
    let calls = Calls::default();
    let (counted, passed) = (calls.clone(), Arc::clone(&gate));
    let config = hs256().user_cache(Duration::MINUTE).user_loader(move |_| {
        counted.0.fetch_add(1, Ordering::Relaxed);
        let gate = Arc::clone(&passed);
        async move {
            gate.point().await;
            let email = "old@example.com".to_owned();
            Ok::<_, std::io::Error>(Some(User { email }))
        }
    });
    let auth = manager(config);
    let site = site(&auth).await;
    let token = signed(&auth, "alice");
    gate.pause_at(0);
    let mut first: Pin<Box<dyn Future<Output = Reply> + '_>> = Box::pin(site.get("/me", &token));
    assert!(gate.drive(&mut first).await.is_none(), "it is being loaded");
    auth.forget_users("alice");
    gate.open();
    assert_eq!(first.await.status, 200);
    gate.pause_no_more();
    assert_eq!(site.get("/me", &token).await.status, 200);
    assert_eq!(calls.count(), 2);
}

/// A client that goes away while its user is being loaded leaves nothing behind.
#[actix_web::test]
async fn a_request_that_is_dropped_while_it_loads_does_not_stop_the_next_one() {
    let calls = Calls::default();
    let (auth, _) = kept(&calls);
    let site = site(&auth).await;
    let token = signed(&auth, "alice");
    {
        let dropped = site.get("/me", &token);
        let mut dropped = std::pin::pin!(dropped);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        assert!(dropped.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(site.get("/me", &token).await.text(), "alice@example.com");
    assert_eq!(calls.count(), 2);
}

/// What a loader makes of the request is right for that request only.
#[actix_web::test]
async fn a_user_that_depends_on_the_request_is_not_kept() {
    let config = hs256().user_cache(Duration::MINUTE).user_loader_with(
        |_, request: actix_web::HttpRequest| async move {
            let email = request.query_string().to_owned();
            Ok::<_, std::io::Error>(Some(User { email }))
        },
    );
    let auth = manager(config);
    let site = site(&auth).await;
    let token = signed(&auth, "alice");
    for tenant in ["a", "b", "a"] {
        let reply = site.get(&format!("/me?{tenant}"), &token).await;
        assert_eq!((reply.status, reply.text()), (200, tenant));
    }
}

#[actix_web::test]
async fn a_subject_of_another_issuer_is_forgotten_too() {
    let calls = Calls::default();
    let other = support::config(AuthType::ES256, support::keys::secret(AuthType::ES256));
    let other = manager(other.issuer("https://other.example"));
    let public = support::keys::public(AuthType::ES256).expect("a public key");
    let issuer = Issuer::new("https://other.example")
        .key(Key::verify_only(AuthType::ES256, public))
        .any_audience(true);
    let config = with_users(hs256().trust(issuer), &calls);
    let auth = manager(config.user_cache(Duration::MINUTE));
    let site = site(&auth).await;
    let token = signed(&other, "alice");
    for _ in 0..2 {
        let reply = site.get("/me", &token).await;
        assert_eq!((reply.status, calls.count()), (200, 1), "{reply:?}");
    }
    auth.forget_users("alice");
    assert_eq!(site.get("/me", &token).await.status, 200);
    assert_eq!(calls.count(), 2);
}

#[test]
fn the_time_is_zero_to_a_day() {
    for (age, is_valid) in [
        (Duration::ZERO, true),
        (Duration::DAY, true),
        (Duration::DAY + Duration::SECOND, false),
        (Duration::seconds(-1), false),
    ] {
        let made = AuthManager::new(hs256().user_cache(age));
        assert_eq!(made.is_ok(), is_valid, "{age}");
        if let Err(error) = made {
            assert_eq!(error.key(), "user_cache");
        }
    }
}
