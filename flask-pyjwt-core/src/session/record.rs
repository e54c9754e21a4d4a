//! One session as stores remember it, and the step that rotates its refresh token.
//!
//! A refresh token that was rotated may be presented again by a client that never got the answer, by
//! a parallel tab, or by somebody who has copied it. Three rules tell them apart:
//!
//! 1. Within the grace window it gets the same pair again ([`Rotated::Again`]).
//! 2. Later, and within the lost-answer window, it gets the same pair again as long as neither token
//!    of that pair was presented ([`Rotated::LostAnswer`]). The grace window then begins anew, for the
//!    other tabs of the same client. A pair that was given out in this way is *doubtful*: its own
//!    successor is never a lost answer.
//! 3. Otherwise the session is revoked ([`Rotated::Replayed`]).
//!
//! The cases, with an owner and a thief who both have the refresh token `r0`. Its successor is the
//! pair `a1`, `r1`, and so on. Each case is a law in `conformance/lost_answers.rs`, or a test in
//! `tests/it/sessions/lost_answers.rs`:
//!
//! | who does what | what happens |
//! | --- | --- |
//! | The answer is lost, the owner repeats `r0`, any number of times | the same pair, each time with an event |
//! | Several tabs of the owner repeat `r0` at the same time, and one already uses `a1` | the same pair, for the grace window |
//! | The owner has used `a1` or `r1`, the thief presents `r0` | revoked |
//! | The thief rotates first and uses `a1` or `r1`, the owner presents `r0` | revoked |
//! | The thief rotates first and uses nothing, the owner presents `r0` | the owner gets the thief's pair, with an event; the next row ends it |
//! | Both have the doubtful `r1`; one rotates it, the other presents it after the grace window | revoked, whoever was first, used or not |
//! | The thief rotates first and waits until the lost-answer window is over | revoked when the owner presents `r0` |
//! | The thief is second while the owner has not used `a1` yet | the thief gets the pair, with an event; the row about `r1` ends it |
//! | The thief presents `r0` within the grace window | the thief gets the pair, with an event; each rotation needs such a moment |
//! | Somebody presents `r0` to `SilentRenewal`, whose guards see `a1` before its client does | no use of `a1`: the next request that presents it is one |
//! | The thief has the doubtful pair and only uses `a1` | good until `a1` expires, as with any copied auth token |
//!
//! So a thief cannot live from lost answers: after one of them, the session is revoked unless one of
//! the two stops using it.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::moment::{Moment, whole_milliseconds};

/// How many generations are remembered. Whoever rotates faster than that
/// within it is no browser with a few tabs.
const MOST_GENERATIONS: usize = 16;

/// One session as a store remembers it. No token's text is in it.
///
/// As JSON it has short names, the same in every store, and moments are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The session's id, the claim `sid` of its tokens: unguessable, unique.
    #[serde(rename = "i")]
    pub id: String,
    /// Whose session it is.
    #[serde(rename = "u")]
    pub subject: String,
    /// When the login was.
    #[serde(rename = "o")]
    pub opened_at: Moment,
    /// When it ends, unless it is refreshed before: from then on it is as if it had never been.
    #[serde(rename = "e")]
    pub expires_at: Moment,
    /// When it ends, however often it is refreshed.
    #[serde(rename = "m")]
    pub ends_at: Moment,
    /// What a person recognises it by, if anything.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The claims of its auth tokens, sealed by the manager: a text that a store keeps as it is.
    #[serde(rename = "c")]
    pub claims: String,
    /// The pairs of tokens of the line, oldest first: the current one, its predecessor, and before it
    /// those that were rotated within the grace window. Never empty.
    #[serde(rename = "g")]
    pub generations: Vec<Generation>,
}

