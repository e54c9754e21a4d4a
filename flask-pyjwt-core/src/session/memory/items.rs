//! The sessions and revocations of a subject, and the steps of the store as methods.
//!
//! The steps have the same results as those of a [`SubjectRecord`](crate::session::SubjectRecord),
//! which takes more memory. A check reads the bytes where they are.

use std::{cmp::Ordering, convert::Infallible};

use smallvec::SmallVec;

use super::item::{Item, Key, Kind};
use crate::session::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, Standing, StoreError,
    TokenIdentity,
    opening::{Candidate, MAX_TOKENS},
    standing::{Known, standing_among},
    subject::{ADOPTED, horizon, last_end, merged, rotate},
};

/// The sessions and revocations of the subjects whose hash is the same, sorted. That is nearly
/// always one subject, and most have one session.
#[derive(Debug, Default)]
pub(super) struct Items(SmallVec<[Item; 1]>);

impl Items {
    /// The number of sessions and revocations.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Saves a session. See [`SubjectRecord::open`](crate::session::SubjectRecord::open).
    pub(super) fn open(&mut self, opening: &Opening, now: Moment) -> Vec<String> {
        let Opening {
            session,
            most,
            replaces,
        } = opening;
        let mut ended = Vec::new();
        for replaced in replaces.iter().filter(|it| **it != session.id) {
            ended.extend(self.end(&session.subject, replaced, now));
        }
        self.put(Item::session(session));
        let sessions = self.all(&session.subject, Kind::Session);
        let excess = sessions.len().saturating_sub((*most).max(1));
        if excess == 0 {
            return ended;
        }
        let candidates = sessions.iter().filter_map(|it| it.candidate(now));
        let candidates = candidates.filter(|it| it.id != session.id).collect();
        let removed = Candidate::make_room(candidates, excess, |id| {
            self.remove(Key::session(&session.subject, id));
            Ok::<_, Infallible>(())
        });
        ended.extend(removed.unwrap_or_else(|never| match never {}));
        ended
    }

    /// Removes a session. Returns its id if it was live.
    fn end(&mut self, subject: &str, id: &str, now: Moment) -> Option<String> {
        let key = Key::session(subject, id);
        let ended = self.get(key).and_then(|session| session.live_id(now));
        self.remove(key);
        ended
    }

