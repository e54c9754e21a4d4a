//! The rows of the file, and each step that changes them.
//!
//! Each session and each revocation is a row of its own, found by subject and id, so that a step costs
//! the same whoever has how many sessions.

use redb::{ReadableTable, StorageError, Table, TableDefinition, TableError, WriteTransaction};

use super::ends::{Ends, Kind};
use crate::session::{
    Opening, Revocation, Rotated, Rotation, SessionRecord, Standing, StoreError, TokenIdentity,
    opening::{Candidate, MOST_SESSIONS, MOST_TOKENS, OVERFULL},
    subject::{Known, horizon, later, rotate},
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

/// The tables of one write transaction.
pub(super) struct Rows<'t> {
    sessions: Table<'t, Key, SessionRow>,
    tokens: Table<'t, Key, i64>,
    subjects: Table<'t, &'static str, SubjectRow>,
    ends: Ends<'t>,
    /// Whether there is anything to commit.
    has_changes: bool,
}

impl<'t> Rows<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            sessions: transaction.open_table(SESSIONS)?,
            tokens: transaction.open_table(TOKENS)?,
            subjects: transaction.open_table(SUBJECTS)?,
            ends: Ends::of(transaction)?,
            has_changes: false,
        })
    }

    pub(super) fn has_changes(&self) -> bool {
        self.has_changes
    }

    /// Remembers a session, and ends others where its subject has too many. Gives their ids.
    pub(super) fn open(&mut self, opening: &Opening, now: i64) -> Result<Vec<String>, Fault> {
        let session = &opening.session;
        let json = encode(session)?;
        for ended in opening.replaces.iter().chain([&session.id]) {
            self.remove_session(&session.subject, ended)?;
        }
        self.put_session(session, session.expires_at, &json)?;
        self.ends.add(
            session.expires_at,
            Kind::Session,
            &session.subject,
            &session.id,
        )?;
        self.make_room(opening, now)
    }

    /// Ends what the subject has beyond its limit.
    fn make_room(&mut self, opening: &Opening, now: i64) -> Result<Vec<String>, Fault> {
        let Opening { session, most, .. } = opening;
        let after = after(&session.subject);
        let whole = (&*session.subject, "")..(&*after, "");
        let rows = self.sessions.range(whole.clone())?;
        let count = rows.take(OVERFULL + 1).count();
        // An earlier version had no limit. With so many rows, the older half of a part ends, which is
        // as large as needed for the ones that were refreshed last to stay.
        let (looked_at, excess) = if count > OVERFULL {
            (2 * MOST_SESSIONS, MOST_SESSIONS)
        } else {
            (count, count.saturating_sub(*most))
        };
        if excess == 0 {
            return Ok(Vec::new());
        }
        let mut candidates = Vec::new();
        for row in self.sessions.range(whole)?.take(looked_at) {
            let (key, row) = row?;
            let id = key.value().1;
            if id != session.id {
                candidates.push(match decode(&session.subject, id, row.value().1) {
                    Ok(session) => Candidate::of(&session, now),
                    Err(_) => Candidate::unreadable(id),
                });
            }
        }
        let remove = |id: &str| self.remove_session(&session.subject, id);
        Ok(Candidate::make_room(candidates, excess, remove)?)
    }

    /// Rotates a refresh token.
    pub(super) fn rotate(&mut self, rotation: &Rotation) -> Result<Rotated, Fault> {
        let Rotation {
            subject, session, ..
        } = rotation;
        let revoked = self
            .tokens
            .get((&**subject, &*rotation.refresh_id))?
            .is_some();
        let mut row = session_of(&self.sessions, subject, session)?;
        let rotated = rotate(revoked, row.as_mut().map(|(_, session)| session), rotation);
        match (&rotated, row) {
            // When it expires is looked up when its entry among the ends comes up: a rotation
            // leaves that where it is.
            (Rotated::Won(session) | Rotated::LostAnswer(session, _), Some((end, _))) => {
                self.put_session(session, end, &encode(session)?)?;
            }
            (Rotated::Replayed, _) => self.remove_session(subject, session)?,
            _ => {}
        }
        Ok(rotated)
    }

    /// Notes that a token was presented, and says how it stands.
    pub(super) fn mark_used(&mut self, token: &TokenIdentity, now: i64) -> Result<Standing, Fault> {
        let mut found = find(&self.sessions, &self.tokens, &self.subjects, token)?;
        let standing = found.standing(token, now);
        if standing != Standing::Unused {
            return Ok(standing);
        }
        if let Some((end, session)) = &mut found.session {
            session.mark_used();
            self.put_session(session, *end, &encode(session)?)?;
        }
        Ok(Standing::Good)
    }

    /// Ends something before its time.
    pub(super) fn revoke(&mut self, revocation: &Revocation, now: i64) -> Result<(), Fault> {
        match revocation {
            Revocation::Token { subject, id, until } => {
                self.revoke_token(subject, id, *until, now)?;
            }
            Revocation::Session { subject, session } => self.remove_session(subject, session)?,
            Revocation::Subject {
                subject,
                issued_until,
                until,
            } => self.revoke_subject(subject, (*issued_until, *until))?,
        }
        Ok(())
    }

    fn put_session(
        &mut self,
        session: &SessionRecord,
        end: i64,
        json: &[u8],
    ) -> Result<(), StorageError> {
        self.has_changes = true;
        let key = (&*session.subject, &*session.id);
        self.sessions.insert(key, (end, json))?;
        Ok(())
    }

    fn remove_session(&mut self, subject: &str, id: &str) -> Result<(), StorageError> {
        if let Some(row) = self.sessions.remove((subject, id))? {
            self.has_changes = true;
            self.ends
                .remove(row.value().0, Kind::Session, subject, id)?;
        }
        Ok(())
    }

    fn revoke_token(&mut self, subject: &str, id: &str, until: i64, now: i64) -> Result<(), Fault> {
        let known = self.tokens.get((subject, id))?.map(|row| row.value());
        if known.is_none() && !self.has_room_for_a_token(subject, now)? {
            return Err(StoreError::TooManyTokens { limit: MOST_TOKENS }.into());
        }
        self.has_changes = true;
        self.tokens
            .insert((subject, id), known.map_or(until, |known| known.max(until)))?;
        if known.is_none() {
            self.ends.add(until, Kind::Token, subject, id)?;
        }
        Ok(())
    }

    /// Whether one more token of the subject may be revoked by its id, after those are forgotten that
    /// may be, if need be.
    fn has_room_for_a_token(&mut self, subject: &str, now: i64) -> Result<bool, StorageError> {
        let after = after(subject);
        let whole = (subject, "")..(&*after, "");
        let count = self.tokens.range(whole.clone())?.take(OVERFULL).count();
        if count < MOST_TOKENS {
            return Ok(true);
        }
        if count == OVERFULL {
            return Ok(false);
        }
        let horizon = horizon(now);
        let mut forgotten = 0;
        // Their entries among the ends go when their time comes.
        for row in self
            .tokens
            .extract_from_if(whole, |_, until| until <= horizon)?
        {
            row?;
            forgotten += 1;
        }
        self.has_changes |= forgotten > 0;
        Ok(count - forgotten < MOST_TOKENS)
    }

    fn revoke_subject(&mut self, subject: &str, new: SubjectRow) -> Result<(), StorageError> {
        self.has_changes = true;
        let after = after(subject);
        let mut removed = Vec::new();
        let rows = self
            .sessions
            .extract_from_if((subject, "")..(&*after, ""), |_, _| true)?;
        for row in rows {
            let (key, row) = row?;
            // Of more than a subject may have, the entries among the ends go when their time comes.
            if removed.len() < OVERFULL {
                removed.push((row.value().0, key.value().1.to_owned()));
            }
        }
        for (end, id) in removed {
            self.ends.remove(end, Kind::Session, subject, &id)?;
        }
        let known = self.subjects.get(subject)?.map(|row| row.value());
        self.subjects.insert(subject, later(known, new))?;
        if known.is_none() {
            self.ends.add(new.1, Kind::Subject, subject, "")?;
        }
        Ok(())
    }

    /// Forgets what ended until then: at most so many steps of it, the earliest first.
    pub(super) fn forget_ended(&mut self, horizon: i64, steps: usize) -> Result<(), StorageError> {
        for end in self.ends.until(horizon, steps)? {
            self.has_changes = true;
            self.ends.remove(end.at, end.kind, &end.subject, &end.id)?;
            let key = (&*end.subject, &*end.id);
            let later = match end.kind {
                Kind::Session => self.end_session(&end.subject, &end.id, horizon)?,
                Kind::Token => {
                    let until = self.tokens.get(key)?.map(|row| row.value());
                    let later = until.filter(|until| *until > horizon);
                    if later.is_none() {
                        self.tokens.remove(key)?;
                    }
                    later
                }
                Kind::Subject => {
                    let until = self.subjects.get(key.0)?.map(|row| row.value().1);
                    let later = until.filter(|until| *until > horizon);
                    if later.is_none() {
                        self.subjects.remove(key.0)?;
                    }
                    later
                }
            };
            if let Some(later) = later {
                self.ends.add(later, end.kind, &end.subject, &end.id)?;
            }
        }
        Ok(())
    }

    /// Forgets a session, unless it lives on: then it says until when.
    fn end_session(
        &mut self,
        subject: &str,
        id: &str,
        horizon: i64,
    ) -> Result<Option<i64>, StorageError> {
        let session = match session_of(&self.sessions, subject, id) {
            Ok(row) => row.map(|(_, session)| session),
            Err(Fault::Disk(error)) => return Err(error),
            // Nobody can use it, and nobody can tell when it ends.
            Err(Fault::Row(_)) => None,
        };
        let Some(session) = session.filter(|session| session.is_live(horizon)) else {
            self.sessions.remove((subject, id))?;
            return Ok(None);
        };
        let row = self.sessions.get((subject, id))?;
        let json = row.map(|row| row.value().1.to_owned()).unwrap_or_default();
        self.put_session(&session, session.expires_at, &json)?;
        Ok(Some(session.expires_at))
    }
}

