//! What a server wants to hear about.

use std::sync::Arc;

use time::OffsetDateTime;

/// What [`Config::on_session_event`](crate::Config::on_session_event) was given.
pub(crate) type EventHook = Arc<dyn Fn(&SessionEvent) + Send + Sync>;

/// Something about a session that its owner or an operator should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A refresh token that had been used was presented again after the grace window: somebody has a
    /// copy. The session and all its tokens are revoked.
    Replayed {
        /// Whose session it was.
        subject: String,
        /// The session's id.
        session: String,
    },
    /// A login ended it, because its subject has more sessions than
    /// [`Config::max_sessions`](crate::Config::max_sessions): of all it was refreshed the longest ago.
    Evicted {
        /// Whose session it was.
        subject: String,
        /// The session's id.
        session: String,
    },
    /// A refresh token that had been rotated was presented again within the grace window, and got the
    /// same pair again. Parallel tabs and retries do so; a thief who is fast enough does so, too.
    Repeated {
        /// Whose session it is.
        subject: String,
        /// The session's id.
        session: String,
        /// When the token was rotated.
        rotated_at: OffsetDateTime,
        /// When it was presented again.
        repeated_at: OffsetDateTime,
    },
    /// A refresh token that had been rotated was presented again after the grace window, and got the same
    /// pair again, because nobody had used that: the answer to the rotation was lost. Or a thief has
    /// rotated it, and has not used the pair yet: the session is revoked when two people go on with it.
    LostAnswer {
        /// Whose session it is.
        subject: String,
        /// The session's id.
        session: String,
        /// When the token was rotated.
        rotated_at: OffsetDateTime,
        /// When it was presented again.
        repeated_at: OffsetDateTime,
    },
}
