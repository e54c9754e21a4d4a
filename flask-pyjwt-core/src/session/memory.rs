//! Sessions in this process's memory.

use std::{
    collections::HashMap,
    fmt,
    future::ready,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing, StoreError, StoreFuture,
    SubjectRecord, TokenIdentity, sorted::ShortText,
};

/// How many parts it has, each behind a lock of its own.
const SHARDS: usize = 16;
/// How many sessions and revocations it holds unless told otherwise.
const DEFAULT_LIMIT: usize = 1 << 20;
/// A full shard is looked through for what has expired no more often than this, in milliseconds: a
/// flood of logins must not make it the only thing that is done.
const SWEEP_INTERVAL: u64 = 1_000;

/// Sessions in this process's memory: for tests, and for servers of one process that may forget all
/// sessions when they end.
///
/// It holds so many sessions and revocations, by default 1,048,576, and forgets what has expired.
/// When it is full, logins are answered with 503, and nobody is logged out for it. A session takes about
/// 0.9 KiB.
///
/// What was revoked by its id or subject is forgotten with the process too: tokens of no session are
/// good again then, until they expire. Tokens of its sessions are not, since it knows none of them.
pub struct MemoryStore {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    limit: usize,
}

#[derive(Default)]
struct Shard {
    subjects: HashMap<ShortText, SubjectRecord>,
    /// Sessions and revocations, together.
    entries: usize,
    /// When so many are reached, what has expired is looked for.
    sweep_at: usize,
    /// When that was done last, in milliseconds since 1970.
    swept_at: Option<i64>,
}

impl MemoryStore {
    /// A store that holds so many sessions and revocations at the most.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            limit,
        }
    }

    fn shard(&self, subject: &str) -> MutexGuard<'_, Shard> {
        #[expect(clippy::cast_possible_truncation, reason = "only its last bits count")]
        let number = self.hasher.hash_one(subject) as usize % SHARDS;
        // Every step leaves a record whole.
        self.shards[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A shard with room for one entry more.
    fn with_room(&self, subject: &str, now: i64) -> Result<MutexGuard<'_, Shard>, StoreError> {
        let mut shard = self.shard(subject);
        let limit = (self.limit / SHARDS).max(1);
        let was_swept_just_now = shard
            .swept_at
            .is_some_and(|swept_at| now.abs_diff(swept_at) < SWEEP_INTERVAL);
        let is_due = if shard.entries < limit {
            shard.entries >= shard.sweep_at
        } else {
            !was_swept_just_now
        };
        if is_due {
            shard.sweep(now);
        }
        if shard.entries < limit {
            Ok(shard)
        } else {
            Err(StoreError::Full { limit: self.limit })
        }
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
    fn sweep(&mut self, now: i64) {
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
    fn open<'a>(&'a self, session: &'a SessionRecord, now: i64) -> StoreFuture<'a, ()> {
        at_once(self.with_room(&session.subject, now).map(|mut shard| {
            shard.change(&session.subject, |record| record.open(session.clone()));
        }))
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        let mut shard = self.shard(&rotation.subject);
        at_once(Ok(
            shard.change(&rotation.subject, |record| record.rotate(rotation))
        ))
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: i64) -> StoreFuture<'a, Standing> {
        let shard = self.shard(&token.subject);
        at_once(Ok(match shard.subjects.get(token.subject.as_bytes()) {
            Some(record) => record.standing(token, now),
            None => SubjectRecord::default().standing(token, now),
        }))
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: i64) -> StoreFuture<'a, Standing> {
        let mut shard = self.shard(&token.subject);
        at_once(Ok(
            shard.change(&token.subject, |record| record.mark_used(token, now))
        ))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: i64) -> StoreFuture<'a, ()> {
        let subject = revocation.subject();
        let shard = match revocation {
            Revocation::Session { .. } => Ok(self.shard(subject)),
            Revocation::Token { .. } => self.with_room(subject, now),
            Revocation::Subject { .. } => {
                let shard = self.shard(subject);
                // Whoever has sessions makes room by it.
                if shard.subjects.contains_key(subject.as_bytes()) {
                    Ok(shard)
                } else {
                    drop(shard);
                    self.with_room(subject, now)
                }
            }
        };
        at_once(shard.map(|mut shard| {
            shard.change(subject, |record| record.revoke(revocation));
        }))
    }

    fn sessions<'a>(&'a self, subject: &'a str, now: i64) -> StoreFuture<'a, Vec<SessionRecord>> {
        let shard = self.shard(subject);
        let record = shard.subjects.get(subject.as_bytes());
        at_once(Ok(
            record.map_or_else(Vec::new, |record| record.sessions(now))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Generation, subject::MARGIN};

    fn session(id: &str) -> SessionRecord {
        SessionRecord {
            id: id.to_owned(),
            subject: "alice".to_owned(),
            opened_at: 0,
            expires_at: 10_000,
            ends_at: 10_000,
            label: None,
            claims: "{}".to_owned(),
            generations: vec![Generation {
                refresh_id: format!("refresh {id}"),
                auth_id: format!("auth {id}"),
                issued_at: 0,
                ..Generation::default()
            }],
        }
    }

    #[actix_web::test]
    async fn a_full_store_is_not_looked_through_for_every_login() {
        let store = MemoryStore::new(1);
        assert!(store.open(&session("first"), 0).await.is_ok());
        let full = Err(StoreError::Full { limit: 1 });
        let expired = 10_000 + MARGIN;
        for (now, expected) in [
            (expired - 1, &full),
            (expired, &full), // it was looked through a millisecond ago
            (expired + 998, &full),
            (expired + 999, &Ok(())),
        ] {
            let opened = store.open(&session("second"), now).await;
            assert_eq!(format!("{opened:?}"), format!("{expected:?}"), "{now}");
        }
    }
}
