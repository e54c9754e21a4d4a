//! Refresh: the builder of a rotation.

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

/// Builds the next tokens of a session: the result of [`AuthManager::refresh`]. The refresh token is rotated when this
/// is awaited.
#[must_use = "the token is rotated when this is awaited: add `.await?`"]
pub struct RefreshBuilder<'a> {
    manager: &'a AuthManager,
    current: &'a Token,
    claims: Option<OwnClaims>,
    /// The only items that the scope of the next auth token may have.
    narrowed: Option<String>,
    /// What the first poll has begun.
    rotation: Option<Rotation<'a>>,
}

type Rotation<'a> = Pin<Box<dyn Future<Output = Result<TokenPair, SessionError>> + Send + 'a>>;

impl AuthManager {
    /// Rotates a refresh token: when awaited, it returns the next [`TokenPair`] of the session. A refresh token works once.
    ///
    /// If the token was rotated before, one of three things happens.
    /// [`Config::on_session_event`](crate::Config::on_session_event) reports each of them:
    ///
    /// - Within [`Config::refresh_grace`](crate::Config::refresh_grace), it is a retry or a parallel tab, and gets the same
    ///   pair again.
    /// - Within [`Config::lost_answer_window`](crate::Config::lost_answer_window), if no token of the new pair was used yet,
    ///   the answer was lost, and the client gets the same pair again.
    /// - Otherwise somebody has a copy of the token. The session and all its tokens are revoked.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use time::Duration;
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
    ///     .session_store(MemoryStore::default())
    ///     .refresh_grace(Duration::ZERO);
    /// let auth = AuthManager::new(config)?;
    /// let first = auth.login("alice").await?;
    /// let second = auth.refresh(&first.refresh).await?;
    /// assert!(auth.check_revocation(&second.auth).await.is_ok()); // the client uses the new pair
    ///
    /// // A copy of the rotated token is refused, and the session is revoked.
    /// assert!(auth.refresh(&first.refresh).await.is_err());
    /// assert!(auth.check_revocation(&second.auth).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When awaited: [`SessionError::Token`] if the token is not a refresh token of an open session, or was used before.
    /// [`SessionError::Store`] if the store does not answer. [`SessionError::NoStore`] without a session store.
    pub fn refresh<'a>(&'a self, current: &'a Token) -> RefreshBuilder<'a> {
        RefreshBuilder {
            manager: self,
            current,
            claims: None,
            narrowed: None,
            rotation: None,
        }
    }
}

impl RefreshBuilder<'_> {
    /// Sets the claim `scope` of the session's auth tokens from now on.
    ///
    /// If you set any claim here, set all of them: they replace those of the login. Only `acr` and `client_id` stay, unless
    /// you set them.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        let claims = self.claims.get_or_insert_default();
        claims.scope(&scope.into());
        self
    }

    /// Sets a claim of the session's auth tokens from now on, to any value that can be serialized as JSON.
    ///
    /// If you set any claim here, set all of them: they replace those of the login. Only `acr` and `client_id` stay, unless
    /// you set them.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let claims = self.claims.get_or_insert_default();
        claims.session_claim(name.into(), &value);
        self
    }

    /// Mints this one auth token with only these items of its scope, a space-separated list (RFC 6749, section 6).
    #[cfg(feature = "oauth")]
    pub(crate) fn narrowed(mut self, scope: Option<String>) -> Self {
        self.narrowed = scope;
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
            narrowed,
            rotation,
        } = &mut *self;
        let rotation = rotation.get_or_insert_with(|| {
            let (manager, current, claims) = (*manager, *current, claims.take());
            let scope = narrowed.take();
            let work = async move {
                let issuer = manager.session_issuer()?;
                issuer.refresh(current, claims, scope).await
            };
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
