//! Tests with a disk that loses power, fails or stops responding.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
};

use actix_web::rt;
use time::Duration;

use super::{
    FileStore, database, simulated_disk::SimulatedDisk, tables::SESSIONS, worker::MAX_QUEUED,
};
use crate::session::{
    Generation, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore as _,
    Standing, StoreError, TokenIdentity,
};

pub(super) const NOW: Moment = Moment::from_milliseconds(1_800_000_000_000);

pub(super) fn fresh(disk: &SimulatedDisk) -> FileStore {
    FileStore::on(database::fresh(disk.clone()).expect("a good disk")).expect("started")
}

pub(super) fn reopened(disk: &SimulatedDisk) -> Result<FileStore, StoreError> {
    FileStore::on(database::open_checked(disk.clone())?)
}

pub(super) fn generation(session: &str, number: usize) -> Generation {
    Generation {
        refresh_id: format!("{session}-r{number}"),
        auth_id: format!("{session}-a{number}"),
        issued_at: NOW,
        ..Generation::default()
    }
}

pub(super) fn session(id: &str) -> SessionRecord {
    SessionRecord {
        id: id.to_owned(),
        subject: "alice".to_owned(),
        opened_at: NOW,
        expires_at: NOW + Duration::HOUR,
        ends_at: NOW + Duration::HOUR * 10,
        label: Some("a browser".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        user_agent: None,
        claims: "{}".to_owned(),
        generations: vec![generation(id, 0)],
    }
}

fn opening(id: &str) -> Opening {
    Opening::new(session(id), 1_000)
}

pub(super) fn rotation(session: &str, number: usize) -> Rotation {
    Rotation {
        subject: "alice".to_owned(),
        session: session.to_owned(),
        refresh_id: generation(session, number).refresh_id,
        successor: generation(session, number + 1),
        idle: Duration::HOUR,
        grace: Duration::ZERO,
        claims: None,
    }
}

pub(super) fn ended(session: &str) -> Revocation {
    Revocation::Session {
        subject: "alice".to_owned(),
        session: session.to_owned(),
    }
}

pub(super) fn revoked(token: &str) -> Revocation {
    Revocation::Token {
        subject: "alice".to_owned(),
        id: token.to_owned(),
        until: NOW + Duration::HOUR,
    }
}

/// The refresh token with this number.
pub(super) fn refresh_token(session: &str, number: usize) -> TokenIdentity {
    TokenIdentity {
        subject: "alice".to_owned(),
        session: Some(session.to_owned()),
        id: Some(generation(session, number).refresh_id),
        issued_at: NOW,
        grace: Some(Duration::ZERO),
    }
}

pub(super) fn plain_token(id: &str) -> TokenIdentity {
    TokenIdentity {
        subject: "alice".to_owned(),
        session: None,
        id: Some(id.to_owned()),
        issued_at: NOW,
        grace: None,
    }
}

/// Pseudo-random numbers (`SplitMix64`), the same for the same seed.
fn random(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Polls a future once and returns whether it is pending.
pub(super) async fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending()))
        .await
}

/// The state of a session, according to the answers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Begun,
    Open,
    Ending,
    Ended,
}

/// The changes that were acknowledged before the disk failed.
#[derive(Debug, Default, Clone, Copy)]
struct Acknowledged {
    stage: Stage,
    rotated: usize,
    /// One more rotation was requested, and not answered.
    rotating: bool,
    revoked: bool,
}

/// Opens a session, revokes a token, rotates a few times and ends the session, until the first
/// error.
async fn run_session(store: &FileStore, id: &str, rotations: usize) -> Acknowledged {
    let mut seen = Acknowledged::default();
    if store.open(&opening(id), NOW).await.is_err() {
        return seen;
    }
    seen.stage = Stage::Open;
    seen.revoked = store.revoke(&revoked(id), NOW).await.is_ok();
    for number in 0..rotations {
        seen.rotating = true;
        match store.rotate(&rotation(id, number)).await {
            Ok(Rotated::Won(_)) => seen.rotated += 1,
            Ok(other) => panic!("{other:?}"),
            Err(_) => return seen,
        }
        seen.rotating = false;
    }
    seen.stage = match store.revoke(&ended(id), NOW).await {
        Ok(_) => Stage::Ended,
        Err(_) => Stage::Ending,
    };
    seen
}

