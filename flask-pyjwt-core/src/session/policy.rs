//! How sessions are kept: the store, and the times that are configured.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Revocation, SessionEvent, SessionStore, StoreError, StoreFuture, event::EventHook};
use crate::web::Rejection;

/// When a client may try again after the store did not answer.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The rules of sessions. All times are milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// For how long a retry with a rotated refresh token gets the same successor.
    pub(crate) grace: i64,
    /// For how long an unused successor is given again after that, as a lost answer.
    pub(crate) lost_answer_window: i64,
    /// How many sessions a subject may have open.
    pub(crate) max_sessions: Option<usize>,
    /// How long a session lives, however often it is refreshed.
    pub(crate) lifetime: i64,
    /// How long it lives without being refreshed: also the age of its refresh tokens.
    pub(crate) idle: i64,
    /// The age of its auth tokens.
    pub(crate) auth_max_age: i64,
    /// By how much clocks may differ.
    pub(crate) leeway: i64,
    /// The longest life of a token of no session.
    pub(crate) longest_life: i64,
    /// For how long the store's last good answer about an auth token will do.
    pub(crate) staleness: i64,
}

/// What a manager with a session store has.
pub(crate) struct Sessions {
    pub(crate) policy: Policy,
    store: Arc<dyn SessionStore>,
    timeout: Duration,
    on_event: Option<EventHook>,
    /// Counts what this process has revoked: earlier answers are worth nothing then.
    epoch: AtomicU64,
}

impl Sessions {
    pub(crate) fn new(
        store: Arc<dyn SessionStore>,
        policy: Policy,
        timeout: Duration,
        on_event: Option<EventHook>,
    ) -> Self {
        Self {
            policy,
            store,
            timeout,
            on_event,
            epoch: AtomicU64::new(1),
        }
    }

    /// Asks the store, for no longer than is configured. Whatever goes wrong is 503.
    pub(super) async fn ask<'a, T>(
        &'a self,
        question: impl FnOnce(&'a dyn SessionStore) -> StoreFuture<'a, T>,
    ) -> Result<T, Rejection> {
        let answer = actix_web::rt::time::timeout(self.timeout, question(&*self.store)).await;
        let error = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error,
            Err(_) => StoreError::Timeout {
                milliseconds: self.timeout.as_millis(),
            },
        };
        Err(Self::failed(&error))
    }

    /// Logs why the store has not answered.
    pub(super) fn failed(error: &StoreError) -> Rejection {
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(source, "{error}");
        Rejection::Unavailable {
            retry_after: RETRY_AFTER,
        }
    }

    /// Ends something before its time, here and in the store.
    pub(super) async fn revoke(&self, revocation: &Revocation, now: i64) -> Result<(), Rejection> {
        let answer = self.ask(|store| store.revoke(revocation, now)).await;
        self.forget_answers();
        answer
    }

    /// What the store has said before is not believed any more.
    pub(super) fn forget_answers(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Tells that somebody has a copy of a refresh token.
    pub(super) fn replayed(&self, subject: &str, session: &str) {
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

    /// Calls the application's hook, if there is one. Nothing is locked meanwhile: the hook may call
    /// the manager.
    pub(super) fn tell(&self, event: &SessionEvent) {
        if let Some(hook) = &self.on_event {
            hook(event);
        }
    }
}
