//! Rules of every store, by comparison with a `SubjectRecord`, which defines them.

use std::collections::HashMap;
use support::folder::Folder;

use actix_web::rt;
use flask_pyjwt::{
    FileStore,
    store::{Moment, Opening, Rotated, SessionStore as _, Standing, SubjectRecord, TokenIdentity},
};
use futures_util::future::join_all;
use proptest::{prelude::*, test_runner::TestCaseError};

use time::Duration;

use super::sessions::{
    HOUR, NOW, end_session, generation, opening, plain_token, refresh_token, revoke_subject,
    revoke_token, rotation, session, standing,
};

/// A step of a history: its subject, its session, its pair of tokens and so on.
#[derive(Debug, Clone)]
enum Step {
    Open(usize, usize),
    Rotate(usize, usize, usize, i64),
    MarkUsed(usize, usize, usize),
    EndSession(usize, usize),
    RevokeToken(usize, usize, usize),
    RevokeSubject(usize),
    Wait(i64),
    Reopen,
}

const SUBJECTS: [&str; 3] = ["alice", "alice\0", ""];
const SESSIONS: [&str; 3] = ["s", "t", ""];

fn step() -> impl Strategy<Value = Step> {
    let (subject, session, number) = (0..SUBJECTS.len(), 0..SESSIONS.len(), 0..4_usize);
    prop_oneof![
        6 => (subject.clone(), session.clone()).prop_map(|(a, b)| Step::Open(a, b)),
        12 => (subject.clone(), session.clone(), number.clone(), prop_oneof![Just(0), Just(60_000)])
            .prop_map(|(a, b, c, d)| Step::Rotate(a, b, c, d)),
        3 => (subject.clone(), session.clone(), number.clone())
            .prop_map(|(a, b, c)| Step::MarkUsed(a, b, c)),
        2 => (subject.clone(), session.clone()).prop_map(|(a, b)| Step::EndSession(a, b)),
        2 => (subject.clone(), session, number).prop_map(|(a, b, c)| Step::RevokeToken(a, b, c)),
        1 => subject.prop_map(Step::RevokeSubject),
        3 => prop_oneof![Just(30_000), Just(60_000), Just(1_200_000)].prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ]
}

/// All tokens that a store can be asked about.
fn tokens(now: Moment) -> Vec<TokenIdentity> {
    let mut tokens = Vec::new();
    for subject in SUBJECTS {
        for session in SESSIONS {
            for number in 0..4 {
                let refresh = refresh_token(subject, session, number);
                let mut auth = refresh.clone();
                auth.id = Some(generation(session, number, Moment::UNIX_EPOCH).auth_id);
                auth.grace = None;
                tokens.push(auth);
                let mut with_grace = refresh.clone();
                with_grace.grace = Some(Duration::MINUTE);
                tokens.push(with_grace);
                tokens.push(refresh);
            }
        }
        for issued_at in [NOW, now - Duration::MILLISECOND, now] {
            tokens.push(plain_token(subject, "p", issued_at));
        }
    }
    tokens
}

