//! The session store in the memory of this process.

mod bytes;
mod hash;
mod item;
mod items;

use std::{
    fmt,
    future::ready,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use time::Duration;

use self::{hash::ByHash, items::Items};
use super::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
    StoreError, StoreFuture, TokenIdentity,
};

/// The store is split into this many shards, each with a separate lock.
const SHARDS: usize = 16;
/// The limit of [`MemoryStore::default`], in sessions and revocations together.
const DEFAULT_LIMIT: usize = 1 << 20;
/// Single tokens can be revoked in this fraction of the limit in addition to it (1/2). A revoked
/// token takes a third of the memory of a session.
const RESERVE_DIVISOR: usize = 2;
/// The shortest time between two sweeps of a shard while the store is full. Without it, a flood of
/// logins would make the store do nothing but sweep.
const SWEEP_INTERVAL: Duration = Duration::SECOND;
/// How many shards one login sweeps at most.
const MAX_SWEEPS: usize = 2;

/// Keeps sessions in the memory of this process: for tests, and for a single-process server whose
/// users may have to log in again after a restart.
///
/// The store holds a limited number of sessions and revocations, 1,048,576 by default, and removes
/// what has expired. A session takes about 0.3 KiB. When the store is full, logins get a 503
/// response and existing sessions continue. Revocations have room beyond the limit, so they never
/// fail for lack of space.
///
/// A restart forgets everything. Tokens of sessions are refused afterwards, because the store does
/// not know their sessions. Tokens that belong to no session and were revoked by id or by subject
/// are accepted again until they expire. If that matters, use `FileStore` or `RedisStore`.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(MemoryStore::default());
/// let auth = AuthManager::new(config)?;
/// let pair = auth.login("alice").await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_ok());
///
/// auth.logout(&pair.auth).await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "blocklist")]
#[doc(alias = "token_in_blocklist_loader")]
pub struct MemoryStore {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    limit: usize,
    /// Sessions and revocations in all shards.
    entries: AtomicUsize,
    /// Dropped together with the store.
    pub(super) alive: Arc<()>,
}

#[derive(Default)]
struct Shard {
    subjects: ByHash<Items>,
    /// Sessions and revocations in this shard.
    entries: usize,
    /// At this number of entries, expired ones are removed.
    sweep_at: usize,
    /// When expired entries were last removed.
    swept_at: Option<Moment>,
}

impl MemoryStore {
    /// Creates a store that holds at most `limit` sessions and revocations.
    ///
    /// Beyond the limit, the store still has room for revocations: for half as many single tokens
    /// again, and for one entry for each subject.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            limit,
            entries: AtomicUsize::new(0),
            alive: Arc::default(),
        }
    }

    /// The number of the shard that holds a subject, and the subject's key there.
    fn place(&self, subject: &str) -> (usize, u64) {
        let hash = self.hasher.hash_one(subject);
        // A map uses the first and the last bits of its keys, so the shard depends on others.
        let number = (hash >> 32) as usize % SHARDS;
        (number, hash)
    }

    fn lock(&self, number: usize) -> MutexGuard<'_, Shard> {
        // A panic cannot leave a record half-changed, so a poisoned lock is usable.
        self.shards[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change and updates the count of entries.
    fn change<T>(&self, subject: &str, change: impl FnOnce(&mut Items) -> T) -> T {
        let (number, hash) = self.place(subject);
        let mut shard = self.lock(number);
        let before = shard.entries;
        let result = shard.change(hash, change);
        self.count(before, shard.entries);
        result
    }

    fn count(&self, before: usize, after: usize) {
        if after >= before {
            self.entries.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.entries.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Reserves one entry, if there are fewer than `limit`.
    fn take_room(&self, limit: usize) -> bool {
        let take = |entries| (entries < limit).then_some(entries + 1);
        let taken = self
            .entries
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok()
    }

    /// Reserves one entry. Removes expired entries first when there is no room.
    fn make_room(&self, subject: &str, limit: usize, now: Moment) -> bool {
        let (first, _) = self.place(subject);
        let mut shard = self.lock(first);
        if shard.entries >= shard.sweep_at {
            self.sweep(&mut shard, now);
        }
        drop(shard);
        let mut sweeps = 0;
        for number in (first..SHARDS).chain(0..first) {
            if self.take_room(limit) {
                return true;
            }
            let mut shard = self.lock(number);
            let age = shard.swept_at.map(|swept_at| now.since(swept_at).abs());
            if age.is_some_and(|age| age < SWEEP_INTERVAL) {
                continue;
            }
            self.sweep(&mut shard, now);
            sweeps += 1;
            if sweeps == MAX_SWEEPS {
                break;
            }
        }
        self.take_room(limit)
    }

    fn sweep(&self, shard: &mut Shard, now: Moment) {
        let before = shard.entries;
        shard.sweep(now);
        self.count(before, shard.entries);
    }

    /// Makes a change for which one entry is already reserved.
    fn change_in_room<T>(&self, subject: &str, change: impl FnOnce(&mut Items) -> T) -> T {
        let result = self.change(subject, change);
        self.entries.fetch_sub(1, Ordering::Relaxed);
        result
    }
}

impl Shard {
    fn change<T>(&mut self, hash: u64, change: impl FnOnce(&mut Items) -> T) -> T {
        let items = self.subjects.entry(hash).or_default();
        self.entries -= items.len();
        let result = change(items);
        self.entries += items.len();
        if items.is_empty() {
            self.subjects.remove(&hash);
        }
        result
    }

    /// Removes what has ended. The next sweep comes when the number of entries has doubled, so that
    /// each entry is visited only a few times.
    fn sweep(&mut self, now: Moment) {
        self.subjects.retain(|_, items| {
            items.forget_ended(now);
            !items.is_empty()
        });
        self.entries = self.subjects.values().map(Items::len).sum();
        self.sweep_at = 2 * self.entries + 64;
        self.swept_at = Some(now);
        self.subjects.shrink_to(2 * self.subjects.len());
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT)
    }
}

/// A future that is ready immediately.
fn immediate<'a, T: Send + 'a>(answer: Result<T, StoreError>) -> StoreFuture<'a, T> {
    Box::pin(ready(answer))
}

