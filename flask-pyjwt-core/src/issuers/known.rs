//! What a resolver knows of names, within limits.

use std::{
    collections::{HashMap, VecDeque, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::Arc,
};

use tokio::sync::watch;

use super::Trust;
use crate::{claims::RESOLVED_AGE, jose::NumericDate};

/// Issuers that are known at once.
const MOST_KNOWN: usize = 10_000;
/// Seconds after which an issuer is asked for again, while it still counts.
const RENEW_AFTER: i64 = 240;
/// Names that are no issuers, or could not be asked for, at once.
const MOST_OTHERS: usize = 10_000;
/// Seconds for which a name is nobody's, and for which a failure counts.
const NOBODY: i64 = 60;
const FAILED: i64 = 2;

/// What is known of a name without waiting.
pub(crate) enum Lookup {
    Trust(Arc<Trust>),
    Nobody,
    /// Nobody can tell; try again after so many seconds.
    Unresolved(i64),
}

/// What came of asking for a name.
pub(super) enum Answer {
    Trust(Arc<Trust>),
    Nobody,
    Failed,
}

/// What is known of names.
#[derive(Default)]
pub(super) struct Known {
    issuers: HashMap<Arc<str>, Arc<Trust>>,
    /// Their names from the oldest, each with the second since 1970 from which on it counts.
    order: VecDeque<(Arc<str>, i64)>,
    /// Other names by their hashes, which take no more room however long a name is. Nobody knows the keys
    /// of the hash, so nobody can give two names the same one.
    others: HashMap<u64, Other>,
    others_order: VecDeque<(u64, i64)>,
    hasher: RandomState,
    /// The names that are being asked for.
    pub(super) running: HashMap<Box<str>, watch::Receiver<()>>,
}

#[derive(Clone, Copy)]
struct Other {
    from: i64,
    is_failure: bool,
}

impl Other {
    fn is_live(self, now: NumericDate) -> bool {
        let age = if self.is_failure { FAILED } else { NOBODY };
        (0..age).contains(&(now.seconds() - self.from))
    }
}

impl Known {
    /// What is known of a name, and whether it is time to ask for it again.
    pub(super) fn look_up(&self, issuer: &str, now: NumericDate) -> (Lookup, bool) {
        if let Some(trust) = self.issuers.get(issuer)
            && let Some(resolved) = &trust.rules.origin.resolved
            && resolved.is_live(now)
        {
            let is_old = now.seconds() >= resolved.from + RENEW_AFTER;
            return (Lookup::Trust(Arc::clone(trust)), is_old);
        }
        let found = match self.other(issuer, now) {
            Some(other) if other.is_failure => Lookup::Unresolved(FAILED),
            Some(_) => Lookup::Nobody,
            None => Lookup::Unresolved(1),
        };
        (found, false)
    }

    /// Whether asking has failed a moment ago.
    pub(super) fn has_failed(&self, issuer: &str, now: NumericDate) -> bool {
        self.other(issuer, now)
            .is_some_and(|other| other.is_failure)
    }

    /// Whether a name is that of an issuer, or was a moment ago.
    pub(super) fn has(&self, issuer: &str) -> bool {
        self.issuers.contains_key(issuer)
    }

    fn other(&self, issuer: &str, now: NumericDate) -> Option<Other> {
        let other = self.others.get(&self.hasher.hash_one(issuer)).copied();
        other.filter(|other| other.is_live(now))
    }

    /// Takes an answer, and gives back what does not count any more.
    pub(super) fn take(
        &mut self,
        issuer: &str,
        answer: Answer,
        now: Option<NumericDate>,
    ) -> Vec<Arc<Trust>> {
        self.running.remove(issuer);
        let Some(now) = now else {
            return Vec::new();
        };
        let mut gone = self.without_old(now);
        match answer {
            // An issuer that counts still does until its end.
            Answer::Failed => self.add_other(issuer, now, true),
            Answer::Nobody => {
                self.add_other(issuer, now, false);
                gone.extend(self.issuers.remove(issuer).inspect(end));
            }
            Answer::Trust(trust) => {
                self.others.remove(&self.hasher.hash_one(issuer));
                let name = Arc::clone(&trust.rules.issuer);
                self.order.push_back((Arc::clone(&name), from(&trust)));
                gone.extend(self.issuers.insert(name, trust).inspect(end));
                while self.issuers.len() > MOST_KNOWN || self.order.len() > 4 * MOST_KNOWN {
                    gone.extend(self.without_oldest());
                }
            }
        }
        gone
    }

    /// Takes out what has not counted for as long as it did: until then its keys and its turn are kept.
    fn without_old(&mut self, now: NumericDate) -> Vec<Arc<Trust>> {
        let mut gone = Vec::new();
        while let Some((_, from)) = self.order.front()
            && from + 2 * RESOLVED_AGE <= now.seconds()
        {
            gone.extend(self.without_oldest());
        }
        gone
    }

    fn without_oldest(&mut self) -> Option<Arc<Trust>> {
        let (name, since) = self.order.pop_front()?;
        // It may have been resolved again since.
        let is_same = self.issuers.get(&name).is_some_and(|it| from(it) == since);
        is_same.then(|| self.issuers.remove(&name)).flatten()
    }

    fn add_other(&mut self, issuer: &str, now: NumericDate, is_failure: bool) {
        let hash = self.hasher.hash_one(issuer);
        let from = now.seconds();
        self.others.insert(hash, Other { from, is_failure });
        self.others_order.push_back((hash, from));
        while self.others_order.len() > MOST_OTHERS {
            if let Some((hash, since)) = self.others_order.pop_front()
                && self.others.get(&hash).is_some_and(|it| it.from == since)
            {
                self.others.remove(&hash);
            }
        }
    }
}

/// Ends an issuer, with the tokens that were verified under it.
fn end(trust: &Arc<Trust>) {
    if let Some(resolved) = &trust.rules.origin.resolved {
        resolved.end();
    }
}

/// The second since 1970 from which on an issuer counts.
fn from(trust: &Trust) -> i64 {
    let resolved = trust.rules.origin.resolved.as_ref();
    resolved.map_or(0, |resolved| resolved.from)
}
