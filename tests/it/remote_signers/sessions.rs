//! Sessions with a remote key: nothing is opened or rotated whose tokens cannot be signed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{App, HttpResponse, test, web};
use flask_pyjwt::{
    AuthManager, AuthType, Key, MemoryStore, RequireToken, SessionError, SignerFailure,
    SilentRenewal, TokenError, signer::SignerError,
};
use futures_util::{future::join_all, poll};
use serde_json::json;
use support::{NOW, at, gated::Gated, keys, manager};
use time::Duration;

use flask_pyjwt::testing::FrozenClock;

use super::{LOCAL, Service, config, now};

struct Server {
    auth: AuthManager,
    store: Gated<MemoryStore>,
    service: Service,
    clock: FrozenClock,
    /// While it is set, the signer fails.
    is_down: Arc<AtomicBool>,
}

impl Server {
    fn new() -> Self {
        let is_down = Arc::<AtomicBool>::default();
        let down = Arc::clone(&is_down);
        let service = Service::new(AuthType::ES256, move |_, signature| {
            now(if down.load(Ordering::SeqCst) {
                Err(SignerError::permanent("down"))
            } else {
                Ok(signature)
            })
        });
        Self::with(service, is_down)
    }

    fn with(service: Service, is_down: Arc<AtomicBool>) -> Self {
        let (store, clock) = (
            Gated::new(MemoryStore::default()),
            FrozenClock::new(at(NOW)),
        );
        let config = config(service.key().local_secret(LOCAL))
            .clock(clock.clone())
            .session_store(store.clone());
        Self {
            auth: manager(config),
            store,
            service,
            clock,
            is_down,
        }
    }

    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    async fn count(&self, subject: &str) -> usize {
        self.auth.sessions(subject).await.expect("listed").len()
    }
}

fn is_signer_failure(error: &SessionError) -> bool {
    use flask_pyjwt::MintError;
    matches!(
        error,
        SessionError::Mint(MintError::Signer(SignerFailure::Failed(_)))
    )
}

#[actix_web::test]
async fn sessions_are_opened_refreshed_and_ended() {
    let server = Server::new();
    let auth = &server.auth;
    let first = auth
        .login("alice")
        .claim("admin", true)
        .await
        .expect("opened");
    auth.check_revocation(&first.auth).await.expect("open");
    assert_eq!(first.auth.claims()["admin"], true);
    let second = auth.refresh(&first.refresh).await.expect("refreshed");
    assert_eq!(second.auth.claims()["admin"], true);
    assert_eq!(server.service.calls(), 4, "two signatures a pair");
    let third = auth
        .refresh(&second.refresh)
        .claim("admin", false)
        .await
        .expect("refreshed");
    assert_eq!(third.auth.claims()["admin"], false);
    assert_eq!(server.service.calls(), 6, "new claims are not signed twice");
    let fourth = auth.refresh(&third.refresh).await.expect("refreshed");
    assert_eq!(fourth.auth.claims()["admin"], false);
    auth.logout(&fourth.auth).await.expect("ended");
    assert!(auth.check_revocation(&fourth.auth).await.is_err());
}

#[actix_web::test]
async fn a_login_that_is_not_signed_opens_no_session_and_ends_none() {
    let server = Server::new();
    server.auth.login("alice").await.expect("opened");
    server.set_down(true);
    let error = server.auth.login("alice").await.expect_err("not signed");
    assert!(is_signer_failure(&error), "{error}");
    assert_eq!(server.count("alice").await, 1);
    server.set_down(false);
    server.auth.login("alice").await.expect("opened");
    assert_eq!(server.count("alice").await, 2);
}

#[actix_web::test]
async fn a_refresh_that_is_not_signed_rotates_nothing_and_can_be_repeated_at_any_time() {
    for claims in [false, true] {
        let server = Server::new();
        let first = server
            .auth
            .login("alice")
            .claim("level", 1)
            .await
            .expect("opened");
        server.set_down(true);
        for _ in 0..3 {
            let refresh = server.auth.refresh(&first.refresh);
            let refresh = if claims {
                refresh.claim("level", 2)
            } else {
                refresh
            };
            let error = refresh.await.expect_err("not signed");
            assert!(is_signer_failure(&error), "{error}");
        }
        // Far beyond the grace and the lost-answer window, where a rotated token would be a theft.
        server.clock.advance(Duration::hours(20));
        server.set_down(false);
        let second = server
            .auth
            .refresh(&first.refresh)
            .await
            .expect("it was never rotated");
        assert_eq!(second.auth.claims()["level"], 1);
        assert_eq!(server.count("alice").await, 1);
    }
}

