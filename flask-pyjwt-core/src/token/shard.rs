//! One thread's part of the table of verified tokens.

use std::{
    array, mem,
    sync::{
        Mutex, MutexGuard, OnceLock, TryLockError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use super::{Token, token::Shared};
use crate::meters::HitMeter;

/// The number of places in a set. A token can be stored in any place of its set.
pub(super) const WAYS: usize = 4;
/// The size of an empty set in bytes.
pub(super) const SET_SIZE: usize = size_of::<Hints>() + WAYS * size_of::<Option<Shared>>();

/// A set-associative cache. The places of a set are ordered by their last use, the most recent one first.
///
/// Atomic marks tell without the lock whether a token may be stored, so that a flood of new tokens never waits
/// for the lock. The lookup itself compares the whole text under the lock.
pub(super) struct Shard {
    /// Allocated for the first token.
    hints: OnceLock<Box<[Hints]>>,
    sets: usize,
    stored: Mutex<Stored>,
    /// For the metrics.
    pub(super) hits: HitMeter,
}

/// The mark of a free place.
const FREE: u32 = 0;

/// The marks of one set, in half a cache line.
#[derive(Default)]
#[repr(align(32))]
struct Hints {
    stored: [AtomicU32; WAYS],
    /// Tokens that were verified recently but not stored, the most recent one first.
    seen: [AtomicU32; WAYS],
}

/// The stored tokens.
struct Stored {
    /// Allocated for the first token.
    places: Vec<Option<Shared>>,
    bytes: usize,
    max_bytes: usize,
    /// The place that was evicted last when the bytes ran out.
    clock_hand: usize,
}

impl Shard {
    /// Creates a shard with `sets` sets. Its tokens take at most `max_bytes` together.
    pub(super) fn new(sets: usize, max_bytes: usize) -> Self {
        Self {
            hints: OnceLock::new(),
            sets,
            stored: Mutex::new(Stored {
                places: Vec::new(),
                bytes: 0,
                max_bytes,
                clock_hand: 0,
            }),
            hits: HitMeter::new(),
        }
    }

    /// Returns the token with exactly this text if it is stored.
    pub(super) fn get(&self, hash: u64, signed: &[u8]) -> Option<Token> {
        let set = self.set(hash);
        let hints = &self.hints.get()?[set];
        if !hints.may_store(mark(hash)) {
            return None;
        }
        let mut stored = self.lock()?;
        let way = stored.find(set, signed)?;
        if way > 0 {
            stored.set(set)[..=way].rotate_right(1);
            hints.move_to_front(way, mark(hash));
        }
        let token = stored.set(set)[0].clone();
        drop(stored);
        self.hits.hit();
        token.map(Token::from)
    }

    /// Stores a token if there is room, and returns the tokens that it evicts.
    ///
    /// If there is no room, the token is stored only when it is verified a second time. Most tokens that are not
    /// used again soon are never used again, and storing them would evict tokens that are.
    pub(super) fn insert(&self, hash: u64, token: &Token) -> Vec<Shared> {
        let set = self.set(hash);
        let hints = self.hints.get_or_init(|| {
            let sets = std::iter::repeat_with(Hints::default).take(self.sets);
            sets.collect()
        });
        let was_seen = hints[set].note_seen(mark(hash));
        if !was_seen && !hints[set].may_store(FREE) {
            return Vec::new();
        }
        let Some(mut stored) = self.lock() else {
            return Vec::new();
        };
        if stored.places.is_empty() {
            stored.places.resize_with(self.sets * WAYS, || None);
        }
        let token = token.shared();
        let has_room = stored.bytes.saturating_add(token.size()) <= stored.max_bytes;
        if token.size() > stored.max_bytes
            || !(was_seen || has_room)
            || stored.find(set, token.signed().as_bytes()).is_some()
        {
            return Vec::new();
        }
        stored.insert(set, token.clone(), mark(hash), hints)
    }

    /// Removes a token and returns it, so that the caller drops it outside the lock.
    pub(super) fn remove(&self, hash: u64, signed: &[u8]) -> Option<Shared> {
        let set = self.set(hash);
        let mut stored = self.lock()?;
        let way = stored.find(set, signed)?;
        self.hints.get()?[set].stored[way].store(FREE, Relaxed);
        stored.take(set * WAYS + way)
    }

    /// Maps the upper part of a hash evenly to a set.
    fn set(&self, hash: u64) -> usize {
        let product = u128::from(hash) * self.sets as u128;
        #[expect(clippy::cast_possible_truncation, reason = "less than `self.sets`")]
        let set = (product >> 64) as usize;
        set
    }

    /// Takes the lock if it is free. A busy lock counts as a cache miss, so that no thread ever waits.
    fn lock(&self) -> Option<MutexGuard<'_, Stored>> {
        match self.stored.try_lock() {
            Ok(stored) => Some(stored),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(poisoned)) => {
                // A panic may have left an inconsistent state: start empty.
                let mut stored = poisoned.into_inner();
                drop(mem::take(&mut stored.places));
                stored.bytes = 0;
                Some(stored)
            }
        }
    }
}

