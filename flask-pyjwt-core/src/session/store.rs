//! What a store of sessions has to do, and the laws by which it does it.

use std::{future::Future, pin::Pin, sync::Arc};

use time::Duration;

use super::{Moment, Opening, Rotated, Rotation, SessionRecord, StoreError};

/// A store's answer, which may take a while.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Remembers sessions, and what was revoked before its time.
///
/// Ready-made ones are behind features: `MemoryStore` for one process, `FileStore` for one machine,
/// `RedisStore` for many. A store of your own keeps these laws, which
/// `store_conformance!` (feature `store-conformance`) tests:
///
/// 1. **One step.** Each call is atomic: two at the same time act as if one had come after the other.
///    Of any number of rotations with one refresh token, exactly one is [`Rotated::Won`].
/// 2. **Acknowledged is kept.** What an answered call has changed is there for every later call, after
///    a crash too if the store outlives crashes at all.
/// 3. **Absent is ended.** A token of a session that the store does not know is revoked: losing
///    sessions locks people out, and lets nobody in.
/// 4. **The caller's clock.** `now` is the caller's time, and the only time that decides. A session is gone from `expires_at` on. Revocations are kept for as long as they say, or
///    longer.
/// 5. **Bounded.** Nobody takes more than a bounded part of the store, or of a step: a subject has at most
///    [`Opening::most`] live sessions, and lists are no longer than they were asked for. A revocation is never
///    refused for lack of room, apart from [`StoreError::TooManyTokens`].
/// 6. **No answer is an error.** Whatever cannot be answered for certain is a [`StoreError`]. Then
///    nobody is let in.
///
/// Two subjects never touch, so that everything about one subject may lie in one row, key or shard:
/// [`SubjectRecord`](crate::store::SubjectRecord) is all of it, with every step as a method.
pub trait SessionStore: Send + Sync + 'static {
    /// Remembers a new session, and, in the same step, ends those of its subject that it
    /// [replaces](Opening::replaces), and then others where there are more live ones than
    /// [`Opening::most`]: those that were refreshed the longest ago, and of those
    /// refreshed at the same time the ones with the lesser ids (byte by byte). Gives the ids of
    /// these others. An error has opened and ended nothing.
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>>;

    /// Rotates a refresh token: [`SessionRecord::rotate`] says how. A token that is revoked by its
    /// id, or whose session is not there, is [`Rotated::Gone`]. On [`Rotated::Replayed`] the session
    /// is gone when this returns.
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated>;

    /// Says how a token stands at the moment. Changes nothing.
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing>;

    /// Notes that a token was presented, and says how it stands: never [`Standing::Unused`]. Only a
    /// token of a session's current pair changes anything, and only the first time.
    ///
    /// It is asked after an answer of [`Standing::Unused`], which comes at most once for each rotation,
    /// apart from checks at the same time.
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing>;

    /// Ends something before its time. What is not there is ended already.
    ///
    /// A store may bound how many tokens of one subject are revoked by their ids, to 1,000 or more:
    /// then [`StoreError::TooManyTokens`] says that the session or the subject has to be revoked in
    /// place of one more token. Sessions and subjects are revoked however full the store is.
    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: Moment) -> StoreFuture<'a, ()>;

    /// The live sessions of a subject, in any order: at most so many. Where the subject has more, which
    /// a limit at each opening prevents, any of them.
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>>;
}

/// Several managers may share a store: what one of them revokes is revoked for all.
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        (**self).open(opening, now)
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        (**self).rotate(rotation)
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        (**self).standing(token, now)
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        (**self).mark_used(token, now)
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: Moment) -> StoreFuture<'a, ()> {
        (**self).revoke(revocation, now)
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        (**self).sessions(subject, most, now)
    }
}

/// What a store has to know of a token to say how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenIdentity {
    /// The claim `sub`.
    pub subject: String,
    /// The claim `sid`: absent on tokens of no session.
    pub session: Option<String>,
    /// The claim `jti` of an auth token, `rid` of a refresh token.
    pub id: Option<String>,
    /// The claim `iat`.
    pub issued_at: Moment,
    /// For a refresh token, for how long it may be used again after it was rotated; `None` for an auth token.
    pub grace: Option<Duration>,
}

impl TokenIdentity {
    /// An auth token of no session and without an id, until the fields say otherwise.
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

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing speaks against it.
    Good,
    /// Nothing speaks against it, and it is the first token of its pair that is presented:
    /// [`SessionStore::mark_used`] has to note that before anybody is let in.
    Unused,
    /// Its session has ended or is not known, or it was revoked by its id or with its subject.
    Revoked,
    /// It is a refresh token that was rotated before the grace window, and this is no lost answer:
    /// somebody has a copy.
    Replayed,
}

/// Something that is ended before its time.
///
/// A store answers a kind that it does not know with [`StoreError::unavailable`]: what is not revoked must
/// not look as if it were.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// One token.
    #[non_exhaustive]
    Token {
        /// Its claim `sub`.
        subject: String,
        /// Its claim `jti` or `rid`.
        id: String,
        /// Until when that has to be remembered: the token's end.
        until: Moment,
    },
    /// One session with all its tokens.
    #[non_exhaustive]
    Session {
        /// Whose session it is. A session of somebody else stays.
        subject: String,
        /// The session's id.
        session: String,
    },
    /// All sessions of a subject, and its tokens of no session that were issued until now.
    #[non_exhaustive]
    Subject {
        /// Whose.
        subject: String,
        /// Tokens of no session whose `issued_at` is not later than this are revoked.
        issued_until: Moment,
        /// Until when that has to be remembered: the end of the last such token.
        until: Moment,
    },
}

impl Revocation {
    /// Revokes one token by its id, which has to be remembered until then.
    #[must_use]
    pub fn of_token(subject: impl Into<String>, id: impl Into<String>, until: Moment) -> Self {
        Self::Token {
            subject: subject.into(),
            id: id.into(),
            until,
        }
    }

    /// Ends one session of this subject.
    #[must_use]
    pub fn of_session(subject: impl Into<String>, session: impl Into<String>) -> Self {
        Self::Session {
            subject: subject.into(),
            session: session.into(),
        }
    }

    /// Ends all sessions of a subject, and revokes its tokens of no session that were issued until a moment.
    /// That has to be remembered until another one.
    #[must_use]
    pub fn of_subject(subject: impl Into<String>, issued_until: Moment, until: Moment) -> Self {
        Self::Subject {
            subject: subject.into(),
            issued_until,
            until,
        }
    }

    /// Whom it is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Token { subject, .. }
            | Self::Session { subject, .. }
            | Self::Subject { subject, .. } => subject,
        }
    }
}
