//! Everything that is remembered of one subject, and every step a store can be asked for.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{
    Generation, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, Standing,
    StoreError, TokenIdentity,
    opening::{Candidate, MOST_TOKENS},
    record::Place,
    sorted::{Identified, Sorted},
};

/// What has ended is kept for an hour, so that a clock that is set back by less
/// does not bring a revoked token to life.
pub(super) const MARGIN: Duration = Duration::HOUR;

/// Everything that a store remembers of one subject.
///
/// Its methods are the steps of a [`SessionStore`](crate::store::SessionStore) in plain code: a store that
/// can read, change and write a row in one transaction needs no more than them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRecord {
    // Most subjects have one session, and no revoked tokens: sorted lists find theirs with the fewest
    // steps through memory.
    sessions: Sorted<SessionRecord, 1>,
    tokens: Sorted<RevokedToken, 0>,
    /// Tokens of no session are revoked that were issued until the first moment; it is remembered
    /// until the second.
    issued_until: Option<(Moment, Moment)>,
}

/// A token that is revoked by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RevokedToken {
    id: String,
    /// Until when that is remembered.
    until: Moment,
}

impl Identified for SessionRecord {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for RevokedToken {
    fn id(&self) -> &str {
        &self.id
    }
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

    /// Remembers a session, and ends those that it replaces. Where the subject has more than it may then,
    /// others end: those that were refreshed the longest ago. Gives the ids of these.
    pub fn open(&mut self, opening: &Opening, now: Moment) -> Vec<String> {
        let Opening {
            session,
            most,
            replaces,
        } = opening;
        for replaced in replaces {
            self.sessions.remove(replaced);
        }
        self.sessions.insert(session.clone());
        let excess = self.sessions.len().saturating_sub((*most).max(1));
        if excess == 0 {
            return Vec::new();
        }
        let others = self.sessions.iter().filter(|it| it.id != session.id);
        let candidates = others.map(|it| Candidate::of(it, now)).collect();
        let removed = Candidate::make_room(candidates, excess, |id| {
            self.sessions.remove(id);
            Ok::<_, Infallible>(())
        });
        removed.unwrap_or_else(|never| match never {})
    }

    /// Rotates a refresh token.
    pub fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        let revoked = self.tokens.get(&rotation.refresh_id).is_some();
        let session = self.sessions.get_mut(&rotation.session);
        let rotated = rotate(revoked, session, rotation);
        if rotated == Rotated::Replayed {
            self.sessions.remove(&rotation.session);
        }
        rotated
    }

    /// Notes that a token was presented, and says how it stands.
    pub fn mark_used(&mut self, token: &TokenIdentity, now: Moment) -> Standing {
        let standing = self.standing(token, now);
        if standing != Standing::Unused {
            return standing;
        }
        if let Some(session) = &token.session
            && let Some(session) = self.sessions.get_mut(session)
        {
            session.mark_used();
        }
        Standing::Good
    }

    /// Says how a token stands.
    #[must_use]
    pub fn standing(&self, token: &TokenIdentity, now: Moment) -> Standing {
        let id = token.id.as_deref();
        let session = token.session.as_deref();
        let known = Known {
            revoked: id.is_some_and(|id| self.tokens.get(id).is_some()),
            session: session.and_then(|session| self.sessions.get(session)),
            issued_until: self.issued_until.map(|(issued_until, _)| issued_until),
        };
        known.standing(token, now)
    }

