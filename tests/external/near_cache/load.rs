//! Random logins, refreshes, revocations and checks in several stores at the same time, and a record of what each
//! store has heard.

use std::{cell::RefCell, collections::HashSet, rc::Rc};

use actix_web::rt::{spawn, task::yield_now};
use flask_pyjwt::{
    RedisStore,
    store::{Rotated, SessionStore as _, Standing, TokenIdentity},
};
use futures_util::future::join_all;

use super::{hears, near_to};
use crate::redis_store::records::{
    Answers as _, DAY, GRACE, NOW, SECOND, auth, lone, refresh, revoke_session, revoke_subject,
    revoke_token, rotation, session,
};
use support::{
    random::Random,
    redis::{Server, needs_redis},
};

const STORES: usize = 3;
const TASKS: u64 = 8;
const STEPS: usize = 60;
/// How many sessions a subject may have whose sessions are evicted.
const MOST_SESSIONS: usize = 3;

/// What is known about the tokens, by subject, session and name.
#[derive(Default)]
struct Record {
    /// Those that exist and that nobody has begun to end.
    good: Vec<TokenIdentity>,
    /// Those that somebody has begun to end.
    ending: HashSet<String>,
    /// Those that have ended, and each store has heard it.
    ended: [HashSet<String>; STORES],
    wrong: Vec<String>,
    counts: [usize; 2],
}

fn name(token: &TokenIdentity) -> String {
    format!("{} {:?} {:?}", token.subject, token.session, token.id)
}

struct Play {
    stores: Vec<RedisStore>,
    record: RefCell<Record>,
}

impl Play {
    /// Checks a token in one store.
    async fn check(&self, place: usize, token: &TokenIdentity) {
        let name = name(token);
        let had_ended = self.record.borrow().ended[place].contains(&name);
        let mut standing = self.stores[place]
            .standing(token, NOW)
            .await
            .expect("an answer");
        if standing == Standing::Unused {
            let marked = self.stores[place].mark_used(token, NOW).await;
            standing = marked.expect("an answer");
        }
        let record = &mut *self.record.borrow_mut();
        let is_good = standing == Standing::Good;
        record.counts[usize::from(is_good)] += 1;
        if is_good && had_ended || !is_good && !record.ending.contains(&name) {
            record
                .wrong
                .push(format!("{standing:?} in store {place}: {name}"));
        }
    }

    /// From now on, these tokens may be refused.
    fn begins_to_end(&self, tokens: &[TokenIdentity]) {
        let record = &mut *self.record.borrow_mut();
        record.ending.extend(tokens.iter().map(name));
        record.good.retain(|token| !tokens.contains(token));
    }

    /// These tokens have ended, as one store knows. The others hear it.
    async fn have_ended(&self, place: usize, tokens: &[TokenIdentity]) {
        for turn in 0..STORES {
            let place = (place + turn) % STORES;
            if turn > 0 {
                hears(&self.stores[place]).await;
            }
            let record = &mut *self.record.borrow_mut();
            record.ended[place].extend(tokens.iter().map(name));
        }
        for place in 0..STORES {
            for token in tokens {
                self.check(place, token).await;
            }
        }
    }

    fn opened(&self, token: TokenIdentity) {
        self.record.borrow_mut().good.push(token);
    }

