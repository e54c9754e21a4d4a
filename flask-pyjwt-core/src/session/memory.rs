//! Sessions in this process's memory.

use std::{
    collections::HashMap,
    fmt,
    future::ready,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use time::Duration;

use super::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
    StoreError, StoreFuture, SubjectRecord, TokenIdentity, sorted::ShortText,
};

/// How many parts it has, each behind a lock of its own.
const SHARDS: usize = 16;
/// How many sessions and revocations it holds unless told otherwise.
const DEFAULT_LIMIT: usize = 1 << 20;
/// Of the limit, half as many more revoked tokens have room: each takes a ninth of what a session takes.
const RESERVE: usize = 2;
/// While the store is full, a shard is looked through for what has expired no more often than
/// this: a flood of logins must not make it the only thing that is done.
const SWEEP_INTERVAL: Duration = Duration::SECOND;
/// And one login looks through so many of them at the most.
const MOST_SWEEPS: usize = 2;

/// Sessions in this process's memory: for tests, and for servers of one process that may forget all
/// sessions when they end.
///
/// It holds so many sessions and revocations, by default 1,048,576, and forgets what has expired.
/// When it is full, as a whole, logins are answered with 503, and nobody is logged out for it.
/// Revocations have room beyond that, so that none is ever refused. A session takes about 0.9 KiB.
///
/// What was revoked by its id or subject is forgotten with the process too: tokens of no session are
/// good again then, until they expire. Tokens of its sessions are not, since it knows none of them.
pub struct MemoryStore {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    limit: usize,
    /// Sessions and revocations of all shards together.
    entries: AtomicUsize,
    /// Lives as long as the store.
    pub(super) alive: Arc<()>,
}

#[derive(Default)]
struct Shard {
    subjects: HashMap<ShortText, SubjectRecord>,
    /// Sessions and revocations, together.
    entries: usize,
    /// When so many are reached, what has expired is looked for.
    sweep_at: usize,
    /// When that was done last.
    swept_at: Option<Moment>,
}

impl MemoryStore {
    /// A store that holds so many sessions and revocations at the most. Where there are as many,
    /// revocations still have room: half as many more of tokens that are revoked by their ids, and one
    /// for each subject.
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

    /// In which shard a subject is.
    fn number(&self, subject: &str) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "only its last bits count")]
        let hash = self.hasher.hash_one(subject) as usize;
        hash % SHARDS
    }

    fn shard(&self, subject: &str) -> MutexGuard<'_, Shard> {
        self.lock(self.number(subject))
    }

    fn lock(&self, number: usize) -> MutexGuard<'_, Shard> {
        // Every step leaves a record whole.
        self.shards[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is remembered of a subject, and counts what there is afterwards.
    fn change<T>(
        &self,
        shard: &mut Shard,
        subject: &str,
        change: impl FnOnce(&mut SubjectRecord) -> T,
    ) -> T {
        let before = shard.entries;
        let result = shard.change(subject, change);
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

    /// Takes the room of one entry, where there are fewer than so many.
    fn take_room(&self, limit: usize) -> bool {
        let take = |entries| (entries < limit).then_some(entries + 1);
        let taken = self
            .entries
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok()
    }

    /// Takes the room of one entry, after what has expired has been forgotten if need be.
    fn make_room(&self, subject: &str, limit: usize, now: Moment) -> bool {
        let own = self.number(subject);
        let mut shard = self.lock(own);
        if shard.entries >= shard.sweep_at {
            self.sweep(&mut shard, now);
        }
        drop(shard);
        let mut sweeps = 0;
        for number in (own..SHARDS).chain(0..own) {
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
            if sweeps == MOST_SWEEPS {
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

    /// Makes a change for which the room of one entry is taken already.
    fn change_in_room<T>(&self, subject: &str, change: impl FnOnce(&mut SubjectRecord) -> T) -> T {
        let mut shard = self.shard(subject);
        let result = self.change(&mut shard, subject, change);
        self.entries.fetch_sub(1, Ordering::Relaxed);
        result
    }
}

impl Shard {
    fn change<T>(&mut self, subject: &str, change: impl FnOnce(&mut SubjectRecord) -> T) -> T {
        let name = ShortText::from_slice(subject.as_bytes());
        let record = self.subjects.entry(name).or_default();
        self.entries -= record.len();
        let result = change(record);
        self.entries += record.len();
        if record.is_empty() {
            self.subjects.remove(subject.as_bytes());
        }
        result
    }

    /// Forgets what has ended. Twice as much as is left has to come before that is done again, so
    /// that each entry is looked at a few times in all.
    fn sweep(&mut self, now: Moment) {
        self.subjects.retain(|_, record| {
            record.forget_ended(now);
            !record.is_empty()
        });
        self.entries = self.subjects.values().map(SubjectRecord::len).sum();
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

/// An answer that is there at once.
fn at_once<'a, T: Send + 'a>(answer: Result<T, StoreError>) -> StoreFuture<'a, T> {
    Box::pin(ready(answer))
}

impl SessionStore for MemoryStore {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        let subject = &opening.session.subject;
        at_once(if self.make_room(subject, self.limit, now) {
            Ok(self.change_in_room(subject, |record| record.open(opening, now)))
        } else {
            Err(StoreError::Full { limit: self.limit })
        })
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        let mut shard = self.shard(&rotation.subject);
        let rotate = |record: &mut SubjectRecord| record.rotate(rotation);
        at_once(Ok(self.change(&mut shard, &rotation.subject, rotate)))
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        let shard = self.shard(&token.subject);
        at_once(Ok(match shard.subjects.get(token.subject.as_bytes()) {
            Some(record) => record.standing(token, now),
            None => SubjectRecord::default().standing(token, now),
        }))
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        let mut shard = self.shard(&token.subject);
        at_once(Ok(
            shard.change(&token.subject, |record| record.mark_used(token, now))
        ))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: Moment) -> StoreFuture<'a, ()> {
        let subject = revocation.subject();
        let revoke = |record: &mut SubjectRecord| record.revoke(revocation, now);
        at_once(match revocation {
            // Sessions make room by it, and of subjects there is one entry each: neither is refused.
            Revocation::Session { .. } | Revocation::Subject { .. } => {
                self.change(&mut self.shard(subject), subject, revoke)
            }
            Revocation::Token { .. } => {
                let limit = self.limit.saturating_add(self.limit / RESERVE);
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
        let shard = self.shard(subject);
        let record = shard.subjects.get(subject.as_bytes());
        at_once(Ok(
            record.map_or_else(Vec::new, |record| record.sessions(most, now))
        ))
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
    async fn a_full_store_is_not_looked_through_for_every_login() {
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
            (expired, &full), // it was looked through a millisecond ago
            (after(998), &full),
            (after(999), &there_is_room),
        ] {
            let opened = store.open(&opening("second"), now).await;
            assert_eq!(format!("{opened:?}"), format!("{expected:?}"), "{now:?}");
        }
    }
}
