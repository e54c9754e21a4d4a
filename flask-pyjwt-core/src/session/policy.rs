//! How sessions are kept: the store, and the times that are configured.

use std::{cell::Cell, sync::Arc};

use time::Duration;

use super::{
    Moment, Opening, Revocation, SessionError, SessionEvent, SessionStore, StoreError, StoreFuture,
    event::EventHook,
    unsettled::{Revocations, Unsettled},
};
use crate::reentry::Calling;

thread_local! {
    /// Whether this thread is in the application's hook. An event that it causes is logged alone.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// The rules of sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// For how long a retry with a rotated refresh token gets the same successor.
    pub(crate) grace: Duration,
    /// For how long an unused successor is given again after that, as a lost answer.
    pub(crate) lost_answer_window: Duration,
    /// How many sessions a subject may have open.
    pub(crate) max_sessions: usize,
    /// How long a session lives, however often it is refreshed.
    pub(crate) lifetime: Duration,
    /// How long it lives without being refreshed: also the age of its refresh tokens.
    pub(crate) idle: Duration,
    /// The age of its auth tokens.
    pub(crate) auth_max_age: Duration,
    /// By how much clocks may differ.
    pub(crate) leeway: Duration,
    /// The longest life of a token of no session.
    pub(crate) longest_life: Duration,
    /// For how long the store's last good answer about an auth token will do.
    pub(crate) staleness: Duration,
}

/// What a manager with a session store has.
pub(crate) struct Sessions {
    pub(crate) policy: Policy,
    store: Arc<dyn SessionStore>,
    timeout: std::time::Duration,
    on_event: Option<EventHook>,
    /// Lives as long as the store, where that is in this process's memory.
    pub(crate) memory: Option<Arc<()>>,
    pub(super) revocations: Arc<Revocations>,
}

impl Sessions {
    pub(crate) fn new(
        store: Arc<dyn SessionStore>,
        policy: Policy,
        timeout: std::time::Duration,
        on_event: Option<EventHook>,
        memory: Option<Arc<()>>,
    ) -> Self {
        Self {
            policy,
            store,
            timeout,
            on_event,
            memory,
            revocations: Revocations::new(),
        }
    }

    /// Asks the store, for no longer than is configured.
    pub(super) async fn ask<'a, T>(
        &'a self,
        question: impl FnOnce(&'a dyn SessionStore) -> StoreFuture<'a, T>,
    ) -> Result<T, SessionError> {
        self.answer(question).await.map_err(unanswered)
    }

    /// The store's answer, or why there is none within the time that is configured.
    async fn answer<'a, T>(
        &'a self,
        question: impl FnOnce(&'a dyn SessionStore) -> StoreFuture<'a, T>,
    ) -> Result<T, StoreError> {
        let answer = actix_web::rt::time::timeout(self.timeout, question(&*self.store)).await;
        answer.unwrap_or_else(|_| {
            Err(StoreError::Timeout {
                milliseconds: self.timeout.as_millis(),
            })
        })
    }

    /// Opens a session, and tells of those that made room for it: a part of a [`change`](Self::change).
    pub(super) async fn open(
        self: &Arc<Self>,
        opening: &Opening,
        now: Moment,
    ) -> Result<(), SessionError> {
        let revokes = !opening.replaces.is_empty();
        let _until_it_is_done = revokes.then(|| Unsettled::begin(&self.revocations));
        let opened = self.ask(|store| store.open(opening, now)).await;
        // A store that has not answered may have ended others all the same.
        if opened.as_ref().map_or(true, |evicted| !evicted.is_empty()) {
            self.forget_answers();
        }
        for session in opened? {
            tracing::info!(
                session,
                "a login ended another session: the subject has as many as it may"
            );
            self.tell(&SessionEvent::Evicted {
                subject: opening.session.subject.clone(),
                session,
            });
        }
        Ok(())
    }

    /// Revokes one token, as a part of a [`change`](Self::change). `false` says that the store remembers no
    /// more tokens of its subject one by one.
    pub(super) async fn revoke_token_unless_dropped(
        self: &Arc<Self>,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<bool, SessionError> {
        let _until_it_is_done = Unsettled::begin(&self.revocations);
        match self.answer(|store| store.revoke(revocation, now)).await {
            Ok(()) => Ok(true),
            Err(error @ StoreError::TooManyTokens { .. }) => {
                tracing::warn!("{error}: its session or the subject is revoked in its place");
                Ok(false)
            }
            Err(error) => Err(unanswered(error)),
        }
    }

    /// Ends something before its time, here and in the store, also when nobody waits for it any more.
    pub(super) async fn revoke(
        self: &Arc<Self>,
        revocation: Revocation,
        now: Moment,
    ) -> Result<(), SessionError> {
        let sessions = Arc::clone(self);
        self.change(async move { sessions.revoke_unless_dropped(&revocation, now).await })
            .await
    }

    /// The same as a part of a [`change`](Self::change).
    pub(super) async fn revoke_unless_dropped(
        self: &Arc<Self>,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<(), SessionError> {
        let _until_it_is_done = Unsettled::begin(&self.revocations);
        self.ask(|store| store.revoke(revocation, now)).await
    }

    /// Tells that somebody has a copy of a refresh token.
    pub(super) fn replayed(self: &Arc<Self>, subject: &str, session: &str) {
        self.forget_answers();
        tracing::warn!(
            session,
            "a refresh token was used again: the session is revoked"
        );
        self.tell(&SessionEvent::Replayed {
            subject: subject.to_owned(),
            session: session.to_owned(),
        });
    }

    /// Calls the application's hook, unless the hook itself has caused the event. Nothing is locked
    /// meanwhile: the hook may call the manager.
    pub(super) fn tell(&self, event: &SessionEvent) {
        if let Some(hook) = &self.on_event
            && let Some(_calling) = Calling::begin(&IN_HOOK)
        {
            hook(event);
        }
    }
}

/// Logs why there is no answer: the caller may tell nobody.
pub(super) fn unanswered(error: StoreError) -> SessionError {
    let source = std::error::Error::source(&error).map(ToString::to_string);
    tracing::error!(source, "{error}");
    SessionError::Store(error)
}
