//! What a guard checks in the store and of the login, and what it does if the store does not answer.

use std::{
    future::{pending, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use actix_web::{HttpResponse, test::TestRequest, web};
use flask_pyjwt::{
    AuthManager, MemoryStore, RequireToken, TokenError, require_token,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
    },
};
use serde_json::json;
use time::Duration;

use super::{clock, site, with_memory};
use support::{NOW, at, hs256, manager, site::Site};

#[require_token(fresh = true)]
async fn fresh() -> &'static str {
    "in"
}

#[require_token(max_age = 300, override = {"admin": true})]
async fn recent() -> &'static str {
    "in"
}

#[require_token("refresh", max_age = 300)]
async fn renew() -> &'static str {
    "in"
}

/// Two managers that cache answers of these stores for five minutes.
fn believing<S: SessionStore>(stores: [S; 2]) -> [AuthManager; 2] {
    let clock = clock();
    stores.map(|store| {
        let config = hs256().clock(clock.clone()).session_store(store);
        manager(config.revocation_staleness(Duration::minutes(5)))
    })
}

#[actix_web::test]
async fn cached_answers_are_not_shared_between_managers() {
    let revoked = Err(TokenError::Revoked.into());
    let [one, other] = believing([MemoryStore::default(), MemoryStore::default()]);
    let pair = one.login("alice").await.expect("opened");
    assert_eq!(one.check_revocation(&pair.auth).await, Ok(()));
    assert_eq!(other.check_revocation(&pair.auth).await, revoked);

    // Both managers have revoked the same number of tokens, but not the same ones.
    let shared = Arc::new(MemoryStore::default());
    let [one, other] = believing([Arc::clone(&shared), shared]);
    let pair = one.login("alice").await.expect("opened");
    other.revoke_subject("bob").await.expect("revoked");
    assert_eq!(other.check_revocation(&pair.auth).await, Ok(()));
    one.logout(&pair.auth).await.expect("ended");
    assert_eq!(one.check_revocation(&pair.auth).await, revoked);
}

#[actix_web::test]
async fn a_route_can_require_a_recent_login_and_challenges_for_one() {
    let clock = clock();
    let auth = with_memory(&clock);
    let site = Site::new(|app| {
        let wrapped = |path, guard| web::resource(path).wrap(guard).to(HttpResponse::Ok);
        app.app_data(auth.clone())
            .route("/fresh", web::get().to(fresh))
            .route("/recent", web::get().to(recent))
            .route("/renew", web::get().to(renew))
            .service(wrapped(
                "/wrapped/renew",
                RequireToken::refresh().max_age(300),
            ))
            .service(wrapped("/wrapped/fresh", RequireToken::auth().fresh(true)))
            .service(wrapped(
                "/wrapped/recent",
                RequireToken::auth().max_age(300),
            ));
    })
    .await;
    let ask = async |kind: &str, token: &str, expected: u16| {
        for prefix in ["", "/wrapped"] {
            let path = format!("{prefix}/{kind}");
            let reply = site.get(&path, token).await;
            assert_eq!(reply.status, expected, "{path}");
            if expected == 401 {
                let code = "insufficient_user_authentication";
                reply.is_refused(401, code, "login_too_old", &path);
                let max_age = if kind == "fresh" { "0" } else { "300" };
                let parameter = format!(", max_age=\"{max_age}\"");
                assert!(reply.field("www-authenticate").ends_with(&parameter));
            }
        }
    };
    let pair = auth
        .login("alice")
        .claim("admin", true)
        .await
        .expect("opened");
    // Refreshed within the second of another login.
    let other = auth.login("bob").await.expect("opened");
    let next = auth.refresh(&other.refresh).await.expect("rotated");
    ask("fresh", other.auth.signed(), 200).await;
    ask("fresh", next.auth.signed(), 401).await;

    clock.advance(Duration::seconds(300));
    ask("fresh", pair.auth.signed(), 200).await;
    ask("recent", pair.auth.signed(), 200).await;
    let next = auth.refresh(&pair.refresh).await.expect("rotated");
    ask("fresh", next.auth.signed(), 401).await;
    ask("recent", next.auth.signed(), 200).await;
    ask("renew", next.refresh.signed(), 200).await;
    clock.advance(Duration::MILLISECOND);
    ask("renew", next.refresh.signed(), 401).await;
    ask("fresh", pair.auth.signed(), 200).await;
    ask("recent", pair.auth.signed(), 401).await;
    ask("recent", next.auth.signed(), 401).await;

    // Tokens without a login, with one in the future, and with one that is not a time.
    let now = at(NOW).unix_timestamp() + 300;
    for login in [
        json!(null),
        json!(now + 60),
        json!(-1),
        json!("now"),
        json!([now]),
    ] {
        let token = auth.auth_token("alice").claim("auth_time", &login);
        let token = token.sign().expect("minted");
        ask("fresh", token.signed(), 401).await;
        ask("recent", token.signed(), 401).await;
    }
    let token = auth.auth_token("alice").sign().expect("minted");
    ask("fresh", token.signed(), 401).await;
    let token = auth.auth_token("alice").claim("auth_time", now).sign();
    let token = token.expect("minted");
    ask("fresh", token.signed(), 200).await;
    ask("recent", token.signed(), 200).await;
}

