//! The cache of a resolver function's answers, with limits on its size.

use std::{
    collections::{HashMap, VecDeque, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::Arc,
};

use tokio::sync::watch;

use super::Trust;
use crate::{claims::RESOLVED_AGE, jose::NumericDate};

/// The maximum number of cached issuers.
const MAX_ISSUERS: usize = 10_000;
/// The age in seconds at which a cached issuer is resolved again. It stays in use until the new answer arrives.
const RENEW_AFTER: i64 = 240;
/// The maximum number of cached negative answers and failures.
const MAX_NEGATIVE: usize = 10_000;
/// The lifetime of a negative answer in seconds.
const UNTRUSTED_AGE: i64 = 60;
/// The lifetime of a failure in seconds.
const FAILED_AGE: i64 = 2;

/// The cached answer for a name.
pub(crate) enum Lookup {
    Trust(Arc<Trust>),
    Untrusted,
    /// There is no answer yet. Try again after this many seconds.
    Unresolved(i64),
}

/// The result of one call of a resolver function.
pub(super) enum Answer {
    Trust(Arc<Trust>),
    Untrusted,
    Failed,
}

/// The cached answers.
#[derive(Default)]
pub(super) struct Known {
    issuers: HashMap<Arc<str>, Arc<Trust>>,
    /// The names of the issuers from the oldest answer to the newest, with the second since 1970 of the answer.
    order: VecDeque<(Arc<str>, i64)>,
    /// Negative answers and failures by the hashes of their names, so that a long name takes no more memory. The hash
    /// has random keys, so an attacker cannot find two names with the same hash.
    negative: HashMap<u64, Negative>,
    negative_order: VecDeque<(u64, i64)>,
    hasher: RandomState,
    /// The names that are being resolved.
    pub(super) running: HashMap<Box<str>, watch::Receiver<()>>,
}

/// A negative answer or a failure.
#[derive(Clone, Copy)]
struct Negative {
    from: i64,
    is_failure: bool,
}

impl Negative {
    fn is_live(self, now: NumericDate) -> bool {
        let age = if self.is_failure {
            FAILED_AGE
        } else {
            UNTRUSTED_AGE
        };
        (0..age).contains(&(now.seconds() - self.from))
    }
}

impl Known {
    /// Returns the cached answer, and whether it is time to resolve the name again.
    pub(super) fn look_up(&self, issuer: &str, now: NumericDate) -> (Lookup, bool) {
        if let Some(trust) = self.issuers.get(issuer)
            && let Some(resolved) = &trust.rules.origin.resolved
            && resolved.is_live(now)
        {
            let is_old = now.seconds() >= resolved.from + RENEW_AFTER;
            return (Lookup::Trust(Arc::clone(trust)), is_old);
        }
        let found = match self.negative(issuer, now) {
            Some(negative) if negative.is_failure => Lookup::Unresolved(FAILED_AGE),
            Some(_) => Lookup::Untrusted,
            None => Lookup::Unresolved(1),
        };
        (found, false)
    }

    /// Returns whether resolving the name failed within the last seconds.
    pub(super) fn has_failed(&self, issuer: &str, now: NumericDate) -> bool {
        self.negative(issuer, now)
            .is_some_and(|negative| negative.is_failure)
    }

    /// Returns whether the cache holds an issuer of this name, even one whose answer is too old to be used.
    pub(super) fn has(&self, issuer: &str) -> bool {
        self.issuers.contains_key(issuer)
    }

    fn negative(&self, issuer: &str, now: NumericDate) -> Option<Negative> {
        let negative = self.negative.get(&self.hasher.hash_one(issuer)).copied();
        negative.filter(|negative| negative.is_live(now))
    }

    /// Stores an answer. Returns the entries that it removes, so that the caller drops them outside the lock.
    pub(super) fn store(
        &mut self,
        issuer: &str,
        answer: Answer,
        now: Option<NumericDate>,
    ) -> Vec<Arc<Trust>> {
        self.running.remove(issuer);
        let Some(now) = now else {
            return Vec::new();
        };
        let mut removed = self.remove_expired(now);
        match answer {
            // An issuer that is still cached stays trusted until its answer expires.
            Answer::Failed => self.add_negative(issuer, now, true),
            Answer::Untrusted => {
                self.add_negative(issuer, now, false);
                removed.extend(self.issuers.remove(issuer).inspect(end));
            }
            Answer::Trust(trust) => {
                self.negative.remove(&self.hasher.hash_one(issuer));
                let name = Arc::clone(&trust.rules.issuer);
                self.order.push_back((Arc::clone(&name), from(&trust)));
                removed.extend(self.issuers.insert(name, trust).inspect(end));
                while self.issuers.len() > MAX_ISSUERS || self.order.len() > 4 * MAX_ISSUERS {
                    removed.extend(self.remove_oldest());
                }
            }
        }
        removed
    }

    /// Removes answers that are older than twice their lifetime. Until then, an expired answer keeps its fetched keys
    /// alive and marks the name as one that was resolved before.
    fn remove_expired(&mut self, now: NumericDate) -> Vec<Arc<Trust>> {
        let mut removed = Vec::new();
        while let Some((_, from)) = self.order.front()
            && from + 2 * RESOLVED_AGE <= now.seconds()
        {
            removed.extend(self.remove_oldest());
        }
        removed
    }

    fn remove_oldest(&mut self) -> Option<Arc<Trust>> {
        let (name, since) = self.order.pop_front()?;
        // The entry is outdated if the name has been resolved again since.
        let is_same = self.issuers.get(&name).is_some_and(|it| from(it) == since);
        is_same.then(|| self.issuers.remove(&name)).flatten()
    }

    fn add_negative(&mut self, issuer: &str, now: NumericDate, is_failure: bool) {
        let hash = self.hasher.hash_one(issuer);
        let from = now.seconds();
        self.negative.insert(hash, Negative { from, is_failure });
        self.negative_order.push_back((hash, from));
        while self.negative_order.len() > MAX_NEGATIVE {
            if let Some((hash, since)) = self.negative_order.pop_front()
                && self.negative.get(&hash).is_some_and(|it| it.from == since)
            {
                self.negative.remove(&hash);
            }
        }
    }
}

/// Ends the trust in an issuer, including tokens that were verified before.
fn end(trust: &Arc<Trust>) {
    if let Some(resolved) = &trust.rules.origin.resolved {
        resolved.end();
    }
}

/// Returns when an issuer was resolved, in seconds since 1970.
fn from(trust: &Trust) -> i64 {
    let resolved = trust.rules.origin.resolved.as_ref();
    resolved.map_or(0, |resolved| resolved.from)
}