#[actix_web::test]
async fn threat_46_a_repeated_rotation_gets_the_same_pair_once_the_signer_works_again() {
    let server = Server::new();
    let first = server.auth.login("alice").await.expect("opened");
    let second = server
        .auth
        .refresh(&first.refresh)
        .await
        .expect("refreshed");
    server.set_down(true);
    let error = server
        .auth
        .refresh(&first.refresh)
        .await
        .expect_err("not signed");
    assert!(is_signer_failure(&error), "{error}");
    server.set_down(false);
    let again = server
        .auth
        .refresh(&first.refresh)
        .await
        .expect("within the grace window");
    assert_eq!(again.auth.claims()["jti"], second.auth.claims()["jti"]);
    assert_eq!(
        again.refresh.claims()["rid"],
        second.refresh.claims()["rid"]
    );
    server
        .auth
        .check_revocation(&second.auth)
        .await
        .expect("open");
}

#[actix_web::test]
async fn threat_36_a_replayed_token_costs_no_signature_and_ends_the_session() {
    let server = Server::new();
    let first = server.auth.login("alice").await.expect("opened");
    let second = server
        .auth
        .refresh(&first.refresh)
        .await
        .expect("refreshed");
    server
        .auth
        .check_revocation(&second.auth)
        .await
        .expect("used");
    server.clock.advance(Duration::hours(2));
    let calls = server.service.calls();
    for expected in [
        TokenError::Replayed,
        TokenError::Revoked,
        TokenError::Revoked,
    ] {
        let error = server
            .auth
            .refresh(&first.refresh)
            .await
            .expect_err("refused");
        assert!(
            matches!(error, SessionError::Token(found) if found == expected),
            "{error}"
        );
    }
    assert_eq!(server.service.calls(), calls);
    assert_eq!(server.count("alice").await, 0);
}

