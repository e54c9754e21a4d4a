//! One session as stores keep it, and the step that rotates its refresh token.
//!
//! A rotated refresh token may be presented again by a client that never got the response, by a
//! parallel tab, or by somebody who has copied it. Three rules tell these apart:
//!
//! 1. Within the grace window it gets the same pair again ([`Rotated::Again`]).
//! 2. After that, within the lost-answer window, it gets the same pair again as long as neither
//!    token of that pair was presented ([`Rotated::LostAnswer`]). The grace window then starts
//!    again, for other tabs of the same client. A pair that was given out in this way is
//!    *doubtful*: its successor is never treated as a lost answer.
//! 3. Otherwise the session is revoked ([`Rotated::Replayed`]).
//!
//! The table lists the cases for an owner and a thief who both have the refresh token `r0`. Its
//! successor is the pair `a1`, `r1`, and so on. Each case is tested in
//! `conformance/lost_answers.rs` or in `tests/it/sessions/lost_answers.rs`.
//!
//! | who does what | what happens |
//! | --- | --- |
//! | The response is lost, the owner repeats `r0`, any number of times | the same pair, each time with an event |
//! | Several tabs of the owner repeat `r0` at the same time, and one already uses `a1` | the same pair, for the grace window |
//! | The owner has used `a1` or `r1`, the thief presents `r0` | revoked |
//! | The thief rotates first and uses `a1` or `r1`, the owner presents `r0` | revoked |
//! | The thief rotates first and uses nothing, the owner presents `r0` | the owner gets the thief's pair, with an event; the next row applies |
//! | Both have the doubtful `r1`; one rotates it, the other presents it after the grace window | revoked, whoever was first, used or not |
//! | The thief rotates first and waits until the lost-answer window is over | revoked when the owner presents `r0` |
//! | The thief is second while the owner has not used `a1` yet | the thief gets the pair, with an event; the row about the doubtful `r1` applies |
//! | The thief presents `r0` within the grace window | the thief gets the pair, with an event; each rotation needs such a moment |
//! | Somebody presents `r0` to `SilentRenewal`, whose guards see `a1` before its client does | this does not use `a1`; the next request that presents it does |
//! | The thief has the doubtful pair and only uses `a1` | good until `a1` expires, as with any copied auth token |
//!
//! A thief therefore cannot keep a session alive through lost answers. After one of them, the
//! session is revoked unless either the owner or the thief stops using it.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{
    moment::{Moment, whole_milliseconds},
    position::{Pair, Position},
};

/// How many generations are kept. No browser with a few tabs rotates more often than this within
/// the grace window.
const MAX_GENERATIONS: usize = 16;

/// One session as a store keeps it. It does not contain the text of any token.
///
/// In JSON its fields have short names, the same in every store, and moments are milliseconds since
/// 1970. A store that keeps whole records calls [`rotate`](Self::rotate) and
/// [`standing`](Self::standing), which decide:
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::store::{Generation, Moment, Rotated, Rotation, SessionRecord};
/// use time::Duration;
///
/// let now = Moment::from_milliseconds(1_800_000_000_000);
/// let first = Generation::new("refresh-0", "auth-0", now);
/// let mut session = SessionRecord::new("a session", "alice", first, Duration::DAY);
///
/// let rotate = |to: &str| {
///     let successor = Generation::new(format!("refresh-{to}"), format!("auth-{to}"), now);
///     Rotation::new("alice", "a session", "refresh-0", successor, Duration::HOUR)
/// };
/// // The first use of `refresh-0` is accepted, the second one is refused.
/// assert!(matches!(session.rotate(&rotate("1")), Rotated::Won(_)));
/// assert_eq!(session.rotate(&rotate("2")), Rotated::Replayed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The session's id, which is the claim `sid` of its tokens. Random and unique.
    #[serde(rename = "i")]
    pub id: String,
    /// The user whose session it is.
    #[serde(rename = "u")]
    pub subject: String,
    /// When the user logged in.
    #[serde(rename = "o")]
    pub opened_at: Moment,
    /// When the session ends, unless a refresh extends it. From this moment on it counts as absent.
    #[serde(rename = "e")]
    pub expires_at: Moment,
    /// The latest moment at which the session can end, however often it is refreshed.
    #[serde(rename = "m")]
    pub ends_at: Moment,
    /// A label by which its owner recognises the session, if any.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The network address from which its owner logged in, if the application gave it.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The `User-Agent` of the login, if the application gave it.
    #[serde(rename = "ua", default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The claims of the session's auth tokens, sealed by the manager. A store keeps this text
    /// unchanged.
    #[serde(rename = "c")]
    pub claims: String,
    /// The pairs of tokens of this session, oldest first: those rotated within the grace window,
    /// the predecessor of the current pair, and the current pair. Never empty.
    #[serde(rename = "g")]
    pub generations: Vec<Generation>,
}

