//! Tests of revocation.

use time::Duration;

use super::{
    Store,
    fixture::{
        HOUR, IDLE, NOW, SECOND, auth_token, open, open_ids, plain_token, refresh_token, revoke,
        rotate, standing,
    },
};
use crate::session::{Moment, Revocation, Rotated, SessionRecord, Standing};

fn token(subject: &str, id: &str, until: Moment) -> Revocation {
    Revocation::Token {
        subject: subject.to_owned(),
        id: id.to_owned(),
        until,
    }
}

fn one_session(subject: &str, session: &str) -> Revocation {
    Revocation::Session {
        subject: subject.to_owned(),
        session: session.to_owned(),
    }
}

fn everything(subject: &str, issued_until: Moment, until: Moment) -> Revocation {
    Revocation::Subject {
        subject: subject.to_owned(),
        issued_until,
        until,
    }
}

/// A token is revoked by its id and subject. Its session continues.
pub async fn revoking_a_token_leaves_its_session_open(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    rotate(&store, &session, "0", "1", NOW).await;
    let until = NOW + HOUR;
    for (subject, id) in [("alice", "auth-0"), ("alice", "plain"), ("bob", "auth-1")] {
        for ended in [&[id][..], &[]] {
            assert_eq!(revoke(&store, token(subject, id, until), NOW).await, ended);
        }
    }
    for (token, expected) in [
        (auth_token(&session, "0"), Standing::Revoked),
        (auth_token(&session, "1"), Standing::Good),
        (refresh_token(&session, "1"), Standing::Good),
        (plain_token("alice", Some("plain"), NOW), Standing::Revoked),
        (plain_token("alice", Some("other"), NOW), Standing::Good),
        (plain_token("alice", None, NOW), Standing::Good),
        (plain_token("bob", Some("plain"), NOW), Standing::Good),
    ] {
        assert_eq!(standing(&store, &token, NOW).await, expected, "{token:?}");
    }
    // A revoked refresh token cannot be rotated, and this is not a replay.
    revoke(&store, token("alice", "refresh-1", until), NOW).await;
    let current = refresh_token(&session, "1");
    assert_eq!(standing(&store, &current, NOW).await, Standing::Revoked);
    let rotated = rotate(&store, &session, "1", "2", NOW).await;
    assert_eq!(rotated, Rotated::Gone);
    assert_eq!(open_ids(&store, "alice", NOW).await, ["s"]);
}

/// A session is revoked by its id and subject, with all its tokens, once or twice.
pub async fn revoking_a_session_ends_only_that_session(store: Store) {
    let session = open(&store, "alice", "s", NOW).await;
    let other = open(&store, "alice", "t", NOW).await;
    for (subject, id) in [("bob", "s"), ("alice", "unknown")] {
        let ended = revoke(&store, one_session(subject, id), NOW).await;
        assert_eq!(ended, [""; 0], "{subject} has no session {id}");
    }
    assert_eq!(open_ids(&store, "alice", NOW).await, ["s", "t"]);
    for expected in [&["s"][..], &[]] {
        let ended = revoke(&store, one_session("alice", "s"), NOW).await;
        assert_eq!(ended, expected);
        assert_eq!(open_ids(&store, "alice", NOW).await, ["t"]);
        for token in [auth_token(&session, "0"), refresh_token(&session, "0")] {
            assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
        }
        let rotated = rotate(&store, &session, "0", "1", NOW).await;
        assert_eq!(rotated, Rotated::Gone);
    }
    let token = auth_token(&other, "0");
    assert_eq!(standing(&store, &token, NOW).await, Standing::Good);
    let plain = plain_token("alice", None, NOW - SECOND);
    assert_eq!(standing(&store, &plain, NOW).await, Standing::Good);
    // A session that has expired does not end once more.
    let ended = revoke(&store, one_session("alice", "t"), NOW + IDLE).await;
    assert_eq!(ended, [""; 0]);
}

