//! What the old store still says, crashes between two steps, and stores that do not answer.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use flask_pyjwt::{
    MemoryStore, MigratingStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
    },
};
use support::gated::Gated;
use time::Duration;

use super::records::{
    IDLE, LIFETIME, Move, NOW, auth, open_ids, opening, refresh, rotation, standing,
};

/// Revokes in one of the stores.
async fn revoke(store: &impl SessionStore, revocation: Revocation) {
    store.revoke(&revocation, NOW).await.expect("revoked");
}

fn token(id: &str) -> Revocation {
    Revocation::of_token("alice", id, NOW + Duration::DAY)
}

#[actix_web::test]
async fn a_token_that_the_old_store_revoked_stays_revoked_after_its_session_has_moved() {
    let Move { old, new, moving } = Move::begin().await;
    for id in ["a-s", "r-t", "a-plain"] {
        revoke(&*old, token(id)).await;
    }
    for has_moved in [false, true] {
        if has_moved {
            let open = opening("u", 10, NOW);
            moving.open(&open, NOW).await.expect("opened");
            assert_eq!(open_ids(&*new, NOW).await, ["s", "t", "u"]);
        }
        for (token, expected) in [
            (auth(Some("s"), Some("s")), Standing::Revoked),
            (refresh("s", "s"), Standing::Good),
            (auth(Some("t"), Some("t")), Standing::Good),
            (refresh("t", "t"), Standing::Revoked),
            (auth(None, Some("plain")), Standing::Revoked),
            (auth(None, Some("other")), Standing::Good),
        ] {
            assert_eq!(standing(&moving, &token, NOW).await, expected, "{token:?}");
            let marked = moving.mark_used(&token, NOW).await.expect("an answer");
            assert_eq!(marked, expected, "{token:?}");
        }
        let rotated = moving.rotate(&rotation("t", "t", "1", NOW)).await;
        assert_eq!(rotated.expect("an answer"), Rotated::Gone);
    }
}

/// Sessions that are opened after a subject was revoked are good, even at the same moment.
#[actix_web::test]
async fn a_subject_that_the_old_store_revoked_can_log_in_and_its_old_tokens_stay_revoked() {
    let Move { old, moving, .. } = Move::begin().await;
    let everything = Revocation::of_subject("alice", NOW, NOW + Duration::DAY);
    revoke(&*old, everything).await;
    let open = opening("u", 10, NOW);
    moving.open(&open, NOW).await.expect("opened");
    for (token, expected) in [
        (auth(Some("s"), Some("s")), Standing::Revoked),
        (auth(Some("u"), Some("u")), Standing::Good),
        (refresh("u", "u"), Standing::Good),
        (auth(None, Some("plain")), Standing::Revoked),
        (auth(None, None), Standing::Revoked),
    ] {
        assert_eq!(standing(&moving, &token, NOW).await, expected, "{token:?}");
    }
    assert_eq!(open_ids(&moving, NOW).await, ["u"]);
}

#[actix_web::test]
async fn revoking_one_token_of_a_session_that_has_not_moved_takes_effect() {
    let Move { new, moving, .. } = Move::begin().await;
    for id in ["a-s", "r-t"] {
        revoke(&moving, token(id)).await;
    }
    let after: [&dyn SessionStore; 2] = [&moving, &*new];
    for store in after {
        for (token, expected) in [
            (auth(Some("s"), Some("s")), Standing::Revoked),
            (refresh("s", "s"), Standing::Good),
            (auth(Some("t"), Some("t")), Standing::Good),
            (refresh("t", "t"), Standing::Revoked),
        ] {
            let standing = store.standing(&token, NOW).await.expect("an answer");
            assert_eq!(standing, expected, "{token:?}");
        }
        let rotated = store.rotate(&rotation("t", "t", "1", NOW)).await;
        assert_eq!(rotated.expect("an answer"), Rotated::Gone);
    }
}

#[actix_web::test]
async fn checks_and_lists_move_nothing_and_changes_move_all_sessions_of_the_user_only() {
    let Move { old, new, moving } = Move::begin().await;
    let mut bobs = opening("b", 10, NOW);
    "bob".clone_into(&mut bobs.session.subject);
    old.open(&bobs, NOW).await.expect("opened");
    let good = auth(Some("s"), Some("s"));
    assert_eq!(standing(&moving, &good, NOW).await, Standing::Good);
    assert_eq!(open_ids(&moving, NOW).await, ["s", "t"]);
    assert_eq!(open_ids(&*new, NOW).await, [""; 0]);

    revoke(&moving, Revocation::of_session("alice", "s")).await;
    assert_eq!(open_ids(&moving, NOW).await, ["t"]);
    assert_eq!(open_ids(&*new, NOW).await, ["t"]);
    assert_eq!(open_ids(&*old, NOW).await, ["s", "t"], "it is only read");
    assert_eq!(standing(&moving, &good, NOW).await, Standing::Revoked);
    let bobs = new.sessions("bob", 10, NOW).await.expect("listed");
    assert_eq!(bobs, []);
}

#[actix_web::test]
async fn sessions_of_both_stores_count_towards_the_limit() {
    let Move { moving, .. } = Move::begin().await;
    let later = NOW + Duration::SECOND;
    let evicted = moving.open(&opening("u", 2, later), later).await;
    assert_eq!(evicted.expect("opened"), ["s"]);
    assert_eq!(open_ids(&moving, later).await, ["t", "u"]);
}