/// What is in the rows that concerns one token.
pub(super) struct Found {
    /// Its session, and under which moment that is among the ends.
    pub(super) session: Option<(i64, SessionRecord)>,
    /// It is revoked by its id.
    pub(super) revoked: bool,
    /// Its subject's tokens of no session are revoked that were issued until then.
    pub(super) issued_until: Option<i64>,
}

impl Found {
    /// Says how the token stands.
    pub(super) fn standing(&self, token: &TokenIdentity, now: i64) -> Standing {
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
        None => (None, subjects.get(subject)?.map(|row| row.value().0)),
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
) -> Result<Option<(i64, SessionRecord)>, Fault> {
    let Some(row) = sessions.get((subject, id))? else {
        return Ok(None);
    };
    let (end, json) = row.value();
    Ok(Some((end, decode(subject, id, json)?)))
}

/// The live sessions of a subject, at most so many.
pub(super) fn sessions_of(
    sessions: &impl ReadableTable<Key, SessionRow>,
    subject: &str,
    most: usize,
    now: i64,
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
fn after(subject: &str) -> String {
    format!("{subject}\0")
}

fn encode(session: &SessionRecord) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(session).map_err(StoreError::unavailable)
}

fn decode(subject: &str, id: &str, json: &[u8]) -> Result<SessionRecord, StoreError> {
    // What serde says of it may quote it.
    let session: SessionRecord = serde_json::from_slice(json)
        .map_err(|_| StoreError::corrupt("a session that cannot be read"))?;
    if session.subject != subject || session.id != id {
        return Err(StoreError::corrupt("a session in another one's place"));
    }
    Ok(session)
}

/// Creates what is not there yet.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), TableError> {
    Rows::of(transaction).map(drop)
}
