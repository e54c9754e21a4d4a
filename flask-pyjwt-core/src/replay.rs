//! Remembers the ids of messages that may be used once, such as DPoP proofs, until they are too old to be accepted.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use crate::jose::NumericDate;

/// The SHA-256 hash of a message's sender and id.
pub(crate) type Digest = [u8; 32];

/// How many messages are remembered at a time. They take about 50 MiB.
const MOST: usize = 400_000;
/// How many of them one sender can have, so that one cannot shut the others out. A service that sends all its requests as
/// one account makes 800 a second for a minute.
const MOST_OF_ONE: u32 = 50_000;

/// Why a message is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFirst {
    /// It was used before, or it may have been: it is as old as messages that were already forgotten.
    Used,
    /// Too many others are remembered. None of them is forgotten early.
    Full,
}

/// The messages that were used, and are not too old yet.
pub(crate) struct Replays {
    state: Mutex<State>,
    most: usize,
    most_of_one: u32,
}

#[derive(Default)]
struct State {
    /// The sender of each message.
    used: HashMap<Digest, Digest>,
    /// The messages by the second at which they end.
    by_end: BTreeMap<i64, Vec<Digest>>,
    /// How many messages of each sender are remembered.
    of_sender: HashMap<Digest, u32>,
    /// All messages that ended at or before this second may have been forgotten, also if the clock was set back since.
    forgotten_until: i64,
}

impl Default for Replays {
    fn default() -> Self {
        Self::with_limits(MOST, MOST_OF_ONE)
    }
}

impl Replays {
    fn with_limits(most: usize, most_of_one: u32) -> Self {
        let state = State {
            forgotten_until: i64::MIN,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            most,
            most_of_one,
        }
    }

    /// Remembers a message until it ends. From `ends_at` on, the caller does not accept it.
    pub(crate) fn first_use(
        &self,
        sender: Digest,
        message: Digest,
        ends_at: NumericDate,
        now: NumericDate,
    ) -> Result<(), NotFirst> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now.seconds());
        if ends_at.seconds() <= state.forgotten_until || state.used.contains_key(&message) {
            return Err(NotFirst::Used);
        }
        let of_sender = state.of_sender.get(&sender).copied().unwrap_or_default();
        if state.used.len() >= self.most || of_sender >= self.most_of_one {
            return Err(NotFirst::Full);
        }
        state.used.insert(message, sender);
        state.of_sender.insert(sender, of_sender + 1);
        let same_end = state.by_end.entry(ends_at.seconds()).or_default();
        same_end.push(message);
        Ok(())
    }
}

impl State {
    fn forget(&mut self, now: i64) {
        while let Some(first) = self.by_end.first_entry()
            && *first.key() <= now
        {
            let (end, messages) = first.remove_entry();
            self.forgotten_until = self.forgotten_until.max(end);
            for message in messages {
                let Some(sender) = self.used.remove(&message) else {
                    continue;
                };
                if let Some(count) = self.of_sender.get_mut(&sender) {
                    *count -= 1;
                    if *count == 0 {
                        self.of_sender.remove(&sender);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
