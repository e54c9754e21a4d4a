//! Tests of how much of a store one subject can use.

use std::sync::Arc;

use actix_web::rt::spawn;

use time::Duration;

use super::{
    Store,
    fixture::{
        GRACE, HOUR, IDLE, MANY, NOW, answered, auth_token, listed, open, open_ids, opened,
        plain_token, refresh_token, revoke, rotate, session, standing,
    },
};
use crate::session::{Moment, Opening, Revocation, Rotated, SessionRecord, Standing, StoreError};

/// A login beyond the limit evicts the least recently refreshed sessions of the same subject.
pub async fn a_login_beyond_the_limit_evicts_the_least_recently_refreshed_session(store: Store) {
    let bobs = open(&store, "bob", "a", NOW - HOUR).await;
    let mut sessions = Vec::new();
    for (number, id) in (0..).zip(["c", "b", "a"]) {
        let session = session("alice", id, NOW + Duration::milliseconds(number));
        assert_eq!(
            opened(&store, &session, 3, NOW + Duration::milliseconds(number)).await,
            [""; 0]
        );
        sessions.push(session);
    }
    // The oldest session is refreshed. A retry of a refresh does not count.
    let rotated = rotate(
        &store,
        &sessions[0],
        "0",
        "1",
        NOW + Duration::milliseconds(10),
    )
    .await;
    assert!(matches!(rotated, Rotated::Won(_)), "{rotated:?}");
    rotate(
        &store,
        &sessions[1],
        "0",
        "1",
        NOW + Duration::milliseconds(5),
    )
    .await;
    rotate(
        &store,
        &sessions[1],
        "0",
        "1",
        NOW + Duration::milliseconds(5) + GRACE - Duration::MILLISECOND,
    )
    .await;

    let now = NOW + GRACE;
    let next = session("alice", "0", now);
    assert_eq!(opened(&store, &next, 3, now).await, ["a"]);
    for token in [
        auth_token(&sessions[2], "0"),
        refresh_token(&sessions[2], "0"),
    ] {
        assert_eq!(standing(&store, &token, now).await, Standing::Revoked);
    }
    let rotated = rotate(&store, &sessions[2], "0", "1", now).await;
    assert_eq!(rotated, Rotated::Gone);
    for token in [auth_token(&sessions[0], "1"), auth_token(&next, "0")] {
        assert_eq!(standing(&store, &token, now).await, Standing::Good);
    }
    // With a lower limit, the new session is never the one that is evicted.
    let late = session("alice", "late", NOW - HOUR);
    let mut evicted = opened(&store, &late, 1, now).await;
    evicted.sort();
    assert_eq!(evicted, ["0", "b", "c"]);
    assert_eq!(open_ids(&store, "alice", now).await, ["late"]);
    let token = auth_token(&bobs, "0");
    assert_eq!(standing(&store, &token, now).await, Standing::Good);
}

/// Among sessions refreshed at the same time, the one with the smaller id is evicted. Ids are
/// compared byte by byte.
pub async fn on_a_tie_the_session_with_the_smaller_id_is_evicted(store: Store) {
    for id in ["b", "\u{e9}", "B", "a-2", "a", "_"] {
        open(&store, "alice", id, NOW).await;
    }
    for (number, expected) in (1..).zip(["B", "_", "a", "a-2", "b", "\u{e9}"]) {
        let later = session(
            "alice",
            &format!("later {number}"),
            NOW + Duration::milliseconds(number),
        );
        assert_eq!(
            opened(&store, &later, 6, NOW + Duration::milliseconds(number)).await,
            [expected]
        );
    }
}

/// A session that has expired or was revoked does not count towards the limit.
pub async fn an_ended_session_does_not_count_towards_the_limit(store: Store) {
    open(&store, "alice", "expired", NOW).await;
    open(&store, "alice", "revoked", NOW + Duration::MILLISECOND).await;
    let revocation = Revocation::Session {
        subject: "alice".to_owned(),
        session: "revoked".to_owned(),
    };
    revoke(&store, revocation, NOW + Duration::MILLISECOND).await;
    let last = session("alice", "last", NOW + IDLE - Duration::MILLISECOND);
    assert_eq!(
        opened(&store, &last, 2, NOW + IDLE - Duration::MILLISECOND).await,
        [""; 0]
    );
    let now = NOW + IDLE;
    assert_eq!(
        opened(&store, &session("alice", "next", now), 2, now).await,
        [""; 0]
    );
    assert_eq!(open_ids(&store, "alice", now).await, ["last", "next"]);
    let beyond = session("alice", "beyond", now);
    assert_eq!(opened(&store, &beyond, 2, now).await, ["last"]);
    // Opened again with the same id, a session counts once.
    assert_eq!(opened(&store, &beyond, 2, now).await, [""; 0]);
    assert_eq!(open_ids(&store, "alice", now).await, ["beyond", "next"]);
}