    /// Rotates a refresh token. See [`SessionRecord::rotate`].
    pub(super) fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        let key = Key::session(&rotation.subject, &rotation.session);
        let token = Key::token(&rotation.subject, &rotation.refresh_id);
        let revoked = self.get(token).is_some();
        let session = self.get(key).and_then(Item::to_session);
        let rotated = rotate(revoked, session, rotation);
        match &rotated {
            Rotated::Won(session) | Rotated::LostAnswer(session, _) => {
                self.put(Item::session(session));
            }
            Rotated::Replayed => self.remove(key),
            Rotated::Again(..) | Rotated::Gone => {}
        }
        rotated
    }

    /// Records that a token was presented and returns its standing.
    pub(super) fn mark_used(&mut self, token: &TokenIdentity, now: Moment) -> Standing {
        let standing = self.standing(token, now);
        if standing != Standing::Unused {
            return standing;
        }
        if let Some(id) = &token.session
            && let Some(item) = self.get(Key::session(&token.subject, id))
            && let Some(mut session) = item.to_session()
        {
            session.mark_used();
            self.put(Item::session(&session));
        }
        Standing::Good
    }

    /// Returns the standing of a token.
    pub(super) fn standing(&self, token: &TokenIdentity, now: Moment) -> Standing {
        let subject = &token.subject;
        let session = token.session.as_deref();
        let everything = match session {
            Some(_) => None,
            None => self.get(Key::everything(subject)),
        };
        let session = session.and_then(|id| self.get(Key::session(subject, id)));
        let pairs = session.map(Item::pairs);
        // The session is all that most subjects have.
        let is_alone = session.is_some() && self.len() == 1;
        let id = token.id.as_deref().filter(|_| !is_alone);
        let known = Known {
            revoked: id.is_some_and(|id| self.get(Key::token(subject, id)).is_some()),
            in_session: pairs.map(|it| standing_among(it.expires_at, it, token, now)),
            issued_until: everything.map(Item::issued_until),
        };
        known.standing(token)
    }

    /// Revokes a token, a session, or everything of this subject. Returns the ids of what has ended
    /// by this. See [`SubjectRecord::revoke`](crate::session::SubjectRecord::revoke).
    pub(super) fn revoke(
        &mut self,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<Vec<String>, StoreError> {
        Ok(match revocation {
            Revocation::Token { subject, id, until } => {
                let known = self.get(Key::token(subject, id)).map(Item::until);
                if known.is_none() && !self.has_room_for_a_token(subject, now) {
                    return Err(StoreError::TooManyTokens { limit: MAX_TOKENS });
                }
                let until = known.map_or(*until, |known| known.max(*until));
                self.put(Item::token(subject, id, until));
                Vec::from_iter(known.is_none().then(|| id.clone()))
            }
            Revocation::Session { subject, session } => {
                Vec::from_iter(self.end(subject, session, now))
            }
            Revocation::Subject {
                subject,
                issued_until,
                until,
            } => {
                let known = self.get(Key::everything(subject));
                let known = known.map(|known| (known.issued_until(), known.until()));
                let (issued_until, until) = merged(known, (*issued_until, *until));
                self.put(Item::everything(subject, issued_until, until));
                let sessions = self.all(subject, Kind::Session).iter();
                let ended = sessions.filter_map(|it| it.live_id(now)).collect();
                self.retain(|item| !item.is(subject, Kind::Session));
                ended
            }
        })
    }

    /// Whether one more token can be revoked by its id. Removes ended revocations first if there is
    /// no room.
    fn has_room_for_a_token(&mut self, subject: &str, now: Moment) -> bool {
        let tokens = self.all(subject, Kind::Token);
        if tokens.len() < MAX_TOKENS {
            return true;
        }
        let horizon = horizon(now);
        if tokens.iter().all(|token| token.until() > horizon) {
            return false;
        }
        self.retain(|item| !item.is(subject, Kind::Token) || item.until() > horizon);
        self.all(subject, Kind::Token).len() < MAX_TOKENS
    }

    /// Returns at most `most` live sessions.
    pub(super) fn sessions(&self, subject: &str, most: usize, now: Moment) -> Vec<SessionRecord> {
        let sessions = self.all(subject, Kind::Session).iter();
        let live = sessions.filter(|session| now < session.until());
        live.take(most).filter_map(Item::to_session).collect()
    }

    /// Saves the sessions that another store has of this subject, unless this was done before.
    /// Returns whether it was done now.
    pub(super) fn adopt(&mut self, subject: &str, sessions: &[SessionRecord], now: Moment) -> bool {
        if self.get(Key::token(subject, ADOPTED)).is_some() {
            return false;
        }
        for session in sessions {
            if self.get(Key::session(subject, &session.id)).is_none() {
                self.put(Item::session(session));
            }
        }
        self.put(Item::token(subject, ADOPTED, last_end(sessions, now)));
        true
    }

    /// Removes what ended an hour ago or earlier.
    pub(super) fn forget_ended(&mut self, now: Moment) {
        let horizon = horizon(now);
        self.retain(|item| item.until() > horizon);
    }

    fn get(&self, key: Key<'_>) -> Option<&Item> {
        let place = self.place(key).ok()?;
        self.0.get(place)
    }

    /// All items of a subject of this kind.
    fn all(&self, subject: &str, kind: Kind) -> &[Item] {
        let wanted = (subject.as_bytes(), kind);
        let order = |item: &Item| item.key().map(|key| (key.subject, key.kind).cmp(&wanted));
        let first = self
            .0
            .partition_point(|item| order(item) < Some(Ordering::Equal));
        let after = self
            .0
            .partition_point(|item| order(item) <= Some(Ordering::Equal));
        &self.0[first..after]
    }

    /// Inserts an item. It replaces one of the same kind with the same id.
    fn put(&mut self, item: Item) {
        match item.key().map(|key| self.place(key)) {
            Some(Ok(place)) => self.0[place] = item,
            Some(Err(place)) => self.0.insert(place, item),
            None => {}
        }
    }

    fn remove(&mut self, key: Key<'_>) {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    fn retain(&mut self, mut keep: impl FnMut(&Item) -> bool) {
        self.0.retain(|item| keep(item));
        if self.0.capacity() > 4 * self.0.len() {
            self.0.shrink_to_fit();
        }
    }

    /// The index of this item, or the index at which it would be inserted.
    fn place(&self, key: Key<'_>) -> Result<usize, usize> {
        self.0.binary_search_by(|item| item.key().cmp(&Some(key)))
    }
}

#[cfg(test)]
mod tests;
