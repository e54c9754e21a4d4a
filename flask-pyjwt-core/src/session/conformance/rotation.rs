//! Tests of login, rotation and expiry.

use time::Duration;

use super::{
    Store,
    fixture::{
        GRACE, HOUR, IDLE, LIFETIME, NOW, SECOND, answered, assert_again, assert_won, auth_token,
        generation, listed, open, open_ids, plain_token, refresh_token, rotate, rotation, standing,
    },
};
use crate::session::{Rotated, Standing};

/// An opened session is listed unchanged, and its tokens are good.
pub async fn an_opened_session_is_listed_and_its_tokens_are_good(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    assert_eq!(
        listed(&store, "alice", NOW).await,
        std::slice::from_ref(&session)
    );
    assert_eq!(listed(&store, "bob", NOW).await, []);
    for token in [auth_token(&session, "0"), refresh_token(&session, "0")] {
        assert_eq!(standing(&store, &token, NOW).await, Standing::Good);
    }
    let other = open(&store, "alice", "t", NOW + Duration::MILLISECOND).await;
    assert_eq!(
        open_ids(&store, "alice", NOW + Duration::MILLISECOND).await,
        ["s", "t"]
    );
    assert_won(
        &rotate(&store, &other, "0", "1", NOW + Duration::milliseconds(2)).await,
        &other,
        &generation("1", NOW + Duration::milliseconds(2)),
    );
    let sessions = listed(&store, "alice", NOW + Duration::milliseconds(2)).await;
    assert!(
        sessions.contains(&session),
        "the other session is unchanged"
    );
}

/// The auth and refresh tokens of an unknown session are revoked.
pub async fn a_token_of_an_unknown_session_is_revoked(store: Store) {
    let known = open(&store, "alice", "s", NOW).await;
    let mut unknown = known.clone();
    "another".clone_into(&mut unknown.id);
    let mut foreign = known.clone();
    "bob".clone_into(&mut foreign.subject);
    for session in [&unknown, &foreign] {
        for token in [auth_token(session, "0"), refresh_token(session, "0")] {
            assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
        }
        let rotated = rotate(&store, session, "0", "1", NOW).await;
        assert_eq!(rotated, Rotated::Gone);
    }
    assert_eq!(open_ids(&store, "alice", NOW).await, ["s"]);
    let plain = plain_token("nobody", None, NOW);
    assert_eq!(standing(&store, &plain, NOW).await, Standing::Good);
}

/// A retry or a parallel tab gets the same pair as the winner. The session does not split.
pub async fn a_retry_within_the_grace_window_gets_the_same_successor(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let at = NOW + HOUR;
    let first = rotate(&store, &session, "0", "1", at).await;
    let successor = generation("1", at);
    assert_won(&first, &session, &successor);
    for (moment, name) in [
        (at, "2"),
        (at + Duration::MILLISECOND, "3"),
        (at + GRACE - Duration::MILLISECOND, "4"),
    ] {
        let again = rotate(&store, &session, "0", name, moment).await;
        assert_again(&again, &successor);
        let old = refresh_token(&session, "0");
        assert_eq!(standing(&store, &old, moment).await, Standing::Good);
    }
    let next = rotate(&store, &session, "1", "5", at + GRACE).await;
    assert_won(&next, &session, &generation("5", at + GRACE));
}

/// Each rotated token gets its own successor during its own grace window.
pub async fn several_rotations_can_be_retried_within_the_grace_window(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    for step in 0..4 {
        let (from, to) = (step.to_string(), (step + 1).to_string());
        let rotated = rotate(&store, &session, &from, &to, NOW + step * SECOND).await;
        assert_won(&rotated, &session, &generation(&to, NOW + step * SECOND));
    }
    for step in 0..4 {
        let from = step.to_string();
        let again = rotate(&store, &session, &from, "x", NOW + 4 * SECOND).await;
        let successor = generation(&(step + 1).to_string(), NOW + step * SECOND);
        assert_again(&again, &successor);
    }
    // The first grace window is over, the second one is not.
    let again = rotate(&store, &session, "1", "x", NOW + GRACE).await;
    assert_again(&again, &generation("2", NOW + SECOND));
    let replayed = rotate(&store, &session, "0", "x", NOW + GRACE).await;
    assert_eq!(replayed, Rotated::Replayed);
    assert_eq!(open_ids(&store, "alice", NOW + GRACE).await, [""; 0]);
}

/// A replay ends the session, including the tokens of the winner.
pub async fn a_replay_after_the_grace_window_ends_the_session(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let other = open(&store, "alice", "t", NOW).await;
    rotate(&store, &session, "0", "1", NOW).await;
    let late = NOW + GRACE;
    // Asking for the standing changes nothing.
    for _ in 0..2 {
        let old = refresh_token(&session, "0");
        assert_eq!(standing(&store, &old, late).await, Standing::Replayed);
        let auth = auth_token(&session, "0");
        assert_eq!(standing(&store, &auth, late).await, Standing::Good);
    }
    let replayed = rotate(&store, &session, "0", "2", late).await;
    assert_eq!(replayed, Rotated::Replayed);
    for name in ["0", "1"] {
        for token in [auth_token(&session, name), refresh_token(&session, name)] {
            assert_eq!(standing(&store, &token, late).await, Standing::Revoked);
        }
        let rotated = rotate(&store, &session, name, "3", late).await;
        assert_eq!(rotated, Rotated::Gone);
    }
    assert_eq!(open_ids(&store, "alice", late).await, ["t"]);
    // An unknown token of the session is an old one.
    let replayed = rotate(&store, &other, "long ago", "1", late).await;
    assert_eq!(replayed, Rotated::Replayed);
    assert_eq!(open_ids(&store, "alice", late).await, [""; 0]);
}