    /// Ends something before its time.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyTokens`] where 1,000 tokens are revoked by their ids already.
    pub fn revoke(&mut self, revocation: &Revocation, now: Moment) -> Result<(), StoreError> {
        match revocation {
            Revocation::Token { id, until, .. } => {
                let known = self.tokens.get(id).map(|token| token.until);
                if known.is_none() && self.tokens.len() >= MOST_TOKENS {
                    let horizon = horizon(now);
                    self.tokens.retain(|token| token.until > horizon);
                    if self.tokens.len() >= MOST_TOKENS {
                        return Err(StoreError::TooManyTokens { limit: MOST_TOKENS });
                    }
                }
                self.tokens.insert(RevokedToken {
                    id: id.clone(),
                    until: known.map_or(*until, |known| known.max(*until)),
                });
            }
            Revocation::Session { session, .. } => self.sessions.remove(session),
            Revocation::Subject {
                issued_until,
                until,
                ..
            } => {
                self.sessions = Sorted::default();
                self.issued_until = Some(later(self.issued_until, (*issued_until, *until)));
            }
        }
        Ok(())
    }

    /// The live sessions, at most so many.
    #[must_use]
    pub fn sessions(&self, most: usize, now: Moment) -> Vec<SessionRecord> {
        let live = self.sessions.iter().filter(|session| session.is_live(now));
        live.take(most).cloned().collect()
    }

    /// Forgets what ended an hour ago or earlier.
    pub fn forget_ended(&mut self, now: Moment) {
        let horizon = horizon(now);
        self.sessions.retain(|session| session.is_live(horizon));
        self.tokens.retain(|token| token.until > horizon);
        self.issued_until = self.issued_until.filter(|(_, until)| *until > horizon);
    }
}

/// What is remembered that concerns one token: what a store looks up that does not read all of a
/// subject.
pub(super) struct Known<'a> {
    /// It is revoked by its id.
    pub(super) revoked: bool,
    /// Its session, if it is there.
    pub(super) session: Option<&'a SessionRecord>,
    /// Its subject's tokens of no session are revoked that were issued until then.
    pub(super) issued_until: Option<Moment>,
}

impl Known<'_> {
    /// Says how the token stands.
    pub(super) fn standing(&self, token: &TokenIdentity, now: Moment) -> Standing {
        if self.revoked {
            return Standing::Revoked;
        }
        match (&token.session, self.session) {
            (Some(_), Some(session)) => session.standing(token, now),
            (Some(_), None) => Standing::Revoked,
            (None, _) => match self.issued_until {
                Some(issued_until) if token.issued_at <= issued_until => Standing::Revoked,
                _ => Standing::Good,
            },
        }
    }
}

/// Rotates a refresh token, which may be revoked by its id, in its session, if that is there. On
/// [`Rotated::Replayed`] the session is to be removed.
pub(super) fn rotate(
    revoked: bool,
    session: Option<&mut SessionRecord>,
    rotation: &Rotation,
) -> Rotated {
    match session {
        Some(session) if !revoked => session.rotate(rotation),
        _ => Rotated::Gone,
    }
}

/// The revocation of a subject that covers both.
pub(super) fn later<T: Ord>(known: Option<(T, T)>, new: (T, T)) -> (T, T) {
    match known {
        Some(known) => (known.0.max(new.0), known.1.max(new.1)),
        None => new,
    }
}

/// What has ended until then is forgotten.
pub(super) fn horizon(now: Moment) -> Moment {
    now - MARGIN
}

impl SessionRecord {
    /// How a token of this session stands, unless it is revoked by its id.
    #[must_use]
    pub fn standing(&self, token: &TokenIdentity, now: Moment) -> Standing {
        if !self.is_live(now) {
            return Standing::Revoked;
        }
        let id = token.id.as_deref().unwrap_or_default();
        let by_use = |generation: &Generation| match generation.repeatable_until {
            Some(_) if token.id.is_some() => Standing::Unused,
            _ => Standing::Good,
        };
        let Some(grace) = token.grace else {
            let own = self.current().filter(|current| current.auth_id == id);
            return own.map_or(Standing::Good, by_use);
        };
        match self.place(id, grace, now) {
            Place::Current(current) => by_use(current),
            Place::Rotated(_) | Place::Lost(_) => Standing::Good,
            Place::Old => Standing::Replayed,
            Place::Unclear => Standing::Revoked,
        }
    }
}
