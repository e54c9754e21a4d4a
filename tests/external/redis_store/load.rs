//! Many clients that open, rotate and end sessions all the time while the servers fail, and a record of what was
//! wrongly accepted.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use actix_web::rt::{spawn, task::JoinHandle, task::yield_now};
use flask_pyjwt::store::{Opening, Rotated, SessionStore, Standing, TokenIdentity};

use super::{
    records::{
        DAY, GRACE, NOW, auth, lone, refresh, revoke_session, revoke_subject, revoke_token,
        rotation, session,
    },
    server::wait_until,
};

/// What all clients have seen.
#[derive(Default)]
pub(crate) struct Account {
    /// Steps that were acknowledged.
    pub(crate) done: Cell<usize>,
    /// Steps that ended in an error.
    pub(crate) failed: Cell<usize>,
    /// What was wrongly accepted. It must stay empty.
    pub(crate) wrong: RefCell<Vec<String>>,
    /// Tokens whose end was acknowledged.
    ended: RefCell<Vec<TokenIdentity>>,
    stops: Cell<bool>,
}

fn count(counter: &Cell<usize>) {
    counter.set(counter.get() + 1);
}

impl Account {
    /// Counts a step, and returns its answer if it has one.
    fn noted<T, E>(&self, answer: Result<T, E>) -> Option<T> {
        count(if answer.is_ok() {
            &self.done
        } else {
            &self.failed
        });
        answer.ok()
    }

    /// A token whose end was acknowledged must not be valid, now or later.
    async fn has_ended(&self, store: &impl SessionStore, token: TokenIdentity) {
        let standing = store.standing(&token, NOW + GRACE).await;
        if self.noted(standing) == Some(Standing::Good) {
            self.wrong.borrow_mut().push(format!("{token:?}"));
        }
        self.ended.borrow_mut().push(token);
    }
}

/// The load, until it is stopped.
pub(crate) struct Load<S> {
    pub(crate) account: Rc<Account>,
    store: Rc<S>,
    tasks: Vec<JoinHandle<()>>,
}

impl<S: SessionStore> Load<S> {
    pub(crate) fn start(store: &Rc<S>, subjects: Vec<String>) -> Self {
        let account = Rc::<Account>::default();
        let task = |subject| spawn(use_sessions(Rc::clone(store), Rc::clone(&account), subject));
        Self {
            tasks: subjects.into_iter().map(task).collect(),
            account: Rc::clone(&account),
            store: Rc::clone(store),
        }
    }

    /// Waits until so many more steps were acknowledged.
    pub(crate) async fn wait_for_steps(&self, steps: usize) {
        let enough = self.account.done.get() + steps;
        wait_until("steps are done", async || self.account.done.get() >= enough).await;
    }

    /// Waits until so many more steps ended in an error.
    pub(crate) async fn fails(&self, steps: usize) {
        let enough = self.account.failed.get() + steps;
        wait_until("steps fail", async || self.account.failed.get() >= enough).await;
    }

    /// Stops the load, and checks that nothing was or is wrongly accepted.
    pub(crate) async fn stop(self) -> Rc<Account> {
        self.account.stops.set(true);
        for task in self.tasks {
            task.await.expect("it ends");
        }
        let ended = self.account.ended.take();
        assert!(ended.len() > 50, "the load was too small: {}", ended.len());
        for token in ended {
            // A server with a new connection can need a second attempt.
            let mut standing = None;
            wait_until("there is an answer", async || {
                standing = self.store.standing(&token, NOW + GRACE).await.ok();
                standing.is_some()
            })
            .await;
            if standing == Some(Standing::Good) {
                self.account
                    .wrong
                    .borrow_mut()
                    .push(format!("in the end: {token:?}"));
            }
        }
        let wrong = self.account.wrong.borrow();
        assert!(
            wrong.is_empty(),
            "{} accepted: {:#?}",
            wrong.len(),
            wrong.first()
        );
        drop(wrong);
        self.account
    }
}

/// The sessions of one subject: they are opened, rotated, and ended in every possible way.
async fn use_sessions(store: Rc<impl SessionStore>, account: Rc<Account>, subject: String) {
    let subject = subject.as_str();
    for number in 0.. {
        if account.stops.get() {
            return;
        }
        // So that other tasks get their turn, whatever the store does.
        yield_now().await;
        let id = number.to_string();
        let id = id.as_str();
        let opened = session(subject, id, NOW);
        if account
            .noted(store.open(&Opening::new(opened.clone(), 1_000), NOW).await)
            .is_none()
        {
            continue;
        }
        account.noted(store.standing(&auth(subject, id, "0"), NOW).await);
        let first = rotation(subject, id, "0", "1", NOW);
        let rotated = account.noted(store.rotate(&first).await);
        match (number % 4, rotated) {
            // After the grace window, the first refresh token of a rotated session is a replay.
            (0, Some(Rotated::Won(_) | Rotated::Again(..))) => {
                account.has_ended(&*store, refresh(subject, id, "0")).await;
                let replay = rotation(subject, id, "0", "2", NOW + GRACE);
                match account.noted(store.rotate(&replay).await) {
                    Some(Rotated::Won(_) | Rotated::Again(..) | Rotated::LostAnswer(..)) => {
                        let wrong = format!("a replay of {subject}, {id}");
                        account.wrong.borrow_mut().push(wrong);
                    }
                    Some(Rotated::Replayed | Rotated::Gone) => {
                        account.has_ended(&*store, auth(subject, id, "1")).await;
                    }
                    other => assert!(other.is_none(), "{other:?}"),
                }
            }
            (1, _) => {
                let mut token = auth(subject, id, "0");
                let revocation = revoke_token(subject, &format!("a-{id}-0"), NOW + DAY);
                if account
                    .noted(store.revoke(&revocation, NOW).await)
                    .is_some()
                {
                    token.id = Some(format!("a-{id}-0"));
                    account.has_ended(&*store, token).await;
                }
            }
            (2, _) => {
                let all = revoke_subject(subject, NOW, NOW + DAY);
                if account.noted(store.revoke(&all, NOW).await).is_some() {
                    account.has_ended(&*store, auth(subject, id, "1")).await;
                    account.has_ended(&*store, lone(subject, None, NOW)).await;
                }
            }
            _ => {
                let revocation = revoke_session(subject, id);
                if account
                    .noted(store.revoke(&revocation, NOW).await)
                    .is_some()
                {
                    account.has_ended(&*store, auth(subject, id, "1")).await;
                }
            }
        }
    }
}

/// Names of subjects.
pub(crate) fn subjects(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("subject {number}"))
        .collect()
}