async fn history(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let open = || FileStore::open(&path).expect("opened");
    let mut store = open();
    let mut model: HashMap<&str, SubjectRecord> = HashMap::new();
    // The clock is set so that nothing has ended more than an hour ago. Forgetting is tested elsewhere.
    let (mut now, far) = (NOW, NOW + 1_000 * HOUR);
    for step in steps {
        match step {
            Step::Open(subject, id) => {
                let session = session(SUBJECTS[subject], SESSIONS[id], now);
                // Three sessions are opened, and the limit is two.
                let opening = Opening::new(session, 2);
                let evicted = store.open(&opening, now).await.expect("opened");
                let model = model.entry(SUBJECTS[subject]).or_default();
                prop_assert_eq!(evicted, model.open(&opening, now));
            }
            Step::Rotate(subject, id, number, grace) => {
                let mut rotation = rotation(SUBJECTS[subject], SESSIONS[id], number, now);
                rotation.grace = Duration::milliseconds(grace);
                rotation.successor.repeatable_until = (number > 0).then_some(now + HOUR / 2);
                if now > NOW {
                    // A time that identifies another attempt.
                    rotation.successor.auth_id += &now.milliseconds().to_string();
                }
                rotation.claims = (number == 2).then(|| r#"{"scope":2}"#.to_owned());
                let rotated = store.rotate(&rotation).await.expect("answered");
                let expected = model
                    .entry(SUBJECTS[subject])
                    .or_default()
                    .rotate(&rotation);
                prop_assert_eq!(rotated, expected);
            }
            Step::MarkUsed(subject, id, number) => {
                let token = refresh_token(SUBJECTS[subject], SESSIONS[id], number);
                let marked = store.mark_used(&token, now).await.expect("answered");
                let record = model.entry(SUBJECTS[subject]).or_default();
                prop_assert_eq!(marked, record.mark_used(&token, now));
            }
            Step::EndSession(subject, id) => {
                let revocation = end_session(SUBJECTS[subject], SESSIONS[id]);
                let ended = store.revoke(&revocation, now).await.expect("ended");
                let model = model.entry(SUBJECTS[subject]).or_default();
                let expected = model.revoke(&revocation, now).expect("there is room");
                prop_assert_eq!(ended, expected);
            }
            Step::RevokeToken(subject, id, number) => {
                let id = generation(SESSIONS[id], number, Moment::UNIX_EPOCH).refresh_id;
                let revocation = revoke_token(SUBJECTS[subject], &id, far);
                store.revoke(&revocation, now).await.expect("revoked");
                model
                    .entry(SUBJECTS[subject])
                    .or_default()
                    .revoke(&revocation, now)
                    .expect("there is room");
            }
            Step::RevokeSubject(subject) => {
                let revocation = revoke_subject(SUBJECTS[subject], now, far);
                let ended = store.revoke(&revocation, now).await.expect("revoked");
                let model = model.entry(SUBJECTS[subject]).or_default();
                let expected = model.revoke(&revocation, now).expect("there is room");
                prop_assert_eq!(ended, expected);
            }
            Step::Wait(time) => {
                let last = NOW + 2 * HOUR - Duration::MILLISECOND;
                now = (now + Duration::milliseconds(time)).min(last);
            }
            Step::Reopen => {
                drop(store);
                store = open();
            }
        }
        for token in tokens(now) {
            let record = model.entry(subject_of(&token)).or_default();
            let expected = record.standing(&token, now);
            let standing = standing(&store, &token, now).await;
            prop_assert_eq!(standing, expected, "{:?}", token);
        }
        for subject in SUBJECTS {
            let mut listed = store.sessions(subject, 1_000, now).await.expect("listed");
            let mut expected = model.entry(subject).or_default().sessions(1_000, now);
            listed.sort_by(|a, b| a.id.cmp(&b.id));
            expected.sort_by(|a, b| a.id.cmp(&b.id));
            prop_assert_eq!(listed, expected);
        }
    }
    Ok(())
}

fn subject_of(token: &TokenIdentity) -> &'static str {
    let mut subjects = SUBJECTS.into_iter();
    subjects
        .find(|subject| *subject == token.subject)
        .expect("one of them")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_has_the_same_outcome_as_the_subjects_record(
        steps in prop::collection::vec(step(), 1..30),
    ) {
        rt::System::new().block_on(history(steps))?;
    }
}

#[actix_web::test]
async fn threat_37_one_of_a_thousand_concurrent_rotations_wins_and_all_get_its_successor() {
    let folder = Folder::new("file-store");
    let store = FileStore::open(folder.file("sessions")).expect("opened");
    store
        .open(&opening("alice", "s", NOW), NOW)
        .await
        .expect("opened");
    let rotations: Vec<_> = (0..1_000)
        .map(|number| {
            let mut rotation = rotation("alice", "s", 0, NOW);
            rotation.successor = generation("s", number + 1, NOW);
            rotation.grace = Duration::milliseconds(10_000);
            rotation
        })
        .collect();
    let rotated = join_all(rotations.iter().map(|rotation| store.rotate(rotation))).await;
    let (mut winners, mut successors) = (Vec::new(), Vec::new());
    for rotated in rotated {
        match rotated.expect("answered") {
            Rotated::Won(session) => winners.push(session),
            Rotated::Again(_, successor) => successors.push(successor),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(successors.len(), 999);
    let successor = winners[0].current().expect("a pair");
    assert!(successors.iter().all(|other| other == successor));
}

#[actix_web::test]
async fn a_replay_is_on_disk_when_it_is_reported() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let store = FileStore::open(&path).expect("opened");
    store
        .open(&opening("alice", "s", NOW), NOW)
        .await
        .expect("opened");
    store
        .rotate(&rotation("alice", "s", 0, NOW))
        .await
        .expect("won");
    let mut copy = rotation("alice", "s", 0, NOW);
    copy.successor = generation("s", 2, NOW);
    assert_eq!(
        store.rotate(&copy).await.expect("answered"),
        Rotated::Replayed
    );
    drop(store);
    let store = FileStore::open(&path).expect("opened");
    let current = refresh_token("alice", "s", 1);
    assert_eq!(standing(&store, &current, NOW).await, Standing::Revoked);
}
