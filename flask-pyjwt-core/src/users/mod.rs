//! The users behind tokens: the application's loaders, and the records that they have returned lately.

mod kept;

#[cfg(feature = "test-kit")]
use std::sync::{Mutex, PoisonError};
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use time::Duration;

pub(crate) use self::kept::Epoch;
use self::kept::Kept;
use crate::{jose::NumericDate, meters, token::Token};

/// A record of a type that only the extractor knows.
pub(crate) type Record = Arc<dyn Any + Send + Sync>;

/// A loader whose type only the HTTP layer (`web`) knows.
pub(crate) type Loader = Arc<dyn Any + Send + Sync>;

/// The loaders of a configuration, by the type that each returns.
pub(crate) type Loaders = HashMap<TypeId, Loader>;

/// The loaders and the kept records of a manager.
pub(crate) struct Users {
    loaders: Loaders,
    kept: Option<Kept>,
    /// What a test says that the loaders return.
    #[cfg(feature = "test-kit")]
    given: Mutex<HashMap<(TypeId, String), Record>>,
}

impl Users {
    /// Keeps records for `age`, or none if it is zero.
    pub(crate) fn new(loaders: Loaders, age: Duration) -> Self {
        if !loaders.is_empty() {
            meters::begin_users();
        }
        Self {
            loaders,
            kept: age.is_positive().then(|| Kept::new(age)),
            #[cfg(feature = "test-kit")]
            given: <_>::default(),
        }
    }

    pub(crate) fn loader(&self, user: TypeId) -> Option<&Loader> {
        self.loaders.get(&user)
    }

    /// A record that was loaded for this very token lately.
    pub(crate) fn find(&self, user: TypeId, token: &Token, now: NumericDate) -> Option<Record> {
        self.kept.as_ref()?.find(user, token, now)
    }

    /// To be asked for before a record is loaded, for [`keep`](Self::keep).
    pub(crate) fn epoch(&self) -> Epoch {
        self.kept.as_ref().map(Kept::epoch).unwrap_or_default()
    }

    /// Keeps a record, unless users were forgotten since `epoch`: it may have been read before that.
    pub(crate) fn keep(
        &self,
        user: TypeId,
        token: &Token,
        record: &Record,
        epoch: Epoch,
        now: NumericDate,
    ) {
        if let Some(kept) = &self.kept {
            kept.keep(user, token, record, epoch, now);
        }
    }

    /// Forgets the records of a subject, of whichever issuer.
    pub(crate) fn forget(&self, subject: &str) {
        if let Some(kept) = &self.kept {
            kept.forget(subject);
        }
    }

    /// Lets requests with this token have this record, whatever the loader would return.
    #[cfg(feature = "test-kit")]
    pub(crate) fn give(&self, user: TypeId, signed: &str, record: Record) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.insert((user, signed.to_owned()), record);
    }

    /// The record that a test has given.
    #[cfg(feature = "test-kit")]
    pub(crate) fn given(&self, user: TypeId, token: &Token) -> Option<Record> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.get(&(user, token.signed().to_owned())).cloned()
    }
}
