//! The tables of the file, and how to read them.

use redb::{ReadableTable, StorageError, TableDefinition};

use crate::session::{
    Moment, SessionRecord, Standing, StoreError, TokenIdentity, opening::OVERFULL, standing::Known,
};

/// A subject and an id.
pub(super) type Key = (&'static str, &'static str);
/// The moment of the session's expiry entry, and the session as JSON.
pub(super) type SessionRow = (i64, &'static [u8]);
/// Tokens of the subject that belong to no session and were issued until the first moment are
/// revoked. This is kept until the second moment.
pub(super) type SubjectRow = (i64, i64);

/// The open sessions.
pub(super) const SESSIONS: TableDefinition<'_, Key, SessionRow> = TableDefinition::new("sessions");
/// The tokens revoked by their ids, each with the end of its revocation.
pub(super) const TOKENS: TableDefinition<'_, Key, i64> = TableDefinition::new("tokens");
/// The revoked subjects.
pub(super) const SUBJECTS: TableDefinition<'_, &str, SubjectRow> = TableDefinition::new("subjects");

/// Why a step failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// An error of one row. Everything else continues.
    Row(StoreError),
    /// An error of the disk or the database. The whole file is unusable.
    Disk(StorageError),
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Disk(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Row(error)
    }
}

/// What the rows say about one token.
pub(super) struct Found {
    /// The token's session, with the moment of its expiry entry.
    pub(super) session: Option<(Moment, SessionRecord)>,
    /// Whether the token is revoked by its id.
    pub(super) revoked: bool,
    /// The subject's tokens that belong to no session are revoked if they were issued until this
    /// moment.
    pub(super) issued_until: Option<Moment>,
}

impl Found {
    /// Returns the standing of the token.
    pub(super) fn standing(&self, token: &TokenIdentity, now: Moment) -> Standing {
        let session = self.session.as_ref();
        let known = Known {
            revoked: self.revoked,
            in_session: session.map(|(_, session)| session.standing(token, now)),
            issued_until: self.issued_until,
        };
        known.standing(token)
    }
}

/// Finds what the rows say about a token.
pub(super) fn find(
    sessions: &impl ReadableTable<Key, SessionRow>,
    tokens: &impl ReadableTable<Key, i64>,
    subjects: &impl ReadableTable<&'static str, SubjectRow>,
    token: &TokenIdentity,
) -> Result<Found, Fault> {
    let subject = &*token.subject;
    let revoked = match &token.id {
        Some(id) => tokens.get((subject, &**id))?.is_some(),
        None => false,
    };
    let (session, issued_until) = match &token.session {
        Some(id) => (session_of(sessions, subject, id)?, None),
        None => (
            None,
            subjects
                .get(subject)?
                .map(|row| Moment::from_milliseconds(row.value().0)),
        ),
    };
    Ok(Found {
        session,
        revoked,
        issued_until,
    })
}

/// Finds a session, with the moment of its expiry entry.
pub(super) fn session_of(
    sessions: &impl ReadableTable<Key, SessionRow>,
    subject: &str,
    id: &str,
) -> Result<Option<(Moment, SessionRecord)>, Fault> {
    let Some(row) = sessions.get((subject, id))? else {
        return Ok(None);
    };
    let (end, json) = row.value();
    let end = Moment::from_milliseconds(end);
    Ok(Some((end, decode(subject, id, json)?)))
}

/// Returns at most `most` live sessions of a subject.
pub(super) fn sessions_of(
    sessions: &impl ReadableTable<Key, SessionRow>,
    subject: &str,
    most: usize,
    now: Moment,
) -> Result<Vec<SessionRecord>, Fault> {
    let after = after(subject);
    let rows = sessions.range((subject, "")..(&*after, ""))?;
    // Ended sessions stay for an hour and do not count.
    rows.take(OVERFULL)
        .map(|row| {
            let (key, row) = row?;
            Ok(decode(subject, key.value().1, row.value().1)?)
        })
        .filter(|session| {
            session
                .as_ref()
                .map_or(true, |it: &SessionRecord| it.is_live(now))
        })
        .take(most)
        .collect()
}

/// The smallest text after the subject, for ranges of keys.
pub(super) fn after(subject: &str) -> String {
    format!("{subject}\0")
}

pub(super) fn encode(session: &SessionRecord) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(session).map_err(StoreError::unavailable)
}

pub(super) fn decode(subject: &str, id: &str, json: &[u8]) -> Result<SessionRecord, StoreError> {
    // The message of serde may quote the content, so it is dropped.
    let session: SessionRecord = serde_json::from_slice(json)
        .map_err(|_| StoreError::corrupt("a session that cannot be read"))?;
    if session.subject != subject || session.id != id {
        return Err(StoreError::corrupt(
            "a session under the key of another one",
        ));
    }
    Ok(session)
}
