//! A fetched key set. Readers never wait for a fetch.

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
    fetch::{FetchError, Fetched, TIMEOUT},
};
use crate::{
    clock::TimeSource,
    jose::{HeaderTypes, NumericDate, TokenError},
    keys::{AuthType, CheckedSet, Crypto, KeySet, VerifyingKey},
    meters,
};

/// The minimum time in seconds between two fetches that unknown keys cause.
const COOLDOWN: i64 = 10;
/// The maximum time in seconds between two attempts while a source is down.
const MAX_BACKOFF: i64 = 300;

/// How the keys of an issuer are fetched and checked.
pub(crate) struct RemoteRules {
    pub(crate) issuer: String,
    /// The name for the metrics: for issuers that a function resolves, the pattern of their names.
    pub(crate) label: String,
    pub(crate) request: Request,
    /// The HTTP client for `connections`.
    pub(crate) client: Arc<Client>,
    pub(crate) connections: Connections,
    pub(crate) algorithms: Option<Vec<AuthType>>,
    pub(crate) types: HeaderTypes,
    pub(crate) crypto: Crypto,
    pub(crate) clock: TimeSource,
    /// How long the last good set is used while the source is down, in seconds.
    pub(crate) keep: i64,
}

impl RemoteRules {
    /// Returns whether two issuers can share a source: whether the request and all rules for the response are equal.
    /// The clock and the cryptography are the same for all issuers of a manager.
    pub(super) fn can_share(&self, other: &Self) -> bool {
        self.request == other.request
            && self.connections == other.connections
            && self.algorithms == other.algorithms
            && self.types == other.types
            && self.keep == other.keep
    }
}

/// The keys as of one fetch.
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    fetched_at: Option<i64>,
}

/// The state of the fetches.
#[derive(Default)]
struct Attempts {
    /// Whether a fetch is running or requested.
    is_running: bool,
    /// When the last fetch ended, in seconds since 1970.
    ended_at: Option<i64>,
    /// Why the last fetch failed, if it did.
    error: Option<String>,
    /// The number of failures since the last success.
    failures: u32,
}

/// A key set that is fetched and renewed in the background.
pub(crate) struct RemoteKeys {
    pub(super) rules: RemoteRules,
    state: ArcSwap<Snapshot>,
    attempts: Mutex<Attempts>,
    /// When to renew the set, in seconds since 1970.
    renew_at: AtomicI64,
    /// The number of fetches that have ended.
    ended: watch::Sender<u64>,
    /// Wakes the worker's task.
    pub(super) wake: Arc<Notify>,
}

