//! Sessions, tokens and store calls for the tests.

use std::future::Future;

use time::Duration;

use super::Store;
use crate::session::{
    Generation, MOST_SESSIONS, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord,
    Standing, StoreError, TokenIdentity,
};

/// The current time in most tests.
pub(super) const NOW: Moment = Moment::from_milliseconds(1_800_000_000_123);
pub(super) const SECOND: Duration = Duration::SECOND;
pub(super) const HOUR: Duration = Duration::HOUR;
/// The times of the sessions.
pub(super) const GRACE: Duration = Duration::seconds(10);
pub(super) const IDLE: Duration = Duration::hours(2);
pub(super) const LIFETIME: Duration = Duration::hours(5);
/// The maximum number of sessions of a subject, which is more than most tests open.
pub(super) const MANY: usize = MOST_SESSIONS;
/// Far longer than any answer takes. A store that hangs fails the test.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) async fn answered<T>(answer: impl Future<Output = Result<T, StoreError>>) -> T {
    actix_web::rt::time::timeout(PATIENCE, answer)
        .await
        .expect("the store answers")
        .expect("the store does not fail")
}

pub(super) fn generation(name: &str, issued_at: Moment) -> Generation {
    Generation {
        refresh_id: format!("refresh-{name}"),
        auth_id: format!("auth-{name}"),
        issued_at,
        ..Generation::default()
    }
}

/// A session that is opened now. Its first pair has the name `0`.
pub(super) fn session(subject: &str, id: &str, now: Moment) -> SessionRecord {
    SessionRecord {
        id: id.to_owned(),
        subject: subject.to_owned(),
        opened_at: now,
        expires_at: now + IDLE,
        ends_at: now + LIFETIME,
        label: Some(format!("label of {id}")),
        address: Some(format!("address of {id}")),
        user_agent: Some(format!("user agent of {id}")),
        claims: format!(r#"{{"scope":"scope of {id}"}}"#),
        generations: vec![generation("0", now)],
    }
}

pub(super) async fn open(store: &Store, subject: &str, id: &str, now: Moment) -> SessionRecord {
    let session = session(subject, id, now);
    opened(store, &session, MANY, now).await;
    session
}

/// Opens a session of a subject that may have `most` sessions. Returns the ids of the ended ones.
pub(super) async fn opened(
    store: &Store,
    session: &SessionRecord,
    most: usize,
    now: Moment,
) -> Vec<String> {
    let opening = Opening::new(session.clone(), most);
    answered(store.open(&opening, now)).await
}

pub(super) async fn listed(store: &Store, subject: &str, now: Moment) -> Vec<SessionRecord> {
    answered(store.sessions(subject, MANY, now)).await
}

/// A rotation from one pair to another.
pub(super) fn rotation(session: &SessionRecord, from: &str, to: &str, now: Moment) -> Rotation {
    Rotation {
        subject: session.subject.clone(),
        session: session.id.clone(),
        refresh_id: format!("refresh-{from}"),
        successor: generation(to, now),
        idle: IDLE,
        grace: GRACE,
        claims: None,
    }
}

/// Like [`rotation`], with a successor that can be given again as a lost answer for an hour.
pub(super) fn repeatable(session: &SessionRecord, from: &str, to: &str, now: Moment) -> Rotation {
    let mut rotation = rotation(session, from, to, now);
    rotation.successor.repeatable_until = Some(now + HOUR);
    rotation
}

pub(super) async fn rotate(
    store: &Store,
    session: &SessionRecord,
    from: &str,
    to: &str,
    now: Moment,
) -> Rotated {
    answered(store.rotate(&rotation(session, from, to, now))).await
}

/// Asserts that a rotation won with this successor, and checks the resulting session.
#[track_caller]
pub(super) fn assert_won(rotated: &Rotated, before: &SessionRecord, to: &Generation) {
    let Rotated::Won(after) = rotated else {
        panic!("expected `Won`, got {rotated:?}");
    };
    assert_eq!(after.current(), Some(to));
    assert_eq!(after.opened_at, before.opened_at);
    assert_eq!(after.ends_at, before.ends_at);
    assert_eq!(after.label, before.label);
    assert_eq!(after.address, before.address);
    assert_eq!(after.user_agent, before.user_agent);
    let end = (to.issued_at + IDLE).min(before.ends_at);
    assert_eq!(after.expires_at, end);
}

/// Asserts that a rotation gave this successor again.
#[track_caller]
pub(super) fn assert_again(rotated: &Rotated, successor: &Generation) {
    match rotated {
        Rotated::Again(_, again) => assert_eq!(again, successor),
        _ => panic!("expected `Again`, got {rotated:?}"),
    }
}

/// Asserts that the pair was given again as a lost answer, and that the session records this.
#[track_caller]
pub(super) fn assert_lost(rotated: &Rotated, successor: &Generation) {
    let Rotated::LostAnswer(session, given) = rotated else {
        panic!("expected `LostAnswer`, got {rotated:?}");
    };
    assert_eq!(session.current(), Some(given));
    assert!(given.repeated_at.is_some());
    let mut given = given.clone();
    given.repeated_at = successor.repeated_at;
    assert_eq!(given, *successor);
}

pub(super) fn auth_token(session: &SessionRecord, name: &str) -> TokenIdentity {
    TokenIdentity {
        subject: session.subject.clone(),
        session: Some(session.id.clone()),
        id: Some(format!("auth-{name}")),
        issued_at: session.opened_at,
        grace: None,
    }
}

pub(super) fn refresh_token(session: &SessionRecord, name: &str) -> TokenIdentity {
    TokenIdentity {
        id: Some(format!("refresh-{name}")),
        grace: Some(GRACE),
        ..auth_token(session, name)
    }
}

/// A token that belongs to no session.
pub(super) fn plain_token(subject: &str, id: Option<&str>, issued_at: Moment) -> TokenIdentity {
    TokenIdentity {
        subject: subject.to_owned(),
        session: None,
        id: id.map(str::to_owned),
        issued_at,
        grace: None,
    }
}

pub(super) async fn standing(store: &Store, token: &TokenIdentity, now: Moment) -> Standing {
    answered(store.standing(token, now)).await
}

/// Returns the ids of what ended, sorted.
pub(super) async fn revoke(store: &Store, revocation: Revocation, now: Moment) -> Vec<String> {
    let mut ended = answered(store.revoke(&revocation, now)).await;
    ended.sort();
    ended
}

/// The ids of the open sessions, sorted.
pub(super) async fn open_ids(store: &Store, subject: &str, now: Moment) -> Vec<String> {
    let sessions = listed(store, subject, now).await;
    let mut ids: Vec<_> = sessions.into_iter().map(|session| session.id).collect();
    ids.sort();
    ids
}
