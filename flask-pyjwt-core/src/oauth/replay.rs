//! The ids of the assertions that a client has used, until the assertions expire.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How many ids of one client are kept. Each client has its own memory: none can fill that of another.
const MOST: usize = 10_000;

/// The ids, as digests, with the second at which each one is forgotten.
#[derive(Default)]
pub(super) struct UsedIds(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    ends: HashMap<[u8; 32], i64>,
    /// The latest second that was seen. If the clock is set back, nothing that was forgotten counts as new.
    latest: i64,
}

/// What a use of an id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    First,
    Repeated,
    /// It is unknown, and there is no room to remember it.
    Full,
}

impl UsedIds {
    /// Notes a use. An id of which `end` has passed counts as used.
    pub(super) fn note(&self, id: [u8; 32], end: i64, now: i64) -> Use {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = kept.latest.max(now);
        kept.latest = now;
        if end <= now || kept.ends.contains_key(&id) {
            return Use::Repeated;
        }
        if kept.ends.len() >= MOST {
            kept.ends.retain(|_, end| *end > now);
        }
        if kept.ends.len() >= MOST {
            return Use::Full;
        }
        kept.ends.insert(id, end);
        Use::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> [u8; 32] {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        id
    }

    #[test]
    fn an_id_is_used_once_even_if_the_clock_is_set_back() {
        let used = UsedIds::default();
        assert_eq!(used.note(id(1), 100, 50), Use::First);
        assert_eq!(used.note(id(1), 100, 99), Use::Repeated);
        assert_eq!(used.note(id(1), 100, 100), Use::Repeated);
        assert_eq!(
            used.note(id(2), 100, 50),
            Use::Repeated,
            "it is 100 already"
        );
    }

    #[test]
    fn a_full_memory_refuses_and_does_not_forget() {
        let used = UsedIds::default();
        for number in 0..MOST {
            assert_eq!(used.note(id(number), 100, 50), Use::First);
        }
        assert_eq!(used.note(id(MOST), 100, 50), Use::Full);
        assert_eq!(used.note(id(0), 100, 50), Use::Repeated);
        assert_eq!(
            used.note(id(MOST), 200, 100),
            Use::First,
            "the others have ended"
        );
    }
}
