//! Tests of refresh tokens that are presented again because a response was lost. The table of cases
//! is in `record.rs`.

use time::Duration;

use super::{
    Store,
    fixture::{
        GRACE, HOUR, NOW, SECOND, answered, assert_again, assert_lost, assert_won, auth_token,
        generation, open, open_ids, refresh_token, repeatable, rotation, standing,
    },
};
use crate::session::{Generation, Moment, Revocation, Rotated, Standing};

/// The pair that is given again as a lost answer.
fn lost_pair(rotated: &Rotated) -> Generation {
    match rotated {
        Rotated::LostAnswer(_, pair) => pair.clone(),
        other => panic!("expected `LostAnswer`, got {other:?}"),
    }
}

/// A store client that repeats a command after a broken connection makes no second attempt. The ids
/// of the successor show this, independent of any window.
pub async fn repeating_the_same_attempt_wins_again(store: Store) {
    for window in [None, Some(NOW + HOUR)] {
        let session = open(&store, "alice", "s", NOW).await;
        let mut attempt = rotation(&session, "0", "1", NOW);
        attempt.grace = Duration::ZERO;
        attempt.successor.repeatable_until = window;
        let first = answered(store.rotate(&attempt)).await;
        assert_won(&first, &session, &attempt.successor);
        assert_eq!(answered(store.rotate(&attempt)).await, first);
        let listed = answered(store.sessions("alice", 10, NOW)).await;
        assert_eq!(Rotated::Won(listed[0].clone()), first);

        let mut used = refresh_token(&session, "1");
        used.grace = Some(Duration::ZERO);
        answered(store.mark_used(&used, NOW)).await;
        let again = answered(store.rotate(&attempt)).await;
        assert!(matches!(again, Rotated::Won(_)), "{again:?}");
        let mut other = attempt.clone();
        other.successor = generation("2", NOW);
        assert_eq!(answered(store.rotate(&other)).await, Rotated::Replayed);
        assert_eq!(answered(store.rotate(&attempt)).await, Rotated::Gone);
    }
}

