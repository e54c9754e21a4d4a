//! The session store, and the configured rules for sessions.

use std::{future::poll_fn, sync::Arc, task::Poll};

use time::Duration;

use super::{
    EndedBy, Moment, Opening, Revocation, SessionError, SessionEvent, SessionStore, StoreError,
    StoreFuture,
    events::{EventHook, Listeners},
    revocation_epoch::{PendingRevocation, Revocations},
};
use crate::{
    log_limit::{LogLimit, this_second},
    meters::{self, StoreCall, StoreMeter},
};

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
    pub(super) listeners: Listeners,
    /// Dropped together with the store, if the store is in this process's memory.
    pub(crate) memory: Option<Arc<()>>,
    pub(super) revocations: Arc<Revocations>,
    meter: StoreMeter,
}

impl Sessions {
    pub(crate) fn new(
        store: Arc<dyn SessionStore>,
        policy: Policy,
        timeout: std::time::Duration,
        on_event: Option<EventHook>,
        memory: Option<Arc<()>>,
    ) -> Self {
        meters::begin_session_events(&SessionEvent::NAMES);
        Self {
            policy,
            store,
            timeout,
            listeners: Listeners::new(on_event),
            memory,
            revocations: Revocations::new(),
            meter: StoreMeter::new(),
        }
    }

    /// Asks the store, within the configured timeout.
    pub(super) async fn ask<'a, T>(
        &'a self,
        call: StoreCall,
        question: impl FnOnce(&'a dyn SessionStore) -> StoreFuture<'a, T>,
    ) -> Result<T, SessionError> {
        self.answer(call, question).await.map_err(log_failure)
    }

    /// The answer of the store, or the error if it does not answer within the configured timeout.
    async fn answer<'a, T>(
        &'a self,
        call: StoreCall,
        question: impl FnOnce(&'a dyn SessionStore) -> StoreFuture<'a, T>,
    ) -> Result<T, StoreError> {
        let answer = self.answer_in_time(question);
        self.meter.time(call, answer, kind_of).await
    }

    async fn answer_in_time<'a, T>(
        &'a self,
        question: impl FnOnce(&'a dyn SessionStore) -> StoreFuture<'a, T>,
    ) -> Result<T, StoreError> {
        let mut answer = question(&*self.store);
        // A store in memory answers at once. A timer would cost as much as its answer.
        let at_once = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = at_once {
            return answer;
        }
        let answer = actix_web::rt::time::timeout(self.timeout, answer).await;
        answer.unwrap_or_else(|_| {
            Err(StoreError::Timeout {
                milliseconds: self.timeout.as_millis(),
            })
        })
    }

    /// Opens a session and reports it and those that it has ended, as part of a
    /// [`change`](Self::change).
    pub(super) async fn open(
        self: &Arc<Self>,
        opening: &Opening,
        now: Moment,
    ) -> Result<(), SessionError> {
        let revokes = !opening.replaces.is_empty();
        let _pending = revokes.then(|| PendingRevocation::begin(&self.revocations));
        let opened = self
            .ask(StoreCall::Open, |store| store.open(opening, now))
            .await;
        // A store that did not answer may still have ended other sessions.
        if opened.as_ref().map_or(true, |ended| !ended.is_empty()) {
            self.forget_answers();
        }
        let ended = opened?;
        self.report_opening(opening, ended, now);
        Ok(())
    }

    /// Revokes one token, as part of a [`change`](Self::change). Returns `None` when the store cannot
    /// remember another single token of the subject, otherwise what has ended.
    pub(super) async fn revoke_token_within_change(
        self: &Arc<Self>,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<Option<Vec<String>>, SessionError> {
        let _pending = PendingRevocation::begin(&self.revocations);
        match self
            .answer(StoreCall::Revoke, |store| store.revoke(revocation, now))
            .await
        {
            Ok(ended) => Ok(Some(ended)),
            Err(error @ StoreError::TooManyTokens { .. }) => {
                tracing::warn!("{error}: the token's session or subject is revoked instead");
                Ok(None)
            }
            Err(error) => Err(log_failure(error)),
        }
    }

    /// Revokes in this process and in the store. The revocation completes even when the caller goes
    /// away. Returns the ids of the sessions that it has ended.
    pub(super) async fn revoke(
        self: &Arc<Self>,
        revocation: Revocation,
        by: EndedBy,
        now: Moment,
    ) -> Result<Vec<String>, SessionError> {
        let sessions = Arc::clone(self);
        self.change(async move { sessions.revoke_and_report(&revocation, by, now).await })
            .await
    }

    /// Like [`revoke`](Self::revoke), as part of a [`change`](Self::change).
    pub(super) async fn revoke_and_report(
        self: &Arc<Self>,
        revocation: &Revocation,
        by: EndedBy,
        now: Moment,
    ) -> Result<Vec<String>, SessionError> {
        let ended = self.revoke_within_change(revocation, now).await?;
        self.report_ended(revocation, &ended, by, now);
        Ok(ended)
    }

    /// Revokes as part of a [`change`](Self::change). Returns what has ended, for a report.
    pub(super) async fn revoke_within_change(
        self: &Arc<Self>,
        revocation: &Revocation,
        now: Moment,
    ) -> Result<Vec<String>, SessionError> {
        let _pending = PendingRevocation::begin(&self.revocations);
        self.ask(StoreCall::Revoke, |store| store.revoke(revocation, now))
            .await
    }
}

/// What kind of failure an error is, for the metrics.
fn kind_of(error: &StoreError) -> &'static str {
    match error {
        StoreError::Timeout { .. } => "timeout",
        StoreError::Full { .. } => "full",
        StoreError::TooManyTokens { .. } => "too_many_tokens",
        _ => "error",
    }
}

/// Logs why the store did not answer. The caller may not report it.
pub(super) fn log_failure(error: StoreError) -> SessionError {
    if let Some(not_logged) = LogLimit::of_process().admit(kind_of(&error), "", this_second()) {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let not_logged = (not_logged > 0).then_some(not_logged);
        tracing::error!(source, not_logged, "{error}");
    }
    SessionError::Store(error)
}
