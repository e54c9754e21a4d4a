//! What happens to sessions, for the application.

use serde::{Serialize, Serializer};
use time::{OffsetDateTime, UtcOffset};

/// Something that has happened to a session, such as a login, a logout or the theft of a refresh
/// token.
///
/// [`AuthManager::session_events`](crate::AuthManager::session_events) is a stream of them, and
/// [`Config::on_session_event`](crate::Config::on_session_event) sets a callback. Refresh token
/// reuse detection follows RFC 9700, section 4.14.2.
///
/// Each happening gives one event, in the process that has made the change, also if the client
/// disconnects in between. What was refused gives none. If the store fails, its outcome is not
/// known: there is no event, but there may have been a change, and the log has an error. A store
/// that makes a change again after a broken connection may find it made: then there is no event
/// either.
///
/// Events contain no tokens. As JSON, an event is one flat object, whose times are RFC 3339 in UTC:
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{EndedBy, SessionEvent};
/// use time::OffsetDateTime;
///
/// let ended = SessionEvent::Ended {
///     subject: "alice".to_owned(),
///     session: "Xq3x".to_owned(),
///     at: OffsetDateTime::UNIX_EPOCH,
///     by: EndedBy::Logout,
/// };
/// assert_eq!(
///     serde_json::to_string(&ended)?,
///     r#"{"event":"ended","subject":"alice","session":"Xq3x","at":"1970-01-01T00:00:00.000Z","by":"logout"}"#,
/// );
/// assert_eq!((ended.name(), ended.subject()), ("ended", "alice"));
/// # Ok::<(), serde_json::Error>(())
/// ```
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionEvent {
    /// A login opened the session.
    Opened {
        /// The user who logged in.
        subject: String,
        /// The session's id.
        session: String,
        /// When it was opened.
        #[serde(serialize_with = "moment")]
        at: OffsetDateTime,
        /// The text given to [`LoginBuilder::label`](crate::LoginBuilder::label).
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// The address given to [`LoginBuilder::address`](crate::LoginBuilder::address).
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// The text given to [`LoginBuilder::user_agent`](crate::LoginBuilder::user_agent).
        #[serde(skip_serializing_if = "Option::is_none")]
        user_agent: Option<String>,
    },
    /// A refresh token was used for the first time, and the session got the next pair of tokens.
    Refreshed {
        /// The user whose session it is.
        subject: String,
        /// The session's id.
        session: String,
        /// When the new pair was issued.
        #[serde(serialize_with = "moment")]
        at: OffsetDateTime,
    },
    /// A rotated refresh token was presented again within the grace window and got the same pair
    /// again. Parallel tabs and retries do this. A thief who is fast enough does, too.
    Repeated {
        /// The user whose session it is.
        subject: String,
        /// The session's id.
        session: String,
        /// When the refresh token was rotated.
        #[serde(serialize_with = "moment")]
        rotated_at: OffsetDateTime,
        /// When it was presented again.
        #[serde(rename = "at", serialize_with = "moment")]
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
        #[serde(serialize_with = "moment")]
        rotated_at: OffsetDateTime,
        /// When it was presented again.
        #[serde(rename = "at", serialize_with = "moment")]
        repeated_at: OffsetDateTime,
    },
    /// A rotated refresh token was presented again after the grace window. Somebody has a copy of
    /// it. The session and all its tokens are revoked.
    #[doc(alias = "reuse_detection")]
    #[doc(alias = "theft")]
    Replayed {
        /// The user whose session was revoked.
        subject: String,
        /// The session's id.
        session: String,
        /// When the token was presented again.
        #[serde(serialize_with = "moment")]
        at: OffsetDateTime,
    },
    /// A login ended this session, because its subject had reached
    /// [`Config::max_sessions`](crate::Config::max_sessions). The least recently refreshed session
    /// ends first.
    Evicted {
        /// The user whose session ended.
        subject: String,
        /// The session's id.
        session: String,
        /// When it ended.
        #[serde(serialize_with = "moment")]
        at: OffsetDateTime,
    },
    /// Somebody ended the session. A session that expires gives no event.
    Ended {
        /// The user whose session ended.
        subject: String,
        /// The session's id.
        session: String,
        /// When it ended.
        #[serde(serialize_with = "moment")]
        at: OffsetDateTime,
        /// Which call has ended it.
        by: EndedBy,
    },
    /// A single token was revoked, and its session stays open. A token that was revoked before
    /// gives no event.
    TokenRevoked {
        /// The user whose token it is.
        subject: String,
        /// The id of the token's session, if it has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<String>,
        /// The token's id, its claim `jti` or `rid`.
        token: String,
        /// When it was revoked.
        #[serde(serialize_with = "moment")]
        at: OffsetDateTime,
    },
    /// Everything of a subject was revoked: also the tokens that belong to no session. Comes after
    /// [`Ended`](Self::Ended) for each of its sessions.
    SubjectRevoked {
        /// The subject.
        subject: String,
        /// When it was revoked.
        #[serde(serialize_with = "moment")]
        at: OffsetDateTime,
    },
}

