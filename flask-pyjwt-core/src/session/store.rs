//! The trait for session stores, and the rules that a store has to keep.

use std::{
    future::{Future, ready},
    pin::Pin,
};

use time::Duration;

use super::{Moment, Opening, Rotated, Rotation, SessionRecord, StoreError};

/// The future that a store returns.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Stores sessions and revocations. Implement it to keep sessions in your own database.
///
/// Four implementations are behind features: `MemoryStore` for one process, `FileStore` for one
/// machine, and `RedisStore` and `PostgresStore` for several machines. Your own store has to keep the following rules.
/// The macro `store_conformance!` (feature `store-conformance`) tests them.
///
/// 1. **Atomic.** Each call is one atomic step: two concurrent calls act as if one came after the
///    other. Of any number of rotations with one refresh token, exactly one is [`Rotated::Won`].
/// 2. **Durable.** What an answered call has changed is visible to every later call. If the store
///    survives crashes at all, this holds after a crash, too.
/// 3. **Unknown means revoked.** A token whose session the store does not know is revoked. Losing
///    data logs users out and never lets anybody in.
/// 4. **The caller's clock decides.** `now` is the caller's time, and no other clock matters. A
///    session is gone from `expires_at` on. Revocations are kept as long as they say, or longer.
/// 5. **Bounded.** A subject has at most [`Opening::most`] live sessions, lists are no longer than
///    requested, and no step reads an unbounded amount of data. A revocation is never refused for
///    lack of room, except with [`StoreError::TooManyTokens`].
/// 6. **Fails closed.** Whatever cannot be answered for certain is a [`StoreError`]. The request is
///    then refused with a 503 response.
///
/// Subjects are independent, so everything about one subject can be kept in one row, key or shard.
/// [`SubjectRecord`](crate::store::SubjectRecord) holds all of it and has a method for each step.
/// The shortest store keeps one such record for each subject:
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use std::{collections::HashMap, future::ready, sync::{Mutex, PoisonError}};
///
/// use flask_pyjwt::{AuthManager, AuthType, Config, store::*};
///
/// #[derive(Default)]
/// struct MyStore(Mutex<HashMap<String, SubjectRecord>>);
///
/// impl MyStore {
///     /// In a database: one transaction that reads, changes and writes the row of the subject.
///     fn change<'a, T: Send + 'a>(
///         &self,
///         subject: &str,
///         change: impl FnOnce(&mut SubjectRecord) -> Result<T, StoreError>,
///     ) -> StoreFuture<'a, T> {
///         let mut subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         Box::pin(ready(change(subjects.entry(subject.to_owned()).or_default())))
///     }
/// }
///
/// impl SessionStore for MyStore {
///     fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
///         self.change(&opening.session.subject, |it| Ok(it.open(opening, now)))
///     }
///     fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
///         self.change(&rotation.subject, |it| Ok(it.rotate(rotation)))
///     }
///     fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
///         self.change(&token.subject, |it| Ok(it.standing(token, now)))
///     }
///     fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
///         self.change(&token.subject, |it| Ok(it.mark_used(token, now)))
///     }
///     fn revoke<'a>(
///         &'a self,
///         revocation: &'a Revocation,
///         now: Moment,
///     ) -> StoreFuture<'a, Vec<String>> {
///         self.change(revocation.subject(), |it| it.revoke(revocation, now))
///     }
///     fn sessions<'a>(
///         &'a self,
///         subject: &'a str,
///         most: usize,
///         now: Moment,
///     ) -> StoreFuture<'a, Vec<SessionRecord>> {
///         self.change(subject, |it| Ok(it.sessions(most, now)))
///     }
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(MyStore::default());
/// let auth = AuthManager::new(config)?;
/// let pair = auth.login("alice").await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_ok());
/// auth.logout(&pair.auth).await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "blocklist")]
#[doc(alias = "token_in_blocklist_loader")]
pub trait SessionStore: Send + Sync + 'static {
    /// Saves a new session and returns the ids of the live sessions that ended for it, in any order.
    ///
    /// In the same step, the store first ends the sessions that the new one
    /// [replaces](Opening::replaces). If the subject then has more than [`Opening::most`] live
    /// sessions, it evicts the least recently refreshed ones. On a tie, the session with the
    /// smaller id (byte by byte) goes first.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]. Then nothing was opened or ended.
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>>;

    /// Rotates a refresh token, as [`SessionRecord::rotate`] decides.
    ///
    /// The result is [`Rotated::Gone`] if the token is revoked by its id or its session does not
    /// exist. After [`Rotated::Replayed`] the session is deleted before this returns.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]. Then the token may or may not have been rotated.
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated>;

    /// Returns the standing of a token. Changes nothing.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]. The request is then refused.
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing>;

    /// Records that a token was presented and returns its standing, which is never
    /// [`Standing::Unused`].
    ///
    /// Only the first call with a token of the current pair of a session changes anything. The
    /// manager calls this after [`Standing::Unused`], which happens at most once for each rotation,
    /// apart from concurrent checks.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]. The request is then refused.
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing>;

    /// Revokes a token, a session or a subject. Revoking what does not exist succeeds.
    ///
    /// Returns what has ended by this step, in any order, for events and for administrators: the
    /// ids of the live sessions, or the id of the token if it was not revoked before. Of two
    /// concurrent revocations, only one returns an id. A store that held more than 4,000 rows of a
    /// subject need not name them all.
    ///
    /// Sessions and subjects can be revoked however full the store is.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyTokens`] if the store limits how many single tokens of one subject it
    /// can remember, which has to be 1,000 or more. The manager then revokes the session or the
    /// subject instead. Any other [`StoreError`] if the revocation may not have been saved.
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>>;

    /// Returns at most `most` live sessions of a subject, in any order. If the subject has more,
    /// which [`Opening::most`] prevents, any of them are returned.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>>;

    /// Saves the sessions that another store has of a subject, unless this was done before.
    /// [`MigratingStore`](crate::MigratingStore) calls this for its new store. Returns whether it
    /// was done now.
    ///
    /// In one atomic step, the store
    ///
    /// 1. returns `false` and changes nothing if the subject's token with the empty id is revoked;
    /// 2. saves the sessions unchanged, except those whose id is in use;
    /// 3. revokes the subject's token with the empty id, until the last of the sessions has to end
    ///    ([`SessionRecord::ends_at`] or `expires_at`, if that is later), and at least until `now`. No
    ///    token has an empty id.
    ///
    /// All sessions are of this subject, and at most 1,000. Some may have expired within the last
    /// hour. No limit applies: neither [`Opening::most`], which the next login enforces, nor the
    /// number of revoked tokens, among which the mark may count. The revocation of the subject does not remove the revoked token.
    ///
    /// The default is for stores that cannot take over sessions.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]. Then the sessions may or may not have been saved.
    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        let _ = (subject, sessions, now);
        Box::pin(ready(Err(StoreError::unavailable(CannotAdopt))))
    }

    /// Notes that a message was used that may be used once, such as a DPoP proof, and returns whether this was the first
    /// time. From `ends_at` on it may be forgotten.
    ///
    /// The default returns `None`: the store keeps none, and each process remembers what it has seen itself. Stores of
    /// several processes implement it. The id is 43 characters of base64url.
    ///
    /// # Errors
    ///
    /// The request is refused with 503.
    fn first_use<'a>(
        &'a self,
        id: &'a str,
        ends_at: Moment,
        now: Moment,
    ) -> StoreFuture<'a, Option<bool>> {
        let _ = (id, ends_at, now);
        Box::pin(ready(Ok(None)))
    }
}