/// One pair of tokens of a session's line: what it takes to mint the very same pair again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Generation {
    /// The refresh token's id, its claim `rid`.
    #[serde(rename = "r")]
    pub refresh_id: String,
    /// The auth token's id, its claim `jti`.
    #[serde(rename = "a")]
    pub auth_id: String,
    /// When the pair was issued.
    #[serde(rename = "t")]
    pub issued_at: Moment,
    /// Until when the pair may be given again as a lost answer. `None` once one of its tokens was presented, for the first pair of a session, for the successor of a
    /// pair that was a lost answer, and where lost answers are not configured.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub repeatable_until: Option<Moment>,
    /// When the pair was last given again as a lost answer.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub repeated_at: Option<Moment>,
}

impl Generation {
    /// A pair of tokens with these ids. It is no lost answer, and is not to be given again as one.
    #[must_use]
    pub fn new(
        refresh_id: impl Into<String>,
        auth_id: impl Into<String>,
        issued_at: Moment,
    ) -> Self {
        Self {
            refresh_id: refresh_id.into(),
            auth_id: auth_id.into(),
            issued_at,
            repeatable_until: None,
            repeated_at: None,
        }
    }

    /// When the pair was last given out, apart from repetitions within the grace window.
    fn given_at(&self) -> Moment {
        self.repeated_at.unwrap_or(self.issued_at)
    }

    /// Whether both have the same ids. They are random, and new for each attempt to rotate.
    fn is_same_pair_as(&self, other: &Self) -> bool {
        self.refresh_id == other.refresh_id && self.auth_id == other.auth_id
    }
}

/// A refresh token that asks for its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// Whose session it is.
    pub subject: String,
    /// The session's id.
    pub session: String,
    /// The id of the refresh token that is presented.
    pub refresh_id: String,
    /// The pair that succeeds if this one wins. Its `issued_at` is now. Its ids are those of this
    /// attempt: a store that sees them again sees the same attempt again.
    pub successor: Generation,
    /// How long a session lives without being refreshed. Parts of a millisecond do not count.
    pub idle: Duration,
    /// For how long a retry gets the same successor; zero for never. Parts of a millisecond do not count.
    pub grace: Duration,
    /// The claims of auth tokens from now on, where they change, sealed by the manager.
    pub claims: Option<String>,
}

impl Rotation {
    /// A refresh token of this id that asks for its successor. There is no grace window, and the claims stay
    /// as they are, until the fields say otherwise.
    #[must_use]
    pub fn new(
        subject: impl Into<String>,
        session: impl Into<String>,
        refresh_id: impl Into<String>,
        successor: Generation,
        idle: Duration,
    ) -> Self {
        Self {
            subject: subject.into(),
            session: session.into(),
            refresh_id: refresh_id.into(),
            successor,
            idle,
            grace: Duration::ZERO,
            claims: None,
        }
    }
}

/// What became of a [`Rotation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotated {
    /// The successor is issued, now or by an earlier run of the same attempt. The session is as it is
    /// now.
    Won(SessionRecord),
    /// The token was rotated within the grace window: this is its successor, again.
    Again(SessionRecord, Generation),
    /// The token was rotated before that, and its successor was never presented: this is the successor,
    /// again. The session remembers that it was given out as a lost answer.
    LostAnswer(SessionRecord, Generation),
    /// The token was rotated, and this is neither of the two: the session is revoked.
    Replayed,
    /// There is no such session, or not any more.
    Gone,
}

