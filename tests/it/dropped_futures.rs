//! `docs/threats.md` 45: a client disconnects, and the future of its request is dropped at any await point.
//! Changes that the store has made count at once, a change that was begun is completed, and no incomplete state
//! lets a request pass.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, atomic::Ordering},
};

use actix_web::test::TestRequest;
use flask_pyjwt::{
    AuthManager, Config, FileStore, MemoryStore, SessionEvent, Token, TokenPair,
    store::{Moment, SessionStore},
    testing::FrozenClock,
};
use time::Duration;

use support::{NOW, at, gated::Gated, hs256, manager};

/// A manager that caches the store's answers for a minute, and the events that it has reported.
struct Server<S> {
    auth: AuthManager,
    store: Gated<S>,
    clock: FrozenClock,
    events: Arc<Mutex<Vec<SessionEvent>>>,
}

impl<S: SessionStore> Server<S> {
    fn new(store: S, change: impl Fn(Config) -> Config) -> Self {
        let (store, clock) = (Gated::new(store), FrozenClock::new(at(NOW)));
        let events = Arc::<Mutex<Vec<_>>>::default();
        let reported = Arc::clone(&events);
        let config = hs256()
            .clock(clock.clone())
            .session_store(store.clone())
            .store_timeout(Duration::minutes(1))
            .revocation_staleness(Duration::minutes(1))
            .on_session_event(move |event| {
                reported.lock().expect("not poisoned").push(event.clone());
            });
        Self {
            auth: manager(change(config)),
            store,
            clock,
            events,
        }
    }

    /// Whether a token is accepted. This must agree with the store itself.
    async fn accepts(&self, token: &Token) -> bool {
        let is_in = self.auth.check_revocation(token).await.is_ok();
        let session = token.session_id().expect("of a session");
        let now = self.clock_now();
        let open = self
            .store
            .inner
            .sessions(token.sub(), 10, Moment::from_milliseconds(now))
            .await;
        let open = open.expect("answered");
        assert_eq!(is_in, open.iter().any(|open| open.id == session));
        is_in
    }

    fn clock_now(&self) -> i64 {
        use flask_pyjwt::testing::Clock as _;
        i64::try_from(self.clock.now().unix_timestamp_nanos() / 1_000_000).expect("small")
    }

    /// Logs somebody in and verifies the auth token, so that the store's answer is cached.
    async fn remembered(&self, subject: &str) -> TokenPair {
        let pair = self.auth.login(subject).await.expect("opened");
        for _ in 0..2 {
            self.auth.check_revocation(&pair.auth).await.expect("valid");
        }
        pair
    }
}

type Asking = Pin<Box<dyn Future<Output = ()>>>;
/// A request of a client that has the pair of a session, and ends the session.
type Question = fn(AuthManager, TokenPair) -> Asking;

const QUESTIONS: [(&str, Question); 7] = [
    ("logout", |auth, pair| {
        Box::pin(async move { drop(auth.logout(&pair.auth).await) })
    }),
    ("revoke_session", |auth, pair| {
        let session = pair.auth.session_id().expect("it exists").to_owned();
        Box::pin(async move { drop(auth.revoke_session("alice", session).await) })
    }),
    ("revoke_subject", |auth, _| {
        Box::pin(async move { drop(auth.revoke_subject("alice").await) })
    }),
    ("a refresh with an old token", |auth, pair| {
        Box::pin(async move { drop(auth.refresh(&pair.refresh).await) })
    }),
    (
        "a refresh with an old token and new claims",
        |auth, pair| Box::pin(async move { drop(auth.refresh(&pair.refresh).claim("a", 1).await) }),
    ),
    ("a check of an old refresh token", |auth, pair| {
        Box::pin(async move { drop(auth.check_revocation(&pair.refresh).await) })
    }),
    ("a login in the same browser", |auth, pair| {
        let cookie = ("cookie", format!("__Host-auth={}", pair.auth.signed()));
        let request = TestRequest::default().insert_header(cookie);
        let request = request.to_http_request();
        Box::pin(async move { drop(auth.login("bob").replacing(&request).await) })
    }),
];

