//! The table of verified tokens: the same token again costs a look-up instead of a signature.
//!
//! Only valid tokens are stored, and a token is found by its whole text. Being here says that the
//! signature and the claims were right; whether the token is valid *now* is asked at every hit, and
//! so is everything that can change: revocation, the route's requirements.

use std::{
    cell::Cell,
    mem,
    sync::{
        Mutex, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::Token;

/// Entries that a token may be stored in: one cache line's worth of places to look at.
const WAYS: usize = 4;

/// How many verified tokens are remembered, over all worker threads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableLimits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// Verified tokens, in one shard for each thread, so that nobody waits for anybody.
pub(crate) struct TokenTable {
    shards: Box<[Mutex<Shard>]>,
    seed: u64,
}

impl TokenTable {
    /// A table within these limits; none where they leave no room.
    pub(crate) fn new(limits: TableLimits) -> Option<Self> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (sets, bytes) = (limits.entries / threads / WAYS, limits.bytes / threads);
        if sets == 0 || bytes == 0 {
            return None;
        }
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).ok()?;
        let sets = if sets.is_power_of_two() {
            sets
        } else {
            sets.next_power_of_two() / 2
        };
        let shard = || {
            Mutex::new(Shard {
                places: Vec::new(),
                sets,
                bytes: 0,
                most: bytes,
                hand: 0,
            })
        };
        Some(Self {
            shards: std::iter::repeat_with(shard).take(threads).collect(),
            seed: u64::from_ne_bytes(seed),
        })
    }

    /// The token of this very text, if it was verified before.
    pub(crate) fn get(&self, signed: &str) -> Option<Token> {
        let hash = self.hash(signed);
        self.with_shard(|shard| shard.get(hash, signed)).flatten()
    }

    /// Remembers a token that has just been verified.
    pub(crate) fn insert(&self, token: &Token) {
        let hash = self.hash(token.signed());
        let evicted = self.with_shard(|shard| shard.insert(hash, token.clone()));
        drop(evicted); // outside the lock
    }

    /// Forgets a token that is not valid any more.
    pub(crate) fn remove(&self, signed: &str) {
        let hash = self.hash(signed);
        drop(self.with_shard(|shard| shard.remove(hash, signed)));
    }

    /// Calls with this thread's shard. Should two threads share it, the second one does without.
    fn with_shard<T>(&self, call: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        let shard = &self.shards[thread_number() % self.shards.len()];
        match shard.try_lock() {
            Ok(mut shard) => Some(call(&mut shard)),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(poisoned)) => {
                // Whatever was half done is forgotten.
                let mut shard = poisoned.into_inner();
                shard.clear();
                Some(call(&mut shard))
            }
        }
    }

    /// Where to look for a token: the last 16 characters, of its signature, mixed with a number
    /// that nobody knows. Only genuine signatures are ever stored, and nobody can choose those.
    fn hash(&self, signed: &str) -> u64 {
        let bytes = signed.as_bytes();
        let mut last = [0; 16];
        let length = bytes.len().min(16);
        last[16 - length..].copy_from_slice(&bytes[bytes.len() - length..]);
        let last = u128::from_ne_bytes(last);
        #[expect(clippy::cast_possible_truncation, reason = "the halves of it")]
        let (high, low) = ((last >> 64) as u64, last as u64);
        let product =
            u128::from(high ^ self.seed) * u128::from((low ^ self.seed.rotate_left(32)) | 1);
        #[expect(clippy::cast_possible_truncation, reason = "folded")]
        let folded = (product >> 64) as u64 ^ product as u64;
        folded
    }
}

/// A small number for each thread, given when it first asks.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) });
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

/// A set-associative array: a token has [`WAYS`] places, the first of which was used last.
struct Shard {
    /// Empty until the first token comes.
    places: Vec<Option<Place>>,
    sets: usize,
    bytes: usize,
    most: usize,
    /// Where the next victim is looked for when the bytes run out.
    hand: usize,
}

struct Place {
    hash: u64,
    token: Token,
}

impl Shard {
    fn set(&mut self, hash: u64) -> &mut [Option<Place>] {
        if self.places.is_empty() {
            self.places.resize_with(self.sets * WAYS, || None);
        }
        #[expect(clippy::cast_possible_truncation, reason = "masked")]
        let first = (hash as usize & (self.sets - 1)) * WAYS;
        &mut self.places[first..first + WAYS]
    }

    fn get(&mut self, hash: u64, signed: &str) -> Option<Token> {
        if self.places.is_empty() {
            return None;
        }
        let set = self.set(hash);
        let way = find(set, hash, signed)?;
        set[..=way].rotate_right(1);
        set[0].as_ref().map(|place| place.token.clone())
    }

    /// Stores a token in the place of the one that was not used for longest; gives what had to go.
    fn insert(&mut self, hash: u64, token: Token) -> Vec<Place> {
        let mut evicted = Vec::new();
        let size = token.size();
        if size > self.most {
            return evicted;
        }
        let set = self.set(hash);
        set.rotate_right(1);
        evicted.extend(set[0].replace(Place { hash, token }));
        self.bytes += size;
        for place in &evicted {
            self.bytes -= place.token.size();
        }
        let places = self.places.len();
        while self.bytes > self.most {
            self.hand = (self.hand + 1) % places;
            if let Some(place) = self.places[self.hand].take_if(|place| place.hash != hash) {
                self.bytes -= place.token.size();
                evicted.push(place);
            }
        }
        evicted
    }