impl RemoteKeys {
    /// Creates a source without keys. The worker starts with a fetch.
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
            wake: Arc::default(),
            rules,
        }
    }

    fn set(rules: &RemoteRules, keys: Vec<Arc<VerifyingKey>>) -> KeySet {
        let accepted = rules.algorithms.clone();
        KeySet::new(keys, &rules.types)
            .accepting(accepted.unwrap_or_else(AuthType::with_public_keys))
    }

    /// Returns the current keys without waiting.
    pub(crate) fn load(&self) -> Guard<Arc<Snapshot>> {
        self.state.load()
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests a fetch if the set is due for renewal. Costs one comparison otherwise.
    pub(crate) fn renew_if_due(&self, now: NumericDate) {
        if now.seconds() < self.renew_at.load(Ordering::Acquire) {
            return;
        }
        self.request_fetch(&mut self.attempts());
    }

    /// Requests a fetch unless one is running.
    pub(crate) fn renew(&self) {
        self.request_fetch(&mut self.attempts());
    }

    fn request_fetch(&self, attempts: &mut Attempts) {
        if !attempts.is_running {
            attempts.is_running = true;
            self.wake.notify_one();
        }
    }

    /// Returns the error for a token whose key is not in the keys that were `searched`, or was fetched too long ago.
    /// Requests a fetch unless one has just ended. Returns `None` if a fetch has replaced the keys meanwhile: the token
    /// has to be looked at again, because its key may be among the new ones.
    pub(crate) fn unknown_key(&self, searched: &Snapshot, now: NumericDate) -> Option<TokenError> {
        let unavailable = |seconds| {
            Some(TokenError::KeysUnavailable {
                retry_after: time::Duration::seconds(seconds),
            })
        };
        let mut attempts = self.attempts();
        if attempts.is_running {
            return unavailable(1);
        }
        // A fetch replaces the keys before it counts as ended, so no end can be seen here without its keys.
        if !std::ptr::eq(Arc::as_ptr(&self.state.load()), searched) {
            return None;
        }
        // The range is checked at both ends: a clock that was set back must not delay the fetch.
        let is_recent = attempts
            .ended_at
            .is_some_and(|ended| (0..COOLDOWN).contains(&(now.seconds() - ended)));
        match (is_recent, &attempts.error) {
            (true, None) => Some(TokenError::UnknownKey),
            (true, Some(_)) => unavailable(COOLDOWN),
            (false, _) => {
                self.request_fetch(&mut attempts);
                unavailable(1)
            }
        }
    }

    /// Waits for the running fetch, if there is one. All callers wait for the same fetch.
    pub(crate) async fn fetched(&self) {
        let mut ended = self.ended.subscribe();
        if self.attempts().is_running {
            // A second limit, in case the worker has stopped.
            let limit = TIMEOUT + Duration::from_secs(1);
            drop(tokio::time::timeout(limit, ended.changed()).await);
        }
    }

    /// Records the result of a fetch, and schedules the next one.
    pub(super) fn finish_fetch(&self, result: Result<Fetched, FetchError>) {
        let now = self.rules.clock.now();
        let lifetime = match (result, now) {
            (Ok(fetched), Ok(now)) => self.install(&fetched, now.seconds()),
            (Err(error), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
        };
        let now = now.map_or(0, NumericDate::seconds);
        let issuer = &self.rules.issuer;
        // Log before taking the lock: a log subscriber may read the state.
        match &lifetime {
            Ok(_) => tracing::debug!(issuer, "the keys were fetched"),
            Err(error) => tracing::warn!(issuer, "the keys could not be renewed: {error}"),
        }
        meters::key_fetch(&self.rules.label, lifetime.is_ok().then_some(now));
        let mut attempts = self.attempts();
        attempts.is_running = false;
        attempts.ended_at = Some(now);
        match lifetime {
            Ok(lifetime) => {
                self.renew_at
                    .store(now.saturating_add(lifetime), Ordering::Release);
                (attempts.error, attempts.failures) = (None, 0);
            }
            Err(error) => {
                let backoff = COOLDOWN << attempts.failures.min(5);
                let backoff = backoff.min(MAX_BACKOFF);
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

    /// Replaces the current set. Keys that are in both sets are kept; keys that are no longer in the set end. Returns
    /// the seconds until the set is renewed.
    fn install(&self, fetched: &Fetched, now: i64) -> Result<i64, FetchError> {
        let old = self.state.load_full();
        let set = CheckedSet::parse(
            &fetched.json,
            self.rules.algorithms.as_deref(),
            self.rules.crypto,
            old.keys.keys(),
        )?;
        let issuer = &self.rules.issuer;
        for key in &set.refused {
            tracing::warn!(issuer, "a key of the JWK set is skipped: {key}");
        }
        let keys = set.keys;
        for key in &keys {
            key.set_end(now.saturating_add(self.rules.keep));
        }
        let snapshot = Arc::new(Snapshot {
            keys: Self::set(&self.rules, keys),
            fetched_at: Some(now),
        });
        self.state.store(Arc::clone(&snapshot));
        for key in old.keys.keys() {
            if !snapshot
                .keys
                .keys()
                .iter()
                .any(|kept| Arc::ptr_eq(kept, key))
            {
                key.end();
            }
        }
        // Renew long before the keys end.
        Ok(fetched.lifetime.min(self.rules.keep / 2).max(1))
    }

    /// Returns how long the worker may sleep.
    pub(super) fn until_renewal(&self) -> Duration {
        let now = self.rules.clock.now().map_or(0, NumericDate::seconds);
        let seconds = self.renew_at.load(Ordering::Acquire).saturating_sub(now);
        Duration::from_secs(seconds.clamp(1, MAX_BACKOFF).unsigned_abs())
    }

    /// Marks a fetch as running if the set is due for renewal, and returns whether it is.
    pub(super) fn start_if_due(&self) -> bool {
        let now = self.rules.clock.now().map_or(0, NumericDate::seconds);
        let is_due = now >= self.renew_at.load(Ordering::Acquire);
        if is_due {
            self.attempts().is_running = true;
        }
        is_due
    }

    /// Returns whether a fetch has been requested.
    pub(super) fn is_requested(&self) -> bool {
        self.attempts().is_running
    }

    /// The address of the discovery document, if the keys are found by one.
    #[cfg(feature = "utoipa")]
    pub(crate) fn discovery_document(&self) -> Option<&str> {
        match &self.rules.request.place {
            super::address::Place::Discovery(address) => Some(address.as_str()),
            super::address::Place::Keys(_) => None,
        }
    }

    /// Returns the state as shown for one of the issuers that use this source.
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
        // The worker's task wakes, cannot upgrade its `Weak`, and ends.
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests;