impl SessionStore for MemoryStore {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        let subject = &opening.session.subject;
        immediate(if self.make_room(subject, self.limit, now) {
            Ok(self.change_in_room(subject, |items| items.open(opening, now)))
        } else {
            Err(StoreError::Full { limit: self.limit })
        })
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        let rotate = |items: &mut Items| items.rotate(rotation);
        immediate(Ok(self.change(&rotation.subject, rotate)))
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        let (number, hash) = self.place(&token.subject);
        immediate(Ok(match self.lock(number).subjects.get(&hash) {
            Some(items) => items.standing(token, now),
            None => Items::default().standing(token, now),
        }))
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        let mark_used = |items: &mut Items| items.mark_used(token, now);
        immediate(Ok(self.change(&token.subject, mark_used)))
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        let subject = revocation.subject();
        let revoke = |items: &mut Items| items.revoke(revocation, now);
        immediate(match revocation {
            // Ending a session frees room, and a subject has one entry: neither needs a
            // reservation.
            Revocation::Session { .. } | Revocation::Subject { .. } => self.change(subject, revoke),
            Revocation::Token { .. } => {
                let limit = self.limit.saturating_add(self.limit / RESERVE_DIVISOR);
                if self.make_room(subject, limit, now) {
                    self.change_in_room(subject, revoke)
                } else {
                    Err(StoreError::TooManyTokens { limit })
                }
            }
        })
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        let (number, hash) = self.place(subject);
        let shard = self.lock(number);
        let items = shard.subjects.get(&hash);
        immediate(Ok(items.map_or_else(Vec::new, |items| {
            items.sessions(subject, most, now)
        })))
    }

    /// Needs no reservation: the sessions exist already, and are not refused for lack of room.
    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        let adopt = |items: &mut Items| items.adopt(subject, sessions, now);
        immediate(Ok(self.change(subject, adopt)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Generation, subject::MARGIN};

    const LIFETIME: Duration = Duration::seconds(10);

    fn opening(id: &str) -> Opening {
        let ids = (format!("refresh {id}"), format!("auth {id}"));
        let first = Generation::new(ids.0, ids.1, Moment::UNIX_EPOCH);
        Opening::new(SessionRecord::new(id, "alice", first, LIFETIME), 100)
    }

    #[actix_web::test]
    async fn a_full_store_is_not_swept_for_every_login() {
        let store = MemoryStore::new(1);
        assert!(
            store
                .open(&opening("first"), Moment::UNIX_EPOCH)
                .await
                .is_ok()
        );
        let full = Err(StoreError::Full { limit: 1 });
        let there_is_room = Ok(Vec::<String>::new());
        let expired = Moment::UNIX_EPOCH + LIFETIME + MARGIN;
        let after = |milliseconds| expired + Duration::milliseconds(milliseconds);
        for (now, expected) in [
            (after(-1), &full),
            (expired, &full), // swept a millisecond ago
            (after(998), &full),
            (after(999), &there_is_room),
        ] {
            let opened = store.open(&opening("second"), now).await;
            assert_eq!(format!("{opened:?}"), format!("{expected:?}"), "{now:?}");
        }
    }
}