/// One pair of tokens of a session: the data needed to mint exactly the same pair again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Generation {
    /// The id of the refresh token, its claim `rid`.
    #[serde(rename = "r")]
    pub refresh_id: String,
    /// The id of the auth token, its claim `jti`.
    #[serde(rename = "a")]
    pub auth_id: String,
    /// When the pair was issued.
    #[serde(rename = "t")]
    pub issued_at: Moment,
    /// Until when the pair may be given again as a lost answer.
    ///
    /// `None` after one of its tokens was presented, for the first pair of a session, for the
    /// successor of a pair that was a lost answer, and when lost answers are not configured.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub repeatable_until: Option<Moment>,
    /// When the pair was last given again as a lost answer.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub repeated_at: Option<Moment>,
}

impl Generation {
    /// Creates a pair of tokens with these ids. The pair cannot be given again as a lost answer.
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

    /// Whether both pairs have the same ids. Ids are random, and new for each attempt to rotate.
    fn is_same_pair_as(&self, other: &Self) -> bool {
        self.refresh_id == other.refresh_id && self.auth_id == other.auth_id
    }
}

impl Pair for &Generation {
    fn has_refresh_id(&self, id: &str) -> bool {
        self.refresh_id == id
    }

    fn has_auth_id(&self, id: &str) -> bool {
        self.auth_id == id
    }

    fn issued_at(&self) -> Moment {
        self.issued_at
    }

    fn repeatable_until(&self) -> Option<Moment> {
        self.repeatable_until
    }

    fn repeated_at(&self) -> Option<Moment> {
        self.repeated_at
    }
}

/// A request to exchange a refresh token for its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The user whose session it is.
    pub subject: String,
    /// The session's id.
    pub session: String,
    /// The id of the refresh token that was presented.
    pub refresh_id: String,
    /// The pair that becomes current if this attempt wins. Its `issued_at` is now. Its ids identify
    /// the attempt: a store that sees them again sees a repetition of the same attempt.
    pub successor: Generation,
    /// How long a session lives without a refresh, in whole milliseconds.
    pub idle: Duration,
    /// How long a retry gets the same successor, in whole milliseconds. Zero means never.
    pub grace: Duration,
    /// New claims for the session's auth tokens, sealed by the manager. `None` leaves them
    /// unchanged.
    pub claims: Option<String>,
}

impl Rotation {
    /// Creates a request to exchange the refresh token with this id. It has no grace window and
    /// leaves the claims unchanged. Set the fields to change that.
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

/// The result of a [`Rotation`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotated {
    /// The successor is issued, now or by an earlier run of the same attempt. Contains the changed
    /// session.
    Won(SessionRecord),
    /// The token was rotated within the grace window. Contains its successor, to be given again.
    Again(SessionRecord, Generation),
    /// The token was rotated before the grace window, and its successor was never presented.
    /// Contains the successor, to be given again. The session records that it was given out as a
    /// lost answer.
    LostAnswer(SessionRecord, Generation),
    /// The token was rotated, and neither of the two cases above applies. The session is revoked.
    Replayed,
    /// The session does not exist, or has ended.
    Gone,
}

