//! One session as stores remember it, and the step that rotates its refresh token.

use serde::{Deserialize, Serialize};

/// How many generations are remembered for the grace window. Whoever rotates faster than that
/// within it is no browser with a few tabs.
const MOST_GENERATIONS: usize = 16;

/// One session as a store remembers it. No token's text is in it.
///
/// All moments are milliseconds since 1970. As JSON it has short names, the same in every store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The session's id, the claim `sid` of its tokens: unguessable, unique.
    #[serde(rename = "i")]
    pub id: String,
    /// Whose session it is.
    #[serde(rename = "u")]
    pub subject: String,
    /// When the login was.
    #[serde(rename = "o")]
    pub opened_at: i64,
    /// When it ends, unless it is refreshed before: from then on it is as if it had never been.
    #[serde(rename = "e")]
    pub expires_at: i64,
    /// When it ends, however often it is refreshed.
    #[serde(rename = "m")]
    pub ends_at: i64,
    /// What a person recognises it by, if anything.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The claims of its auth tokens, sealed by the manager: a text that a store keeps as it is.
    #[serde(rename = "c")]
    pub claims: String,
    /// The pairs of tokens of the line, oldest first: the current one, and before it those that were
    /// rotated within the grace window. Never empty.
    #[serde(rename = "g")]
    pub generations: Vec<Generation>,
}

/// One pair of tokens of a session's line: what it takes to mint the very same pair again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The refresh token's id, its claim `rid`.
    #[serde(rename = "r")]
    pub refresh_id: String,
    /// The auth token's id, its claim `jti`.
    #[serde(rename = "a")]
    pub auth_id: String,
    /// When the pair was issued, in milliseconds since 1970.
    #[serde(rename = "t")]
    pub issued_at: i64,
}

/// A refresh token that asks for its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Whose session it is.
    pub subject: String,
    /// The session's id.
    pub session: String,
    /// The id of the refresh token that is presented.
    pub refresh_id: String,
    /// The pair that succeeds if this one wins. Its `issued_at` is now.
    pub successor: Generation,
    /// How long a session lives without being refreshed, in milliseconds.
    pub idle: i64,
    /// For how long a retry gets the same successor, in milliseconds; 0 for never.
    pub grace: i64,
    /// The claims of auth tokens from now on, where they change, sealed by the manager.
    pub claims: Option<String>,
}

/// What became of a [`Rotation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// The successor is issued. The session is as it is now.
    Won(SessionRecord),
    /// The token was rotated within the grace window: this is its successor, again.
    Again(SessionRecord, Generation),
    /// The token was rotated before that: the session is revoked.
    Replayed,
    /// There is no such session, or not any more.
    Gone,
}

/// What a refresh token is to its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Current,
    /// It was rotated within the grace window, into this one.
    Rotated(&'a Generation),
    /// It was rotated before that.
    Old,
    /// It was rotated at a time that is yet to come: the clock was set back, and nobody can tell.
    Unclear,
}

impl SessionRecord {
    /// Whether the session has not ended by itself.
    #[must_use]
    pub fn is_live(&self, now: i64) -> bool {
        now < self.expires_at
    }

    /// What the refresh token of this id is. Every token of the line has been issued here, so that
    /// one that is not known any more is an old one.
    pub(super) fn place(&self, refresh_id: &str, grace: i64, now: i64) -> Place<'_> {
        let mut later = self
            .generations
            .iter()
            .skip_while(|generation| generation.refresh_id != refresh_id);
        if later.next().is_none() {
            return Place::Old;
        }
        match later.next() {
            None => Place::Current,
            Some(successor) => match now.saturating_sub(successor.issued_at) {
                age if age >= grace => Place::Old,
                age if age <= -grace && age < 0 => Place::Unclear,
                _ => Place::Rotated(successor),
            },
        }
    }

    /// Rotates the session, if it is this token's turn: the one place where that is decided.
    ///
    /// On [`Rotated::Replayed`] the store has to forget the session.
    pub fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        let now = rotation.successor.issued_at;
        if !self.is_live(now) {
            return Rotated::Gone;
        }
        match self.place(&rotation.refresh_id, rotation.grace, now) {
            Place::Old => Rotated::Replayed,
            Place::Unclear => Rotated::Gone,
            Place::Rotated(successor) => {
                let successor = successor.clone();
                Rotated::Again(self.clone(), successor)
            }
            Place::Current => {
                self.generations.push(rotation.successor.clone());
                self.forget_old_generations(rotation.grace, now);
                self.expires_at = now.saturating_add(rotation.idle).min(self.ends_at);
                if let Some(claims) = &rotation.claims {
                    self.claims.clone_from(claims);
                }
                Rotated::Won(self.clone())
            }
        }
    }

    /// Keeps the current generation, and those before it that were rotated within the grace window.
    fn forget_old_generations(&mut self, grace: i64, now: i64) {
        let too_many = self.generations.len().saturating_sub(MOST_GENERATIONS);
        let old = self
            .generations
            .iter()
            .skip(1)
            .take_while(|successor| now.saturating_sub(successor.issued_at) >= grace)
            .count();
        self.generations.drain(..old.max(too_many));
    }

    /// The pair of tokens that is current.
    #[must_use]
    pub fn current(&self) -> Option<&Generation> {
        self.generations.last()
    }
}
