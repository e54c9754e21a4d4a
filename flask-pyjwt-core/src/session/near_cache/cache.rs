//! The cache: what is asked of it, and what makes it forget.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    super::{Moment, Standing, StoreError, TokenIdentity},
    answer::{Answer, AuthToken, issued_at},
    counts::NearCacheCounts,
    kept::Entry,
    open::{Question, Waiter, Waiters},
    settings::NearCache,
    shard::Shard,
    subscription::Subscription,
};

/// How many parts with separate locks there are at most.
const MOST_SHARDS: usize = 64;
/// A part has room for this many entries, if there is more than one part.
const LEAST_IN_SHARD: usize = 512;

/// Answers of a store, by the store's own key of the subject.
pub struct Cache {
    origin: Instant,
    max_silence: Duration,
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
    changes: AtomicU64,
    emptied: Arc<AtomicU64>,
}

impl Cache {
    /// An empty cache.
    ///
    /// # Errors
    ///
    /// A sentence that says which setting is out of range.
    pub fn new(settings: &NearCache) -> Result<Arc<Self>, &'static str> {
        let (most, max_silence) = settings.checked()?;
        let shards = (most / LEAST_IN_SHARD).clamp(1, MOST_SHARDS);
        let shard = || Mutex::new(Shard::new(most / shards));
        Ok(Arc::new(Self {
            origin: Instant::now(),
            max_silence,
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(shard).take(shards).collect(),
            changes: AtomicU64::new(0),
            emptied: Arc::default(),
        }))
    }

    /// How old the last sign of life of a subscription may be.
    #[must_use]
    pub fn max_silence(&self) -> Duration {
        self.max_silence
    }

    /// Begins a subscription. `asked` is when the server was asked for a sign of life that it has
    /// given, after it began to announce changes.
    #[must_use]
    pub fn subscribe(&self, asked: Instant) -> Arc<Subscription> {
        let emptied = Arc::clone(&self.emptied);
        Arc::new(Subscription::new(
            self.origin,
            self.max_silence,
            asked,
            emptied,
        ))
    }

    /// A subject has changed, or its change is about to be sent.
    pub fn forget(&self, key: &[u8]) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.shard(key).change(key);
    }

    /// Forgets a subject before its change is sent, and again when this is dropped, which has to
    /// be before anybody is told that it was made, may have been made or has failed.
    #[must_use = "drop it when the answer is known"]
    pub fn changing(self: &Arc<Self>, key: impl Into<Arc<[u8]>>) -> Changing {
        let key = key.into();
        self.forget(&key);
        Changing {
            cache: Arc::clone(self),
            key,
        }
    }

    /// The standing of an auth token, if the answer is known. `at` is the present.
    #[must_use]
    pub fn standing(
        &self,
        key: &[u8],
        token: &TokenIdentity,
        now: Moment,
        at: Instant,
    ) -> Option<Standing> {
        let answer = self.answer(key, token, at)?;
        Some(answer.standing(now))
    }

    /// The answer about an auth token, if it is known.
    pub(super) fn answer(&self, key: &[u8], token: &TokenIdentity, at: Instant) -> Option<Answer> {
        let answer = self.hit(key, token, at);
        if answer.is_none() && token.grace.is_none() {
            self.shard(key).misses += 1;
        }
        answer
    }

    /// The same, and it is not counted as a miss if the answer is not known.
    pub(super) fn hit(&self, key: &[u8], token: &TokenIdentity, at: Instant) -> Option<Answer> {
        if token.grace.is_some() {
            return None;
        }
        let hash = self.hash(token.session.as_ref(), token.id.as_ref(), issued_at(token));
        let mut shard = self.shard(key);
        let (entry, dropped) = shard.kept.find(key, hash, token);
        let entry = entry.filter(|it| it.under.holds(at));
        let answer = entry.map(|it| it.answer);
        shard.hits += u64::from(answer.is_some());
        drop(shard);
        drop(dropped);
        answer
    }

    /// What has been counted.
    #[must_use]
    pub fn counts(&self) -> NearCacheCounts {
        let mut counts = NearCacheCounts {
            changes: self.changes.load(Ordering::Relaxed),
            emptied: self.emptied.load(Ordering::Relaxed),
            ..NearCacheCounts::default()
        };
        for shard in &self.shards {
            let shard = lock(shard);
            counts.hits += shard.hits;
            counts.misses += shard.misses;
            counts.questions += shard.questions;
            counts.entries += shard.kept.len();
        }
        counts
    }

    /// Somebody wants to know about a token. Returns the question to ask now, if any.
    pub(super) fn join(&self, key: &[u8], token: AuthToken, waiter: Waiter) -> Option<Question> {
        let mut shard = self.shard(key);
        let question = match shard.open.get_mut(key) {
            Some(open) => open.join(key, token, waiter),
            None => shard
                .open
                .entry(key.into())
                .or_default()
                .join(key, token, waiter),
        };
        shard.questions += u64::from(question.is_some());
        question
    }

    /// A question takes long. Returns the next one, for those who wait for its end.
    pub(super) fn overdue(&self, question: &Question) -> Option<Question> {
        let mut shard = self.shard(&question.key);
        let next = shard.open.get_mut(&*question.key)?.overdue(question);
        shard.questions += u64::from(next.is_some());
        next
    }

    /// A question was answered. Keeps the answers if nothing has changed since before it was sent,
    /// and gives them to those who wait. Returns the next question.
    pub(super) fn answered(
        &self,
        mut question: Question,
        answers: Vec<(AuthToken, Result<Answer, Arc<StoreError>>)>,
        at: Instant,
    ) -> Option<Question> {
        let under = question.under.take().filter(|it| it.holds(at));
        let entry = |token: &AuthToken, answer: Answer| {
            let under = under.clone()?;
            answer.is_kept().then(|| Entry {
                hash: self.hash(token.session.as_ref(), token.id.as_ref(), token.issued_at),
                token: token.clone(),
                answer,
                under,
            })
        };
        let entries = answers
            .iter()
            .filter_map(|(token, answer)| entry(token, *answer.as_ref().ok()?));
        let (next, dropped) = self.shard(&question.key).end(&question, entries);
        drop(dropped);
        for (token, answer) in answers {
            for waiter in question.waiters.remove(&token).into_iter().flatten() {
                // It may have gone away.
                drop(waiter.answer.send(answer.clone()));
            }
        }
        next
    }

    /// A question has failed. Returns the next one.
    pub(super) fn failed(&self, question: Question, error: StoreError) -> Option<Question> {
        let (next, _) = self.shard(&question.key).end(&question, std::iter::empty());
        refuse(question.waiters, error);
        next
    }

    fn hash(
        &self,
        session: Option<&String>,
        id: Option<&String>,
        issued_at: Option<Moment>,
    ) -> u64 {
        self.hasher.hash_one((session, id, issued_at))
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        if let [shard] = &*self.shards {
            return lock(shard);
        }
        let hash = self.hasher.hash_one(key);
        let place = hash % self.shards.len() as u64;
        lock(&self.shards[usize::try_from(place).unwrap_or_default()])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A panic cannot leave it half-changed, so a poisoned lock is usable.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refuse(waiters: Waiters, error: StoreError) {
    let error = Arc::new(error);
    for waiter in waiters.into_values().flatten() {
        drop(waiter.answer.send(Err(Arc::clone(&error))));
    }
}

/// A change of a subject by this process. See [`Cache::changing`].
#[derive(Debug)]
pub struct Changing {
    cache: Arc<Cache>,
    key: Arc<[u8]>,
}

impl Drop for Changing {
    fn drop(&mut self) {
        self.cache.forget(&self.key);
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("max_silence", &self.max_silence)
            .finish_non_exhaustive()
    }
}