/// What a refresh token is to its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Current(&'a Generation),
    /// It was rotated within the grace window, into this one.
    Rotated(&'a Generation),
    /// It was rotated before that, into this one, which may be given again.
    Lost(&'a Generation),
    /// It was rotated before that.
    Old,
    /// It was rotated at a time that is yet to come: the clock was set back, and nobody can tell.
    Unclear,
}

impl SessionRecord {
    /// A session that was opened when its first pair of tokens was issued, and that lives for so long. It has
    /// no label and no claims, and may be refreshed until its end, until the fields say otherwise.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        subject: impl Into<String>,
        first: Generation,
        lifetime: Duration,
    ) -> Self {
        let ends_at = first.issued_at + lifetime;
        Self {
            id: id.into(),
            subject: subject.into(),
            opened_at: first.issued_at,
            expires_at: ends_at,
            ends_at,
            label: None,
            claims: "{}".to_owned(),
            generations: vec![first],
        }
    }

    /// Whether the session has not ended by itself.
    #[must_use]
    pub fn is_live(&self, now: Moment) -> bool {
        now < self.expires_at
    }

    /// What the refresh token of this id is. Every token of the line has been issued here, so that
    /// one that is not known any more is an old one.
    pub(super) fn place(&self, refresh_id: &str, grace: Duration, now: Moment) -> Place<'_> {
        let grace = whole_milliseconds(grace);
        let mut later = self
            .generations
            .iter()
            .skip_while(|generation| generation.refresh_id != refresh_id);
        let Some(presented) = later.next() else {
            return Place::Old;
        };
        let Some(successor) = later.next() else {
            return Place::Current(presented);
        };
        match whole_milliseconds(now.since(successor.given_at())) {
            age if age >= grace => match successor.repeatable_until {
                Some(until) if now < until && later.next().is_none() => Place::Lost(successor),
                _ => Place::Old,
            },
            age if age <= grace.saturating_neg() && age < 0 => Place::Unclear,
            _ => Place::Rotated(successor),
        }
    }

    /// Rotates the session, if it is this token's turn: the one place where that is decided.
    ///
    /// On [`Rotated::Won`] and [`Rotated::LostAnswer`] the store has to keep the changed session, on
    /// [`Rotated::Replayed`] to forget it.
    pub fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        let now = rotation.successor.issued_at;
        if !self.is_live(now) {
            return Rotated::Gone;
        }
        let is_repeated = |known: &Generation| known.is_same_pair_as(&rotation.successor);
        if self.generations.iter().any(is_repeated) {
            return Rotated::Won(self.clone());
        }
        match self.place(&rotation.refresh_id, rotation.grace, now) {
            Place::Old => Rotated::Replayed,
            Place::Unclear => Rotated::Gone,
            Place::Rotated(successor) => {
                let successor = successor.clone();
                // Of the same moment: the same attempt again, or one that cannot be told from it.
                if successor.repeated_at == Some(now) && successor.repeatable_until.is_some() {
                    return Rotated::LostAnswer(self.clone(), successor);
                }
                Rotated::Again(self.clone(), successor)
            }
            Place::Lost(successor) => {
                let mut successor = successor.clone();
                successor.repeated_at = Some(now);
                if let Some(current) = self.generations.last_mut() {
                    current.clone_from(&successor);
                }
                Rotated::LostAnswer(self.clone(), successor)
            }
            Place::Current(presented) => {
                let mut successor = rotation.successor.clone();
                if presented.repeated_at.is_some() {
                    // Two lost answers in a row are a thief and an owner who take turns.
                    successor.repeatable_until = None;
                }
                self.mark_used();
                self.generations.push(successor);
                self.forget_old_generations(rotation.grace, now);
                self.expires_at = (now + rotation.idle).min(self.ends_at);
                if let Some(claims) = &rotation.claims {
                    self.claims.clone_from(claims);
                }
                Rotated::Won(self.clone())
            }
        }
    }

    /// Keeps the new generation, its predecessor, and those before it that were rotated within the
    /// grace window.
    fn forget_old_generations(&mut self, grace: Duration, now: Moment) {
        let grace = whole_milliseconds(grace);
        let too_many = self.generations.len().saturating_sub(MOST_GENERATIONS);
        let rotated_before = self.generations.len().saturating_sub(2);
        let old = self
            .generations
            .iter()
            .skip(1)
            .take(rotated_before)
            .take_while(|successor| whole_milliseconds(now.since(successor.given_at())) >= grace)
            .count();
        self.generations.drain(..old.max(too_many));
    }

    /// Notes that a token of the current pair was presented: the pair is never given again as a lost
    /// answer.
    pub(super) fn mark_used(&mut self) {
        if let Some(current) = self.generations.last_mut() {
            current.repeatable_until = None;
        }
    }

    /// The pair of tokens that is current.
    #[must_use]
    pub fn current(&self) -> Option<&Generation> {
        self.generations.last()
    }
}
