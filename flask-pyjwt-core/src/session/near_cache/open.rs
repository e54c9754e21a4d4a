//! The questions about one subject that have not been answered yet.

use std::{collections::HashMap, mem, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    super::StoreError,
    answer::{Answer, AuthToken},
    subscription::Under,
};

/// About how many tokens one question asks at most.
const MOST_ASKED: usize = 128;

/// Somebody who waits for an answer.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) answer: oneshot::Sender<Result<Answer, Arc<StoreError>>>,
    /// Counts this one among all who wait, even after it has gone away.
    pub(super) _place: OwnedSemaphorePermit,
}

pub(super) type Waiters = HashMap<AuthToken, Vec<Waiter>>;

/// A question about some tokens of a subject.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) key: Arc<[u8]>,
    number: u64,
    /// How many changes of the subject had been announced before.
    changes: u64,
    pub(super) waiters: Waiters,
    /// Under what the question was sent, as it was before that.
    pub(super) under: Option<Under>,
}

/// The questions about a subject.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// How many are being asked.
    asked: usize,
    /// The one for whose end the others wait.
    awaited: Option<u64>,
    numbers: u64,
    changes: u64,
    waiters: Waiters,
}

impl Open {
    /// Adds somebody. Returns the question to ask now, unless the one that is being asked has to
    /// be answered first. Nobody joins a question that may have been sent already.
    pub(super) fn join(
        &mut self,
        key: &[u8],
        token: AuthToken,
        waiter: Waiter,
    ) -> Option<Question> {
        self.waiters.entry(token).or_default().push(waiter);
        self.awaited.is_none().then(|| self.next(key.into()))?
    }

    /// The subject changes: what has been asked about it may be outdated.
    pub(super) fn change(&mut self) {
        self.changes += 1;
    }

    /// No longer waits for this question. Returns the next one.
    pub(super) fn overdue(&mut self, question: &Question) -> Option<Question> {
        if self.awaited != Some(question.number) {
            return None;
        }
        self.awaited = None;
        self.next(Arc::clone(&question.key))
    }

    /// Notes that a question was answered or has failed. Returns whether the subject is unchanged
    /// since before it was sent, and the next question.
    pub(super) fn end(&mut self, question: &Question) -> (bool, Option<Question>) {
        self.asked -= 1;
        (self.changes == question.changes, self.overdue(question))
    }

    /// Whether nobody asks about the subject.
    pub(super) fn is_idle(&self) -> bool {
        self.asked == 0
    }

    fn next(&mut self, key: Arc<[u8]>) -> Option<Question> {
        let waiters: Waiters = if self.waiters.len() <= MOST_ASKED {
            mem::take(&mut self.waiters)
        } else {
            self.waiters
                .extract_if(|_, _| true)
                .take(MOST_ASKED)
                .collect()
        };
        if waiters.is_empty() {
            return None;
        }
        self.asked += 1;
        self.numbers += 1;
        self.awaited = Some(self.numbers);
        Some(Question {
            key,
            number: self.numbers,
            changes: self.changes,
            waiters,
            under: None,
        })
    }
}
