//! A bounded cache of answers about tokens.

use std::{
    collections::HashMap,
    mem,
    time::{Duration, Instant},
};

use crate::jose::NumericDate;

/// The SHA-256 of a token. The cache has no token.
pub(super) type Key = [u8; 32];

/// Answers of one kind. If there are too many, the older half is forgotten.
pub(super) struct Answers<T> {
    young: HashMap<Key, Kept<T>>,
    old: HashMap<Key, Kept<T>>,
    /// The bytes of the young answers.
    bytes: usize,
    /// Half of the maximum number, and of the maximum of bytes.
    most: (usize, usize),
}

struct Kept<T> {
    answer: T,
    /// In milliseconds since 1970.
    from: i64,
    until: i64,
    /// The end by the clock that nobody sets.
    deadline: Instant,
    bytes: usize,
}

impl<T: Clone> Answers<T> {
    /// Keeps at most so many answers with so many bytes.
    pub(super) fn new(count: usize, bytes: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            bytes: 0,
            most: (count / 2, bytes / 2),
        }
    }

    /// Returns the answer about a token. A clock that was set back makes no answer live longer.
    pub(super) fn get(&self, key: &Key, now: NumericDate, instant: Instant) -> Option<T> {
        let kept = self.young.get(key).or_else(|| self.old.get(key))?;
        let is_live = (kept.from..kept.until).contains(&now.milliseconds());
        (is_live && instant < kept.deadline).then(|| kept.answer.clone())
    }

    /// Whether there is an answer about a token, also one that has ended.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
    }

    /// Forgets the answer about a token.
    pub(super) fn forget(&mut self, key: &Key) {
        self.old.remove(key);
        if let Some(kept) = self.young.remove(key) {
            self.bytes -= kept.bytes;
        }
    }

    /// Keeps an answer of so many bytes for so many milliseconds.
    pub(super) fn keep(&mut self, key: Key, answer: T, bytes: usize, now: NumericDate, life: i64) {
        self.forget(&key);
        if life <= 0 || bytes > self.most.1 {
            return;
        }
        if self.young.len() >= self.most.0 || self.bytes + bytes > self.most.1 {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        let from = now.milliseconds();
        let kept = Kept {
            answer,
            from,
            until: from.saturating_add(life),
            deadline: Instant::now() + Duration::from_millis(life.unsigned_abs()),
            bytes,
        };
        self.bytes += bytes;
        self.young.insert(key, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::at(seconds).expect("in range")
    }

    fn get<T: Clone>(answers: &Answers<T>, key: &Key, now: NumericDate) -> Option<T> {
        answers.get(key, now, Instant::now())
    }

    fn key(number: u8) -> Key {
        [number; 32]
    }

    #[test]
    fn an_answer_is_kept_for_its_time_only_also_if_the_clock_is_set_back() {
        let mut answers = Answers::new(10, 1_000);
        answers.keep(key(1), "a", 1, at(100), 5_000);
        answers.keep(key(2), "b", 1, at(100), 0);
        answers.keep(key(3), "c", 501, at(100), 5_000);
        for (second, expected) in [
            (99, None),
            (100, Some("a")),
            (104, Some("a")),
            (105, None),
            (1_000, None),
        ] {
            assert_eq!(get(&answers, &key(1), at(second)), expected, "{second}");
        }
        assert_eq!(get(&answers, &key(2), at(100)), None);
        assert_eq!(get(&answers, &key(3), at(100)), None);
    }

    #[test]
    fn the_number_and_the_bytes_are_bounded() {
        let mut answers = Answers::new(10, 1_000);
        for number in 0..=255 {
            answers.keep(key(number), number, 1, at(100), 5_000);
            assert!(answers.young.len() + answers.old.len() <= 10);
            assert_eq!(get(&answers, &key(number), at(100)), Some(number));
        }
        let mut answers = Answers::new(10_000, 1_000);
        for number in 0..=255 {
            answers.keep(key(number), number, 100, at(100), 5_000);
            assert!(answers.young.len() + answers.old.len() <= 10);
        }
        // The newer answer counts.
        answers.keep(key(255), 7, 100, at(101), 1_000);
        assert_eq!(get(&answers, &key(255), at(101)), Some(7));
        assert_eq!(get(&answers, &key(255), at(102)), None);
    }

    #[test]
    fn an_answer_ends_also_if_the_clock_stands_still_or_is_set_back_within_its_time() {
        let mut answers = Answers::new(10, 1_000);
        answers.keep(key(1), "a", 1, at(100), 5_000);
        let later = |seconds| Instant::now() + Duration::from_secs(seconds);
        assert_eq!(answers.get(&key(1), at(104), later(3)), Some("a"));
        assert_eq!(answers.get(&key(1), at(104), later(6)), None);
    }

    #[test]
    fn a_forgotten_answer_leaves_its_bytes() {
        let mut answers = Answers::new(10, 1_000);
        for _ in 0..100 {
            answers.keep(key(1), "a", 400, at(100), 5_000);
            answers.keep(key(1), "b", 100, at(100), 5_000);
            assert_eq!((answers.bytes, answers.old.len()), (100, 0));
            answers.forget(&key(1));
            assert_eq!((answers.bytes, answers.has(&key(1))), (0, false));
        }
        answers.keep(key(1), "a", 1, at(100), 5_000);
        for number in 2..8 {
            answers.keep(key(number), "b", 1, at(100), 5_000);
        }
        assert!(answers.old.contains_key(&key(1)));
        answers.forget(&key(1));
        assert_eq!(get(&answers, &key(1), at(101)), None);
    }
}
