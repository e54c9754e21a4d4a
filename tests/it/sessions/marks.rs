//! The mark that a token of a new pair was used: one change of the store for each rotation, and no request
//! passes without it.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use flask_pyjwt::{
    MemoryStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
    },
};
use time::Duration;

use super::{clock, site};
use support::{hs256, manager};

/// A store in memory that counts marks, and can be set to fail.
#[derive(Debug, Default, Clone)]
struct Marking {
    store: Arc<MemoryStore>,
    marks: Arc<AtomicUsize>,
    is_failing: Arc<AtomicBool>,
    is_wrong: Arc<AtomicBool>,
}

impl SessionStore for Marking {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.store.open(opening, now)
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.store.rotate(rotation)
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.store.standing(token, now)
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.marks.fetch_add(1, Ordering::Relaxed);
        if self.is_failing.load(Ordering::Relaxed) {
            return Box::pin(ready(Err(StoreError::unavailable("no route to host"))));
        }
        if self.is_wrong.load(Ordering::Relaxed) {
            return Box::pin(ready(Ok(Standing::Unused)));
        }
        self.store.mark_used(token, now)
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.store.revoke(revocation, now)
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.store.sessions(subject, most, now)
    }
}

#[actix_web::test]
async fn a_pair_is_marked_by_its_first_request_only() {
    for (staleness, window, expected) in [(0, 3_600, 1), (60, 3_600, 1), (0, 0, 0)] {
        let store = Marking::default();
        let config = hs256()
            .clock(clock())
            .session_store(store.clone())
            .lost_answer_window(Duration::seconds(window))
            .revocation_staleness(Duration::seconds(staleness));
        let auth = manager(config);
        let site = site(&auth).await;
        let mut pair = auth.login("alice").await.expect("opened");
        let used = async |token: &str| {
            store.marks.store(0, Ordering::Relaxed);
            for _ in 0..3 {
                assert_eq!(site.get("/me", token).await.text(), "alice");
            }
            store.marks.load(Ordering::Relaxed)
        };
        assert_eq!(
            used(pair.auth.signed()).await,
            0,
            "a login has no predecessor"
        );
        for _ in 0..2 {
            pair = auth.refresh(&pair.refresh).await.expect("rotated");
            assert_eq!(used(pair.auth.signed()).await, expected);
        }
    }
}

#[actix_web::test]
async fn a_request_whose_mark_was_not_acknowledged_is_refused() {
    for staleness in [Duration::ZERO, Duration::minutes(1)] {
        let store = Marking::default();
        let config = hs256().clock(clock()).session_store(store.clone());
        let auth = manager(config.revocation_staleness(staleness));
        let site = site(&auth).await;
        let first = auth.login("alice").await.expect("opened");
        let pair = auth.refresh(&first.refresh).await.expect("rotated");
        for fault in [&store.is_failing, &store.is_wrong] {
            fault.store(true, Ordering::Relaxed);
            for _ in 0..2 {
                let reply = site.get("/me", pair.auth.signed()).await;
                reply.is_refused(503, "temporarily_unavailable", "unavailable", "no mark");
                assert!(auth.check_revocation(&pair.auth).await.is_err());
                let reply = site.get("/refresh", pair.refresh.signed()).await;
                assert_eq!(reply.status, 503);
            }
            fault.store(false, Ordering::Relaxed);
        }
        assert_eq!(site.get("/me", pair.auth.signed()).await.text(), "alice");
    }
}