/// With a grace window of zero, the second use is a replay, even at the same moment.
pub async fn without_a_grace_window_every_retry_is_a_replay(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let mut first = rotation(&session, "0", "1", NOW);
    first.grace = Duration::ZERO;
    let mut second = rotation(&session, "0", "2", NOW);
    second.grace = Duration::ZERO;
    assert_won(
        &answered(store.rotate(&first)).await,
        &session,
        &generation("1", NOW),
    );
    let mut old = refresh_token(&session, "0");
    old.grace = Some(Duration::ZERO);
    assert_eq!(standing(&store, &old, NOW).await, Standing::Replayed);
    assert_eq!(answered(store.rotate(&second)).await, Rotated::Replayed);
    assert_eq!(open_ids(&store, "alice", NOW).await, [""; 0]);
}

/// A session expires when it is not refreshed, and at its end in any case.
pub async fn a_session_expires(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let token = auth_token(&session, "0");
    let last = NOW + IDLE - Duration::MILLISECOND;
    assert_eq!(standing(&store, &token, last).await, Standing::Good);
    assert_eq!(
        standing(&store, &token, last + Duration::MILLISECOND).await,
        Standing::Revoked
    );
    assert_eq!(
        open_ids(&store, "alice", last + Duration::MILLISECOND).await,
        [""; 0]
    );
    let rotated = rotate(&store, &session, "0", "1", last + Duration::MILLISECOND).await;
    assert_eq!(rotated, Rotated::Gone);

    let session = open(&store, "bob", "s", NOW).await;
    let mut moment = NOW;
    for step in 0..3 {
        moment += IDLE - Duration::MILLISECOND;
        let (from, to) = (step.to_string(), (step + 1).to_string());
        let rotated = rotate(&store, &session, &from, &to, moment).await;
        if moment < NOW + LIFETIME {
            assert_won(&rotated, &session, &generation(&to, moment));
        } else {
            assert_eq!(rotated, Rotated::Gone);
        }
    }
    let token = auth_token(&session, "2");
    let last = NOW + LIFETIME - Duration::MILLISECOND;
    assert_eq!(standing(&store, &token, last).await, Standing::Good);
    assert_eq!(
        standing(&store, &token, last + Duration::MILLISECOND).await,
        Standing::Revoked
    );
    assert_eq!(
        open_ids(&store, "bob", last + Duration::MILLISECOND).await,
        [""; 0]
    );
}

/// Only the winner's claims are stored. A retry changes nothing.
pub async fn only_the_winning_rotation_changes_claims(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let mut first = rotation(&session, "0", "1", NOW);
    first.claims = Some(r#"{"scope":"new"}"#.to_owned());
    match answered(store.rotate(&first)).await {
        Rotated::Won(after) => assert_eq!(after.claims, r#"{"scope":"new"}"#),
        other => panic!("expected `Won`, got {other:?}"),
    }
    let mut retry = rotation(&session, "0", "2", NOW);
    retry.claims = Some(r#"{"scope":"of a retry"}"#.to_owned());
    match answered(store.rotate(&retry)).await {
        Rotated::Again(after, _) => assert_eq!(after.claims, r#"{"scope":"new"}"#),
        other => panic!("expected `Again`, got {other:?}"),
    }
    let sessions = listed(&store, "alice", NOW).await;
    assert_eq!(sessions[0].claims, r#"{"scope":"new"}"#);
}

/// Ended sessions stay ended when the caller's clock is set back by less than an hour. A rotation
/// in the future does not count as one within the grace window.
pub async fn setting_the_clock_back_revives_nothing(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    rotate(&store, &session, "0", "1", NOW).await;
    // Within the grace window, the clocks of two hosts may differ.
    let again = rotate(
        &store,
        &session,
        "0",
        "2",
        NOW - GRACE + Duration::MILLISECOND,
    )
    .await;
    assert_again(&again, &generation("1", NOW));
    let unclear = rotate(&store, &session, "0", "2", NOW - GRACE).await;
    assert_eq!(unclear, Rotated::Gone);
    let old = refresh_token(&session, "0");
    assert_eq!(standing(&store, &old, NOW - GRACE).await, Standing::Revoked);
    assert_eq!(open_ids(&store, "alice", NOW).await, ["s"]);

    let replayed = rotate(&store, &session, "0", "2", NOW + GRACE).await;
    assert_eq!(replayed, Rotated::Replayed);
    let current = refresh_token(&session, "1");
    let before = NOW - HOUR / 2;
    assert_eq!(standing(&store, &current, before).await, Standing::Revoked);
    let rotated = rotate(&store, &session, "1", "3", before).await;
    assert_eq!(rotated, Rotated::Gone);
}
