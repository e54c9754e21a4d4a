//! One thread's part of the table of verified tokens.

use std::{
    array, mem,
    sync::{
        Mutex, MutexGuard, OnceLock, TryLockError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use super::{Token, token::Shared};

/// Places that a token may be stored in.
pub(super) const WAYS: usize = 4;
/// The bytes that a set takes before there is a token in it.
pub(super) const SET_SIZE: usize = size_of::<Hints>() + WAYS * size_of::<Option<Shared>>();

/// A set-associative array: a token has [`WAYS`] places, the first of which was used last.
///
/// Marks tell without the lock whether a token may be stored, so that a flood of new tokens waits for
/// nothing. Whether it is stored is decided under the lock, by its whole text.
pub(super) struct Shard {
    /// Made when the first token comes.
    hints: OnceLock<Box<[Hints]>>,
    sets: usize,
    held: Mutex<Held>,
}

/// The mark of no token: the place is free.
const FREE: u32 = 0;

/// Marks of the tokens of one set, in half a cache line.
#[derive(Default)]
#[repr(align(32))]
struct Hints {
    held: [AtomicU32; WAYS],
    /// Tokens that were verified once and are not stored. The last one comes first.
    seen: [AtomicU32; WAYS],
}

/// The tokens themselves.
struct Held {
    /// Empty until the first token comes.
    places: Vec<Option<Shared>>,
    bytes: usize,
    most: usize,
    /// Where the next victim is looked for when the bytes run out.
    hand: usize,
}

impl Shard {
    /// A shard of so many sets, for tokens of at most so many bytes together.
    pub(super) fn new(sets: usize, most: usize) -> Self {
        Self {
            hints: OnceLock::new(),
            sets,
            held: Mutex::new(Held {
                places: Vec::new(),
                bytes: 0,
                most,
                hand: 0,
            }),
        }
    }

    /// The token of this very text, if it is stored.
    pub(super) fn get(&self, hash: u64, signed: &[u8]) -> Option<Token> {
        let set = self.set(hash);
        let hints = &self.hints.get()?[set];
        if !hints.hold(mark(hash)) {
            return None;
        }
        let mut held = self.lock()?;
        let way = held.find(set, signed)?;
        if way > 0 {
            held.set(set)[..=way].rotate_right(1);
            hints.to_front(way, mark(hash));
        }
        held.set(set)[0].clone().map(Token::from)
    }

    /// Stores a token where there is room, and returns the tokens that it evicts.
    ///
    /// Where there is no room, it is stored when it comes a second time: most tokens that do not come
    /// again soon never do, and storing them would evict others.
    pub(super) fn insert(&self, hash: u64, token: &Token) -> Vec<Shared> {
        let set = self.set(hash);
        let hints = self.hints.get_or_init(|| {
            let sets = std::iter::repeat_with(Hints::default).take(self.sets);
            sets.collect()
        });
        let was_seen = hints[set].was_seen(mark(hash));
        if !was_seen && !hints[set].hold(FREE) {
            return Vec::new();
        }
        let Some(mut held) = self.lock() else {
            return Vec::new();
        };
        if held.places.is_empty() {
            held.places.resize_with(self.sets * WAYS, || None);
        }
        let token = token.shared();
        let has_room = held.bytes.saturating_add(token.size()) <= held.most;
        if token.size() > held.most
            || !(was_seen || has_room)
            || held.find(set, token.signed().as_bytes()).is_some()
        {
            return Vec::new();
        }
        held.insert(set, token.clone(), mark(hash), hints)
    }

    /// Forgets a token.
    pub(super) fn remove(&self, hash: u64, signed: &[u8]) -> Option<Shared> {
        let set = self.set(hash);
        let mut held = self.lock()?;
        let way = held.find(set, signed)?;
        self.hints.get()?[set].held[way].store(FREE, Relaxed);
        held.take(set * WAYS + way)
    }

    /// Which set a token belongs to: the upper part of its hash, stretched over the sets there are.
    fn set(&self, hash: u64) -> usize {
        let product = u128::from(hash) * self.sets as u128;
        #[expect(clippy::cast_possible_truncation, reason = "less than the sets")]
        let set = (product >> 64) as usize;
        set
    }

    /// The lock, unless another thread holds it: nobody waits for it.
    fn lock(&self) -> Option<MutexGuard<'_, Held>> {
        match self.held.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(poisoned)) => {
                // A panic may have left it half changed: start empty.
                let mut held = poisoned.into_inner();
                drop(mem::take(&mut held.places));
                held.bytes = 0;
                Some(held)
            }
        }
    }
}

/// What a hint remembers of a token: the lower part of its hash, never [`FREE`].
fn mark(hash: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower part")]
    let lower = hash as u32;
    lower | 1
}

impl Hints {
    /// Whether a token of this mark is stored, as far as can be told without the lock.
    fn hold(&self, mark: u32) -> bool {
        self.held.iter().any(|held| held.load(Relaxed) == mark)
    }

    /// Whether a token of this mark was seen a short while ago; from now on it was.
    fn was_seen(&self, mark: u32) -> bool {
        let seen: [u32; WAYS] = array::from_fn(|at| self.seen[at].load(Relaxed));
        if seen.contains(&mark) {
            return true;
        }
        for (place, mark) in self.seen.iter().zip([mark].into_iter().chain(seen)) {
            place.store(mark, Relaxed);
        }
        false
    }

    /// Puts a mark to the front, those before this way one place back: as the tokens are.
    fn to_front(&self, way: usize, mark: u32) {
        for way in (0..way).rev() {
            self.held[way + 1].store(self.held[way].load(Relaxed), Relaxed);
        }
        self.held[0].store(mark, Relaxed);
    }
}

impl Held {
    /// The places of a set; none before the first token came.
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

