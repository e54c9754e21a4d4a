//! Random histories of one user in three processes that move sessions, compared with one record that was never moved.
//! In each round, up to three steps overlap in a random way. Some order of them has to explain all answers.

use std::{
    future::Future,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use flask_pyjwt::{
    MemoryStore, MigratingStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreFuture, SubjectRecord, TokenIdentity,
    },
};
use support::random::Random;
use time::Duration;

use super::records::{NOW, auth, generation, opening, refresh, rotation};

/// One operation of a store.
#[derive(Debug, Clone)]
enum Step {
    Open(Opening),
    Rotate(Rotation),
    Standing(TokenIdentity),
    MarkUsed(TokenIdentity),
    Revoke(Revocation),
    List,
}

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "few of them exist at a time")]
enum Answer {
    Opened(Vec<String>),
    Rotated(Rotated),
    Standing(Standing),
    Revoked,
    Listed(Vec<SessionRecord>),
}

fn listed(mut sessions: Vec<SessionRecord>) -> Answer {
    sessions.sort_by(|a, b| a.id.cmp(&b.id));
    Answer::Listed(sessions)
}

impl Step {
    async fn ask(&self, store: &impl SessionStore, now: Moment) -> Answer {
        match self {
            Self::Open(it) => store.open(it, now).await.map(Answer::Opened),
            Self::Rotate(it) => store.rotate(it).await.map(Answer::Rotated),
            Self::Standing(it) => store.standing(it, now).await.map(Answer::Standing),
            Self::MarkUsed(it) => store.mark_used(it, now).await.map(Answer::Standing),
            Self::Revoke(it) => store.revoke(it, now).await.map(|_| Answer::Revoked),
            Self::List => store.sessions("alice", 1_000, now).await.map(listed),
        }
        .expect("an answer")
    }

    fn apply(&self, record: &mut SubjectRecord, now: Moment) -> Answer {
        match self {
            Self::Open(it) => Answer::Opened(record.open(it, now)),
            Self::Rotate(it) => Answer::Rotated(record.rotate(it)),
            Self::Standing(it) => Answer::Standing(record.standing(it, now)),
            Self::MarkUsed(it) => Answer::Standing(record.mark_used(it, now)),
            Self::Revoke(it) => {
                record.revoke(it, now).expect("room");
                Answer::Revoked
            }
            Self::List => listed(record.sessions(1_000, now)),
        }
    }
}

/// A store in another process: other steps may happen before and after each call.
struct Remote(Arc<MemoryStore>);

/// Is pending once.
async fn pause() {
    let mut has_paused = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut has_paused, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

impl Remote {
    fn call<'a, T: Send + 'a>(
        &'a self,
        call: impl FnOnce(&'a MemoryStore) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            pause().await;
            let answer = call(&self.0).await;
            pause().await;
            answer
        })
    }
}

impl SessionStore for Remote {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.call(move |store| store.open(opening, now))
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.call(move |store| store.rotate(rotation))
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.call(move |store| store.standing(token, now))
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.call(move |store| store.mark_used(token, now))
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.call(move |store| store.revoke(revocation, now))
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.call(move |store| store.sessions(subject, most, now))
    }
    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        self.call(move |store| store.adopt(subject, sessions, now))
    }
}

/// Polls the futures in a random order until all are done.
fn interleaved<T>(random: &mut Random, futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut answers: Vec<Option<T>> = running.iter().map(|_| None).collect();
    let mut context = Context::from_waker(Waker::noop());
    while answers.iter().any(Option::is_none) {
        let next = random.below(running.len());
        if answers[next].is_none()
            && let Poll::Ready(answer) = running[next].as_mut().poll(&mut context)
        {
            answers[next] = Some(answer);
        }
    }
    answers.into_iter().flatten().collect()
}

/// The states to which some order of the steps leads with exactly these answers.
fn explained(
    state: &SubjectRecord,
    steps: &[(Step, Answer)],
    now: Moment,
    states: &mut Vec<SubjectRecord>,
) {
    if steps.is_empty() && !states.contains(state) {
        states.push(state.clone());
    }
    for first in 0..steps.len() {
        let mut rest = steps.to_vec();
        let (step, answer) = rest.remove(first);
        let mut state = state.clone();
        if step.apply(&mut state, now) == answer {
            explained(&state, &rest, now, states);
        }
    }
}