/// The sessions expire, their subject is revoked, and the clock is set back to before they expired.
#[actix_web::test]
async fn sessions_that_ended_do_not_come_back_when_the_clock_is_set_back() {
    let Move { moving, .. } = Move::begin().await;
    let late = NOW + IDLE + Duration::minutes(30);
    let everything = Revocation::of_subject("alice", late, late + LIFETIME);
    moving.revoke(&everything, late).await.expect("revoked");
    for now in [late, NOW + IDLE, NOW + IDLE - Duration::MILLISECOND] {
        let token = auth(Some("s"), Some("s"));
        assert_eq!(standing(&moving, &token, now).await, Standing::Revoked);
        assert_eq!(open_ids(&moving, now).await, [""; 0]);
        let rotated = moving.rotate(&rotation("s", "s", "1", now)).await;
        assert_eq!(rotated.expect("an answer"), Rotated::Gone);
    }
}

/// Each change is dropped before and after each call of a store.
#[actix_web::test]
async fn a_crash_at_any_point_of_a_change_logs_nobody_out_and_the_change_can_be_repeated() {
    let mut crashes = 0;
    loop {
        let Move { old, new, .. } = Move::begin().await;
        let [old, mut new] = [old, new].map(Gated::new);
        let gate = Arc::clone(&old.gate);
        new.gate = Arc::clone(&gate);
        let moving = MigratingStore::new(old, new);
        let rotate = rotation("s", "s", "1", NOW);
        let revoke = Revocation::of_session("alice", "t");

        gate.pause_at(crashes);
        let mut change: Pin<Box<dyn Future<Output = _>>> = moving.rotate(&rotate);
        let is_done = gate.drive(&mut change).await.is_some();
        drop(change);
        gate.pause_no_more();
        assert_eq!(open_ids(&moving, NOW).await, ["s", "t"], "{crashes}");
        let rotated = moving.rotate(&rotate).await.expect("an answer");
        assert!(matches!(rotated, Rotated::Won(_)), "{crashes}: {rotated:?}");
        moving.revoke(&revoke, NOW).await.expect("revoked");
        assert_eq!(open_ids(&moving, NOW).await, ["s"], "{crashes}");
        if is_done {
            break;
        }
        crashes += 1;
    }
    // Two points for each of the six calls.
    assert_eq!(crashes, 12);
}

/// A store that can be down, and that cannot adopt sessions.
#[derive(Default)]
struct Simple {
    inner: MemoryStore,
    is_down: AtomicBool,
}

impl Simple {
    fn answer<'a, T: Send + 'a>(&self, answer: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        if self.is_down.load(Ordering::SeqCst) {
            return Box::pin(ready(Err(StoreError::unavailable("it is down"))));
        }
        answer
    }
}

impl SessionStore for Simple {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.answer(self.inner.open(opening, now))
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.answer(self.inner.rotate(rotation))
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.answer(self.inner.standing(token, now))
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.answer(self.inner.mark_used(token, now))
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.answer(self.inner.revoke(revocation, now))
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.answer(self.inner.sessions(subject, most, now))
    }
}

#[actix_web::test]
async fn without_the_old_store_only_ended_sessions_get_an_answer() {
    let old = Arc::<Simple>::default();
    let moving = MigratingStore::new(Arc::clone(&old), MemoryStore::default());
    for id in ["s", "t"] {
        let opening = opening(id, 10, NOW);
        old.open(&opening, NOW).await.expect("opened");
    }
    revoke(&moving, Revocation::of_session("alice", "s")).await;
    old.is_down.store(true, Ordering::SeqCst);

    let ended = auth(Some("s"), Some("s"));
    assert_eq!(standing(&moving, &ended, NOW).await, Standing::Revoked);
    let open = auth(Some("t"), Some("t"));
    let rotate = rotation("t", "t", "1", NOW);
    assert!(moving.standing(&open, NOW).await.is_err());
    assert!(moving.mark_used(&open, NOW).await.is_err());
    assert!(moving.rotate(&rotate).await.is_err());
    let mut of_bob = opening("b", 10, NOW);
    "bob".clone_into(&mut of_bob.session.subject);
    assert!(moving.open(&of_bob, NOW).await.is_err());
    assert!(moving.sessions("bob", 10, NOW).await.is_err());

    old.is_down.store(false, Ordering::SeqCst);
    assert_eq!(standing(&moving, &open, NOW).await, Standing::Good);
    let rotated = moving.rotate(&rotate).await.expect("an answer");
    assert!(matches!(rotated, Rotated::Won(_)), "{rotated:?}");
}

#[actix_web::test]
async fn a_new_store_that_cannot_adopt_sessions_refuses_changes_and_loses_nothing() {
    let Move { old, .. } = Move::begin().await;
    let moving = MigratingStore::new(old, Simple::default());
    let rotated = moving.rotate(&rotation("s", "s", "1", NOW)).await;
    let error = rotated.expect_err("no store to move to");
    assert!(
        format!("{error:?}").contains("cannot take over the sessions"),
        "{error:?}"
    );
    let ending = Revocation::of_session("alice", "s");
    assert!(moving.revoke(&ending, NOW).await.is_err());
    let token = auth(Some("s"), Some("s"));
    assert_eq!(standing(&moving, &token, NOW).await, Standing::Good);
    // Users without sessions in the old store are not concerned.
    let mut of_bob = opening("b", 10, NOW);
    "bob".clone_into(&mut of_bob.session.subject);
    moving.open(&of_bob, NOW).await.expect("opened");
}
