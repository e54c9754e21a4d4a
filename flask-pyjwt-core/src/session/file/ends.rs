//! When to look whether something has ended, earliest first.

use redb::{
    ReadableTable as _, StorageError, Table, TableDefinition, TableError, WriteTransaction,
};

use crate::session::Moment;

/// A moment in milliseconds since 1970, a [`Kind`], whose, and its id.
type Key = (i64, u8, &'static str, &'static str);

const ENDS: TableDefinition<'_, Key, ()> = TableDefinition::new("ends");

/// What ends.
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
            .ok_or_else(|| StorageError::Corrupted("an end of no kind".to_owned()))
    }
}

/// An entry: at this moment it is to be looked at. What it is about may live longer by then, and not
/// be there any more.
pub(super) struct End {
    pub(super) at: Moment,
    pub(super) kind: Kind,
    pub(super) subject: String,
    pub(super) id: String,
}

/// The table in one write transaction. Each session and each revocation has one entry.
pub(super) struct Ends<'t>(Table<'t, Key, ()>);

impl<'t> Ends<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        transaction.open_table(ENDS).map(Self)
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

    /// The entries until then, the earliest first, at most so many.
    pub(super) fn until(&self, horizon: Moment, most: usize) -> Result<Vec<End>, StorageError> {
        let entries = self.0.range(..=(horizon.milliseconds(), u8::MAX, "", ""))?;
        entries
            .take(most)
            .map(|entry| {
                let (key, _) = entry?;
                let (at, kind, subject, id) = key.value();
                Ok(End {
                    at: Moment::from_milliseconds(at),
                    kind: Kind::of(kind)?,
                    subject: subject.to_owned(),
                    id: id.to_owned(),
                })
            })
            .collect()
    }
}