/// Which call has ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndedBy {
    /// [`AuthManager::logout`](crate::AuthManager::logout) with one of its own tokens.
    Logout,
    /// [`AuthManager::revoke_session`](crate::AuthManager::revoke_session): its owner from another
    /// session, or an administrator.
    RevokeSession,
    /// [`AuthManager::revoke_subject`](crate::AuthManager::revoke_subject).
    RevokeSubject,
    /// [`AuthManager::revoke_token`](crate::AuthManager::revoke_token), when the store had no room
    /// for another single token.
    RevokeToken,
    /// A later login in the same browser, with
    /// [`LoginBuilder::replacing`](crate::LoginBuilder::replacing).
    Login,
}

impl SessionEvent {
    /// All names.
    pub(crate) const NAMES: [&str; 9] = [
        "opened",
        "refreshed",
        "repeated",
        "lost_answer",
        "replayed",
        "evicted",
        "ended",
        "token_revoked",
        "subject_revoked",
    ];

    /// The name of the kind, the same as in JSON: `opened`, `refreshed`, `repeated`, `lost_answer`,
    /// `replayed`, `evicted`, `ended`, `token_revoked` or `subject_revoked`. Later versions do not
    /// change these names.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Refreshed { .. } => "refreshed",
            Self::Repeated { .. } => "repeated",
            Self::LostAnswer { .. } => "lost_answer",
            Self::Replayed { .. } => "replayed",
            Self::Evicted { .. } => "evicted",
            Self::Ended { .. } => "ended",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::SubjectRevoked { .. } => "subject_revoked",
        }
    }

    /// The user whom the event is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Opened { subject, .. }
            | Self::Refreshed { subject, .. }
            | Self::Repeated { subject, .. }
            | Self::LostAnswer { subject, .. }
            | Self::Replayed { subject, .. }
            | Self::Evicted { subject, .. }
            | Self::Ended { subject, .. }
            | Self::TokenRevoked { subject, .. }
            | Self::SubjectRevoked { subject, .. } => subject,
        }
    }

    /// The id of the session. `None` for a subject, and for a token without a session.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Opened { session, .. }
            | Self::Refreshed { session, .. }
            | Self::Repeated { session, .. }
            | Self::LostAnswer { session, .. }
            | Self::Replayed { session, .. }
            | Self::Evicted { session, .. }
            | Self::Ended { session, .. } => Some(session),
            Self::TokenRevoked { session, .. } => session.as_deref(),
            Self::SubjectRevoked { .. } => None,
        }
    }

    /// When it happened, on the clock of the manager, to the millisecond.
    #[must_use]
    pub fn at(&self) -> OffsetDateTime {
        match self {
            Self::Opened { at, .. }
            | Self::Refreshed { at, .. }
            | Self::Repeated {
                repeated_at: at, ..
            }
            | Self::LostAnswer {
                repeated_at: at, ..
            }
            | Self::Replayed { at, .. }
            | Self::Evicted { at, .. }
            | Self::Ended { at, .. }
            | Self::TokenRevoked { at, .. }
            | Self::SubjectRevoked { at, .. } => *at,
        }
    }
}

/// RFC 3339 in UTC, to the millisecond.
fn moment<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let at = at.to_offset(UtcOffset::UTC);
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.to_hms_milli();
    let month = u8::from(month);
    serializer.collect_str(&format_args!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
    ))
}
