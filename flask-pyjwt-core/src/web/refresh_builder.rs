//! Refreshing a session: the builder of a rotation.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use serde::Serialize;
use serde_json::Value;

use super::refused::reporting;
use crate::{
    manager::AuthManager,
    session::{SessionError, TokenPair},
    token::{OwnClaims, Token},
};

/// A rotation in the making: [`AuthManager::refresh`]. It happens when it is awaited.
#[must_use = "the token is rotated when this is awaited: add `.await?`"]
pub struct RefreshBuilder<'a> {
    manager: &'a AuthManager,
    current: &'a Token,
    claims: Option<OwnClaims>,
    /// What the first poll has begun.
    rotation: Option<Rotation<'a>>,
}

type Rotation<'a> = Pin<Box<dyn Future<Output = Result<TokenPair, SessionError>> + Send + 'a>>;

impl AuthManager {
    /// Rotates a refresh token of a session: awaited, it gives the next pair, once.
    ///
    /// A retry or a parallel tab within [`Config::refresh_grace`](crate::Config::refresh_grace)
    /// gets the same pair again. So does a client that never got the answer, within
    /// [`Config::lost_answer_window`](crate::Config::lost_answer_window), as long as no guard and no
    /// [`AuthManager::check_revocation`] has seen a token of that pair. Otherwise the token is a copy in somebody's
    /// hands: the session and all its tokens are revoked.
    /// [`Config::on_session_event`](crate::Config::on_session_event) hears of each of the three.
    ///
    /// # Errors
    ///
    /// When awaited: [`SessionError::Token`] when the token is no refresh token of a live session
    /// or was used before, [`SessionError::Store`] when the store does not answer.
    pub fn refresh<'a>(&'a self, current: &'a Token) -> RefreshBuilder<'a> {
        RefreshBuilder {
            manager: self,
            current,
            claims: None,
            rotation: None,
        }
    }
}

impl RefreshBuilder<'_> {
    /// Sets the claim `scope` of auth tokens from now on. Whoever sets any claim here sets them all:
    /// those of the login do not go on then.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        let claims = self.claims.get_or_insert_default();
        claims.scope(scope.into());
        self
    }

    /// Sets a claim of auth tokens from now on. Whoever sets any claim here sets them all: those of
    /// the login do not go on then.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let claims = self.claims.get_or_insert_default();
        claims.session_claim(name.into(), value);
        self
    }
}

// A future, and not only `IntoFuture`: the compiler proposes `.await` where it is forgotten.
impl Future for RefreshBuilder<'_> {
    type Output = Result<TokenPair, SessionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            manager,
            current,
            claims,
            rotation,
        } = &mut *self;
        let rotation = rotation.get_or_insert_with(|| {
            let (manager, current, claims) = (*manager, *current, claims.take());
            let work = async move { manager.session_issuer()?.refresh(current, claims).await };
            Box::pin(reporting(manager, Some(current), work))
        });
        rotation.as_mut().poll(context)
    }
}

impl fmt::Debug for RefreshBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshBuilder").finish_non_exhaustive()
    }
}