#[actix_web::test]
async fn threat_37_concurrent_refreshes_have_one_winner_and_give_the_same_pair() {
    let service = Service::new(AuthType::ES256, |_, signature| {
        Box::pin(async move {
            // Lets the others go first, so that all of them have signed before any rotates.
            tokio::task::yield_now().await;
            Ok(signature)
        })
    });
    let server = Server::with(service, Arc::default());
    let first = server.auth.login("alice").await.expect("opened");
    let pairs =
        join_all((0..50).map(|_| async { server.auth.refresh(&first.refresh).await })).await;
    let ids: std::collections::BTreeSet<_> = pairs
        .into_iter()
        .map(|pair| pair.expect("refreshed").refresh.claims()["rid"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(server.count("alice").await, 1);
}

#[actix_web::test]
async fn threat_45_a_client_that_goes_away_while_its_tokens_are_signed_has_changed_nothing() {
    let (sender, receiver) = tokio::sync::watch::channel(false);
    let service = Service::new(AuthType::ES256, move |_, signature| {
        let mut receiver = receiver.clone();
        Box::pin(async move {
            receiver.wait_for(|is_open| *is_open).await.expect("open");
            Ok(signature)
        })
    });
    let server = Server::with(service, Arc::default());
    {
        let mut login = Box::pin(server.auth.login("alice"));
        assert!(poll!(login.as_mut()).is_pending());
        assert_eq!(server.service.calls(), 2, "both signatures are being made");
    }
    server.store.settled().await;
    assert_eq!(server.count("alice").await, 0);

    sender.send(true).expect("received");
    let first = server.auth.login("alice").await.expect("opened");
    sender.send(false).expect("received");
    {
        let mut refresh = Box::pin(server.auth.refresh(&first.refresh));
        for _ in 0..10 {
            assert!(poll!(refresh.as_mut()).is_pending());
        }
        assert_eq!(server.service.calls(), 6);
    }
    server.store.settled().await;
    sender.send(true).expect("received");
    server.clock.advance(Duration::hours(20));
    server
        .auth
        .refresh(&first.refresh)
        .await
        .expect("it was never rotated");
}

#[actix_web::test]
async fn a_rotation_that_wins_between_signing_and_the_store_is_respected() {
    let server = Server::new();
    let first = server
        .auth
        .login("alice")
        .claim("level", 1)
        .await
        .expect("opened");
    // The first operation lists the sessions, the second one rotates. A point is before and after each.
    server.store.gate.pause_at(2);
    let mut slow: std::pin::Pin<Box<dyn Future<Output = _>>> =
        Box::pin(async { server.auth.refresh(&first.refresh).await });
    assert!(
        server.store.gate.drive(&mut slow).await.is_none(),
        "paused before the rotation"
    );
    let won = server
        .auth
        .refresh(&first.refresh)
        .claim("level", 2)
        .await
        .expect("refreshed");
    server.store.gate.open();
    let again = slow.await.expect("within the grace window");
    assert_eq!(again.refresh.claims()["rid"], won.refresh.claims()["rid"]);
    assert_eq!(again.auth.claims()["level"], 2, "the claims of the winner");
}

#[actix_web::test]
async fn sessions_survive_rotations_between_local_and_remote_keys() {
    let service = Service::good(AuthType::ES256);
    let store = MemoryStore::default();
    let auth = manager(support::hs256().session_store(store));
    let first = auth.login("alice").claim("level", 1).await.expect("opened");
    auth.rotate(service.key().local_secret(LOCAL))
        .expect("rotated");
    let second = auth.refresh(&first.refresh).await.expect("refreshed");
    assert_eq!(second.refresh.header()["alg"], "ES256");
    auth.rotate(Key::new(AuthType::EdDSA, keys::secret(AuthType::EdDSA)))
        .expect("rotated");
    let third = auth.refresh(&second.refresh).await.expect("refreshed");
    assert_eq!(third.refresh.header()["alg"], "EdDSA");
    assert_eq!(third.auth.claims()["level"], 1);
}

#[actix_web::test]
async fn threat_53_remote_keys_with_one_local_secret_have_different_proofs() {
    let clock = FrozenClock::new(at(NOW));
    let es256 = || Service::good(AuthType::ES256).key().local_secret(LOCAL);
    let auth = manager(
        config(es256())
            .clock(clock.clone())
            .session_store(MemoryStore::default()),
    );
    let other = Service::good(AuthType::EdDSA).key().local_secret(LOCAL);
    let pair = auth.login("alice").await.expect("opened");
    let old = auth.csrf_proof(&pair.refresh).expect("made");
    let id = auth.keys()[0].id().to_owned();
    auth.rotate(other).expect("rotated");
    assert_ne!(auth.csrf_proof(&pair.refresh).expect("made"), old);
    auth.remove_key(&id).expect("removed");
    // The session was sealed with the removed key.
    assert!(auth.refresh(&pair.refresh).await.is_err());
}

#[actix_web::test]
async fn another_local_secret_cannot_read_the_sessions() {
    let store = Arc::new(MemoryStore::default());
    let with = |secret: &[u8]| {
        let key = Service::good(AuthType::ES256).key().local_secret(secret);
        manager(config(key).session_store(Arc::clone(&store)))
    };
    let pair = with(LOCAL).login("alice").await.expect("opened");
    assert!(with(LOCAL).refresh(&pair.refresh).await.is_ok());
    let pair = with(LOCAL).login("bob").await.expect("opened");
    let other = with(b"another secret of more than 32 bytes");
    assert!(matches!(
        other.refresh(&pair.refresh).await,
        Err(SessionError::Token(TokenError::Revoked))
    ));
}

#[actix_web::test]
async fn silent_renewal_waits_for_the_signatures_and_loses_nothing_without_them() {
    let server = Server::new();
    let auth = &server.auth;
    let me = web::resource("/me")
        .wrap(RequireToken::auth().cookies())
        .get(HttpResponse::Ok);
    let app = App::new()
        .app_data(auth.clone())
        .wrap(SilentRenewal::new())
        .service(me);
    let app = test::init_service(app).await;
    let pair = auth
        .login("alice")
        .scope(json!({"admin": true}))
        .await
        .expect("opened");
    let cookies = [
        auth.auth_cookie(&pair.auth).expect("small"),
        auth.refresh_cookie(&pair.refresh).expect("small"),
        auth.csrf_cookie(&pair.refresh).expect("a local secret"),
    ];
    server.clock.advance(Duration::hours(2));
    for (is_down, status, set) in [(true, 401, 0), (false, 200, 3)] {
        server.set_down(is_down);
        let request = test::TestRequest::with_uri("/me");
        let request = cookies
            .iter()
            .cloned()
            .fold(request, test::TestRequest::cookie);
        let answer = test::call_service(&app, request.to_request()).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers().get_all("set-cookie").count(), set);
    }
}
