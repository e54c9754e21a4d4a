//! The table of verified tokens: the same token again costs a look-up instead of a signature.
//!
//! Only valid tokens are stored, and a token is found by its whole text. Being here says that the
//! signature and the claims were right; whether the token is valid *now* is asked at every hit, and
//! so is everything that can change: revocation, the route's requirements.
//!
//! It is no general cache, such as that of `quick_cache`: once it is full, a token that comes once costs a
//! mark of four bytes and no lock. There each one is stored, which makes verifying them 8 to 15 % slower;
//! a hit costs the same. `benches/RESULTS.md` has the figures.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    Token,
    shard::{SET_SIZE, Shard, WAYS},
};

/// How many verified tokens are remembered, over all worker threads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableLimits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// Verified tokens, in one shard for each thread, so that threads do not contend.
pub(crate) struct TokenTable {
    shards: Box<[Shard]>,
    seed: u64,
}

impl TokenTable {
    /// A table within these limits; none where they leave no room.
    pub(crate) fn new(limits: TableLimits) -> Option<Self> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let bytes = limits.bytes / threads;
        // What the places take is part of the bytes, and a small one: four tokens are larger by far.
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
        })
    }

    /// The token of this very text, if it is remembered.
    pub(crate) fn get(&self, signed: &[u8]) -> Option<Token> {
        self.shard().get(self.hash(signed), signed)
    }

    /// Remembers a token that has just been verified, where there is room or it comes again.
    pub(crate) fn insert(&self, token: &Token) {
        let hash = self.hash(token.signed().as_bytes());
        drop(self.shard().insert(hash, token)); // outside the lock
    }

    /// Forgets a token that is not valid any more.
    pub(crate) fn remove(&self, signed: &[u8]) {
        drop(self.shard().remove(self.hash(signed), signed));
    }

    /// This thread's shard. Should there be more threads than shards, some share one.
    fn shard(&self) -> &Shard {
        &self.shards[thread_number() % self.shards.len()]
    }

    /// Where to look for a token: the last 16 characters, of its signature, mixed with a number
    /// that nobody knows. Only genuine signatures are ever stored, and nobody can choose those.
    fn hash(&self, signed: &[u8]) -> u64 {
        let last = u128::from_ne_bytes(match signed.last_chunk() {
            Some(last) => *last,
            None => [0; 16], // too short to be a token
        });
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

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::{AuthManager, AuthType, Config, TokenError, testing::FrozenClock};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::days(20_000));

    fn manager(clock: &FrozenClock) -> AuthManager {
        let secret = "a secret of 32 bytes, at the least";
        AuthManager::new(Config::new("i", AuthType::HS256, secret).clock(clock.clone()))
            .expect("a good configuration")
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
