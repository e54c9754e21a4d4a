//! Opening a session, and which sessions end when a subject has reached its limit.

use super::{Moment, SessionRecord};

/// The largest value of [`Config::max_sessions`](crate::Config::max_sessions).
///
/// A login of a subject that is at its limit reads this many sessions in one step of the store. A
/// thousand take one or two milliseconds, which other requests do not notice.
pub const MOST_SESSIONS: usize = 1_000;

/// How many single tokens of one subject can be revoked at a time. Each further revocation looks at
/// all of them.
pub const MAX_TOKENS: usize = 1_000;

/// A subject with more rows or fields than this was not kept within the limits, because an earlier
/// version had no limits. No step then reads all of them.
#[cfg(any(feature = "file-store", feature = "redis-store"))]
pub(super) const OVERFULL: usize = 2 * (MOST_SESSIONS + MAX_TOKENS);

/// A session that a store is to open, with the number of sessions that its subject may have.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::store::{Generation, Moment, Opening, SessionRecord, SubjectRecord};
/// use time::Duration;
///
/// let mut alice = SubjectRecord::default();
/// let mut log_in = |id: &str, at: i64| {
///     let now = Moment::from_milliseconds(at);
///     let first = Generation::new(format!("refresh-{id}"), format!("auth-{id}"), now);
///     let session = SessionRecord::new(id, "alice", first, Duration::DAY);
///     alice.open(&Opening::new(session, 2), now)
/// };
/// // Two sessions are accepted. The third one evicts the oldest.
/// assert!(log_in("phone", 1).is_empty());
/// assert!(log_in("laptop", 2).is_empty());
/// assert_eq!(log_in("tablet", 3), ["phone"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// The session.
    pub session: SessionRecord,
    /// How many live sessions the subject may have afterwards, including this one: 1 to 1,000.
    pub most: usize,
    /// Ids of sessions of the same subject that this one replaces. They end in the same step,
    /// before any other session is evicted.
    pub replaces: Vec<String>,
}

impl Opening {
    /// Creates the request to open a session. `most` is the number of live sessions that the subject
    /// may have afterwards, and is clamped to 1 to 1,000.
    #[must_use]
    pub fn new(session: SessionRecord, most: usize) -> Self {
        Self {
            session,
            most: most.clamp(1, MOST_SESSIONS),
            replaces: Vec::new(),
        }
    }

    /// Sets the ids of the sessions of the same subject that this one replaces.
    #[must_use]
    pub fn replacing(mut self, sessions: Vec<String>) -> Self {
        self.replaces = sessions;
        self
    }
}

/// A session that may be evicted. The smallest one goes first: sessions that have ended, then the
/// least recently refreshed one, and on a tie the one with the smaller id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    is_live: bool,
    refreshed_at: Moment,
    pub(super) id: String,
}

impl Candidate {
    /// A session whose current pair of tokens was issued at `refreshed_at`.
    pub(super) fn new(id: &str, is_live: bool, refreshed_at: Moment) -> Self {
        Self {
            is_live,
            refreshed_at,
            id: id.to_owned(),
        }
    }

    pub(super) fn of(session: &SessionRecord, now: Moment) -> Self {
        Self::new(&session.id, session.is_live(now), session.refreshed_at())
    }

    /// A session whose record cannot be read, so nobody can use it.
    #[cfg(feature = "file-store")]
    pub(super) fn unreadable(id: &str) -> Self {
        Self::new(id, false, Moment::MIN)
    }

    /// Removes the `excess` smallest candidates and returns the ids of those that were live.
    pub(super) fn make_room<E>(
        mut candidates: Vec<Self>,
        excess: usize,
        mut remove: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<Vec<String>, E> {
        candidates.sort_unstable();
        candidates.truncate(excess);
        let mut evicted = Vec::new();
        for candidate in candidates {
            remove(&candidate.id)?;
            if candidate.is_live {
                evicted.push(candidate.id);
            }
        }
        Ok(evicted)
    }
}

impl SessionRecord {
    /// When the current pair of tokens was issued.
    pub(super) fn refreshed_at(&self) -> Moment {
        self.current().map_or(self.opened_at, |it| it.issued_at)
    }
}