/// Runs each request, and drops it at each point before and after each step of the store.
async fn drop_everywhere<S: SessionStore>(new: impl Fn() -> S) {
    for (name, question) in QUESTIONS {
        let is_theft = name.contains("old");
        for point in 0.. {
            let server = Server::new(new(), |config| config.refresh_grace(Duration::ZERO));
            let pair = server.remembered("alice").await;
            let mut latest = pair.auth.clone();
            if is_theft {
                // The new pair was used, so that the first refresh token is a stolen copy.
                let next = server.auth.refresh(&pair.refresh).await.expect("rotated");
                latest = next.auth;
                server.auth.check_revocation(&latest).await.expect("valid");
                server.clock.advance(Duration::SECOND);
            }
            server.store.gate.pause_at(point);
            let mut asking = question(server.auth.clone(), pair);
            let done = server.store.gate.drive(&mut asking).await.is_some();
            drop(asking);
            server.store.gate.pause_no_more();
            // Checked at once, and again: an answer that the store gave during a revocation is not cached.
            for _ in 0..2 {
                server.accepts(&latest).await;
            }
            server.store.gate.open();
            server.store.settled().await;
            let reads_first = name.contains("check") || name.contains("new claims");
            let reads_only = reads_first && point < 2;
            let is_in = server.accepts(&latest).await;
            assert_eq!(is_in, reads_only && !done, "{name}, dropped at {point}");
            let reported = server.events.lock().expect("not poisoned");
            let ends: Vec<_> = reported
                .iter()
                .filter(|event| event.session() == latest.session_id())
                .map(SessionEvent::name)
                .filter(|event| !matches!(*event, "opened" | "refreshed"))
                .collect();
            let expected = [if is_theft { "replayed" } else { "ended" }];
            let expected = &expected[usize::from(is_in)..];
            assert_eq!(ends, expected, "{name}, dropped at {point}");
            if done {
                assert!(point > 0, "{name} never asked the store");
                break;
            }
        }
    }
}

#[actix_web::test]
async fn a_change_begun_before_a_disconnect_is_completed_and_counts_at_once() {
    drop_everywhere(MemoryStore::default).await;
}

#[actix_web::test]
async fn a_change_begun_before_a_disconnect_is_completed_with_a_store_in_another_thread() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.join(format!("dropped-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder is created");
    let number = std::cell::Cell::new(0);
    drop_everywhere(|| {
        number.set(number.get() + 1);
        FileStore::open(folder.join(number.get().to_string())).expect("opened")
    })
    .await;
    std::fs::remove_dir_all(&folder).expect("it exists");
}

#[actix_web::test]
async fn a_dropped_login_or_refresh_leaves_one_complete_session() {
    for point in 0..2 {
        let server = Server::new(MemoryStore::default(), |config| config);
        server.store.gate.pause_at(point);
        let auth = server.auth.clone();
        let mut login: Pin<Box<dyn Future<Output = _>>> =
            Box::pin(async move { auth.login("alice").await.map(drop) });
        assert_eq!(server.store.gate.drive(&mut login).await, None);
        drop(login);
        server.store.gate.open();
        server.store.settled().await;
        let open = server.auth.sessions("alice").await.expect("listed");
        assert_eq!(open.len(), 1, "listed, so that its owner can end it");
        let events = std::mem::take(&mut *server.events.lock().expect("not poisoned"));
        let events: Vec<_> = events.iter().map(|it| (it.name(), it.session())).collect();
        assert_eq!(events, [("opened", Some(&*open[0].id))]);

        let pair = server.remembered("bob").await;
        server.store.gate.pause_at(point);
        let (auth, refresh) = (server.auth.clone(), pair.refresh.clone());
        let mut rotation: Pin<Box<dyn Future<Output = _>>> =
            Box::pin(async move { auth.refresh(&refresh).await.map(drop) });
        assert_eq!(server.store.gate.drive(&mut rotation).await, None);
        drop(rotation);
        server.store.gate.open();
        server.store.settled().await;
        // The response was lost: the same token gives the same pair again.
        let again = server.auth.refresh(&pair.refresh).await.expect("again");
        assert!(server.accepts(&again.auth).await);
    }
}

#[actix_web::test]
async fn a_future_that_was_never_polled_changes_nothing() {
    let server = Server::new(MemoryStore::default(), |config| config);
    let pair = server.remembered("alice").await;
    let looks = server.store.looks.load(Ordering::SeqCst);
    drop(server.auth.logout(&pair.auth));
    drop(server.auth.login("alice"));
    server.store.settled().await;
    assert!(server.accepts(&pair.auth).await);
    assert_eq!(
        server.store.looks.load(Ordering::SeqCst),
        looks,
        "still remembered"
    );
}

#[actix_web::test]
async fn an_answer_from_before_a_revocation_is_not_cached() {
    let server = Server::new(MemoryStore::default(), |config| config);
    let pair = server.auth.login("alice").await.expect("opened");
    // The store has answered, and the answer is on its way.
    server.store.gate.pause_at(1);
    let (auth, token) = (server.auth.clone(), pair.auth.clone());
    let mut check: Pin<Box<dyn Future<Output = _>>> =
        Box::pin(async move { auth.check_revocation(&token).await });
    assert_eq!(server.store.gate.drive(&mut check).await, None);
    server.auth.logout(&pair.auth).await.expect("ended");
    server.store.gate.open();
    check.await.expect("valid when the store was asked");
    assert!(!server.accepts(&pair.auth).await);
}

#[actix_web::test]
async fn answers_are_cached_again_after_a_revocation() {
    let server = Server::new(MemoryStore::default(), |config| config);
    let pair = server.remembered("alice").await;
    server.auth.revoke_subject("bob").await.expect("ended");
    let looks = server.store.looks.load(Ordering::SeqCst);
    for _ in 0..3 {
        assert!(server.accepts(&pair.auth).await);
    }
    assert_eq!(server.store.looks.load(Ordering::SeqCst), looks + 1);
}
