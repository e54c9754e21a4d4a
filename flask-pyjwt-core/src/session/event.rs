//! Events about sessions, for the application.

use std::sync::Arc;

use time::OffsetDateTime;

/// The callback given to [`Config::on_session_event`](crate::Config::on_session_event).
pub(crate) type EventHook = Arc<dyn Fn(&SessionEvent) + Send + Sync>;

/// Something about a session that its owner or an operator should know, such as a stolen refresh
/// token.
///
/// [`Config::on_session_event`](crate::Config::on_session_event) sets the callback that receives
/// these events. Refresh token reuse detection follows RFC 9700, section 4.14.2.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
///
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore, SessionEvent};
/// use time::Duration;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let thefts = Arc::new(AtomicUsize::new(0));
/// let counter = Arc::clone(&thefts);
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(MemoryStore::default())
///     .refresh_grace(Duration::ZERO)
///     .lost_answer_window(Duration::ZERO)
///     .on_session_event(move |event| {
///         if let SessionEvent::Replayed { .. } = event {
///             counter.fetch_add(1, Ordering::Relaxed);
///         }
///     });
/// let auth = AuthManager::new(config)?;
/// let first = auth.login("alice").await?;
///
/// // The first use is accepted. The second use of the same token is refused, and revokes the session.
/// let second = auth.refresh(&first.refresh).await?;
/// assert_eq!(thefts.load(Ordering::Relaxed), 0);
/// assert!(auth.refresh(&first.refresh).await.is_err());
/// assert_eq!(thefts.load(Ordering::Relaxed), 1);
/// assert!(auth.refresh(&second.refresh).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A rotated refresh token was presented again after the grace window. Somebody has a copy of
    /// it. The session and all its tokens are revoked.
    #[doc(alias = "reuse_detection")]
    #[doc(alias = "theft")]
    Replayed {
        /// The user whose session was revoked.
        subject: String,
        /// The session's id.
        session: String,
    },
    /// A login ended this session, because its subject had reached
    /// [`Config::max_sessions`](crate::Config::max_sessions). The least recently refreshed session
    /// ends first.
    Evicted {
        /// The user whose session ended.
        subject: String,
        /// The session's id.
        session: String,
    },
    /// A rotated refresh token was presented again within the grace window and got the same pair
    /// again. Parallel tabs and retries do this. A thief who is fast enough does, too.
    Repeated {
        /// The user whose session it is.
        subject: String,
        /// The session's id.
        session: String,
        /// When the refresh token was rotated.
        rotated_at: OffsetDateTime,
        /// When it was presented again.
        repeated_at: OffsetDateTime,
    },
    /// A rotated refresh token was presented again after the grace window and got the same pair
    /// again, because that pair had not been used. Either the response to the rotation was lost, or
    /// a thief rotated the token and has not used the new pair yet. If two parties continue with
    /// the pair, the session is revoked.
    LostAnswer {
        /// The user whose session it is.
        subject: String,
        /// The session's id.
        session: String,
        /// When the refresh token was rotated.
        rotated_at: OffsetDateTime,
        /// When it was presented again.
        repeated_at: OffsetDateTime,
    },
}