/// Returns the mark of a token: the lower part of its hash, never [`FREE`].
fn mark(hash: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower part")]
    let lower = hash as u32;
    lower | 1
}

impl Hints {
    /// Returns whether a place may have this mark. Without the lock, the answer can be outdated.
    fn may_store(&self, mark: u32) -> bool {
        self.stored
            .iter()
            .any(|stored| stored.load(Relaxed) == mark)
    }

    /// Records the mark, and returns whether it was recorded recently before.
    fn note_seen(&self, mark: u32) -> bool {
        let seen: [u32; WAYS] = array::from_fn(|at| self.seen[at].load(Relaxed));
        if seen.contains(&mark) {
            return true;
        }
        for (place, mark) in self.seen.iter().zip([mark].into_iter().chain(seen)) {
            place.store(mark, Relaxed);
        }
        false
    }

    /// Moves a mark to the front in the same way as its token is moved.
    fn move_to_front(&self, way: usize, mark: u32) {
        for way in (0..way).rev() {
            self.stored[way + 1].store(self.stored[way].load(Relaxed), Relaxed);
        }
        self.stored[0].store(mark, Relaxed);
    }
}

impl Stored {
    /// Returns the places of a set. The slice is empty before the first token is stored.
    fn set(&mut self, set: usize) -> &mut [Option<Shared>] {
        self.places
            .get_mut(set * WAYS..(set + 1) * WAYS)
            .unwrap_or_default()
    }

    fn find(&mut self, set: usize, signed: &[u8]) -> Option<usize> {
        self.set(set).iter().position(|place| {
            place
                .as_ref()
                .is_some_and(|token| token.signed().as_bytes() == signed)
        })
    }

    /// Takes the token out of a place. `place` counts over all sets.
    fn take(&mut self, place: usize) -> Option<Shared> {
        let token = self.places.get_mut(place)?.take()?;
        self.bytes -= token.size();
        Some(token)
    }

