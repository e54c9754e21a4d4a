//! Everything that is remembered of one subject, and every step a store can be asked for.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Revocation, Rotated, Rotation, SessionRecord, Standing, TokenIdentity, record::Place};

/// What has ended is kept for an hour, in milliseconds, so that a clock that is set back by less
/// does not bring a revoked token to life.
const MARGIN: i64 = 3_600_000;

/// Everything that a store remembers of one subject.
///
/// Its methods are the steps of a [`SessionStore`](crate::SessionStore) in plain code: a store that
/// can read, change and write a row in one transaction needs no more than them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRecord {
    /// By their ids.
    sessions: HashMap<String, SessionRecord>,
    /// The ids of revoked tokens, and until when each is remembered.
    tokens: HashMap<String, i64>,
    /// Tokens of no session are revoked that were issued until the first moment; it is remembered
    /// until the second.
    issued_until: Option<(i64, i64)>,
}

impl SubjectRecord {
    /// How many entries it takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len() + self.tokens.len() + usize::from(self.issued_until.is_some())
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remembers a session.
    pub fn open(&mut self, session: SessionRecord) {
        self.sessions.insert(session.id.clone(), session);
    }

    /// Rotates a refresh token.
    pub fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        if self.tokens.contains_key(&rotation.refresh_id) {
            return Rotated::Gone;
        }
        let Some(session) = self.sessions.get_mut(&rotation.session) else {
            return Rotated::Gone;
        };
        let rotated = session.rotate(rotation);
        if rotated == Rotated::Replayed {
            self.sessions.remove(&rotation.session);
        }
        rotated
    }

    /// Says how a token stands.
    #[must_use]
    pub fn standing(&self, token: &TokenIdentity, now: i64) -> Standing {
        let id = token.id.as_deref();
        if id.is_some_and(|id| self.tokens.contains_key(id)) {
            return Standing::Revoked;
        }
        match &token.session {
            Some(session) => self
                .sessions
                .get(session)
                .map_or(Standing::Revoked, |session| session.standing(token, now)),
            None => match self.issued_until {
                Some((issued_until, _)) if token.issued_at <= issued_until => Standing::Revoked,
                _ => Standing::Good,
            },
        }
    }

    /// Ends something before its time.
    pub fn revoke(&mut self, revocation: &Revocation) {
        match revocation {
            Revocation::Token { id, until, .. } => {
                let known = self.tokens.entry(id.clone()).or_insert(*until);
                *known = (*known).max(*until);
            }
            Revocation::Session { session, .. } => {
                self.sessions.remove(session);
            }
            Revocation::Subject {
                issued_until,
                until,
                ..
            } => {
                self.sessions.clear();
                let (own, own_until) = self.issued_until.unwrap_or((i64::MIN, i64::MIN));
                self.issued_until = Some((own.max(*issued_until), own_until.max(*until)));
            }
        }
    }

    /// The live sessions.
    #[must_use]
    pub fn sessions(&self, now: i64) -> Vec<SessionRecord> {
        let live = self
            .sessions
            .values()
            .filter(|session| session.is_live(now));
        live.cloned().collect()
    }

    /// Forgets what ended an hour ago or earlier.
    pub fn forget_ended(&mut self, now: i64) {
        let horizon = now.saturating_sub(MARGIN);
        self.sessions.retain(|_, session| session.is_live(horizon));
        self.tokens.retain(|_, until| *until > horizon);
        self.issued_until = self.issued_until.filter(|(_, until)| *until > horizon);
    }
}

impl SessionRecord {
    /// How a token of this session stands, unless it is revoked by its id.
    #[must_use]
    pub fn standing(&self, token: &TokenIdentity, now: i64) -> Standing {
        if !self.is_live(now) {
            return Standing::Revoked;
        }
        let Some(grace) = token.grace else {
            return Standing::Good;
        };
        match self.place(token.id.as_deref().unwrap_or_default(), grace, now) {
            Place::Current | Place::Rotated(_) => Standing::Good,
            Place::Old => Standing::Replayed,
            Place::Unclear => Standing::Revoked,
        }
    }
}
