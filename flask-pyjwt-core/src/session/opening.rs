//! Opening a session, and who makes room for it where a subject has as many as it may.

use super::{Moment, SessionRecord};

/// The largest limit of a subject's sessions.
///
/// A login of a subject that is at its limit reads so many sessions in the store's one step. A thousand of
/// them take a millisecond or two, which nobody else notices.
pub(crate) const MOST_SESSIONS: usize = 1_000;

/// How many tokens of one subject are revoked by their ids at a time. Each of them is looked at when one
/// more comes.
pub(super) const MOST_TOKENS: usize = 1_000;

/// A subject that has more rows or fields than this was not kept within the limits: an earlier version
/// had none. Then no step looks at all of them.
#[cfg(any(feature = "file-store", feature = "redis-store"))]
pub(super) const OVERFULL: usize = 2 * (MOST_SESSIONS + MOST_TOKENS);

/// A session that is to be opened, and how many its subject may have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// The session.
    pub session: SessionRecord,
    /// How many live sessions the subject may have afterwards, this one included: 1 to 1,000.
    pub most: usize,
    /// The ids of sessions of the same subject whose place it takes: they end in the same step, before
    /// any other has to make room.
    pub replaces: Vec<String>,
}

impl Opening {
    /// A session to be opened. Its subject may have so many afterwards: less than 1 counts as 1, and
    /// more than 1,000 as 1,000.
    #[must_use]
    pub fn new(session: SessionRecord, most: usize) -> Self {
        Self {
            session,
            most: most.clamp(1, MOST_SESSIONS),
            replaces: Vec::new(),
        }
    }

    /// The sessions of the same subject whose place it takes, by their ids.
    #[must_use]
    pub fn replacing(mut self, sessions: Vec<String>) -> Self {
        self.replaces = sessions;
        self
    }
}

/// A session that may have to make room. The least of them goes first: one that has ended, then the
/// one that was refreshed the longest ago, and of two at the same time the one with the lesser id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    is_live: bool,
    refreshed_at: Moment,
    pub(super) id: String,
}

impl Candidate {
    pub(super) fn of(session: &SessionRecord, now: Moment) -> Self {
        Self {
            is_live: session.is_live(now),
            refreshed_at: session.refreshed_at(),
            id: session.id.clone(),
        }
    }

    /// A session that cannot be read: nobody can use it.
    #[cfg(feature = "file-store")]
    pub(super) fn unreadable(id: &str) -> Self {
        Self {
            is_live: false,
            refreshed_at: Moment::MIN,
            id: id.to_owned(),
        }
    }

    /// Removes so many of them, and gives the ids of those that were live.
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