/// Compares the content of the store with the acknowledged changes.
async fn verify(store: &FileStore, id: &str, seen: Acknowledged) {
    let standing = async |token| store.standing(&token, NOW).await.expect("answered");
    if seen.revoked {
        let standing = standing(plain_token(id)).await;
        assert_eq!(standing, Standing::Revoked, "{id} {seen:?}");
    }
    for number in 0..seen.rotated {
        let standing = standing(refresh_token(id, number)).await;
        assert_ne!(standing, Standing::Good, "{id} {number} {seen:?}");
    }
    let current = standing(refresh_token(id, seen.rotated)).await;
    match seen.stage {
        Stage::Open if !seen.rotating => assert_eq!(current, Standing::Good, "{id} {seen:?}"),
        Stage::Ended => assert_eq!(current, Standing::Revoked, "{id} {seen:?}"),
        _ => {}
    }
}

#[actix_web::test]
async fn acknowledged_changes_survive_a_power_loss() {
    for seed in 0..120 {
        let mut random = random(seed);
        let disk = SimulatedDisk::default();
        let store = Arc::new(fresh(&disk));
        disk.fail_after(usize::try_from(random(400)).expect("small"));
        let runs: Vec<_> = (0..4)
            .map(|number| {
                let store = Arc::clone(&store);
                rt::spawn(async move { run_session(&store, &format!("s{number}"), 6).await })
            })
            .collect();
        let mut seen = Vec::new();
        for run in runs {
            seen.push(run.await.expect("no panic"));
        }
        drop(store);

        // Loses power again while the file is opened and compacted.
        let disk = disk.after_power_loss(|| random(2) == 0);
        disk.fail_after(usize::try_from(random(200)).expect("small"));
        if let Ok(mut database) = database::open_checked(disk.clone()) {
            let _ = database::compact(&mut database, u64::MAX);
        }

        let disk = disk.after_power_loss(|| random(2) == 0);
        let store = reopened(&disk).unwrap_or_else(|error| panic!("{seed}: {error:?}"));
        for (number, seen) in seen.into_iter().enumerate() {
            verify(&store, &format!("s{number}"), seen).await;
        }
    }
}

#[actix_web::test]
async fn after_a_disk_error_every_answer_is_an_error() {
    let disk = SimulatedDisk::default();
    let store = fresh(&disk);
    store.open(&opening("s"), NOW).await.expect("opened");
    disk.fail_after(0);
    assert!(store.revoke(&ended("s"), NOW).await.is_err());
    disk.repair();
    let token = refresh_token("s", 0);
    for _ in 0..2 {
        assert!(store.standing(&token, NOW).await.is_err());
        assert!(store.sessions("alice", 1_000, NOW).await.is_err());
        assert!(store.open(&opening("t"), NOW).await.is_err());
        assert!(store.rotate(&rotation("s", 0)).await.is_err());
        assert!(store.revoke(&ended("s"), NOW).await.is_err());
    }
    drop(store);
    let store = reopened(&disk).expect("a good disk again");
    let standing = store.standing(&token, NOW).await.expect("answered");
    assert_eq!(standing, Standing::Good);
}

#[actix_web::test]
async fn concurrent_changes_share_syncs_and_get_separate_answers() {
    let disk = SimulatedDisk::default();
    let store = fresh(&disk);
    let halt = disk.halt();
    let first = opening("first");
    let mut first = store.open(&first, NOW);
    assert!(is_pending(&mut first).await);
    disk.wait_until_syncing();

    // One of 100 rotations with the same token wins.
    let sessions: Vec<_> = (0..100)
        .map(|number| opening(&number.to_string()))
        .collect();
    let attempt = |number: usize| Rotation {
        successor: generation("first", number + 1),
        ..rotation("first", 0)
    };
    let rotations: Vec<_> = (0..100).map(attempt).collect();
    let mut opened: Vec<_> = sessions.iter().map(|it| store.open(it, NOW)).collect();
    let mut rotated: Vec<_> = rotations.iter().map(|it| store.rotate(it)).collect();
    for open in &mut opened {
        assert!(is_pending(open).await);
    }
    for rotate in &mut rotated {
        assert!(is_pending(rotate).await);
    }
    let syncs = disk.syncs();
    drop(halt);
    first.await.expect("opened");
    for open in opened {
        open.await.expect("opened");
    }
    let mut won = 0;
    for rotate in rotated {
        won += usize::from(matches!(rotate.await, Ok(Rotated::Won(_))));
    }
    assert_eq!(won, 1);
    // Two for the first change, two for the 200 others, and one each time the file grows.
    assert!(disk.syncs() < syncs + 10, "{} {syncs}", disk.syncs());
    let listed = store.sessions("alice", 1_000, NOW).await.expect("listed");
    assert_eq!(listed.len(), 100);
}

