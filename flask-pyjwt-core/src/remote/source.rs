//! The key set of one issuer that is fetched. Readers never wait for a fetch.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use reqwest::Client;
use tokio::sync::{Notify, watch};

use super::{
    Connections, KeySourceState, Request,
    fetch::{FetchError, Fetched, PATIENCE},
};
use crate::{
    clock::TimeSource,
    jose::{HeaderTypes, NumericDate, TokenError},
    keys::{AuthType, Crypto, JudgedSet, KeySet, VerifyingKey},
};

/// Seconds between two fetches for the sake of an unknown key, at the least.
const COOLDOWN: i64 = 10;
/// Seconds between two tries of a source that is down, at the most.
const LONGEST_BACKOFF: i64 = 300;

/// How the keys of an issuer are fetched and judged.
pub(crate) struct RemoteRules {
    pub(crate) issuer: String,
    pub(crate) request: Request,
    /// What makes the connections.
    pub(crate) client: Arc<Client>,
    pub(crate) connections: Connections,
    pub(crate) algorithms: Option<Vec<AuthType>>,
    pub(crate) types: HeaderTypes,
    pub(crate) crypto: Crypto,
    pub(crate) clock: TimeSource,
    /// Seconds for which the last good set is used while the source is down.
    pub(crate) keep: i64,
}

impl RemoteRules {
    /// Whether two issuers can have one source: the same is asked in the same way, and the answer is judged
    /// by the same rules. The clock is the manager's.
    pub(super) fn asks_like(&self, other: &Self) -> bool {
        self.request == other.request
            && self.connections == other.connections
            && self.algorithms == other.algorithms
            && self.types == other.types
            && self.keep == other.keep
    }
}

/// The keys at one moment.
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    fetched_at: Option<i64>,
}

/// What was tried last.
#[derive(Default)]
struct Attempts {
    is_running: bool,
    /// When the last one ended.
    ended_at: Option<i64>,
    /// Why it failed, if it did.
    error: Option<String>,
    failures: u32,
}

/// Keys that are fetched.
pub(crate) struct RemoteKeys {
    pub(super) rules: RemoteRules,
    state: ArcSwap<Snapshot>,
    attempts: Mutex<Attempts>,
    /// The second since 1970 from which on the set is to be renewed.
    renew_at: AtomicI64,
    /// Counts the attempts that have ended.
    ended: watch::Sender<u64>,
    /// Wakes the worker.
    pub(super) wanted: Arc<Notify>,
}

impl RemoteKeys {
    /// Keys of which none is known yet. The worker begins with a fetch.
    pub(crate) fn new(rules: RemoteRules) -> Self {
        let keys = Self::set(&rules, Vec::new());
        Self {
            state: ArcSwap::from_pointee(Snapshot {
                keys,
                fetched_at: None,
            }),
            attempts: Mutex::new(Attempts {
                is_running: true,
                ..Attempts::default()
            }),
            renew_at: AtomicI64::new(i64::MAX),
            ended: watch::Sender::new(0),
            wanted: Arc::default(),
            rules,
        }
    }

    fn set(rules: &RemoteRules, keys: Vec<Arc<VerifyingKey>>) -> KeySet {
        let accepted = rules.algorithms.clone();
        KeySet::new(keys, &rules.types)
            .accepting(accepted.unwrap_or_else(AuthType::with_public_keys))
    }

