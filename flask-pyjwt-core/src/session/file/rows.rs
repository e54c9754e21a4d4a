//! The rows of the file, and the steps that change them.
//!
//! Each session and each revocation is a separate row, found by subject and id. The cost of a step
//! does not depend on the number of sessions of other subjects.

use redb::{ReadableTable, StorageError, Table, TableError, WriteTransaction};

use super::{
    expiry::{ExpiryQueue, Kind},
    tables::{
        Fault, Key, SESSIONS, SUBJECTS, SessionRow, SubjectRow, TOKENS, after, decode, encode,
        find, session_of,
    },
};
use crate::session::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, Standing, StoreError,
    TokenIdentity,
    opening::{Candidate, MAX_TOKENS, MOST_SESSIONS, OVERFULL},
    subject::{ADOPTED, horizon, last_end, merged, rotate},
};

/// The tables of one write transaction.
pub(super) struct Rows<'t> {
    sessions: Table<'t, Key, SessionRow>,
    tokens: Table<'t, Key, i64>,
    subjects: Table<'t, &'static str, SubjectRow>,
    expiries: ExpiryQueue<'t>,
    /// Whether there are changes to commit.
    has_changes: bool,
}

impl<'t> Rows<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            sessions: transaction.open_table(SESSIONS)?,
            tokens: transaction.open_table(TOKENS)?,
            subjects: transaction.open_table(SUBJECTS)?,
            expiries: ExpiryQueue::of(transaction)?,
            has_changes: false,
        })
    }

    pub(super) fn has_changes(&self) -> bool {
        self.has_changes
    }

    /// Saves a session, ends those that it replaces, and evicts others if the subject has too many.
    /// Returns the ids of the live ones that ended.
    pub(super) fn open(&mut self, opening: &Opening, now: Moment) -> Result<Vec<String>, Fault> {
        let session = &opening.session;
        let json = encode(session)?;
        let mut ended = Vec::new();
        self.remove_session(&session.subject, &session.id, now)?;
        for replaced in &opening.replaces {
            if self.remove_session(&session.subject, replaced, now)? {
                ended.push(replaced.clone());
            }
        }
        self.put_session(session, session.expires_at, &json)?;
        self.expiries.add(
            session.expires_at,
            Kind::Session,
            &session.subject,
            &session.id,
        )?;
        ended.extend(self.make_room(opening, now)?);
        Ok(ended)
    }

    /// Evicts the sessions beyond the subject's limit.
    fn make_room(&mut self, opening: &Opening, now: Moment) -> Result<Vec<String>, Fault> {
        let Opening { session, most, .. } = opening;
        let after = after(&session.subject);
        let whole = (&*session.subject, "")..(&*after, "");
        let rows = self.sessions.range(whole.clone())?;
        let count = rows.take(OVERFULL + 1).count();
        // An earlier version had no limit. With this many rows, the older half of a sample is
        // evicted. The sample is large enough that the most recently refreshed sessions stay.
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
        let remove = |id: &str| self.remove_session(&session.subject, id, now).map(drop);
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
        let (end, row) = session_of(&self.sessions, subject, session)?.unzip();
        let rotated = rotate(revoked, row, rotation);
        match (&rotated, end) {
            // The expiry entry stays where it is. It is updated when its time comes.
            (Rotated::Won(session) | Rotated::LostAnswer(session, _), Some(end)) => {
                self.put_session(session, end, &encode(session)?)?;
            }
            (Rotated::Replayed, _) => {
                self.remove_session(subject, session, rotation.successor.issued_at)?;
            }
            _ => {}
        }
        Ok(rotated)
    }

    /// Records that a token was presented and returns its standing.
    pub(super) fn mark_used(
        &mut self,
        token: &TokenIdentity,
        now: Moment,
    ) -> Result<Standing, Fault> {
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

    /// Revokes a token, a session or a subject. Returns the ids of what has ended by this.
    pub(super) fn revoke(
        &mut self,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<Vec<String>, Fault> {
        match revocation {
            Revocation::Token { subject, id, until } => {
                let is_new = self.revoke_token(subject, id, *until, now)?;
                Ok(Vec::from_iter(is_new.then(|| id.clone())))
            }
            Revocation::Session { subject, session } => {
                let was_live = self.remove_session(subject, session, now)?;
                Ok(Vec::from_iter(was_live.then(|| session.clone())))
            }
            Revocation::Subject {
                subject,
                issued_until,
                until,
            } => {
                let row = (issued_until.milliseconds(), until.milliseconds());
                Ok(self.revoke_subject(subject, row, now)?)
            }
        }
    }

    /// Saves the sessions that another store has of a subject, unless this was done before. Returns
    /// whether it was done now.
    pub(super) fn adopt(
        &mut self,
        subject: &str,
        sessions: &[SessionRecord],
        now: Moment,
    ) -> Result<bool, Fault> {
        // Before the first change: an error of one row does not undo the changes before it.
        let encoded: Vec<_> = sessions.iter().map(encode).collect::<Result<_, _>>()?;
        if self.tokens.get((subject, ADOPTED))?.is_some() {
            return Ok(false);
        }
        for (session, json) in sessions.iter().zip(encoded) {
            let (end, id) = (session.expires_at, &*session.id);
            if self.sessions.get((subject, id))?.is_none() {
                self.put_session(session, end, &json)?;
                self.expiries.add(end, Kind::Session, subject, id)?;
            }
        }
        self.has_changes = true;
        let until = last_end(sessions, now);
        self.tokens
            .insert((subject, ADOPTED), until.milliseconds())?;
        self.expiries.add(until, Kind::Token, subject, ADOPTED)?;
        Ok(true)
    }

    fn put_session(
        &mut self,
        session: &SessionRecord,
        end: Moment,
        json: &[u8],
    ) -> Result<(), StorageError> {
        self.has_changes = true;
        let key = (&*session.subject, &*session.id);
        self.sessions.insert(key, (end.milliseconds(), json))?;
        Ok(())
    }

    /// Removes a session. Returns whether it was live.
    fn remove_session(
        &mut self,
        subject: &str,
        id: &str,
        now: Moment,
    ) -> Result<bool, StorageError> {
        let Some(row) = self.sessions.remove((subject, id))? else {
            return Ok(false);
        };
        self.has_changes = true;
        let (end, json) = row.value();
        let end = Moment::from_milliseconds(end);
        self.expiries.remove(end, Kind::Session, subject, id)?;
        Ok(is_live(subject, id, json, now))
    }

    /// Revokes a token. Returns whether it was not revoked before.
    fn revoke_token(
        &mut self,
        subject: &str,
        id: &str,
        until: Moment,
        now: Moment,
    ) -> Result<bool, Fault> {
        let known = self.tokens.get((subject, id))?.map(|row| row.value());
        let end = until.milliseconds();
        if known.is_none() && !self.has_room_for_a_token(subject, now)? {
            return Err(StoreError::TooManyTokens { limit: MAX_TOKENS }.into());
        }
        self.has_changes = true;
        self.tokens
            .insert((subject, id), known.map_or(end, |known| known.max(end)))?;
        if known.is_none() {
            self.expiries.add(until, Kind::Token, subject, id)?;
        }
        Ok(known.is_none())
    }

    /// Whether one more token of the subject can be revoked by its id. Removes ended revocations
    /// first if there is no room.
    fn has_room_for_a_token(&mut self, subject: &str, now: Moment) -> Result<bool, StorageError> {
        let after = after(subject);
        let whole = (subject, "")..(&*after, "");
        let count = self.tokens.range(whole.clone())?.take(OVERFULL).count();
        if count < MAX_TOKENS {
            return Ok(true);
        }
        if count == OVERFULL {
            return Ok(false);
        }
        let horizon = horizon(now).milliseconds();
        let mut forgotten = 0;
        // Their expiry entries are removed when their time comes.
        for row in self
            .tokens
            .extract_from_if(whole, |_, until| until <= horizon)?
        {
            row?;
            forgotten += 1;
        }
        self.has_changes |= forgotten > 0;
        Ok(count - forgotten < MAX_TOKENS)
    }

    fn revoke_subject(
        &mut self,
        subject: &str,
        new: SubjectRow,
        now: Moment,
    ) -> Result<Vec<String>, StorageError> {
        self.has_changes = true;
        let after = after(subject);
        let mut removed = Vec::new();
        let rows = self
            .sessions
            .extract_from_if((subject, "")..(&*after, ""), |_, _| true)?;
        for row in rows {
            let (key, row) = row?;
            // Beyond the limit, expiry entries are removed when their time comes.
            if removed.len() < OVERFULL {
                let (id, (end, json)) = (key.value().1, row.value());
                let end = Moment::from_milliseconds(end);
                removed.push((end, id.to_owned(), is_live(subject, id, json, now)));
            }
        }
        let mut ended = Vec::new();
        for (end, id, was_live) in removed {
            self.expiries.remove(end, Kind::Session, subject, &id)?;
            if was_live {
                ended.push(id);
            }
        }
        let known = self.subjects.get(subject)?.map(|row| row.value());
        self.subjects.insert(subject, merged(known, new))?;
        if known.is_none() {
            self.expiries
                .add(Moment::from_milliseconds(new.1), Kind::Subject, subject, "")?;
        }
        Ok(ended)
    }

    /// Removes what ended until `horizon`, earliest first, in at most this many steps.
    pub(super) fn forget_ended(
        &mut self,
        horizon: Moment,
        steps: usize,
    ) -> Result<(), StorageError> {
        for end in self.expiries.until(horizon, steps)? {
            self.has_changes = true;
            self.expiries
                .remove(end.at, end.kind, &end.subject, &end.id)?;
            let key = (&*end.subject, &*end.id);
            let later = match end.kind {
                Kind::Session => self.end_session(&end.subject, &end.id, horizon)?,
                Kind::Token => {
                    let until = self
                        .tokens
                        .get(key)?
                        .map(|row| Moment::from_milliseconds(row.value()));
                    let later = until.filter(|until| *until > horizon);
                    if later.is_none() {
                        self.tokens.remove(key)?;
                    }
                    later
                }
                Kind::Subject => {
                    let until = self
                        .subjects
                        .get(key.0)?
                        .map(|row| Moment::from_milliseconds(row.value().1));
                    let later = until.filter(|until| *until > horizon);
                    if later.is_none() {
                        self.subjects.remove(key.0)?;
                    }
                    later
                }
            };
            if let Some(later) = later {
                self.expiries.add(later, end.kind, &end.subject, &end.id)?;
            }
        }
        Ok(())
    }

    /// Removes a session that has expired. Otherwise returns its new expiry.
    fn end_session(
        &mut self,
        subject: &str,
        id: &str,
        horizon: Moment,
    ) -> Result<Option<Moment>, StorageError> {
        let session = match session_of(&self.sessions, subject, id) {
            Ok(row) => row.map(|(_, session)| session),
            Err(Fault::Disk(error)) => return Err(error),
            // Nobody can use the session, and its expiry is unknown.
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

/// Whether a row is a session that has not ended. Nobody can use one that cannot be read.
fn is_live(subject: &str, id: &str, json: &[u8], now: Moment) -> bool {
    decode(subject, id, json).is_ok_and(|session| session.is_live(now))
}

/// Creates the missing tables.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), TableError> {
    Rows::of(transaction).map(drop)
}