/// An owner who never got a pair gets that pair, however often the response is lost. Nothing else
/// changes.
pub async fn a_lost_answer_gives_the_same_pair_again(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let first = repeatable(&session, "0", "1", NOW);
    let won = answered(store.rotate(&first)).await;
    assert_won(&won, &session, &first.successor);
    let end = answered(store.sessions("alice", 10, NOW)).await[0].expires_at;
    for late in [GRACE, HOUR / 2, HOUR - Duration::MILLISECOND] {
        let now = NOW + late;
        let old = refresh_token(&session, "0");
        assert_eq!(standing(&store, &old, now).await, Standing::Good);
        let mut retry = repeatable(&session, "0", "x", now);
        retry.claims = Some(r#"{"scope":"of a retry"}"#.to_owned());
        let lost = answered(store.rotate(&retry)).await;
        assert_lost(&lost, &first.successor);
        assert_eq!(answered(store.rotate(&retry)).await, lost, "asked twice");
        let listed = answered(store.sessions("alice", 10, now)).await;
        assert_eq!((listed.len(), listed[0].expires_at), (1, end));
        assert_eq!(listed[0].claims, session.claims);
        for token in [auth_token(&session, "1"), refresh_token(&session, "1")] {
            assert_eq!(standing(&store, &token, now).await, Standing::Unused);
        }
    }
    let next = repeatable(&session, "1", "2", NOW + HOUR);
    let won = answered(store.rotate(&next)).await;
    assert!(matches!(won, Rotated::Won(_)), "{won:?}");

    // The same without a grace window, and at the same moment.
    let session = open(&store, "bob", "s", NOW).await;
    let mut first = repeatable(&session, "0", "1", NOW);
    first.grace = Duration::ZERO;
    answered(store.rotate(&first)).await;
    let mut retry = repeatable(&session, "0", "x", NOW);
    retry.grace = Duration::ZERO;
    for _ in 0..2 {
        assert_lost(&answered(store.rotate(&retry)).await, &first.successor);
    }
}

/// Tabs that wake up together all get the pair, even if one of them uses it at once.
pub async fn parallel_tabs_share_a_lost_answer(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let first = repeatable(&session, "0", "1", NOW);
    answered(store.rotate(&first)).await;
    let late = NOW + HOUR / 2;
    let lost = answered(store.rotate(&repeatable(&session, "0", "x", late))).await;
    assert_lost(&lost, &first.successor);
    let marked = answered(store.mark_used(&auth_token(&session, "1"), late)).await;
    assert_eq!(marked, Standing::Good);
    let mut used = lost_pair(&lost);
    used.repeatable_until = None;
    for moment in [late, late + GRACE - Duration::MILLISECOND] {
        let again = answered(store.rotate(&repeatable(&session, "0", "y", moment))).await;
        assert_again(&again, &used);
    }
    let replayed = repeatable(&session, "0", "z", late + GRACE);
    assert_eq!(answered(store.rotate(&replayed)).await, Rotated::Replayed);
}

/// Whoever rotates a pair has it, so a late repetition of its predecessor comes from somebody else.
pub async fn a_repetition_after_the_successor_was_rotated_is_a_replay(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    for (from, to) in [("0", "1"), ("1", "2")] {
        let won = answered(store.rotate(&repeatable(&session, from, to, NOW))).await;
        assert!(matches!(won, Rotated::Won(_)), "{won:?}");
    }
    let late = NOW + GRACE;
    let old = refresh_token(&session, "0");
    assert_eq!(standing(&store, &old, late).await, Standing::Replayed);
    let replayed = answered(store.rotate(&repeatable(&session, "0", "x", late))).await;
    assert_eq!(replayed, Rotated::Replayed);
    assert_eq!(open_ids(&store, "alice", late).await, [""; 0]);
}

/// A thief who waits gains nothing.
pub async fn a_repetition_after_the_lost_answer_window_is_a_replay(store: Store) {
    for (subject, late) in [("alice", HOUR), ("bob", HOUR + SECOND)] {
        let session = open(&store, subject, "s", NOW).await;
        answered(store.rotate(&repeatable(&session, "0", "1", NOW))).await;
        let before = answered(store.rotate(&repeatable(&session, "0", "x", NOW + HOUR / 2))).await;
        assert_lost(&before, &repeatable(&session, "0", "1", NOW).successor);
        // A lost answer does not extend the window.
        let now = NOW + late;
        let old = refresh_token(&session, "0");
        assert_eq!(standing(&store, &old, now).await, Standing::Replayed);
        let replayed = answered(store.rotate(&repeatable(&session, "0", "x", now))).await;
        assert_eq!(replayed, Rotated::Replayed);
        assert_eq!(open_ids(&store, subject, now).await, [""; 0]);
    }
}

/// If a thief always rotates first and the owner always comes late, the second time is a replay.
/// After a rotation that is not repeated, a response may be lost again.
pub async fn two_lost_answers_in_a_row_are_a_replay(store: Store) {
    let lose_answer = async |session, from: &str, to: &str, now: Moment| {
        let first = repeatable(session, from, to, now);
        answered(store.rotate(&first)).await;
        let late = repeatable(session, from, "x", now + HOUR / 2);
        (answered(store.rotate(&late)).await, first.successor)
    };
    let session = open(&store, "alice", "s", NOW).await;
    let (lost, successor) = lose_answer(&session, "0", "1", NOW).await;
    assert_lost(&lost, &successor);
    let clean = answered(store.rotate(&repeatable(&session, "1", "2", NOW + HOUR))).await;
    assert!(matches!(clean, Rotated::Won(_)), "{clean:?}");
    // The pair cannot be a lost answer, so it does not have to be marked.
    let token = auth_token(&session, "2");
    assert_eq!(standing(&store, &token, NOW + HOUR).await, Standing::Good);
    let (lost, successor) = lose_answer(&session, "2", "3", NOW + HOUR).await;
    assert_lost(&lost, &successor);
    let (replayed, _) = lose_answer(&session, "3", "4", NOW + 2 * HOUR).await;
    assert_eq!(replayed, Rotated::Replayed);
    assert_eq!(open_ids(&store, "alice", NOW + 3 * HOUR).await, [""; 0]);
}

/// Late repetitions stay late and marks stay marks when the clock is set back.
pub async fn setting_the_clock_back_does_not_make_a_lost_answer(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let first = repeatable(&session, "0", "1", NOW);
    answered(store.rotate(&first)).await;
    // Before the rotation, no decision is possible.
    let unclear = repeatable(&session, "0", "x", NOW - GRACE);
    assert_eq!(answered(store.rotate(&unclear)).await, Rotated::Gone);
    let late = NOW + HOUR / 2;
    let lost = answered(store.rotate(&repeatable(&session, "0", "x", late))).await;
    assert_lost(&lost, &first.successor);
    let unclear = repeatable(&session, "0", "x", late - GRACE);
    assert_eq!(answered(store.rotate(&unclear)).await, Rotated::Gone);

    answered(store.mark_used(&auth_token(&session, "1"), late - HOUR / 4)).await;
    let replayed = repeatable(&session, "0", "x", late + GRACE);
    assert_eq!(answered(store.rotate(&replayed)).await, Rotated::Replayed);
    let again = repeatable(&session, "0", "x", late - HOUR / 4);
    assert_eq!(answered(store.rotate(&again)).await, Rotated::Gone);

    let session = open(&store, "bob", "s", NOW).await;
    answered(store.rotate(&repeatable(&session, "0", "1", NOW))).await;
    let revocation = Revocation::Session {
        subject: "bob".to_owned(),
        session: "s".to_owned(),
    };
    answered(store.revoke(&revocation, NOW)).await;
    let late = repeatable(&session, "0", "x", NOW + GRACE);
    assert_eq!(answered(store.rotate(&late)).await, Rotated::Gone);
}
