//! Tests of the mark that a token of the current pair was presented.

use std::sync::Arc;

use actix_web::rt::spawn;

use time::Duration;

use super::{
    Store,
    fixture::{
        GRACE, HOUR, IDLE, NOW, answered, assert_lost, auth_token, open, open_ids, plain_token,
        refresh_token, repeatable, revoke, standing,
    },
};
use crate::session::{Revocation, Rotated, Standing};

/// A session that was rotated once, to a pair that has not been used.
async fn rotated(store: &Store, subject: &str) -> crate::session::SessionRecord {
    let session = open(store, subject, "s", NOW).await;
    let won = answered(store.rotate(&repeatable(&session, "0", "1", NOW))).await;
    assert!(matches!(won, Rotated::Won(_)), "{won:?}");
    session
}

/// Presenting either token of a pair shows that somebody has the pair.
pub async fn a_repetition_after_the_successor_was_presented_is_a_replay(store: Store) {
    for (subject, by_refresh_token) in [("alice", false), ("bob", true)] {
        let session = rotated(&store, subject).await;
        let token = if by_refresh_token {
            refresh_token(&session, "1")
        } else {
            auth_token(&session, "1")
        };
        // Asking for the standing does not count as presenting.
        for _ in 0..2 {
            assert_eq!(standing(&store, &token, NOW).await, Standing::Unused);
        }
        let marked = answered(store.mark_used(&token, NOW)).await;
        assert_eq!(marked, Standing::Good);
        let late = NOW + GRACE;
        let old = refresh_token(&session, "0");
        assert_eq!(standing(&store, &old, late).await, Standing::Replayed);
        let replayed = answered(store.rotate(&repeatable(&session, "0", "x", late))).await;
        assert_eq!(replayed, Rotated::Replayed);
        assert_eq!(open_ids(&store, subject, late).await, [""; 0]);
    }
}

/// Only the first mark changes anything. A mark does not extend a session.
pub async fn marking_a_token_twice_changes_nothing_else(store: Store) {
    let session = rotated(&store, "alice").await;
    let other = open(&store, "alice", "t", NOW).await;
    let mut expected = answered(store.sessions("alice", 10, NOW)).await;
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    expected[0].generations[1].repeatable_until = None;
    for now in [
        NOW + HOUR,
        NOW + HOUR,
        NOW,
        NOW + IDLE - Duration::MILLISECOND,
    ] {
        for token in [auth_token(&session, "1"), refresh_token(&session, "1")] {
            let marked = answered(store.mark_used(&token, now)).await;
            assert_eq!(marked, Standing::Good);
            assert_eq!(standing(&store, &token, now).await, Standing::Good);
        }
        let mut listed = answered(store.sessions("alice", 10, NOW)).await;
        listed.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(listed, expected);
    }
    let first = auth_token(&other, "0");
    assert_eq!(
        standing(&store, &first, NOW).await,
        Standing::Good,
        "the first pair"
    );
    let token = auth_token(&session, "1");
    let marked = answered(store.mark_used(&token, NOW + IDLE)).await;
    assert_eq!(marked, Standing::Revoked);
}

