//! The application's own check of tokens, and what is logged of refused requests.

use std::{any::Any, future::Future, pin::Pin, sync::Arc};

use time::Duration;

use super::Config;
use crate::{error_chain::debug_is_the_sentence, token::Token};

/// A hook that only the layer of HTTP knows the type of.
pub(crate) type HttpHook = Arc<dyn Any + Send + Sync>;

/// What [`Config::token_check`] was given.
pub(crate) type TokenCheck = Arc<dyn Fn(Token) -> Answer + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = Result<(), TokenCheckError>>>>;

/// Why the application's own check, [`Config::token_check`], does not let a token pass.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenCheckError {
    /// The token is no longer good: 401.
    #[error("the token is revoked")]
    Revoked,
    /// Nobody can tell at the moment: 503 with `Retry-After`. A token passes only on a clear yes.
    #[error("the check cannot be made at the moment")]
    Unavailable {
        /// When to try again; whole seconds, rounded up, and none below zero.
        retry_after: Duration,
    },
}

debug_is_the_sentence!(TokenCheckError);

impl Config {
    /// Whether the events of refusals name the token's subject, in the field `sub`. By default they do not:
    /// a subject may be personal data. The session's id, in the field `sid`, is always named.
    pub fn log_subjects(mut self, log: bool) -> Self {
        self.log_subjects = log;
        self
    }

    /// Sets the application's own check, which every verified token has to pass before a route looks at its
    /// claims: a denylist, a tenant that is suspended. It may wait; nothing of the request is read
    /// meanwhile.
    ///
    /// Guards call it. `AuthManager::verify_token` and
    /// [`AuthManager::check_revocation`](crate::AuthManager::check_revocation), which asks the session
    /// store, do not.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthType, TokenCheckError, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least")
    ///     .token_check(|token| async move {
    ///         if token.sub() == "mallory" { Err(TokenCheckError::Revoked) } else { Ok(()) }
    ///     });
    /// ```
    pub fn token_check<F, R>(mut self, check: F) -> Self
    where
        F: Fn(Token) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), TokenCheckError>> + 'static,
    {
        self.token_check = Some(Arc::new(move |token| Box::pin(check(token))));
        self
    }
}
