//! The answers of one shard, in two generations: a bounded memory of those used most recently.

use std::{collections::HashMap, mem};

use super::{
    super::TokenIdentity,
    answer::{Answer, AuthToken},
    subscription::Under,
};

/// How many tokens of one subject are remembered at most. Another one replaces the oldest of them, so that
/// one account with any number of tokens takes little room.
const MOST_TOKENS: usize = 256;
/// The longest key and texts of a token, in bytes, that are remembered.
const MOST_BYTES: usize = 1_024;

/// An answer about a token, and under what it was read.
#[derive(Debug)]
pub(super) struct Entry {
    /// A hash of the token. The token itself is compared, too.
    pub(super) hash: u64,
    pub(super) token: AuthToken,
    pub(super) answer: Answer,
    pub(super) under: Under,
}

/// The entries of a subject.
#[derive(Debug, Default)]
struct Subject {
    entries: Vec<Entry>,
    /// The entry that is replaced next, when there is no room for another one.
    oldest: usize,
}

/// The subjects that were used since the generations were last exchanged, or before that.
#[derive(Debug, Default)]
struct Generation {
    subjects: HashMap<Box<[u8]>, Subject>,
    entries: usize,
}

/// The entries of a shard. Those used recently are in the young generation. When that is full, it
/// becomes the old one, and the previous old one is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    young: Generation,
    old: Generation,
    /// How many entries a generation may have.
    room: usize,
}