    /// Stores a token as the most recently used one. It takes a free place, or that of the least recently used
    /// token.
    fn insert(&mut self, set: usize, token: Shared, mark: u32, hints: &[Hints]) -> Vec<Shared> {
        let places = self.set(set);
        let free = places.iter().position(Option::is_none);
        let way = free.unwrap_or(WAYS - 1);
        places[..=way].rotate_right(1);
        hints[set].move_to_front(way, mark);
        let first = set * WAYS;
        let mut evicted = Vec::from_iter(self.take(first));
        self.bytes += token.size();
        self.places[first] = Some(token);
        while self.bytes > self.max_bytes {
            self.clock_hand = (self.clock_hand + 1) % self.places.len();
            if self.clock_hand != first {
                hints[self.clock_hand / WAYS].stored[self.clock_hand % WAYS].store(FREE, Relaxed);
                evicted.extend(self.take(self.clock_hand));
            }
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthManager, AuthType, Config};

    fn tokens(count: usize) -> Vec<Token> {
        let config = Config::new(
            "i",
            AuthType::HS256,
            "change-me: at least 32 bytes of secret",
        );
        let auth = AuthManager::new(config).expect("a good configuration");
        (0..count)
            .map(|n| auth.auth_token(n).sign().expect("minted"))
            .collect()
    }

    /// A hash that maps to set number `set` out of `sets` and has this odd mark.
    fn hash(set: usize, sets: usize, mark: u32) -> u64 {
        let first = ((set as u128) << 64).div_ceil(sets as u128);
        u64::try_from(first).expect("`set` is less than `sets`") + (1 << 32) + u64::from(mark)
    }

    fn is_stored(shard: &Shard, hash: u64, token: &Token) -> bool {
        let found = shard.get(hash, token.signed().as_bytes());
        assert!(
            found
                .as_ref()
                .is_none_or(|found| found.signed() == token.signed())
        );
        found.is_some()
    }

    fn bytes(shard: &Shard) -> usize {
        let stored = shard.lock().expect("no other thread");
        let sizes = stored.places.iter().flatten().map(Shared::size);
        assert_eq!(stored.bytes, sizes.sum::<usize>());
        stored.bytes
    }

    /// Pairs tokens with hashes that map to the same set.
    fn with_hashes_of_one_set(tokens: &[Token]) -> impl Iterator<Item = (u64, &Token)> {
        (0..).map(|n| hash(0, 1, 2 * n + 1)).zip(tokens)
    }

    #[test]
    fn repeated_insertion_stores_a_token_once() {
        let tokens = tokens(1);
        let shard = Shard::new(8, 1 << 20);
        for _ in 0..3 {
            assert!(shard.insert(3, &tokens[0]).is_empty());
            assert!(is_stored(&shard, 3, &tokens[0]));
        }
        assert_eq!(bytes(&shard), tokens[0].shared().size());
    }

    #[test]
    fn a_token_that_is_seen_once_evicts_nothing() {
        let tokens = tokens(200);
        let size = tokens[0].shared().size();
        for (shard, count) in [
            (Shard::new(1, 1 << 20), WAYS),
            (Shard::new(1, 2 * size + size / 2), 2),
        ] {
            for (hash, token) in with_hashes_of_one_set(&tokens) {
                assert!(shard.insert(hash, token).is_empty());
            }
            for (index, (hash, token)) in with_hashes_of_one_set(&tokens).enumerate() {
                assert_eq!(is_stored(&shard, hash, token), index < count, "{index}");
            }
        }
    }

    #[test]
    fn tokens_with_the_same_hash_are_distinguished_by_their_text() {
        let tokens = tokens(6);
        let shard = Shard::new(1, 1 << 20);
        for token in &tokens {
            shard.insert(7, token);
            shard.insert(7, token);
        }
        for (index, token) in tokens.iter().enumerate() {
            let expected = index >= tokens.len() - WAYS;
            assert_eq!(is_stored(&shard, 7, token), expected, "{index}");
        }
    }

    #[test]
    fn the_least_recently_used_token_is_evicted() {
        let tokens = tokens(WAYS + 1);
        let shard = Shard::new(1, 1 << 20);
        for (hash, token) in with_hashes_of_one_set(&tokens).take(WAYS) {
            shard.insert(hash, token);
        }
        assert!(is_stored(&shard, hash(0, 1, 1), &tokens[0]), "used again");
        let (newest, token) = with_hashes_of_one_set(&tokens)
            .last()
            .expect("at least one");
        for expected in [0, 1, 0] {
            assert_eq!(shard.insert(newest, token).len(), expected);
        }
        for (index, (hash, token)) in with_hashes_of_one_set(&tokens).enumerate() {
            assert_eq!(is_stored(&shard, hash, token), index != 1, "{index}");
        }
    }

    #[test]
    fn entries_and_bytes_are_bounded() {
        let tokens = tokens(200);
        let size = tokens[0].shared().size();
        let shard = Shard::new(64, 10 * size);
        let marked = || (0..).map(|n| hash(n % 64, 64, 1)).zip(&tokens);
        for (hash, token) in marked() {
            shard.insert(hash, token);
            shard.insert(hash, token);
            assert!(bytes(&shard) <= 10 * size);
            assert!(is_stored(&shard, hash, token), "the newest one is stored");
        }
        for (hash, token) in marked() {
            shard.remove(hash, token.signed().as_bytes());
            assert!(!is_stored(&shard, hash, token));
        }
        assert_eq!(bytes(&shard), 0);
        let tiny = Shard::new(1, size / 2);
        for _ in 0..3 {
            tiny.insert(1, &tokens[0]);
        }
        assert!(!is_stored(&tiny, 1, &tokens[0]));
    }

    #[test]
    fn a_locked_shard_is_skipped_without_waiting() {
        let tokens = tokens(1);
        let shard = Shard::new(8, 1 << 20);
        shard.insert(3, &tokens[0]);
        shard.insert(3, &tokens[0]);
        let other = shard.lock().expect("no other thread");
        assert!(!is_stored(&shard, 3, &tokens[0]));
        assert!(shard.insert(3, &tokens[0]).is_empty());
        assert!(shard.remove(3, tokens[0].signed().as_bytes()).is_none());
        drop(other);
        assert!(is_stored(&shard, 3, &tokens[0]));
    }
}