/// Revoking a subject ends its sessions, and its other tokens issued until then. What comes later
/// is good, and so is a session opened at the same moment.
pub async fn revoking_a_subject_ends_its_sessions_and_earlier_tokens(store: Store) {
    let first = open(&store, "alice", "s", NOW).await;
    let second = open(&store, "alice", "t", NOW).await;
    let bobs = open(&store, "bob", "s", NOW).await;
    for expected in [&["s", "t"][..], &[]] {
        let ended = revoke(&store, everything("alice", NOW, NOW + HOUR), NOW).await;
        assert_eq!(ended, expected);
    }
    assert_eq!(open_ids(&store, "alice", NOW).await, [""; 0]);
    let anew = open(&store, "alice", "u", NOW).await;
    for (token, expected) in [
        (auth_token(&first, "0"), Standing::Revoked),
        (refresh_token(&second, "0"), Standing::Revoked),
        (auth_token(&anew, "0"), Standing::Good),
        (refresh_token(&anew, "0"), Standing::Good),
        (auth_token(&bobs, "0"), Standing::Good),
        (
            plain_token("alice", Some("x"), NOW - HOUR),
            Standing::Revoked,
        ),
        (plain_token("alice", None, NOW), Standing::Revoked),
        (
            plain_token("alice", None, NOW + Duration::MILLISECOND),
            Standing::Good,
        ),
        (plain_token("bob", None, NOW), Standing::Good),
    ] {
        assert_eq!(standing(&store, &token, NOW).await, expected, "{token:?}");
    }
    // An earlier revocation that arrives later does not shorten this one.
    let earlier = everything("alice", NOW - HOUR, NOW + SECOND);
    revoke(&store, earlier, NOW).await;
    let token = plain_token("alice", None, NOW);
    assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
}

/// A revocation holds until the requested moment, whatever else happens to the subject.
pub async fn revocations_last_as_long_as_requested(store: Store) {
    let until = NOW + 10 * HOUR;
    revoke(&store, token("alice", "x", until), NOW).await;
    // Revoked again for a shorter time, the longer one holds.
    revoke(&store, token("alice", "x", NOW + SECOND), NOW).await;
    revoke(&store, everything("bob", NOW, until), NOW).await;
    for hour in 0..10 {
        let now = NOW + hour * HOUR;
        for subject in ["alice", "bob"] {
            open(&store, subject, &format!("s{hour}"), now).await;
            let short = token(subject, &format!("y{hour}"), now + SECOND);
            revoke(&store, short, now).await;
        }
        let x = plain_token("alice", Some("x"), NOW);
        assert_eq!(standing(&store, &x, now).await, Standing::Revoked, "{hour}");
        let old = plain_token("bob", None, NOW);
        assert_eq!(
            standing(&store, &old, now).await,
            Standing::Revoked,
            "{hour}"
        );
    }
}

/// Makes one change of each kind.
pub(super) async fn make_changes(store: Store, now: Moment) -> [SessionRecord; 4] {
    let kept = open(&store, "alice", "kept", now).await;
    let ended = open(&store, "alice", "ended", now).await;
    let replayed = open(&store, "bob", "replayed", now).await;
    let gone = open(&store, "carol", "gone", now).await;
    rotate(&store, &kept, "0", "1", now).await;
    revoke(&store, one_session("alice", "ended"), now).await;
    revoke(&store, token("alice", "auth-0", now + HOUR), now).await;
    rotate(&store, &replayed, "unknown", "1", now).await;
    revoke(&store, everything("carol", now, now + HOUR), now).await;
    [kept, ended, replayed, gone]
}

/// Checks that all these changes are there.
pub(super) async fn check_changes(store: Store, sessions: [SessionRecord; 4], now: Moment) {
    let [kept, ended, replayed, gone] = &sessions;
    for (token, expected) in [
        (auth_token(kept, "1"), Standing::Good),
        (auth_token(kept, "0"), Standing::Revoked),
        (refresh_token(kept, "1"), Standing::Good),
        (refresh_token(kept, "0"), Standing::Good),
        (auth_token(ended, "0"), Standing::Revoked),
        (refresh_token(ended, "0"), Standing::Revoked),
        (auth_token(replayed, "0"), Standing::Revoked),
        (auth_token(gone, "0"), Standing::Revoked),
        (plain_token("carol", None, now), Standing::Revoked),
        (plain_token("carol", None, now + SECOND), Standing::Good),
    ] {
        assert_eq!(standing(&store, &token, now).await, expected, "{token:?}");
    }
    let again = rotate(&store, kept, "0", "2", now).await;
    assert!(matches!(again, Rotated::Again(..)), "{again:?}");
    let next = rotate(&store, kept, "1", "2", now).await;
    assert!(matches!(next, Rotated::Won(_)), "{next:?}");
}