/// A random step. Sessions are called `s0` to `s3`, and pairs of tokens by the number of their step.
fn step(random: &mut Random, number: &mut usize, now: Moment) -> Step {
    *number += 1;
    let recent = number.saturating_sub(1 + random.below(12));
    let known = if random.below(3) == 0 {
        recent
    } else {
        random.below(4)
    };
    let (session, first) = (format!("s{known}"), format!("s{known}"));
    let recent = recent.to_string();
    let pair = random.of(&[first.as_str(), recent.as_str()]).to_owned();
    let token = match random.below(5) {
        0 => auth(None, Some(&pair)),
        1 => auth(None, None),
        2 => refresh(&session, &pair),
        _ => auth(Some(&session), Some(&pair)),
    };
    match random.below(20) {
        0..=2 => {
            // Each session is opened at most once, as ids are random.
            let id = format!("s{number}");
            let mut opening = opening(&id, 1 + random.below(4), now);
            if random.below(3) == 0 {
                opening = opening.replacing(vec![session]);
            }
            Step::Open(opening)
        }
        3..=8 => Step::Rotate(rotation(&session, &pair, &number.to_string(), now)),
        9..=12 => Step::Standing(token),
        13..=14 => Step::MarkUsed(token),
        15 => {
            let id = generation(&pair, now);
            let id = random
                .of(&[id.auth_id.as_str(), id.refresh_id.as_str()])
                .to_owned();
            Step::Revoke(Revocation::of_token("alice", id, now + Duration::DAY))
        }
        16..=17 => Step::Revoke(Revocation::of_session("alice", session)),
        18 => Step::Revoke(Revocation::of_subject("alice", now, now + Duration::DAY)),
        _ => Step::List,
    }
}

/// One history. Returns how many of its answers let somebody in.
fn run(seed: u64) -> usize {
    let mut random = Random(seed);
    let (old, new) = (Arc::<MemoryStore>::default(), Arc::<MemoryStore>::default());
    let mut truth = SubjectRecord::default();
    let (mut now, mut number) = (NOW, 4);
    let mut ask = |random: &mut Random, store: &MemoryStore, step: &Step, now| {
        let answers = interleaved(random, vec![step.ask(store, now)]);
        assert_eq!(answers, [step.apply(&mut truth, now)], "before the move");
    };
    for id in 0..4 {
        let open = Step::Open(opening(&format!("s{id}"), 4, now));
        ask(&mut random, &old, &open, now);
    }
    for _ in 0..random.below(8) {
        let step = step(&mut random, &mut number, now);
        ask(&mut random, &old, &step, now);
        now += Duration::seconds(i64::try_from(random.below(30)).unwrap_or_default());
    }

    let process = || MigratingStore::new(Remote(Arc::clone(&old)), Remote(Arc::clone(&new)));
    let processes = [process(), process(), process()];
    let mut states = vec![truth];
    let (mut accepted, mut latest) = (0, now);
    for round in 0..14 {
        let count = 1 + random.below(3);
        let steps: Vec<_> = (0..count)
            .map(|_| step(&mut random, &mut number, now))
            .collect();
        let asking = steps
            .iter()
            .zip(&processes)
            .map(|(step, process)| step.ask(process, now));
        let answers = interleaved(&mut random, asking.collect());
        let steps: Vec<_> = steps.into_iter().zip(answers).collect();
        let mut possible = Vec::new();
        for state in &states {
            explained(state, &steps, now, &mut possible);
        }
        assert!(
            !possible.is_empty(),
            "seed {seed}, round {round}: {steps:#?} {states:#?}"
        );
        states = possible;
        let lets_in = |answer: &Answer| {
            matches!(
                answer,
                Answer::Rotated(Rotated::Won(_)) | Answer::Standing(Standing::Good)
            )
        };
        accepted += steps.iter().filter(|(_, answer)| lets_in(answer)).count();
        // The clock may be set back by less than an hour.
        latest = latest.max(now);
        let seconds = match random.below(12) {
            0 => 5_400,
            1 => -3_500,
            2 => 300,
            _ => i64::try_from(random.below(12)).unwrap_or_default(),
        };
        now = (now + Duration::seconds(seconds)).max(latest - Duration::minutes(59));
    }
    accepted
}

#[test]
fn every_history_of_three_processes_agrees_with_a_record_that_was_never_moved() {
    let accepted: usize = (1..=1_500).map(run).sum();
    assert!(accepted > 1_500, "too few steps let anybody in: {accepted}");
}