/// A replaced session ends in the same step, before any other is evicted.
pub async fn a_replaced_session_ends_before_any_is_evicted(store: Store) {
    let bobs = open(&store, "bob", "bobs", NOW).await;
    let elsewhere = open(&store, "alice", "elsewhere", NOW).await;
    let replaced = open(&store, "alice", "replaced", NOW + Duration::MILLISECOND).await;
    let now = NOW + Duration::milliseconds(2);
    let replacing = |id: &str, most, others: &[&str]| {
        let others = others.iter().map(|&id| id.to_owned()).collect();
        Opening::new(session("alice", id, now), most).replacing(others)
    };
    let opening = replacing("new", 2, &["replaced", "unknown", "bobs", "new"]);
    assert_eq!(answered(store.open(&opening, now)).await, ["replaced"]);
    assert_eq!(open_ids(&store, "alice", now).await, ["elsewhere", "new"]);
    for (session, expected) in [
        (&replaced, Standing::Revoked),
        (&elsewhere, Standing::Good),
        (&opening.session, Standing::Good),
        (&bobs, Standing::Good),
    ] {
        let token = auth_token(session, "0");
        assert_eq!(standing(&store, &token, now).await, expected);
    }
    // Opened again in place of itself, a session goes on.
    let again = replacing("new", 2, &["new"]);
    assert_eq!(answered(store.open(&again, now)).await, [""; 0]);
    // If that is not enough, others are evicted.
    let last = replacing("last", 1, &["new"]);
    let mut ended = answered(store.open(&last, now)).await;
    ended.sort();
    assert_eq!(ended, ["elsewhere", "new"]);
    assert_eq!(open_ids(&store, "alice", now).await, ["last"]);
    // A session that has expired does not end once more.
    let later = now + IDLE;
    let mut opening = Opening::new(session("alice", "later", later), 1);
    opening.replaces.push("last".to_owned());
    assert_eq!(answered(store.open(&opening, later)).await, [""; 0]);
}

/// In any order, two sessions are left, and each of the others is reported once.
pub async fn fifty_concurrent_logins_with_a_limit_of_two_leave_two_sessions(store: Store) {
    for round in 0..3 {
        let subject = format!("subject {round}");
        let racers: Vec<_> =
            (0..50)
                .map(|racer| {
                    let store = Arc::clone(&store);
                    let session = session(
                        &subject,
                        &format!("s{racer:02}"),
                        NOW + Duration::milliseconds(racer % 3),
                    );
                    spawn(async move {
                        opened(&store, &session, 2, NOW + Duration::milliseconds(2)).await
                    })
                })
                .collect();
        let mut ids = evicted_by(racers).await;
        let left = open_ids(&store, &subject, NOW + Duration::milliseconds(2)).await;
        assert_eq!(left.len(), 2, "{left:?}");
        ids.extend(left);
        ids.sort();
        let all: Vec<_> = (0..50).map(|racer| format!("s{racer:02}")).collect();
        assert_eq!(ids, all, "of round {round}");
    }
}

/// The ids of all evicted sessions.
async fn evicted_by(racers: Vec<actix_web::rt::task::JoinHandle<Vec<String>>>) -> Vec<String> {
    let mut ids = Vec::new();
    for racer in racers {
        ids.extend(racer.await.expect("it ends"));
    }
    ids
}

/// A list has at most the requested number of sessions, and all of them if that is enough.
pub async fn a_list_is_no_longer_than_requested(store: Store) {
    let sessions = open_many(&store, "alice", 50).await;
    let mut all = listed(&store, "alice", NOW).await;
    all.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(all, sessions);
    for most in [0, 1, 5, 49, 50, 51, usize::MAX] {
        let some = answered(store.sessions("alice", most, NOW)).await;
        assert_eq!(some.len(), most.min(50));
        assert!(some.iter().all(|session| sessions.contains(session)));
    }
}

/// An expired session does not count in a list, whatever else is stored about the subject.
pub async fn a_list_skips_ended_sessions(store: Store) {
    for number in 0..50 {
        open(&store, "alice", &format!("a{number:02}"), NOW).await;
        revoke(&store, token("alice", number, NOW + HOUR), NOW).await;
    }
    let later = NOW + IDLE;
    for id in ["0", "b", "c"] {
        open(&store, "alice", id, later - Duration::MILLISECOND).await;
    }
    for most in [1, 3, 10] {
        let listed = answered(store.sessions("alice", most, later)).await;
        assert_eq!(listed.len(), most.min(3));
        assert!(listed.iter().all(|session| session.is_live(later)));
    }
}