/// A late mark, or one for a token that is not in the current pair, has no effect.
pub async fn marking_a_token_that_is_not_current_changes_nothing(store: Store) {
    let session = rotated(&store, "alice").await;
    let before = answered(store.sessions("alice", 10, NOW)).await;
    let mut unknown = session.clone();
    "another".clone_into(&mut unknown.id);
    let mut foreign = session.clone();
    "bob".clone_into(&mut foreign.subject);
    let mut without_id = auth_token(&session, "1");
    without_id.id = None;
    for (token, expected) in [
        (auth_token(&session, "0"), Standing::Good),
        (auth_token(&session, "nobody's"), Standing::Good),
        (without_id, Standing::Good),
        (refresh_token(&session, "0"), Standing::Good),
        (refresh_token(&session, "nobody's"), Standing::Replayed),
        (auth_token(&unknown, "1"), Standing::Revoked),
        (auth_token(&foreign, "1"), Standing::Revoked),
        (plain_token("alice", Some("auth-1"), NOW), Standing::Good),
        (plain_token("bob", None, NOW), Standing::Good),
    ] {
        let marked = answered(store.mark_used(&token, NOW)).await;
        assert_eq!(marked, expected, "{token:?}");
        assert_eq!(answered(store.sessions("alice", 10, NOW)).await, before);
    }
    // Marks the previous pair after the next rotation.
    let next = repeatable(&session, "1", "2", NOW);
    answered(store.rotate(&next)).await;
    answered(store.mark_used(&auth_token(&session, "1"), NOW)).await;
    let lost = answered(store.rotate(&repeatable(&session, "1", "x", NOW + GRACE))).await;
    assert_lost(&lost, &next.successor);

    let revocation = Revocation::Token {
        subject: "alice".to_owned(),
        id: "auth-2".to_owned(),
        until: NOW + HOUR,
    };
    revoke(&store, revocation, NOW).await;
    let token = auth_token(&session, "2");
    assert_eq!(
        answered(store.mark_used(&token, NOW)).await,
        Standing::Revoked
    );
}

/// Either the repetition comes first and gets the pair, or the mark comes first and the repetition
/// ends the session.
pub async fn a_mark_and_a_concurrent_repetition_are_serialized(store: Store) {
    let late = NOW + GRACE;
    for round in 0..50 {
        let session = rotated(&store, &format!("subject {round}")).await;
        let (marking, repeating) = (Arc::clone(&store), Arc::clone(&store));
        let token = auth_token(&session, "1");
        let again = repeatable(&session, "0", "x", late);
        let mark = async move { answered(marking.mark_used(&token, late)).await };
        let repeat = async move { answered(repeating.rotate(&again)).await };
        let (marked, repeated) = if round % 2 == 0 {
            let (mark, repeat) = (spawn(mark), spawn(repeat));
            (mark.await.expect("it ends"), repeat.await.expect("it ends"))
        } else {
            let (repeat, mark) = (spawn(repeat), spawn(mark));
            (mark.await.expect("it ends"), repeat.await.expect("it ends"))
        };
        let open = open_ids(&store, &session.subject, late).await;
        let successor = repeatable(&session, "0", "1", NOW).successor;
        match repeated {
            Rotated::Replayed => assert!(open.is_empty()),
            lost => {
                assert_lost(&lost, &successor);
                assert_eq!(open, ["s"]);
            }
        }
        assert_eq!(marked, Standing::Good, "in round {round}");
        let token = auth_token(&session, "1");
        assert_ne!(standing(&store, &token, late).await, Standing::Unused);
    }
}

/// Makes a mark and a lost answer, for stores that survive a restart.
pub(super) async fn make_a_mark(store: Store) {
    let session = rotated(&store, "marked").await;
    answered(store.mark_used(&auth_token(&session, "1"), NOW)).await;
    let session = rotated(&store, "lost").await;
    answered(store.rotate(&repeatable(&session, "0", "x", NOW + GRACE))).await;
}

/// Checks that the mark and the lost answer are still there.
pub(super) async fn check_mark(store: Store) {
    let session = super::fixture::session("marked", "s", NOW);
    let late = NOW + GRACE;
    let replayed = answered(store.rotate(&repeatable(&session, "0", "x", late))).await;
    assert_eq!(replayed, Rotated::Replayed);
    let session = super::fixture::session("lost", "s", NOW);
    let successor = repeatable(&session, "0", "1", NOW).successor;
    let late = late + GRACE;
    let lost = answered(store.rotate(&repeatable(&session, "0", "x", late))).await;
    assert_lost(&lost, &successor);
    answered(store.rotate(&repeatable(&session, "1", "2", late))).await;
    let replayed = repeatable(&session, "1", "x", late + GRACE);
    assert_eq!(answered(store.rotate(&replayed)).await, Rotated::Replayed);
}