/// Counts the questions to a store in memory.
#[derive(Debug, Default)]
struct Counting(MemoryStore, Arc<AtomicUsize>);

impl SessionStore for Counting {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.0.open(opening, now)
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.0.rotate(rotation)
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.standing(token, now)
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.0.mark_used(token, now)
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.0.revoke(revocation, now)
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.0.sessions(subject, most, now)
    }
}

#[actix_web::test]
async fn a_store_is_asked_once_per_request_unless_an_answer_is_cached() {
    let clock = clock();
    let asked = Arc::new(AtomicUsize::new(0));
    let with = |staleness| {
        let store = Counting(MemoryStore::default(), Arc::clone(&asked));
        let config = hs256().clock(clock.clone()).session_store(store);
        manager(config.revocation_staleness(staleness))
    };
    for (staleness, expected) in [(Duration::ZERO, 3), (Duration::seconds(2), 1)] {
        let auth = with(staleness);
        let site = site(&auth).await;
        let pair = auth.login("alice").await.expect("opened");
        let get = async |token: &str, reason: &str| {
            asked.store(0, Ordering::Relaxed);
            for _ in 0..3 {
                let reply = site.get("/me", token).await;
                assert_eq!(reply.outcome().1, reason);
            }
            asked.load(Ordering::Relaxed)
        };
        assert_eq!(get(pair.auth.signed(), "").await, expected);
        clock.advance(Duration::seconds(2));
        let again = get(pair.auth.signed(), "").await;
        assert_eq!(again, if staleness.is_zero() { 3 } else { 0 }, "at its end");
        clock.advance(Duration::MILLISECOND);
        assert_eq!(get(pair.auth.signed(), "").await, expected, "after its end");
        clock.advance(-Duration::MILLISECOND);
        assert_eq!(get(pair.auth.signed(), "").await, expected, "set back");
        // Revocations by this process count at once, and a negative answer is never cached.
        auth.logout(&pair.refresh).await.expect("ended");
        assert_eq!(get(pair.auth.signed(), "token_revoked").await, 3);
    }
}

/// The check is polled outside the runtime, where a timer panics.
#[test]
fn a_check_of_a_store_that_answers_at_once_starts_no_timer() {
    let auth = manager(hs256().session_store(MemoryStore::default()));
    let pair = actix_web::rt::System::new().block_on(auth.login("alice"));
    let pair = pair.expect("logged in");
    for turn in ["marks the token as used", "asks"] {
        let check = pin!(auth.check_revocation(&pair.auth));
        let answer = check.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Ok(()))), "{turn}");
    }
}

/// A store that fails.
#[derive(Debug)]
pub(crate) enum Broken {
    Down,
    Hanging,
}

impl Broken {
    fn answer<'a, T: Send + 'a>(&self) -> StoreFuture<'a, T> {
        match self {
            Self::Down => Box::pin(ready(Err(StoreError::unavailable("no route to host")))),
            Self::Hanging => Box::pin(pending()),
        }
    }
}

impl SessionStore for Broken {
    fn open<'a>(&'a self, _: &'a Opening, _: Moment) -> StoreFuture<'a, Vec<String>> {
        self.answer()
    }
    fn rotate<'a>(&'a self, _: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.answer()
    }
    fn standing<'a>(&'a self, _: &'a TokenIdentity, _: Moment) -> StoreFuture<'a, Standing> {
        self.answer()
    }
    fn mark_used<'a>(&'a self, _: &'a TokenIdentity, _: Moment) -> StoreFuture<'a, Standing> {
        self.answer()
    }
    fn revoke<'a>(&'a self, _: &'a Revocation, _: Moment) -> StoreFuture<'a, Vec<String>> {
        self.answer()
    }
    fn sessions<'a>(
        &'a self,
        _: &'a str,
        _: usize,
        _: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.answer()
    }
}

#[actix_web::test]
async fn threat_35_requests_fail_closed_if_the_store_is_down_or_hangs() {
    let token = manager(hs256()).auth_token("alice").sign().expect("minted");
    for broken in [Broken::Down, Broken::Hanging] {
        let name = format!("{broken:?}");
        let auth = manager(hs256().session_store(broken));
        let site = site(&auth).await;
        let reply = site.get("/me", token.signed()).await;
        reply.is_refused(503, "temporarily_unavailable", "unavailable", &name);
        assert!(auth.login("alice").await.is_err(), "{name}");
        assert!(auth.revoke_subject("alice").await.is_err(), "{name}");
        assert!(auth.sessions("alice").await.is_err(), "{name}");
        assert!(auth.check_revocation(&token).await.is_err(), "{name}");
        // Requests that do not need the store are answered.
        let reply = site.ask(TestRequest::get().uri("/me")).await;
        assert_eq!(reply.outcome().0, 401, "{name}");
    }
}
