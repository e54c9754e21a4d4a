//! Everything that a store keeps about one subject, and the steps of a store as methods.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{
    Generation, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, Standing,
    StoreError, TokenIdentity,
    opening::{Candidate, MAX_TOKENS},
    record::Position,
    sorted::{Identified, Sorted},
};

/// Ended sessions and revocations are kept for this long, so that a clock that is set back by less
/// than an hour does not make a revoked token good again.
pub(super) const MARGIN: Duration = Duration::HOUR;

/// Everything that a store keeps about one subject: its sessions and its revocations.
///
/// The methods implement the steps of a [`SessionStore`](crate::store::SessionStore). A store that
/// can read, change and write a row in one transaction needs nothing else, as the
/// example there shows.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::store::{Moment, Revocation, Standing, SubjectRecord, TokenIdentity};
/// use time::Duration;
///
/// # fn main() -> Result<(), flask_pyjwt::store::StoreError> {
/// let now = Moment::from_milliseconds(1_800_000_000_000);
/// let token = |id: &str| {
///     let mut token = TokenIdentity::new("alice", now);
///     token.id = Some(id.to_owned());
///     token
/// };
/// let mut alice = SubjectRecord::default();
/// alice.revoke(&Revocation::of_token("alice", "stolen", now + Duration::HOUR), now)?;
/// assert_eq!(alice.standing(&token("stolen"), now), Standing::Revoked);
/// assert_eq!(alice.standing(&token("other"), now), Standing::Good);
///
/// // The record is one JSON text, for instance in a column of a database.
/// let json = serde_json::to_string(&alice).expect("a record is valid JSON");
/// assert_eq!(serde_json::from_str::<SubjectRecord>(&json).ok(), Some(alice));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectRecord {
    // Most subjects have one session and no revoked tokens. Sorted inline lists need the fewest
    // memory accesses then.
    sessions: Sorted<SessionRecord, 1>,
    tokens: Sorted<RevokedToken, 0>,
    /// Tokens that belong to no session and were issued until the first moment are revoked. This is
    /// kept until the second moment.
    issued_until: Option<(Moment, Moment)>,
}

/// A token that is revoked by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RevokedToken {
    id: String,
    /// Until when the revocation is kept.
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
    /// The number of entries: sessions and revocations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len() + self.tokens.len() + usize::from(self.issued_until.is_some())
    }

    /// Whether the record has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Saves a session and ends those that it replaces. If the subject then has too many, the least
    /// recently refreshed ones are evicted. Returns the ids of the evicted ones.
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

    /// Rotates a refresh token. See [`SessionRecord::rotate`].
    pub fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        let revoked = self.tokens.get(&rotation.refresh_id).is_some();
        let session = self.sessions.get_mut(&rotation.session);
        let rotated = rotate(revoked, session, rotation);
        if rotated == Rotated::Replayed {
            self.sessions.remove(&rotation.session);
        }
        rotated
    }

    /// Records that a token was presented and returns its standing.
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

    /// Returns the standing of a token.
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

    /// Revokes a token, a session, or everything of this subject.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyTokens`] if 1,000 single tokens of this subject are already revoked.
    pub fn revoke(&mut self, revocation: &Revocation, now: Moment) -> Result<(), StoreError> {
        match revocation {
            Revocation::Token { id, until, .. } => {
                let known = self.tokens.get(id).map(|token| token.until);
                if known.is_none() && self.tokens.len() >= MAX_TOKENS {
                    let horizon = horizon(now);
                    self.tokens.retain(|token| token.until > horizon);
                    if self.tokens.len() >= MAX_TOKENS {
                        return Err(StoreError::TooManyTokens { limit: MAX_TOKENS });
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
                self.issued_until = Some(merged(self.issued_until, (*issued_until, *until)));
            }
        }
        Ok(())
    }

    /// Returns at most `most` live sessions.
    #[must_use]
    pub fn sessions(&self, most: usize, now: Moment) -> Vec<SessionRecord> {
        let live = self.sessions.iter().filter(|session| session.is_live(now));
        live.take(most).cloned().collect()
    }

    /// Removes what ended an hour ago or earlier.
    pub fn forget_ended(&mut self, now: Moment) {
        let horizon = horizon(now);
        self.sessions.retain(|session| session.is_live(horizon));
        self.tokens.retain(|token| token.until > horizon);
        self.issued_until = self.issued_until.filter(|(_, until)| *until > horizon);
    }
}

/// What is stored about one token, for stores that do not read the whole record of a subject.
pub(super) struct Known<'a> {
    /// Whether the token is revoked by its id.
    pub(super) revoked: bool,
    /// The token's session, if it exists.
    pub(super) session: Option<&'a SessionRecord>,
    /// The subject's tokens that belong to no session are revoked if they were issued until this
    /// moment.
    pub(super) issued_until: Option<Moment>,
}

impl Known<'_> {
    /// Returns the standing of the token.
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

/// Rotates a refresh token in its session, if the session exists and the token is not revoked by
/// its id. After [`Rotated::Replayed`] the caller has to delete the session.
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

/// Merges two revocations of a subject into one that covers both.
pub(super) fn merged<T: Ord>(known: Option<(T, T)>, new: (T, T)) -> (T, T) {
    match known {
        Some(known) => (known.0.max(new.0), known.1.max(new.1)),
        None => new,
    }
}

/// What ended at or before this moment can be removed.
pub(super) fn horizon(now: Moment) -> Moment {
    now - MARGIN
}

impl SessionRecord {
    /// Returns the standing of a token of this session, not considering revocation by id.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::store::{Generation, Moment, SessionRecord, Standing, TokenIdentity};
    /// use time::Duration;
    ///
    /// let now = Moment::from_milliseconds(1_800_000_000_000);
    /// let first = Generation::new("refresh-0", "auth-0", now);
    /// let session = SessionRecord::new("phone", "alice", first, Duration::DAY);
    /// let mut token = TokenIdentity::new("alice", now);
    /// token.session = Some("phone".to_owned());
    /// token.id = Some("auth-0".to_owned());
    ///
    /// assert_eq!(session.standing(&token, now), Standing::Good);
    /// assert_eq!(session.standing(&token, now + Duration::DAY), Standing::Revoked);
    /// ```
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
            let current = self.current().filter(|current| current.auth_id == id);
            return current.map_or(Standing::Good, by_use);
        };
        match self.position(id, grace, now) {
            Position::Current(current) => by_use(current),
            Position::Rotated(_) | Position::Lost(_) => Standing::Good,
            Position::Old => Standing::Replayed,
            Position::Unclear => Standing::Revoked,
        }
    }
}