#[actix_web::test]
async fn an_abandoned_login_is_skipped_and_an_abandoned_revocation_is_made() {
    let disk = SimulatedDisk::default();
    let store = fresh(&disk);
    store.open(&opening("s"), NOW).await.expect("opened");
    let halt = disk.halt();
    let begun = opening("begun");
    let mut begun = store.open(&begun, NOW);
    assert!(is_pending(&mut begun).await);
    disk.wait_until_syncing();

    let (abandoned, revocation) = (opening("abandoned"), revoked("token"));
    let rotation = rotation("s", 0);
    let mut open = store.open(&abandoned, NOW);
    let mut rotate = store.rotate(&rotation);
    let mut revoke = store.revoke(&revocation, NOW);
    assert!(is_pending(&mut open).await);
    assert!(is_pending(&mut rotate).await);
    assert!(is_pending(&mut revoke).await);
    drop((begun, open, rotate, revoke));

    // Reads do not wait.
    let token = refresh_token("s", 0);
    let standing = store.standing(&token, NOW).await.expect("answered");
    assert_eq!(standing, Standing::Good);
    drop(halt);
    let revoked_another = store.revoke(&ended("another"), NOW).await;
    revoked_another.expect("nothing to do");

    let standing = async |token| store.standing(&token, NOW).await.expect("answered");
    assert_eq!(standing(plain_token("token")).await, Standing::Revoked);
    assert_eq!(standing(refresh_token("s", 0)).await, Standing::Good);
    assert_eq!(
        standing(refresh_token("abandoned", 0)).await,
        Standing::Revoked
    );
    // This one was already in the transaction, so it was made.
    assert_eq!(standing(refresh_token("begun", 0)).await, Standing::Good);
}

#[actix_web::test]
async fn a_disk_that_does_not_respond_refuses_new_changes_and_delays_the_drop() {
    let disk = SimulatedDisk::default();
    let store = fresh(&disk);
    let halt = disk.halt();
    let revocations: Vec<_> = (0..=MAX_QUEUED)
        .map(|number| Revocation::Token {
            subject: number.to_string(),
            id: "token".to_owned(),
            until: NOW + Duration::HOUR,
        })
        .collect();
    let mut revoking = store.revoke(&revocations[0], NOW);
    assert!(is_pending(&mut revoking).await);
    disk.wait_until_syncing();
    let mut waiting: Vec<_> = revocations[1..]
        .iter()
        .map(|revocation| store.revoke(revocation, NOW))
        .collect();
    for revoke in &mut waiting {
        assert!(is_pending(revoke).await);
    }
    let error = store.revoke(&revocations[0], NOW).await.expect_err("full");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");

    drop((revoking, waiting));
    let dropping = std::thread::spawn(move || drop(store));
    drop(halt);
    dropping.join().expect("no panic");
    let store = reopened(&disk).expect("whole");
    let mut last = plain_token("token");
    last.subject = MAX_QUEUED.to_string();
    let standing = store.standing(&last, NOW).await.expect("answered");
    assert_eq!(standing, Standing::Revoked, "queued changes are made");
}

#[actix_web::test]
async fn a_malformed_row_is_an_error_for_its_own_session_only() {
    let disk = SimulatedDisk::default();
    let database = database::fresh(disk.clone()).expect("a good disk");
    let transaction = database.begin_write().expect("begun");
    let mut sessions = transaction.open_table(SESSIONS).expect("there");
    let another = serde_json::to_vec(&session("another")).expect("JSON");
    for (id, row) in [("bad", &b"{"[..]), ("swapped", &another)] {
        sessions.insert(("alice", id), (0, row)).expect("inserted");
    }
    drop(sessions);
    transaction.commit().expect("a good disk");
    let store = FileStore::on(database).expect("started");

    // The next two changes wait for the same transaction.
    let halt = disk.halt();
    let (first, good, bad) = (opening("first"), opening("good"), rotation("bad", 0));
    let mut begun = store.open(&first, NOW);
    assert!(is_pending(&mut begun).await);
    disk.wait_until_syncing();
    let mut opened = store.open(&good, NOW);
    let mut rotated = store.rotate(&bad);
    assert!(is_pending(&mut opened).await && is_pending(&mut rotated).await);
    drop(halt);
    begun.await.expect("opened");
    opened.await.expect("opened");
    let error = rotated.await.expect_err("cannot be read");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    for id in ["bad", "swapped"] {
        assert!(store.standing(&refresh_token(id, 0), NOW).await.is_err());
        assert!(store.sessions("alice", 1_000, NOW).await.is_err());
        store.revoke(&ended(id), NOW).await.expect("ended");
        let standing = store.standing(&refresh_token(id, 0), NOW).await;
        assert_eq!(standing.expect("answered"), Standing::Revoked);
    }
    let mut listed = store.sessions("alice", 1_000, NOW).await.expect("listed");
    listed.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(listed, [first.session, good.session]);
}