/// The source of the error of a store that does not implement [`SessionStore::adopt`].
#[derive(Debug, thiserror::Error)]
#[error("this store cannot take over the sessions of another one")]
pub(super) struct CannotAdopt;

/// What a store needs to know about a token to return its [`Standing`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenIdentity {
    /// The claim `sub`.
    pub subject: String,
    /// The claim `sid`. `None` for a token that belongs to no session.
    pub session: Option<String>,
    /// The claim `jti` of an auth token, or `rid` of a refresh token.
    pub id: Option<String>,
    /// The claim `iat`.
    pub issued_at: Moment,
    /// For a refresh token, how long it may still be used after it was rotated. `None` for an auth
    /// token.
    pub grace: Option<Duration>,
}

impl TokenIdentity {
    /// Creates the identity of an auth token that has no id and belongs to no session. Set
    /// the fields to change that.
    #[must_use]
    pub fn new(subject: impl Into<String>, issued_at: Moment) -> Self {
        Self {
            subject: subject.into(),
            session: None,
            id: None,
            issued_at,
            grace: None,
        }
    }
}

/// Whether a token is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The token is good.
    Good,
    /// The token is good, and it is the first one of its pair to be presented.
    /// [`SessionStore::mark_used`] has to record that before the request is accepted.
    Unused,
    /// The session has ended or is unknown, or the token was revoked by its id or with its subject.
    Revoked,
    /// The token is a refresh token that was rotated before the grace window, and this is not a
    /// lost answer. Somebody has a copy of it.
    Replayed,
}

