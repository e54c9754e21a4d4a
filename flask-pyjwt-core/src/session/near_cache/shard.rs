//! A part of the cache with a lock of its own.

use std::collections::HashMap;

use super::{
    kept::{Dropped, Entry, Kept},
    open::{Open, Question},
};

/// The answers and the open questions of some subjects.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) kept: Kept,
    pub(super) open: HashMap<Box<[u8]>, Open>,
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) questions: u64,
}

impl Shard {
    pub(super) fn new(most: usize) -> Self {
        Self {
            kept: Kept::new(most),
            open: HashMap::new(),
            hits: 0,
            misses: 0,
            questions: 0,
        }
    }

    /// A subject has changed.
    pub(super) fn change(&mut self, key: &[u8]) {
        self.kept.forget(key);
        if let Some(open) = self.open.get_mut(key) {
            open.change();
        }
    }

    /// A question has ended with these answers, or has failed. Returns the next question.
    pub(super) fn end(
        &mut self,
        question: &Question,
        entries: impl Iterator<Item = Entry>,
    ) -> (Option<Question>, Vec<Dropped>) {
        let Some(open) = self.open.get_mut(&*question.key) else {
            return (None, Vec::new());
        };
        let (is_unchanged, next) = open.end(question);
        if open.is_idle() {
            self.open.remove(&*question.key);
        }
        self.questions += u64::from(next.is_some());
        if !is_unchanged {
            return (next, Vec::new());
        }
        let dropped = entries.map(|entry| self.kept.keep(&question.key, entry));
        (next, dropped.collect())
    }
}