    /// A step with a session of its own, or with any token that is good.
    async fn step(&self, random: &mut Random, subject: &str, number: usize) {
        let place = random.below(STORES);
        let store = &self.stores[place];
        let id = format!("{subject}-{number}");
        let of = |name: &str| auth(subject, &id, name);
        match random.below(8) {
            0 => {
                store.opens(&session(subject, &id, NOW), NOW).await;
                self.opened(of("0"));
            }
            // The new pair is unused until it is checked.
            1 => {
                store.opens(&session(subject, &id, NOW), NOW).await;
                let mut rotation = rotation(subject, &id, "0", "1", NOW);
                rotation.successor.repeatable_until = Some(NOW + DAY);
                let place = random.below(STORES);
                let rotated = self.stores[place].rotates(&rotation).await;
                assert!(matches!(rotated, Rotated::Won(_)), "{rotated:?}");
                for name in ["0", "1"] {
                    self.opened(of(name));
                    self.check(random.below(STORES), &of(name)).await;
                }
            }
            2 => {
                store.opens(&session(subject, &id, NOW), NOW).await;
                self.ask_all(&of("0")).await;
                self.begins_to_end(&[of("0")]);
                store.revokes(&revoke_session(subject, &id), NOW).await;
                self.have_ended(place, &[of("0")]).await;
            }
            3 => {
                // Issued after its subject was revoked, if it was.
                let token = lone(subject, Some(&id), NOW + SECOND);
                self.ask_all(&token).await;
                self.begins_to_end(std::slice::from_ref(&token));
                store
                    .revokes(&revoke_token(subject, &id, NOW + DAY), NOW)
                    .await;
                self.have_ended(place, &[token]).await;
            }
            // A replayed refresh token ends its session.
            4 => {
                store.opens(&session(subject, &id, NOW), NOW).await;
                store.rotates(&rotation(subject, &id, "0", "1", NOW)).await;
                self.ask_all(&of("1")).await;
                let ended = [of("0"), of("1"), refresh(subject, &id, "1")];
                self.begins_to_end(&ended);
                let replay = rotation(subject, &id, "0", "2", NOW + GRACE);
                assert_eq!(store.rotates(&replay).await, Rotated::Replayed);
                self.have_ended(place, &ended).await;
            }
            // A login beyond the limit ends another session. The subject is this task's alone.
            5 => self.evict(place, subject, &id).await,
            6 => {
                let own = |token: &TokenIdentity| token.subject == subject;
                let mut all: Vec<_> = self
                    .record
                    .borrow()
                    .good
                    .iter()
                    .filter(|it| own(it))
                    .cloned()
                    .collect();
                all.push(lone(subject, None, NOW));
                self.begins_to_end(&all);
                store
                    .revokes(&revoke_subject(subject, NOW, NOW + DAY), NOW)
                    .await;
                self.have_ended(place, &all).await;
            }
            _ => {}
        }
        for _ in 0..6 {
            let token = {
                let good = &self.record.borrow().good;
                (!good.is_empty()).then(|| good[random.below(good.len())].clone())
            };
            if let Some(token) = token {
                self.check(random.below(STORES), &token).await;
            }
        }
    }

    /// Has all stores keep an answer about a token.
    async fn ask_all(&self, token: &TokenIdentity) {
        self.opened(token.clone());
        for place in 0..STORES {
            self.check(place, token).await;
            self.check(place, token).await;
        }
    }

    async fn evict(&self, place: usize, subject: &str, id: &str) {
        let subject = &format!("{subject}, evicted");
        let ids: Vec<_> = (0..=MOST_SESSIONS).map(|it| format!("{id}-{it}")).collect();
        let store = &self.stores[place];
        store
            .revokes(&revoke_subject(subject, NOW - DAY, NOW + DAY), NOW)
            .await;
        for id in &ids[..MOST_SESSIONS] {
            store.opens(&session(subject, id, NOW), NOW).await;
            self.ask_all(&auth(subject, id, "0")).await;
        }
        let all: Vec<_> = ids.iter().map(|id| auth(subject, id, "0")).collect();
        self.begins_to_end(&all);
        let last = session(subject, &ids[MOST_SESSIONS], NOW);
        let evicted = store.opens_of(&last, MOST_SESSIONS, NOW).await;
        assert_eq!(evicted.len(), 1);
        self.have_ended(place, &[auth(subject, &evicted[0], "0")])
            .await;
    }
}

#[actix_web::test]
async fn what_a_store_has_heard_it_never_forgets_and_what_is_good_is_never_refused() {
    needs_redis!();
    let server = Server::start();
    let mut stores = Vec::new();
    for _ in 0..STORES {
        stores.push(near_to(&server).await);
    }
    let play = Rc::new(Play {
        stores,
        record: RefCell::default(),
    });
    let tasks = (1..=TASKS).map(|task| {
        let play = Rc::clone(&play);
        spawn(async move {
            let mut random = Random(task.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let subject = format!("subject {task}");
            for number in 0..STEPS {
                play.step(&mut random, &subject, number).await;
                yield_now().await;
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("no panic");
    }
    let record = play.record.borrow();
    assert!(record.wrong.is_empty(), "{:#?}", &record.wrong);
    let [refused, good] = record.counts;
    assert!(
        refused > 500 && good > 500,
        "{refused} refused, {good} good"
    );
    for store in &play.stores {
        let counts = store.near_cache_counts().expect("a near cache");
        assert!(counts.hits > 500 && counts.changes > 500, "{counts:?}");
    }
}
