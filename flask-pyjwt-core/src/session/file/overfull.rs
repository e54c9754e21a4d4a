//! Tests with files from a version without limits, and with logins that fail.

use time::Duration;

use super::{
    FileStore, database,
    simulated_disk::SimulatedDisk,
    tables::SESSIONS,
    tests::{
        NOW, fresh, generation, is_pending, plain_token, refresh_token, reopened, revoked, session,
    },
};
use crate::session::{
    Opening, Revocation, Rotated, SessionRecord, SessionStore as _, Standing, StoreError,
    TokenIdentity,
};

/// A session of `alice` that was refreshed this many milliseconds ago.
fn aged(id: &str, age: i64) -> SessionRecord {
    let mut session = session(id);
    session.generations[0].issued_at -= Duration::milliseconds(age);
    session
}

/// A file with many sessions of `alice`, as left by a version without limits. Later ones are newer.
fn with_many(disk: &SimulatedDisk, many: i64) -> FileStore {
    let database = database::fresh(disk.clone()).expect("a good disk");
    let transaction = database.begin_write().expect("begun");
    let mut sessions = transaction.open_table(SESSIONS).expect("there");
    for number in 0..many {
        let session = aged(&format!("s{}", number * 7_919 % many), many - number);
        let row = serde_json::to_vec(&session).expect("JSON");
        let key = ("alice", &*session.id);
        sessions
            .insert(key, (session.expires_at.milliseconds(), &*row))
            .expect("inserted");
    }
    drop(sessions);
    transaction.commit().expect("a good disk");
    FileStore::on(database).expect("started")
}

#[actix_web::test]
async fn each_login_reduces_a_subject_without_limits_a_little() {
    let store = with_many(&SimulatedDisk::default(), 10_000);
    for most in [1, 100, 1_000] {
        let listed = store.sessions("alice", most, NOW).await.expect("listed");
        assert_eq!(listed.len(), most);
    }
    let mut left = 10_001;
    for number in 0..8 {
        let opening = Opening::new(session(&format!("new {number}")), 100);
        let evicted = store.open(&opening, NOW).await.expect("opened").len();
        assert!(evicted <= 1_000 || left <= 4_000, "{evicted}");
        left -= evicted;
        if left <= 100 {
            break;
        }
        left += 1;
    }
    assert_eq!(left, 100);
    let listed = store.sessions("alice", 1_000, NOW).await.expect("listed");
    assert_eq!(listed.len(), 100);
    // The most recently refreshed ones are left.
    let oldest = listed.iter().map(SessionRecord::refreshed_at).min();
    assert!(
        oldest.is_some_and(|oldest| oldest >= NOW - Duration::milliseconds(100)),
        "{oldest:?}"
    );
}

#[actix_web::test]
async fn revoking_a_subject_ends_ten_thousand_sessions() {
    let disk = SimulatedDisk::default();
    let store = with_many(&disk, 10_000);
    let everything = Revocation::Subject {
        subject: "alice".to_owned(),
        issued_until: NOW,
        until: NOW,
    };
    store.revoke(&everything, NOW).await.expect("revoked");
    drop(store);
    let store = reopened(&disk).expect("whole");
    assert_eq!(
        store.sessions("alice", 1_000, NOW).await.expect("listed"),
        []
    );
    for number in [0, 1, 5_000, 9_999] {
        let token = refresh_token(&format!("s{number}"), 0);
        let standing = store.standing(&token, NOW).await.expect("answered");
        assert_eq!(standing, Standing::Revoked);
        let rotated = store
            .rotate(&super::tests::rotation(&format!("s{number}"), 0))
            .await;
        assert_eq!(rotated.expect("answered"), Rotated::Gone);
    }
}

#[actix_web::test]
async fn a_login_that_fails_or_is_abandoned_ends_nothing() {
    let disk = SimulatedDisk::default();
    let store = fresh(&disk);
    let open = |id: &str| Opening::new(session(id), 1);
    store.open(&open("first"), NOW).await.expect("opened");

    // Its caller has gone away before its turn.
    let halt = disk.halt();
    let (begun, given_up) = (revoked("another"), open("given up"));
    let mut begun = store.revoke(&begun, NOW);
    assert!(is_pending(&mut begun).await);
    disk.wait_until_syncing();
    let mut opening = store.open(&given_up, NOW);
    assert!(is_pending(&mut opening).await);
    drop(opening);
    drop(halt);
    begun.await.expect("revoked");
    let standing = store.standing(&refresh_token("first", 0), NOW).await;
    assert_eq!(standing.expect("answered"), Standing::Good);

    disk.fail_after(0);
    assert!(store.open(&open("second"), NOW).await.is_err());
    disk.repair();
    drop(store);
    let store = reopened(&disk).expect("a good disk again");
    let listed = store.sessions("alice", 10, NOW).await.expect("listed");
    assert_eq!(listed, [session("first")]);
}

#[actix_web::test]
async fn ended_revocations_make_room_for_more() {
    let disk = SimulatedDisk::default();
    let store = fresh(&disk);
    let revoked = |number: usize, until| Revocation::Token {
        subject: "alice".to_owned(),
        id: generation("t", number).auth_id,
        until,
    };
    let all: Vec<_> = (0..1_000).map(|number| revoked(number, NOW)).collect();
    let halt = disk.halt();
    let mut revoking: Vec<_> = all.iter().map(|it| store.revoke(it, NOW)).collect();
    for revoke in &mut revoking {
        assert!(is_pending(revoke).await);
    }
    drop(halt);
    for revoke in revoking {
        revoke.await.expect("revoked");
    }
    let more = revoked(1_000, NOW + Duration::milliseconds(10_000_000));
    let early = store
        .revoke(&more, NOW + Duration::milliseconds(3_599_999))
        .await;
    assert!(
        matches!(early, Err(StoreError::TooManyTokens { limit: 1_000 })),
        "{early:?}"
    );
    store
        .revoke(&more, NOW + Duration::milliseconds(3_600_000))
        .await
        .expect("revoked");
    let token = TokenIdentity {
        issued_at: NOW,
        ..plain_token(&generation("t", 1_000).auth_id)
    };
    let standing = store
        .standing(&token, NOW + Duration::milliseconds(3_600_000))
        .await
        .expect("answered");
    assert_eq!(standing, Standing::Revoked);
}
