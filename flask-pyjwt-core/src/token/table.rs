//! The cache of verified tokens. Verifying a cached token costs a lookup instead of a signature check.
//!
//! The table stores valid tokens only, and finds a token by its whole text. An entry means that the signature and
//! the claims were valid once. The caller still checks on every hit whether the token is valid *now*, and
//! everything else that can change: revocation and the route's requirements.
//!
//! A general cache such as `quick_cache` stores every token. In this table, once it is full, a token that is seen
//! only once costs a mark of four bytes and no lock. With a general cache, verifying such tokens is 8 to 15 %
//! slower. A hit costs the same in both. See `benches/RESULTS.md` for the figures.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    Token,
    shard::{SET_SIZE, Shard, WAYS},
};
use crate::meters::MissMeter;

/// How many verified tokens are cached, in total over all threads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableLimits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// Verified tokens, in one shard for each thread, so that threads do not contend.
pub(crate) struct TokenTable {
    shards: Box<[Shard]>,
    seed: u64,
    misses: MissMeter,
}

impl TokenTable {
    /// Creates a table within these limits, or `None` if they leave no room for a token.
    pub(crate) fn new(limits: TableLimits) -> Option<Self> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let bytes = limits.bytes / threads;
        // The places count towards the bytes: they may take a quarter of them at most.
        let sets = (limits.entries / threads / WAYS).min(bytes / 4 / SET_SIZE);
        if sets == 0 {
            return None;
        }
        let bytes = bytes - sets * SET_SIZE;
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).ok()?;
        let shard = || Shard::new(sets, bytes);
        Some(Self {
            shards: std::iter::repeat_with(shard).take(threads).collect(),
            seed: u64::from_ne_bytes(seed),
            misses: MissMeter::new(),
        })
    }

    /// Returns the token with exactly this text if it is cached.
    pub(crate) fn get(&self, signed: &[u8]) -> Option<Token> {
        self.shard().get(self.hash(signed), signed)
    }

    /// Counts a token that is not cached, for the metrics.
    pub(crate) fn note_miss(&self) {
        self.misses.miss();
    }

    /// Reports what this thread has found, for the metrics.
    pub(crate) fn report_hits(&self) {
        self.shard().hits.report();
    }

    /// Caches a token that has just been verified, if there is room or if it was verified before.
    pub(crate) fn insert(&self, token: &Token) {
        let hash = self.hash(token.signed().as_bytes());
        drop(self.shard().insert(hash, token)); // outside the lock
    }

    /// Removes a token that is no longer valid.
    pub(crate) fn remove(&self, signed: &[u8]) {
        drop(self.shard().remove(self.hash(signed), signed));
    }

    /// Returns this thread's shard. If there are more threads than shards, some threads share one.
    fn shard(&self) -> &Shard {
        &self.shards[thread_number() % self.shards.len()]
    }

    /// Hashes the last 16 characters of the signature with a random seed. An attacker cannot provoke collisions:
    /// only valid tokens are stored, and their signatures cannot be chosen.
    fn hash(&self, signed: &[u8]) -> u64 {
        let last = u128::from_ne_bytes(match signed.last_chunk() {
            Some(last) => *last,
            None => [0; 16], // too short to be a token
        });
        #[expect(clippy::cast_possible_truncation, reason = "splits it into halves")]
        let (high, low) = ((last >> 64) as u64, last as u64);
        let product =
            u128::from(high ^ self.seed) * u128::from((low ^ self.seed.rotate_left(32)) | 1);
        #[expect(clippy::cast_possible_truncation, reason = "folds both halves")]
        let folded = (product >> 64) as u64 ^ product as u64;
        folded
    }
}

/// Returns the number of the current thread. Threads are numbered in the order of their first call.
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

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::{AuthManager, AuthType, Config, TokenError, testing::FrozenClock};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::days(20_000));

    fn manager(clock: &FrozenClock) -> AuthManager {
        let secret = "change-me: at least 32 bytes of secret";
        AuthManager::new(Config::new("i", AuthType::HS256, secret).clock(clock.clone()))
            .expect("a good configuration")
    }

    #[test]
    fn threat_38_a_cached_token_is_refused_outside_its_validity_period() {
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
        clock.advance(Duration::SECOND);
        assert_eq!(verify(), Err(TokenError::Expired));
        assert_eq!(verify(), Err(TokenError::Expired));
        clock.set(NOW);
        assert!(verify().is_ok());
        clock.set(NOW - Duration::SECOND);
        assert_eq!(verify(), Err(TokenError::NotYetValid));
        clock.set(OffsetDateTime::UNIX_EPOCH - Duration::SECOND);
        assert_eq!(verify(), Err(TokenError::Clock));
    }

    #[test]
    fn threat_38_a_cached_token_is_found_by_its_whole_text_only() {
        let auth = manager(&FrozenClock::new(NOW));
        let token = auth.auth_token("alice").sign().expect("minted");
        assert!(auth.verify_token(token.signed()).is_ok());
        // The last 16 characters, which the table hashes, stay the same. One earlier character changes.
        for at in 0..token.signed().len() - 16 {
            let mut forged = token.signed().as_bytes().to_vec();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert!(auth.verify_token(&forged).is_err(), "{at}");
        }
    }

    #[test]
    fn limits_without_room_make_no_table() {
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
