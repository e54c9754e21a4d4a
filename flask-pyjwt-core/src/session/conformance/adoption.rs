//! Tests of taking over the sessions of another store. A store with the default of
//! [`SessionStore::adopt`](crate::store::SessionStore::adopt) passes them, because nothing can be
//! moved into it.

use std::sync::Arc;

use actix_web::rt::spawn;

use super::{
    Store,
    fixture::{
        GRACE, HOUR, LIFETIME, NOW, SECOND, answered, auth_token, listed, open, open_ids, opened,
        refresh_token, repeatable, revoke, rotate, session, standing,
    },
};
use crate::session::{
    Revocation, Rotated, SessionRecord, Standing, StoreError, SubjectRecord, store::CannotAdopt,
};

/// Whether the store implements `adopt`.
async fn adopts(store: &Store) -> bool {
    match store.adopt("nobody", &[], NOW).await {
        Err(StoreError::Unavailable(source)) => !source.is::<CannotAdopt>(),
        _ => true,
    }
}

/// The sessions `s` and `t` of `alice` in another store. `t` was rotated, to a pair that has not
/// been used.
fn others() -> Vec<SessionRecord> {
    let mut record = SubjectRecord::default();
    for id in ["s", "t"] {
        let opening = crate::session::Opening::new(session("alice", id, NOW), 10);
        record.open(&opening, NOW);
    }
    record.rotate(&repeatable(&session("alice", "t", NOW), "0", "1", NOW));
    record.sessions(10, NOW)
}

/// The sessions of `alice`, sorted by id.
async fn all(store: &Store) -> Vec<SessionRecord> {
    let mut sessions = listed(store, "alice", NOW).await;
    sessions.sort_by(|a, b| a.id.cmp(&b.id));
    sessions
}

async fn adopt(store: &Store, sessions: &[SessionRecord]) -> bool {
    answered(store.adopt("alice", sessions, NOW)).await
}

/// Adopted sessions go on where they were: with all pairs of tokens, label, claims and ends.
pub async fn adopted_sessions_continue_unchanged(store: Store) {
    if !adopts(&store).await {
        return;
    }
    open(&store, "bob", "s", NOW).await;
    let others = others();
    assert!(adopt(&store, &others).await);
    assert_eq!(all(&store).await, others);
    let [s, t] = &others[..] else {
        panic!("two sessions");
    };
    for (token, expected) in [
        (auth_token(s, "0"), Standing::Good),
        (refresh_token(s, "0"), Standing::Good),
        (refresh_token(t, "0"), Standing::Good),
        (auth_token(t, "1"), Standing::Unused),
    ] {
        assert_eq!(standing(&store, &token, NOW).await, expected, "{token:?}");
    }
    let won = rotate(&store, s, "0", "1", NOW).await;
    assert!(matches!(won, Rotated::Won(_)), "{won:?}");
    let lost = answered(store.rotate(&repeatable(t, "0", "x", NOW + GRACE))).await;
    assert!(matches!(lost, Rotated::LostAnswer(..)), "{lost:?}");
    let end = standing(&store, &auth_token(s, "1"), s.ends_at).await;
    assert_eq!(end, Standing::Revoked);
    assert_eq!(open_ids(&store, "bob", NOW).await, ["s"]);
}

/// What has ended or changed since the sessions were adopted does not come back.
pub async fn sessions_are_adopted_only_once(store: Store) {
    if !adopts(&store).await {
        return;
    }
    let others = others();
    assert!(adopt(&store, &others).await);
    rotate(&store, &others[1], "1", "2", NOW).await;
    revoke(&store, Revocation::of_session("alice", "s"), NOW).await;
    let left = all(&store).await;
    assert!(!adopt(&store, &others).await);
    assert_eq!(all(&store).await, left);
    let everything = Revocation::of_subject("alice", NOW, NOW + HOUR);
    revoke(&store, everything, NOW).await;
    assert!(!adopt(&store, &others).await);
    assert_eq!(all(&store).await, []);
    let token = auth_token(&others[0], "0");
    assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
}

/// The store does not forget that it adopted sessions before the last of them has to end, whatever
/// else happens to the subject.
pub async fn an_adoption_is_remembered_until_the_sessions_have_to_end(store: Store) {
    if !adopts(&store).await {
        return;
    }
    let others = others();
    assert!(adopt(&store, &others).await);
    revoke(
        &store,
        Revocation::of_subject("alice", NOW, NOW + SECOND),
        NOW,
    )
    .await;
    let mut now = NOW;
    while now < NOW + LIFETIME {
        open(&store, "alice", "another", now).await;
        for number in 0..3 {
            let revoked = Revocation::of_token("alice", format!("x{number}"), now);
            revoke(&store, revoked, now).await;
        }
        let again = answered(store.adopt("alice", &others, now)).await;
        assert!(!again, "{now:?}");
        assert_eq!(open_ids(&store, "alice", now).await, ["another"]);
        now += HOUR;
    }
}

/// Sessions that were opened here before stay as they are. The next login enforces the limit.
pub async fn sessions_of_the_store_win_over_adopted_ones(store: Store) {
    if !adopts(&store).await {
        return;
    }
    let own = open(&store, "alice", "s", NOW).await;
    let won = rotate(&store, &own, "0", "own", NOW).await;
    assert!(matches!(won, Rotated::Won(_)), "{won:?}");
    let mut expected = all(&store).await;
    let others = others();
    assert!(adopt(&store, &others).await);
    expected.push(others[1].clone());
    assert_eq!(all(&store).await, expected);
    let later = NOW + SECOND;
    let evicted = opened(&store, &session("alice", "u", later), 2, later).await;
    assert_eq!(evicted, ["s"]);
    assert_eq!(open_ids(&store, "alice", later).await, ["t", "u"]);
}

/// Of concurrent adoptions, one takes place. A logout after any of them is final.
pub async fn one_of_fifty_concurrent_adoptions_takes_place(store: Store) {
    if !adopts(&store).await {
        return;
    }
    let others = Arc::new(others());
    let adopting = |_| {
        let (store, others) = (Arc::clone(&store), Arc::clone(&others));
        spawn(async move {
            let adopted = adopt(&store, &others).await;
            revoke(&store, Revocation::of_session("alice", "s"), NOW).await;
            adopted
        })
    };
    let running: Vec<_> = (0..50).map(adopting).collect();
    let mut adopted = 0;
    for running in running {
        adopted += usize::from(running.await.expect("it ends"));
    }
    assert_eq!(adopted, 1);
    assert_eq!(open_ids(&store, "alice", NOW).await, ["t"]);
}

/// Adopts sessions and ends one of them, for stores that survive a restart.
pub(super) async fn make_an_adoption(store: Store) {
    if adopts(&store).await {
        let [s, t] = ["s", "t"].map(|id| session("adopted", id, NOW));
        answered(store.adopt("adopted", &[s, t], NOW)).await;
        revoke(&store, Revocation::of_session("adopted", "s"), NOW).await;
    }
}

/// Checks that the adopted session is still there, and is not adopted again.
pub(super) async fn check_adoption(store: Store) {
    if adopts(&store).await {
        let s = session("adopted", "s", NOW);
        assert!(!answered(store.adopt("adopted", &[s], NOW)).await);
        assert_eq!(open_ids(&store, "adopted", NOW).await, ["t"]);
    }
}