    fn remove(&mut self, hash: u64, signed: &str) -> Option<Place> {
        if self.places.is_empty() {
            return None;
        }
        let set = self.set(hash);
        let place = find(set, hash, signed).and_then(|way| set[way].take())?;
        self.bytes -= place.token.size();
        Some(place)
    }

    fn clear(&mut self) {
        drop(mem::take(&mut self.places));
        self.bytes = 0;
    }
}

fn find(set: &[Option<Place>], hash: u64, signed: &str) -> Option<usize> {
    set.iter().position(|place| {
        place
            .as_ref()
            .is_some_and(|place| place.hash == hash && place.token.signed() == signed)
    })
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::{AuthManager, AuthType, Config, FrozenClock, TokenError};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::days(20_000));

    fn manager(clock: &FrozenClock) -> AuthManager {
        let secret = "a secret of 32 bytes, at the least";
        AuthManager::new(Config::new("i", AuthType::HS256, secret).clock(clock.clone()))
            .expect("a good configuration")
    }

    fn tokens(count: usize) -> Vec<Token> {
        let auth = manager(&FrozenClock::new(NOW));
        (0..count)
            .map(|n| auth.auth_token(n).sign().expect("minted"))
            .collect()
    }

    #[test]
    fn threat_38_an_entry_is_worth_nothing_outside_the_times_of_its_token() {
        let clock = FrozenClock::new(NOW);
        let auth = manager(&clock);
        let token = auth.auth_token("alice").sign().expect("minted");
        let verify = || {
            auth.verify_token(token.signed())
                .map(|token| token.sub().to_owned())
        };
        for _ in 0..3 {
            assert_eq!(verify(), Ok("alice".to_owned()));
        }
        clock.advance(Duration::seconds(3_599));
        assert!(verify().is_ok());
        clock.advance(Duration::seconds(1));
        assert_eq!(verify(), Err(TokenError::Expired));
        assert_eq!(verify(), Err(TokenError::Expired));
        clock.set(NOW);
        assert!(verify().is_ok());
        clock.set(NOW - Duration::seconds(1));
        assert_eq!(verify(), Err(TokenError::NotYetValid));
        clock.set(OffsetDateTime::UNIX_EPOCH - Duration::seconds(1));
        assert_eq!(verify(), Err(TokenError::Clock));
    }

    #[test]
    fn threat_38_a_token_is_found_by_its_whole_text_alone() {
        let auth = manager(&FrozenClock::new(NOW));
        let token = auth.auth_token("alice").sign().expect("minted");
        assert!(auth.verify_token(token.signed()).is_ok());
        // Everything that the look-up hashes is the same, and one earlier character is not.
        for at in 0..token.signed().len() - 16 {
            let mut forged = token.signed().as_bytes().to_vec();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert!(auth.verify_token(&forged).is_err(), "{at}");
        }
    }

    #[test]
    fn two_tokens_that_collide_are_told_apart() {
        let tokens = tokens(6);
        let mut shard = Shard {
            places: Vec::new(),
            sets: 1,
            bytes: 0,
            most: 1 << 20,
            hand: 0,
        };
        for token in &tokens {
            shard.insert(7, token.clone());
        }
        for (index, token) in tokens.iter().enumerate() {
            let found = shard.get(7, token.signed());
            assert_eq!(found.is_some(), index >= tokens.len() - WAYS, "{index}");
            assert!(found.is_none_or(|found| found.signed() == token.signed()));
        }
    }

    #[test]
    fn entries_and_bytes_are_bounded() {
        let tokens = tokens(200);
        let size = tokens[0].size();
        let mut shard = Shard {
            places: Vec::new(),
            sets: 64,
            bytes: 0,
            most: 10 * size,
            hand: 0,
        };
        for (hash, token) in (0..).zip(&tokens) {
            shard.insert(hash, token.clone());
            let held: usize = shard
                .places
                .iter()
                .flatten()
                .map(|place| place.token.size())
                .sum();
            assert_eq!(shard.bytes, held);
            assert!(shard.bytes <= shard.most);
            assert!(
                shard.get(hash, token.signed()).is_some(),
                "the newest one is there"
            );
        }
        for (hash, token) in (0..).zip(&tokens) {
            shard.remove(hash, token.signed());
        }
        assert_eq!(shard.bytes, 0);
        let mut tiny = Shard {
            places: Vec::new(),
            sets: 1,
            bytes: 0,
            most: size / 2,
            hand: 0,
        };
        tiny.insert(1, tokens[0].clone());
        assert!(tiny.get(1, tokens[0].signed()).is_none());
    }

    #[test]
    fn no_room_means_no_table() {
        assert!(
            TokenTable::new(TableLimits {
                entries: 0,
                bytes: 1 << 20
            })
            .is_none()
        );
        assert!(
            TokenTable::new(TableLimits {
                entries: 1 << 10,
                bytes: 0
            })
            .is_none()
        );
    }
}
