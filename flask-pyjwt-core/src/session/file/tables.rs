//! The tables of the file, and what is read in them.

use redb::{ReadableTable, StorageError, TableDefinition};

use crate::session::{
    Moment, SessionRecord, Standing, StoreError, TokenIdentity, opening::OVERFULL, subject::Known,
};

/// Whose, and its id.
pub(super) type Key = (&'static str, &'static str);
/// Under which moment the session is among the ends, and the session as JSON.
pub(super) type SessionRow = (i64, &'static [u8]);
/// A subject's tokens of no session are revoked that were issued until the first moment; that is
/// remembered until the second.
pub(super) type SubjectRow = (i64, i64);

/// The sessions.
pub(super) const SESSIONS: TableDefinition<'_, Key, SessionRow> = TableDefinition::new("sessions");
/// The tokens that are revoked by their ids, and until when each is remembered.
pub(super) const TOKENS: TableDefinition<'_, Key, i64> = TableDefinition::new("tokens");
/// The subjects that were revoked.
pub(super) const SUBJECTS: TableDefinition<'_, &str, SubjectRow> = TableDefinition::new("subjects");

/// Why a step was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is about its own rows: everything else goes on.
    Row(StoreError),
    /// The disk or the database: nothing can be believed any more.
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

/// What is in the rows that concerns one token.
pub(super) struct Found {
    /// Its session, and under which moment that is among the ends.
    pub(super) session: Option<(Moment, SessionRecord)>,
    /// It is revoked by its id.
    pub(super) revoked: bool,
    /// Its subject's tokens of no session are revoked that were issued until then.
    pub(super) issued_until: Option<Moment>,
}

impl Found {
    /// Says how the token stands.
    pub(super) fn standing(&self, token: &TokenIdentity, now: Moment) -> Standing {
        let known = Known {
            revoked: self.revoked,
            session: self.session.as_ref().map(|(_, session)| session),
            issued_until: self.issued_until,
        };
        known.standing(token, now)
    }
}

/// Looks up what concerns a token.
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

/// A session, and under which moment it is among the ends.
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

/// The live sessions of a subject, at most so many.
pub(super) fn sessions_of(
    sessions: &impl ReadableTable<Key, SessionRow>,
    subject: &str,
    most: usize,
    now: Moment,
) -> Result<Vec<SessionRecord>, Fault> {
    let after = after(subject);
    let rows = sessions.range((subject, "")..(&*after, ""))?;
    // What has ended is there for an hour yet, and takes no place in the list.
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

/// The subject that would come next.
pub(super) fn after(subject: &str) -> String {
    format!("{subject}\0")
}

pub(super) fn encode(session: &SessionRecord) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(session).map_err(StoreError::unavailable)
}

pub(super) fn decode(subject: &str, id: &str, json: &[u8]) -> Result<SessionRecord, StoreError> {
    // What serde says of it may quote it.
    let session: SessionRecord = serde_json::from_slice(json)
        .map_err(|_| StoreError::corrupt("a session that cannot be read"))?;
    if session.subject != subject || session.id != id {
        return Err(StoreError::corrupt("a session in another one's place"));
    }
    Ok(session)
}
