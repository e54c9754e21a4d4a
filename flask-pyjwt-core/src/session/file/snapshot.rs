//! A read-only view of the rows.

use redb::{Database, Error, ReadOnlyTable, ReadableDatabase as _};

use super::tables::{
    Fault, Key, SESSIONS, SUBJECTS, SessionRow, SubjectRow, TOKENS, find, sessions_of,
};
use crate::session::{Moment, SessionRecord, Standing, TokenIdentity};

/// The rows after the last committed change.
pub(super) struct Snapshot {
    sessions: ReadOnlyTable<Key, SessionRow>,
    tokens: ReadOnlyTable<Key, i64>,
    subjects: ReadOnlyTable<&'static str, SubjectRow>,
}

impl Snapshot {
    pub(super) fn of(database: &Database) -> Result<Self, Error> {
        let transaction = database.begin_read()?;
        Ok(Self {
            sessions: transaction.open_table(SESSIONS)?,
            tokens: transaction.open_table(TOKENS)?,
            subjects: transaction.open_table(SUBJECTS)?,
        })
    }

    /// Returns the standing of a token.
    pub(super) fn standing(&self, token: &TokenIdentity, now: Moment) -> Result<Standing, Fault> {
        let found = find(&self.sessions, &self.tokens, &self.subjects, token)?;
        Ok(found.standing(token, now))
    }

    /// Returns at most `most` live sessions of a subject.
    pub(super) fn sessions(
        &self,
        subject: &str,
        most: usize,
        now: Moment,
    ) -> Result<Vec<SessionRecord>, Fault> {
        sessions_of(&self.sessions, subject, most, now)
    }
}
