//! Everything that a store keeps about one subject, and the steps of a store as methods.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, Standing, StoreError,
    TokenIdentity,
    opening::{Candidate, MAX_TOKENS},
    sorted::{Identified, Sorted},
    standing::Known,
};

/// Ended sessions and revocations are kept for this long, so that a clock that is set back by less
/// than an hour does not make a revoked token good again.
pub const MARGIN: Duration = Duration::HOUR;

/// The id of the revoked token that records that a subject's sessions were adopted. No token has an
/// empty id: `Token::own_id` refuses it.
pub(super) const ADOPTED: &str = "";

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
    /// recently refreshed ones are evicted. Returns the ids of the live ones that ended.
    pub fn open(&mut self, opening: &Opening, now: Moment) -> Vec<String> {
        let Opening {
            session,
            most,
            replaces,
        } = opening;
        let mut ended = Vec::new();
        for replaced in replaces.iter().filter(|it| **it != session.id) {
            ended.extend(self.end(replaced, now));
        }
        self.sessions.insert(session.clone());
        let excess = self.sessions.len().saturating_sub((*most).max(1));
        if excess == 0 {
            return ended;
        }
        let others = self.sessions.iter().filter(|it| it.id != session.id);
        let candidates = others.map(|it| Candidate::of(it, now)).collect();
        let removed = Candidate::make_room(candidates, excess, |id| {
            self.sessions.remove(id);
            Ok::<_, Infallible>(())
        });
        ended.extend(removed.unwrap_or_else(|never| match never {}));
        ended
    }

    /// Removes a session. Returns its id if it was live.
    fn end(&mut self, id: &str, now: Moment) -> Option<String> {
        let was_live = self.sessions.get(id).is_some_and(|it| it.is_live(now));
        self.sessions.remove(id);
        was_live.then(|| id.to_owned())
    }

    /// Rotates a refresh token. See [`SessionRecord::rotate`].
    pub fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        let revoked = self.tokens.get(&rotation.refresh_id).is_some();
        let rotated = match self.sessions.get_mut(&rotation.session) {
            Some(session) if !revoked => session.rotate(rotation),
            _ => Rotated::Gone,
        };
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
        let session = session.and_then(|session| self.sessions.get(session));
        let known = Known {
            revoked: id.is_some_and(|id| self.tokens.get(id).is_some()),
            in_session: session.map(|session| session.standing(token, now)),
            issued_until: self.issued_until.map(|(issued_until, _)| issued_until),
        };
        known.standing(token)
    }

    /// Revokes a token, a session, or everything of this subject. Returns what has ended by this:
    /// the ids of the live sessions, or the id of the token if it was not revoked before.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyTokens`] if 1,000 single tokens of this subject are already revoked.
    pub fn revoke(
        &mut self,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<Vec<String>, StoreError> {
        Ok(match revocation {
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
                Vec::from_iter(known.is_none().then(|| id.clone()))
            }
            Revocation::Session { session, .. } => Vec::from_iter(self.end(session, now)),
            Revocation::Subject {
                issued_until,
                until,
                ..
            } => {
                self.issued_until = Some(merged(self.issued_until, (*issued_until, *until)));
                let sessions = std::mem::take(&mut self.sessions);
                let live = sessions.iter().filter(|session| session.is_live(now));
                live.map(|session| session.id.clone()).collect()
            }
        })
    }

    /// Returns at most `most` live sessions.
    #[must_use]
    pub fn sessions(&self, most: usize, now: Moment) -> Vec<SessionRecord> {
        let live = self.sessions.iter().filter(|session| session.is_live(now));
        live.take(most).cloned().collect()
    }

    /// Saves the sessions that another store has of this subject, unless this was done before.
    /// Returns whether it was done now. See [`SessionStore::adopt`](crate::store::SessionStore::adopt).
    pub fn adopt(&mut self, sessions: &[SessionRecord], now: Moment) -> bool {
        if self.tokens.get(ADOPTED).is_some() {
            return false;
        }
        for session in sessions {
            if self.sessions.get(&session.id).is_none() {
                self.sessions.insert(session.clone());
            }
        }
        self.tokens.insert(RevokedToken {
            id: ADOPTED.to_owned(),
            until: last_end(sessions, now),
        });
        true
    }

    /// Removes what ended an hour ago or earlier.
    pub fn forget_ended(&mut self, now: Moment) {
        let horizon = horizon(now);
        self.sessions.retain(|session| session.is_live(horizon));
        self.tokens.retain(|token| token.until > horizon);
        self.issued_until = self.issued_until.filter(|(_, until)| *until > horizon);
    }
}

/// Rotates a refresh token in its session, if the session exists and the token is not revoked by
/// its id. After [`Rotated::Replayed`] the caller has to delete the session.
#[cfg(any(feature = "file-store", feature = "memory-store"))]
pub(super) fn rotate(
    revoked: bool,
    session: Option<SessionRecord>,
    rotation: &Rotation,
) -> Rotated {
    match session {
        Some(session) if !revoked => session.into_rotated(rotation),
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

/// Until when a store has to remember that it adopted these sessions.
pub(super) fn last_end(sessions: &[SessionRecord], now: Moment) -> Moment {
    let ends = sessions.iter().map(|it| it.ends_at.max(it.expires_at));
    ends.max().map_or(now, |end| end.max(now))
}

/// What ended at or before this moment can be removed.
pub(super) fn horizon(now: Moment) -> Moment {
    now - MARGIN
}
