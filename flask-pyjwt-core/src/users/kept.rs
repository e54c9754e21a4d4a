//! Records of users that are used again for a limited time.
//!
//! A record is found by the whole text of its token, so a loader may use every claim. The records are in two halves: when
//! the new one is full, it becomes the old one, whose records are dropped. So the number of records is bounded, and
//! those in use stay.

use std::{
    any::TypeId,
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use time::Duration;

use super::Record;
use crate::{jose::NumericDate, token::Token};

/// The maximum number of records in each half.
const MOST: usize = 5_000;

/// How often users were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Epoch(u64);

pub(super) struct Kept {
    age: Duration,
    halves: Mutex<Halves>,
}

#[derive(Default)]
struct Halves {
    new: HashMap<Key, Entry>,
    old: HashMap<Key, Entry>,
    epoch: Epoch,
}

type Key = (TypeId, String);

#[derive(Clone)]
struct Entry {
    record: Record,
    token: Token,
    loaded_at: NumericDate,
}

impl Kept {
    pub(super) fn new(age: Duration) -> Self {
        Self {
            age,
            halves: Mutex::default(),
        }
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.halves().epoch
    }

    pub(super) fn find(&self, user: TypeId, token: &Token, now: NumericDate) -> Option<Record> {
        let key = (user, token.signed().to_owned());
        let mut halves = self.halves();
        if let Some(entry) = halves.new.get(&key) {
            return entry.fresh(now, self.age);
        }
        let entry = halves.old.remove(&key)?;
        let record = entry.fresh(now, self.age);
        let dropped = match &record {
            Some(_) => halves.insert(key, entry),
            None => HashMap::from([(key, entry)]),
        };
        drop(halves);
        // Records are the application's. None is dropped while the lock is held.
        drop(dropped);
        record
    }

    pub(super) fn keep(
        &self,
        user: TypeId,
        token: &Token,
        record: &Record,
        epoch: Epoch,
        now: NumericDate,
    ) {
        let entry = Entry {
            record: record.clone(),
            token: token.clone(),
            loaded_at: now,
        };
        let mut halves = self.halves();
        let is_current = halves.epoch == epoch;
        let dropped = is_current.then(|| halves.insert((user, token.signed().to_owned()), entry));
        drop(halves);
        drop(dropped);
    }

    /// Forgets a subject, whichever issuer has signed its tokens.
    pub(super) fn forget(&self, subject: &str) {
        let mut halves = self.halves();
        halves.epoch.0 += 1;
        let is_it = |_: &Key, entry: &mut Entry| entry.token.sub() == subject;
        let mut dropped: Vec<_> = halves.new.extract_if(is_it).collect();
        dropped.extend(halves.old.extract_if(is_it));
        drop(halves);
        drop(dropped);
    }
}

impl Entry {
    /// The record, if it was loaded at most `age` ago. A clock that was set back makes it too old.
    fn fresh(&self, now: NumericDate, age: Duration) -> Option<Record> {
        let since = now.since(self.loaded_at);
        (!since.is_negative() && since < age).then(|| self.record.clone())
    }
}

impl Halves {
    /// Returns what is dropped for it.
    #[must_use]
    fn insert(&mut self, key: Key, entry: Entry) -> HashMap<Key, Entry> {
        let mut dropped = HashMap::new();
        if self.new.len() >= MOST {
            dropped = mem::replace(&mut self.old, mem::take(&mut self.new));
        }
        if let Some(replaced) = self.new.insert(key.clone(), entry) {
            dropped.insert(key, replaced);
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{config::Config, keys::AuthType, manager::AuthManager};

    const AGE: Duration = Duration::seconds(10);

    fn record(number: usize) -> Record {
        Arc::new(number)
    }

    fn number(record: Option<Record>) -> Option<usize> {
        record?.downcast_ref().copied()
    }

    fn auth() -> AuthManager {
        let secret = "change-me: at least 32 bytes of secret";
        AuthManager::new(Config::new("example", AuthType::HS256, secret)).expect("valid")
    }

    fn at(second: i64) -> NumericDate {
        NumericDate::at(second).expect("in range")
    }

    #[test]
    fn a_record_is_kept_for_its_time_and_its_type_only() {
        let token = auth().auth_token("alice").sign().expect("signed");
        let kept = Kept::new(AGE);
        let user = TypeId::of::<usize>();
        kept.keep(user, &token, &record(1), kept.epoch(), at(100));
        for (now, expected) in [(99, None), (100, Some(1)), (109, Some(1)), (110, None)] {
            assert_eq!(number(kept.find(user, &token, at(now))), expected, "{now}");
        }
        assert!(kept.find(TypeId::of::<String>(), &token, at(100)).is_none());
    }

    #[test]
    fn a_record_that_was_read_before_users_were_forgotten_is_not_kept() {
        let auth = auth();
        let token = |subject| auth.auth_token(subject).sign().expect("signed");
        let (alice, bob) = (token("alice"), token("bob"));
        let kept = Kept::new(AGE);
        let user = TypeId::of::<usize>();
        kept.keep(user, &alice, &record(1), kept.epoch(), at(100));
        kept.keep(user, &bob, &record(2), kept.epoch(), at(100));
        let epoch = kept.epoch();
        kept.forget("alice");
        assert!(kept.find(user, &alice, at(100)).is_none());
        assert_eq!(number(kept.find(user, &bob, at(100))), Some(2));
        kept.keep(user, &alice, &record(3), epoch, at(100));
        assert!(kept.find(user, &alice, at(100)).is_none());
    }

    #[test]
    fn the_number_of_records_is_bounded_and_those_in_use_stay() {
        let auth = auth();
        let busy = auth.auth_token("busy").sign().expect("signed");
        let kept = Kept::new(AGE);
        let user = TypeId::of::<usize>();
        kept.keep(user, &busy, &record(0), kept.epoch(), at(0));
        for number in 0..3 * MOST {
            let mut halves = kept.halves();
            let entry = Entry {
                record: record(number),
                token: busy.clone(),
                loaded_at: at(0),
            };
            let dropped = halves.insert((user, number.to_string()), entry);
            assert!(halves.new.len() + halves.old.len() <= 2 * MOST);
            drop(halves);
            drop(dropped);
            if number % 1_000 == 0 {
                assert!(kept.find(user, &busy, at(1)).is_some(), "{number}");
            }
        }
    }
}