/// Entries to be dropped after the lock is released.
#[must_use = "drop it when the shard is unlocked"]
#[derive(Debug, Default)]
pub(super) struct Dropped(#[expect(dead_code, reason = "it is only dropped")] Option<Generation>);

impl Kept {
    /// Room for this many entries.
    pub(super) fn new(most: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            room: (most / 2).max(1),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.young.entries + self.old.entries
    }

    /// Finds the entry of a token. Makes its subject young.
    pub(super) fn find(
        &mut self,
        key: &[u8],
        hash: u64,
        token: &TokenIdentity,
    ) -> (Option<&Entry>, Dropped) {
        let mut dropped = Dropped::default();
        if !self.young.subjects.contains_key(key) {
            let Some((key, subject)) = self.old.take(key) else {
                return (None, dropped);
            };
            dropped = self.make_room(subject.entries.len());
            self.young.entries += subject.entries.len();
            self.young.subjects.insert(key, subject);
        }
        let entries = self.young.subjects.get(key).map(|it| &it.entries);
        let mut entries = entries.into_iter().flatten();
        let found = entries.find(|it| it.hash == hash && it.token.is(token));
        (found, dropped)
    }

    /// Keeps an entry, unless its texts are too long. Replaces an entry of the same token.
    pub(super) fn keep(&mut self, key: &[u8], entry: Entry) -> Dropped {
        if key.len() + entry.token.len() > MOST_BYTES {
            return Dropped::default();
        }
        let (mut key, mut subject) = (Box::from(key), Subject::default());
        for generation in [&mut self.young, &mut self.old] {
            if let Some(known) = generation.take(&key) {
                (key, subject) = known;
                break;
            }
        }
        subject.put(entry, self.room.min(MOST_TOKENS));
        let dropped = self.make_room(subject.entries.len());
        self.young.entries += subject.entries.len();
        self.young.subjects.insert(key, subject);
        dropped
    }

    /// Forgets a subject.
    pub(super) fn forget(&mut self, key: &[u8]) {
        for generation in [&mut self.young, &mut self.old] {
            drop(generation.take(key));
        }
    }

    /// Exchanges the generations if the young one has no room for this many entries.
    fn make_room(&mut self, entries: usize) -> Dropped {
        if self.young.entries == 0 || self.young.entries + entries <= self.room {
            return Dropped::default();
        }
        let young = mem::take(&mut self.young);
        Dropped(Some(mem::replace(&mut self.old, young)))
    }
}

impl Generation {
    fn take(&mut self, key: &[u8]) -> Option<(Box<[u8]>, Subject)> {
        let (key, subject) = self.subjects.remove_entry(key)?;
        self.entries -= subject.entries.len();
        Some((key, subject))
    }
}

impl Subject {
    fn put(&mut self, entry: Entry, most: usize) {
        let same = |it: &Entry| it.hash == entry.hash && it.token == entry.token;
        if let Some(place) = self.entries.iter().position(same) {
            self.entries[place] = entry;
        } else if self.entries.len() < most {
            // Most subjects have one token, and `push` alone would make room for four.
            if self.entries.is_empty() {
                self.entries.reserve_exact(1);
            }
            self.entries.push(entry);
        } else {
            self.entries[self.oldest] = entry;
            self.oldest = (self.oldest + 1) % most;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use super::{
        super::{super::Moment, subscription::Subscription},
        *,
    };

    fn token(id: &str) -> TokenIdentity {
        let mut token = TokenIdentity::new("", Moment::UNIX_EPOCH);
        token.id = Some(id.to_owned());
        token
    }

    /// All hashes are the same, so only the tokens themselves differ.
    fn entry(id: &str) -> Entry {
        let now = Instant::now();
        let emptied = Arc::default();
        let subscription = Subscription::new(now, Duration::from_secs(1), now, emptied);
        Entry {
            hash: 7,
            token: AuthToken::of(&token(id)).expect("an auth token"),
            answer: Answer::Good,
            under: Under::new(Arc::new(subscription), now),
        }
    }

    fn has(kept: &mut Kept, key: &str, id: &str) -> bool {
        kept.find(key.as_bytes(), 7, &token(id)).0.is_some()
    }

    #[test]
    fn tokens_and_subjects_are_compared_by_their_texts() {
        let mut kept = Kept::new(100);
        drop(kept.keep(b"alice", entry("1")));
        assert!(has(&mut kept, "alice", "1"));
        assert!(!has(&mut kept, "alice", "2"));
        assert!(!has(&mut kept, "bob", "1"));
        let mut other = token("1");
        other.issued_at = Moment::from_milliseconds(1);
        assert!(kept.find(b"alice", 7, &other).0.is_none());
        kept.forget(b"alice");
        assert!(!has(&mut kept, "alice", "1"));
        assert_eq!(kept.len(), 0);
    }

    #[test]
    fn what_is_used_stays_while_others_come_and_go() {
        let mut kept = Kept::new(20);
        drop(kept.keep(b"used", entry("1")));
        for number in 0..1_000 {
            drop(kept.keep(format!("{number}").as_bytes(), entry("1")));
            assert!(has(&mut kept, "used", "1"), "{number}");
            assert!(kept.len() <= 20);
        }
        assert!(!has(&mut kept, "0", "1"));
        assert!(has(&mut kept, "999", "1"));
    }

    #[test]
    fn one_account_with_any_number_of_tokens_takes_little_room() {
        let mut kept = Kept::new(10_000);
        drop(kept.keep(b"alice", entry("1")));
        for number in 0..10_000 {
            drop(kept.keep(b"many", entry(&number.to_string())));
        }
        assert_eq!(kept.len(), MOST_TOKENS + 1);
        assert!(has(&mut kept, "alice", "1"));
        assert!(has(&mut kept, "many", "9999"));
        assert!(!has(&mut kept, "many", "0"));
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut kept = Kept::new(100);
        drop(kept.keep(b"alice", entry(&"x".repeat(MOST_BYTES - 5))));
        assert_eq!(kept.len(), 1);
        drop(kept.keep(b"alice", entry(&"x".repeat(MOST_BYTES - 4))));
        assert_eq!(kept.len(), 1);
        drop(kept.keep(&[b'x'; MOST_BYTES + 1], entry("")));
        assert_eq!(kept.len(), 1);
    }
}