/// What to revoke before it expires: a token, a session, or everything of a subject.
///
/// A store answers an unknown variant with [`StoreError::unavailable`], because it must not report
/// a revocation that it did not make.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::store::{Generation, Moment, Opening, Revocation, SessionRecord, Standing,
///     SubjectRecord, TokenIdentity};
/// use time::Duration;
///
/// # fn main() -> Result<(), flask_pyjwt::store::StoreError> {
/// let now = Moment::from_milliseconds(1_800_000_000_000);
/// let first = Generation::new("refresh-0", "auth-0", now);
/// let mut alice = SubjectRecord::default();
/// alice.open(&Opening::new(SessionRecord::new("phone", "alice", first, Duration::DAY), 10), now);
///
/// let mut token = TokenIdentity::new("alice", now);
/// token.session = Some("phone".to_owned());
/// token.id = Some("auth-0".to_owned());
/// assert_eq!(alice.standing(&token, now), Standing::Good);
///
/// alice.revoke(&Revocation::of_session("alice", "phone"), now)?;
/// assert_eq!(alice.standing(&token, now), Standing::Revoked);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "blocklist")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// One token.
    #[non_exhaustive]
    Token {
        /// The claim `sub` of the token.
        subject: String,
        /// The claim `jti` or `rid` of the token.
        id: String,
        /// How long to remember the revocation: until the token expires.
        until: Moment,
    },
    /// One session and all its tokens.
    #[non_exhaustive]
    Session {
        /// The owner of the session. A session of another subject is not touched.
        subject: String,
        /// The session's id.
        session: String,
    },
    /// All sessions of a subject, and its other tokens issued until now.
    #[non_exhaustive]
    Subject {
        /// The subject.
        subject: String,
        /// Tokens that belong to no session are revoked if their `issued_at` is not later than
        /// this.
        issued_until: Moment,
        /// How long to remember the revocation: until the last such token expires.
        until: Moment,
    },
}

impl Revocation {
    /// Revokes one token by its id. The store has to remember this until `until`.
    #[must_use]
    pub fn of_token(subject: impl Into<String>, id: impl Into<String>, until: Moment) -> Self {
        Self::Token {
            subject: subject.into(),
            id: id.into(),
            until,
        }
    }

    /// Ends one session, if it belongs to this subject.
    #[must_use]
    pub fn of_session(subject: impl Into<String>, session: impl Into<String>) -> Self {
        Self::Session {
            subject: subject.into(),
            session: session.into(),
        }
    }

    /// Ends all sessions of a subject, and revokes its other tokens issued until `issued_until`.
    /// The store has to remember this until `until`.
    #[must_use]
    pub fn of_subject(subject: impl Into<String>, issued_until: Moment, until: Moment) -> Self {
        Self::Subject {
            subject: subject.into(),
            issued_until,
            until,
        }
    }

    /// The subject whose tokens are revoked.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Token { subject, .. }
            | Self::Session { subject, .. }
            | Self::Subject { subject, .. } => subject,
        }
    }
}
