//! The session store, and the configured rules for sessions.

use std::{cell::Cell, sync::Arc};

use time::Duration;

use super::{
    Moment, Opening, Revocation, SessionError, SessionEvent, SessionStore, StoreError, StoreFuture,
    event::EventHook,
    revocation_epoch::{PendingRevocation, Revocations},
};
use crate::reentry::Calling;

thread_local! {
    /// Whether this thread is in the application's hook. Events that the hook itself causes are
    /// only logged.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// The configured rules for sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// How long a rotated refresh token still gets the same successor.
    pub(crate) grace: Duration,
    /// How long after that an unused successor is given again, because the response may have been
    /// lost.
    pub(crate) lost_answer_window: Duration,
    /// How many open sessions a subject may have.
    pub(crate) max_sessions: usize,
    /// The longest life of a session, however often it is refreshed.
    pub(crate) lifetime: Duration,
    /// How long a session lives without a refresh. This is also the lifetime of its refresh tokens.
    pub(crate) idle: Duration,
    /// The lifetime of its auth tokens.
    pub(crate) auth_max_age: Duration,
    /// How far clocks may differ.
    pub(crate) leeway: Duration,
    /// The longest lifetime of a token that belongs to no session.
    pub(crate) longest_life: Duration,
    /// How long a good answer about an auth token is cached.
    pub(crate) staleness: Duration,
}

/// The session store of a manager, with its policy.
pub(crate) struct Sessions {
    pub(crate) policy: Policy,
    store: Arc<dyn SessionStore>,
    timeout: std::time::Duration,
    on_event: Option<EventHook>,
    /// Dropped together with the store, if the store is in this process's memory.
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

    /// Asks the store, within the configured timeout.
    pub(super) async fn ask<'a, T>(
        &'a self,
        question: impl FnOnce(&'a dyn SessionStore) -> StoreFuture<'a, T>,
    ) -> Result<T, SessionError> {
        self.answer(question).await.map_err(log_failure)
    }

    /// The answer of the store, or the error if it does not answer within the configured timeout.
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

    /// Opens a session and reports evicted ones, as part of a [`change`](Self::change).
    pub(super) async fn open(
        self: &Arc<Self>,
        opening: &Opening,
        now: Moment,
    ) -> Result<(), SessionError> {
        let revokes = !opening.replaces.is_empty();
        let _pending = revokes.then(|| PendingRevocation::begin(&self.revocations));
        let opened = self.ask(|store| store.open(opening, now)).await;
        // A store that did not answer may still have ended other sessions.
        if opened.as_ref().map_or(true, |evicted| !evicted.is_empty()) {
            self.forget_answers();
        }
        for session in opened? {
            tracing::info!(
                session,
                "a login ended another session: the subject has reached its limit of sessions"
            );
            self.emit(&SessionEvent::Evicted {
                subject: opening.session.subject.clone(),
                session,
            });
        }
        Ok(())
    }

    /// Revokes one token, as part of a [`change`](Self::change). Returns `false` when the store
    /// cannot remember another single token of the subject.
    pub(super) async fn revoke_token_within_change(
        self: &Arc<Self>,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<bool, SessionError> {
        let _pending = PendingRevocation::begin(&self.revocations);
        match self.answer(|store| store.revoke(revocation, now)).await {
            Ok(()) => Ok(true),
            Err(error @ StoreError::TooManyTokens { .. }) => {
                tracing::warn!("{error}: the token's session or subject is revoked instead");
                Ok(false)
            }
            Err(error) => Err(log_failure(error)),
        }
    }

    /// Revokes in this process and in the store. The revocation completes even when the caller goes
    /// away.
    pub(super) async fn revoke(
        self: &Arc<Self>,
        revocation: Revocation,
        now: Moment,
    ) -> Result<(), SessionError> {
        let sessions = Arc::clone(self);
        self.change(async move { sessions.revoke_within_change(&revocation, now).await })
            .await
    }

    /// Like [`revoke`](Self::revoke), as part of a [`change`](Self::change).
    pub(super) async fn revoke_within_change(
        self: &Arc<Self>,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<(), SessionError> {
        let _pending = PendingRevocation::begin(&self.revocations);
        self.ask(|store| store.revoke(revocation, now)).await
    }

    /// Reports that somebody has a copy of a refresh token.
    pub(super) fn report_replay(self: &Arc<Self>, subject: &str, session: &str) {
        self.forget_answers();
        tracing::warn!(
            session,
            "a refresh token was used again after the grace window: the session is revoked"
        );
        self.emit(&SessionEvent::Replayed {
            subject: subject.to_owned(),
            session: session.to_owned(),
        });
    }

    /// Calls the application's hook, unless the hook itself has caused the event. No lock is held,
    /// so the hook may call the manager.
    pub(super) fn emit(&self, event: &SessionEvent) {
        if let Some(hook) = &self.on_event
            && let Some(_calling) = Calling::begin(&IN_HOOK)
        {
            hook(event);
        }
    }
}

/// Logs why the store did not answer. The caller may not report it.
pub(super) fn log_failure(error: StoreError) -> SessionError {
    let source = std::error::Error::source(&error).map(ToString::to_string);
    tracing::error!(source, "{error}");
    SessionError::Store(error)
}