/// A [`Rotated`] without the session.
enum Step {
    Won,
    Again(Generation),
    LostAnswer(Generation),
    Replayed,
    Gone,
}

impl Step {
    fn of(self, session: impl FnOnce() -> SessionRecord) -> Rotated {
        match self {
            Self::Won => Rotated::Won(session()),
            Self::Again(successor) => Rotated::Again(session(), successor),
            Self::LostAnswer(successor) => Rotated::LostAnswer(session(), successor),
            Self::Replayed => Rotated::Replayed,
            Self::Gone => Rotated::Gone,
        }
    }
}

impl SessionRecord {
    /// Creates a session that was opened when `first` was issued, and that ends after `lifetime`.
    /// It has no label, address, user agent and claims, and no idle timeout. Set the fields to change that.
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
            address: None,
            user_agent: None,
            claims: "{}".to_owned(),
            generations: vec![first],
        }
    }

    /// Whether the session has not expired.
    #[must_use]
    pub fn is_live(&self, now: Moment) -> bool {
        now < self.expires_at
    }

    /// Rotates the session if this refresh token is current. All decisions about rotation are made
    /// here.
    ///
    /// After [`Rotated::Won`] and [`Rotated::LostAnswer`] the store has to save the changed
    /// session. After [`Rotated::Replayed`] it has to delete it.
    pub fn rotate(&mut self, rotation: &Rotation) -> Rotated {
        self.step(rotation).of(|| self.clone())
    }

    /// Like [`rotate`](Self::rotate), without a copy of the session.
    #[cfg(any(feature = "file-store", feature = "memory-store"))]
    pub(super) fn into_rotated(mut self, rotation: &Rotation) -> Rotated {
        self.step(rotation).of(|| self)
    }

    fn step(&mut self, rotation: &Rotation) -> Step {
        let now = rotation.successor.issued_at;
        if !self.is_live(now) {
            return Step::Gone;
        }
        let is_repeated = |known: &Generation| known.is_same_pair_as(&rotation.successor);
        if self.generations.iter().any(is_repeated) {
            return Step::Won;
        }
        let pairs = &self.generations;
        match Position::of(&rotation.refresh_id, pairs, rotation.grace, now) {
            Position::Old => Step::Replayed,
            Position::Unclear => Step::Gone,
            Position::Rotated(successor) => {
                let successor = successor.clone();
                // At the same moment: either the same attempt again, or one that looks the same.
                if successor.repeated_at == Some(now) && successor.repeatable_until.is_some() {
                    return Step::LostAnswer(successor);
                }
                Step::Again(successor)
            }
            Position::Lost(successor) => {
                let mut successor = successor.clone();
                successor.repeated_at = Some(now);
                if let Some(current) = self.generations.last_mut() {
                    current.clone_from(&successor);
                }
                Step::LostAnswer(successor)
            }
            Position::Current(presented) => {
                let mut successor = rotation.successor.clone();
                if presented.repeated_at.is_some() {
                    // Two lost answers in a row mean that a thief and the owner take turns.
                    successor.repeatable_until = None;
                }
                self.mark_used();
                self.generations.push(successor);
                self.forget_old_generations(rotation.grace, now);
                self.expires_at = (now + rotation.idle).min(self.ends_at);
                if let Some(claims) = &rotation.claims {
                    self.claims.clone_from(claims);
                }
                Step::Won
            }
        }
    }

    /// Keeps the new generation, its predecessor, and earlier ones that were rotated within the
    /// grace window.
    fn forget_old_generations(&mut self, grace: Duration, now: Moment) {
        let grace = whole_milliseconds(grace);
        let too_many = self.generations.len().saturating_sub(MAX_GENERATIONS);
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

    /// Records that a token of the current pair was presented, so that the pair is never given
    /// again as a lost answer.
    pub(super) fn mark_used(&mut self) {
        if let Some(current) = self.generations.last_mut() {
            current.repeatable_until = None;
        }
    }

    /// The current pair of tokens.
    #[must_use]
    pub fn current(&self) -> Option<&Generation> {
        self.generations.last()
    }
}