/// When the revocation is answered, all sessions are gone for every question. A new session is
/// good.
pub async fn revoking_a_subject_ends_a_thousand_sessions(store: Store) {
    let sessions = open_many(&store, "alice", MANY).await;
    assert_eq!(listed(&store, "alice", NOW).await.len(), MANY);
    let ended = revoke(&store, everything("alice"), NOW).await;
    let ids: Vec<_> = sessions.iter().map(|it| it.id.clone()).collect();
    assert_eq!(ended, ids);
    assert_eq!(open_ids(&store, "alice", NOW).await, [""; 0]);
    for session in sessions.iter().step_by(37) {
        for token in [auth_token(session, "0"), refresh_token(session, "0")] {
            assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
        }
        let rotated = rotate(&store, session, "0", "1", NOW).await;
        assert_eq!(rotated, Rotated::Gone);
    }
    let anew = open(&store, "alice", "anew", NOW).await;
    let token = auth_token(&anew, "0");
    assert_eq!(standing(&store, &token, NOW).await, Standing::Good);
    assert_eq!(open_ids(&store, "alice", NOW).await, ["anew"]);
}

/// A thousand single tokens of a subject can be revoked. Further ones may be refused with the
/// documented error. Sessions, subjects and tokens of others can always be revoked, and there is
/// room again when the thousand have ended.
pub async fn a_thousand_revoked_tokens_leave_room_for_other_revocations(store: Store) {
    let until = NOW + HOUR;
    let session = open(&store, "alice", "s", NOW).await;
    let revoking: Vec<_> = (0..1_000)
        .map(|number| {
            let (store, revocation) = (Arc::clone(&store), token("alice", number, until));
            spawn(async move { answered(store.revoke(&revocation, NOW)).await })
        })
        .collect();
    for revoking in revoking {
        revoking.await.expect("it ends");
    }
    for number in 1_000..1_010 {
        match store.revoke(&token("alice", number, until), NOW).await {
            Ok(_) | Err(StoreError::TooManyTokens { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    // Revoking a token twice is accepted.
    let again = revoke(&store, token("alice", 7, until), NOW).await;
    assert_eq!(again, [""; 0]);
    for number in [0, 7, 999] {
        let token = plain_token("alice", Some(&format!("t{number}")), NOW);
        assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
    }
    revoke(&store, token("bob", 1, until), NOW).await;
    let good = auth_token(&session, "0");
    assert_eq!(standing(&store, &good, NOW).await, Standing::Good);
    let one = Revocation::Session {
        subject: "alice".to_owned(),
        session: "s".to_owned(),
    };
    revoke(&store, one, NOW).await;
    assert_eq!(standing(&store, &good, NOW).await, Standing::Revoked);
    revoke(&store, everything("alice"), NOW).await;
    let plain = plain_token("alice", None, NOW);
    assert_eq!(standing(&store, &plain, NOW).await, Standing::Revoked);
    revoke(
        &store,
        token("alice", 2_000, until + 3 * HOUR),
        until + HOUR,
    )
    .await;
    let late = plain_token("alice", Some("t2000"), until + HOUR);
    assert_eq!(
        standing(&store, &late, until + HOUR).await,
        Standing::Revoked
    );
}

fn token(subject: &str, number: usize, until: Moment) -> Revocation {
    Revocation::Token {
        subject: subject.to_owned(),
        id: format!("t{number}"),
        until,
    }
}

fn everything(subject: &str) -> Revocation {
    Revocation::Subject {
        subject: subject.to_owned(),
        issued_until: NOW,
        until: NOW + HOUR,
    }
}

/// Opens many sessions concurrently. Returns them sorted by id.
async fn open_many(store: &Store, subject: &str, many: usize) -> Vec<SessionRecord> {
    let opening: Vec<_> = (0..many)
        .map(|number| {
            let (store, session) = (
                Arc::clone(store),
                session(subject, &format!("s{number:04}"), NOW),
            );
            spawn(async move {
                assert_eq!(opened(&store, &session, many, NOW).await, [""; 0]);
                session
            })
        })
        .collect();
    let mut sessions = Vec::new();
    for opening in opening {
        sessions.push(opening.await.expect("it ends"));
    }
    sessions
}