    /// Takes what is in a place, whichever set it belongs to.
    fn take(&mut self, place: usize) -> Option<Shared> {
        let token = self.places.get_mut(place)?.take()?;
        self.bytes -= token.size();
        Some(token)
    }

    /// Stores a token as the one that was used last, in a free place or in that of the one that was not
    /// used for longest.
    fn insert(&mut self, set: usize, token: Shared, mark: u32, hints: &[Hints]) -> Vec<Shared> {
        let places = self.set(set);
        let free = places.iter().position(Option::is_none);
        let way = free.unwrap_or(WAYS - 1);
        places[..=way].rotate_right(1);
        hints[set].to_front(way, mark);
        let first = set * WAYS;
        let mut evicted = Vec::from_iter(self.take(first));
        self.bytes += token.size();
        self.places[first] = Some(token);
        while self.bytes > self.most {
            self.hand = (self.hand + 1) % self.places.len();
            if self.hand != first {
                hints[self.hand / WAYS].held[self.hand % WAYS].store(FREE, Relaxed);
                evicted.extend(self.take(self.hand));
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
        let config = Config::new("i", AuthType::HS256, "a secret of 32 bytes, at the least");
        let auth = AuthManager::new(config).expect("a good configuration");
        (0..count)
            .map(|n| auth.auth_token(n).sign().expect("minted"))
            .collect()
    }

    /// A hash that belongs to this set of so many, and has this odd mark.
    fn hash(set: usize, sets: usize, mark: u32) -> u64 {
        let first = ((set as u128) << 64).div_ceil(sets as u128);
        u64::try_from(first).expect("a set that there is") + (1 << 32) + u64::from(mark)
    }

    fn is_held(shard: &Shard, hash: u64, token: &Token) -> bool {
        let found = shard.get(hash, token.signed().as_bytes());
        assert!(
            found
                .as_ref()
                .is_none_or(|found| found.signed() == token.signed())
        );
        found.is_some()
    }

    fn bytes(shard: &Shard) -> usize {
        let held = shard.lock().expect("nobody else");
        let sizes = held.places.iter().flatten().map(Shared::size);
        assert_eq!(held.bytes, sizes.sum::<usize>());
        held.bytes
    }

    /// Tokens with the hashes of one set.
    fn of_one_set(tokens: &[Token]) -> impl Iterator<Item = (u64, &Token)> {
        (0..).map(|n| hash(0, 1, 2 * n + 1)).zip(tokens)
    }

    #[test]
    fn a_token_is_stored_once_however_often_it_comes() {
        let tokens = tokens(1);
        let shard = Shard::new(8, 1 << 20);
        for _ in 0..3 {
            assert!(shard.insert(3, &tokens[0]).is_empty());
            assert!(is_held(&shard, 3, &tokens[0]));
        }
        assert_eq!(bytes(&shard), tokens[0].shared().size());
    }

    #[test]
    fn tokens_that_come_once_evict_nothing() {
        let tokens = tokens(200);
        let size = tokens[0].shared().size();
        for (shard, held) in [
            (Shard::new(1, 1 << 20), WAYS),
            (Shard::new(1, 2 * size + size / 2), 2),
        ] {
            for (hash, token) in of_one_set(&tokens) {
                assert!(shard.insert(hash, token).is_empty());
            }
            for (index, (hash, token)) in of_one_set(&tokens).enumerate() {
                assert_eq!(is_held(&shard, hash, token), index < held, "{index}");
            }
        }
    }

    #[test]
    fn two_tokens_that_collide_are_told_apart() {
        let tokens = tokens(6);
        let shard = Shard::new(1, 1 << 20);
        for token in &tokens {
            shard.insert(7, token);
            shard.insert(7, token);
        }
        for (index, token) in tokens.iter().enumerate() {
            let expected = index >= tokens.len() - WAYS;
            assert_eq!(is_held(&shard, 7, token), expected, "{index}");
        }
    }

    #[test]
    fn the_least_recently_used_token_is_evicted() {
        let tokens = tokens(WAYS + 1);
        let shard = Shard::new(1, 1 << 20);
        for (hash, token) in of_one_set(&tokens).take(WAYS) {
            shard.insert(hash, token);
        }
        assert!(is_held(&shard, hash(0, 1, 1), &tokens[0]), "used again");
        let (newest, token) = of_one_set(&tokens).last().expect("there are some");
        for expected in [0, 1, 0] {
            assert_eq!(shard.insert(newest, token).len(), expected);
        }
        for (index, (hash, token)) in of_one_set(&tokens).enumerate() {
            assert_eq!(is_held(&shard, hash, token), index != 1, "{index}");
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
            assert!(is_held(&shard, hash, token), "the newest one is there");
        }
        for (hash, token) in marked() {
            shard.remove(hash, token.signed().as_bytes());
            assert!(!is_held(&shard, hash, token));
        }
        assert_eq!(bytes(&shard), 0);
        let tiny = Shard::new(1, size / 2);
        for _ in 0..3 {
            tiny.insert(1, &tokens[0]);
        }
        assert!(!is_held(&tiny, 1, &tokens[0]));
    }

    #[test]
    fn a_shard_that_another_thread_has_locked_is_skipped() {
        let tokens = tokens(1);
        let shard = Shard::new(8, 1 << 20);
        shard.insert(3, &tokens[0]);
        shard.insert(3, &tokens[0]);
        let other = shard.lock().expect("nobody else");
        assert!(!is_held(&shard, 3, &tokens[0]));
        assert!(shard.insert(3, &tokens[0]).is_empty());
        assert!(shard.remove(3, tokens[0].signed().as_bytes()).is_none());
        drop(other);
        assert!(is_held(&shard, 3, &tokens[0]));
    }
}