    /// The keys now, without waiting for anybody.
    pub(crate) fn load(&self) -> Guard<Arc<Snapshot>> {
        self.state.load()
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the set renewed where it is time. Costs one comparison where it is not.
    pub(crate) fn renew_in_time(&self, now: NumericDate) {
        if now.seconds() < self.renew_at.load(Ordering::Acquire) {
            return;
        }
        self.begin(&mut self.attempts());
    }

    /// Has the set fetched now, unless that is under way.
    pub(crate) fn renew(&self) {
        self.begin(&mut self.attempts());
    }

    fn begin(&self, attempts: &mut Attempts) {
        if !attempts.is_running {
            attempts.is_running = true;
            self.wanted.notify_one();
        }
    }

    /// What a token is answered with whose key is not known, or has not been confirmed for too long. A
    /// fetch begins, unless one has ended a moment ago.
    pub(crate) fn unknown_key(&self, now: NumericDate) -> TokenError {
        let unavailable = |seconds| TokenError::KeysUnavailable {
            retry_after: time::Duration::seconds(seconds),
        };
        let mut attempts = self.attempts();
        if attempts.is_running {
            return unavailable(1);
        }
        // A clock that was set back is no reason not to ask.
        let is_recent = attempts
            .ended_at
            .is_some_and(|ended| (0..COOLDOWN).contains(&(now.seconds() - ended)));
        match (is_recent, &attempts.error) {
            (true, None) => TokenError::UnknownKey,
            (true, Some(_)) => unavailable(COOLDOWN),
            (false, _) => {
                self.begin(&mut attempts);
                unavailable(1)
            }
        }
    }

    /// Waits for the fetch that is under way, if there is one: all who wait, wait for the same.
    pub(crate) async fn fetched(&self) {
        let mut ended = self.ended.subscribe();
        if self.attempts().is_running {
            // Whatever becomes of the worker, nobody waits for ever.
            let patience = PATIENCE + Duration::from_secs(1);
            drop(tokio::time::timeout(patience, ended.changed()).await);
        }
    }

    /// Takes what a fetch has brought.
    pub(super) fn end(&self, result: Result<Fetched, FetchError>) {
        let now = self.rules.clock.now();
        let taken = match (result, now) {
            (Ok(fetched), Ok(now)) => self.take(&fetched, now.seconds()),
            (Err(error), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
        };
        let now = now.map_or(0, NumericDate::seconds);
        let issuer = &self.rules.issuer;
        // Before the lock is taken: a subscriber may ask for the state.
        match &taken {
            Ok(_) => tracing::debug!(issuer, "the keys were fetched"),
            Err(error) => tracing::warn!(issuer, "the keys stay as they are: {error}"),
        }
        let mut attempts = self.attempts();
        attempts.is_running = false;
        attempts.ended_at = Some(now);
        match taken {
            Ok(lifetime) => {
                self.renew_at
                    .store(now.saturating_add(lifetime), Ordering::Release);
                (attempts.error, attempts.failures) = (None, 0);
            }
            Err(error) => {
                let backoff = COOLDOWN << attempts.failures.min(5);
                let backoff = backoff.min(LONGEST_BACKOFF);
                self.renew_at
                    .store(now.saturating_add(backoff), Ordering::Release);
                attempts.error = Some(error.to_string());
                attempts.failures += 1;
            }
        }
        drop(attempts);
        self.ended
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Puts a set in the place of the old one. Keys that are in both stay as they are; keys that are
    /// gone end. Gives the seconds until it is renewed.
    fn take(&self, fetched: &Fetched, now: i64) -> Result<i64, FetchError> {
        let old = self.state.load_full();
        let set = JudgedSet::parse(
            &fetched.json,
            self.rules.algorithms.as_deref(),
            self.rules.crypto,
            old.keys.keys(),
        )?;
        let issuer = &self.rules.issuer;
        for key in &set.refused {
            tracing::warn!(issuer, "a key of the JWK set is left out: {key}");
        }
        let keys = set.keys;
        for key in &keys {
            key.ends_at(now.saturating_add(self.rules.keep));
        }
        let snapshot = Arc::new(Snapshot {
            keys: Self::set(&self.rules, keys),
            fetched_at: Some(now),
        });
        self.state.store(Arc::clone(&snapshot));
        for key in old.keys.keys() {
            if !snapshot.keys.keys().iter().any(|own| Arc::ptr_eq(own, key)) {
                key.end();
            }
        }
        // Long before the keys come to their end.
        Ok(fetched.lifetime.min(self.rules.keep / 2).max(1))
    }

    /// How long the worker may sleep.
    pub(super) fn until_renewal(&self) -> Duration {
        let now = self.rules.clock.now().map_or(0, NumericDate::seconds);
        let seconds = self.renew_at.load(Ordering::Acquire).saturating_sub(now);
        Duration::from_secs(seconds.clamp(1, LONGEST_BACKOFF).unsigned_abs())
    }

    /// Begins a renewal that nobody has asked for, if it is time. Says whether it is.
    pub(super) fn is_due(&self) -> bool {
        let now = self.rules.clock.now().map_or(0, NumericDate::seconds);
        let is_due = now >= self.renew_at.load(Ordering::Acquire);
        if is_due {
            self.attempts().is_running = true;
        }
        is_due
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.attempts().is_running
    }

    /// The state for an issuer whose keys these are.
    pub(crate) fn state(&self, issuer: &str, now: Option<NumericDate>) -> KeySourceState {
        let snapshot = self.load();
        let keys = snapshot.keys.keys();
        let moment = |second| {
            time::OffsetDateTime::UNIX_EPOCH.saturating_add(time::Duration::seconds(second))
        };
        let mut key_ids: Vec<_> = keys.iter().map(|key| key.id.clone()).collect();
        key_ids.sort_unstable();
        key_ids.dedup();
        KeySourceState {
            issuer: issuer.to_owned(),
            address: self.rules.request.place.address().as_str().to_owned(),
            key_ids,
            fetched_at: snapshot.fetched_at.map(moment),
            usable_until: snapshot
                .fetched_at
                .map(|second| moment(second.saturating_add(self.rules.keep))),
            is_usable: now.is_some_and(|now| keys.iter().any(|key| key.is_live(now))),
            error: self.attempts().error.clone(),
        }
    }
}

impl Drop for RemoteKeys {
    fn drop(&mut self) {
        // The worker's task finds that nobody is left.
        self.wanted.notify_one();
    }
}
