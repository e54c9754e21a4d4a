//! The queue of sessions and revocations by expiry, earliest first.

use redb::{
    ReadableTable as _, StorageError, Table, TableDefinition, TableError, WriteTransaction,
};

use crate::session::Moment;

/// The expiry in milliseconds since 1970, a [`Kind`], the subject, and the id.
type Key = (i64, u8, &'static str, &'static str);

const EXPIRIES: TableDefinition<'_, Key, ()> = TableDefinition::new("ends");

/// What expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Session = 0,
    Token = 1,
    Subject = 2,
}

impl Kind {
    fn of(number: u8) -> Result<Self, StorageError> {
        [Self::Session, Self::Token, Self::Subject]
            .into_iter()
            .find(|kind| *kind as u8 == number)
            .ok_or_else(|| StorageError::Corrupted("an expiry of an unknown kind".to_owned()))
    }
}

/// An entry: when to look at a session or revocation. By then it may have a later expiry, or be
/// gone.
pub(super) struct Expiry {
    pub(super) at: Moment,
    pub(super) kind: Kind,
    pub(super) subject: String,
    pub(super) id: String,
}

/// The table in a write transaction. Each session and each revocation has one entry.
pub(super) struct ExpiryQueue<'t>(Table<'t, Key, ()>);

impl<'t> ExpiryQueue<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        transaction.open_table(EXPIRIES).map(Self)
    }

    pub(super) fn add(
        &mut self,
        at: Moment,
        kind: Kind,
        subject: &str,
        id: &str,
    ) -> Result<(), StorageError> {
        self.0
            .insert((at.milliseconds(), kind as u8, subject, id), ())?;
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        at: Moment,
        kind: Kind,
        subject: &str,
        id: &str,
    ) -> Result<(), StorageError> {
        self.0
            .remove((at.milliseconds(), kind as u8, subject, id))?;
        Ok(())
    }

    /// The entries until `horizon`, earliest first, at most `most`.
    pub(super) fn until(&self, horizon: Moment, most: usize) -> Result<Vec<Expiry>, StorageError> {
        let entries = self.0.range(..=(horizon.milliseconds(), u8::MAX, "", ""))?;
        entries
            .take(most)
            .map(|entry| {
                let (key, _) = entry?;
                let (at, kind, subject, id) = key.value();
                Ok(Expiry {
                    at: Moment::from_milliseconds(at),
                    kind: Kind::of(kind)?,
                    subject: subject.to_owned(),
                    id: id.to_owned(),
                })
            })
            .collect()
    }
}
