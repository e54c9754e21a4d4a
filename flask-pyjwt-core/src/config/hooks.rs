//! The application's check of tokens, and the setting for subjects in the log.

use std::{any::Any, future::Future, pin::Pin, sync::Arc};

use time::Duration;

use super::Config;
use crate::{error_chain::debug_is_the_sentence, token::Token};

/// A hook whose type only the HTTP layer (`web`) knows.
pub(crate) type HttpHook = Arc<dyn Any + Send + Sync>;

/// The function of [`Config::token_check`].
pub(crate) type TokenCheck = Arc<dyn Fn(Token) -> Answer + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = Result<(), TokenCheckError>>>>;

/// Why the application's check, [`Config::token_check`], refuses a token.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenCheckError {
    /// The token is revoked. The answer is 401.
    #[error("the token is revoked")]
    Revoked,
    /// The check cannot be made at the moment. The answer is 503 with `Retry-After`.
    #[error("the check cannot be made at the moment")]
    Unavailable {
        /// When the client may try again, rounded up to whole seconds. Negative values count as zero.
        retry_after: Duration,
    },
}

debug_is_the_sentence!(TokenCheckError);

impl Config {
    /// `true` adds the token's subject to the log events of refusals, as the field `sub`.
    ///
    /// The default is `false`, because a subject may be personal data. The session ID is always logged, as `sid`.
    pub fn log_subjects(mut self, log: bool) -> Self {
        self.log_subjects = log;
        self
    }

    /// Sets an async check of the application that every verified token has to pass, such as a denylist or a suspended
    /// tenant.
    ///
    /// Guards call it for each request, before the route's claims are checked. `AuthManager::verify_token` and
    /// [`AuthManager::check_revocation`](crate::AuthManager::check_revocation) do not call it.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthType, TokenCheckError, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
    ///     .token_check(|token| async move {
    ///         if token.sub() == "mallory" { Err(TokenCheckError::Revoked) } else { Ok(()) }
    ///     });
    /// ```
    #[doc(alias = "token_in_blocklist_loader")]
    pub fn token_check<F, R>(mut self, check: F) -> Self
    where
        F: Fn(Token) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), TokenCheckError>> + 'static,
    {
        self.token_check = Some(Arc::new(move |token| Box::pin(check(token))));
        self
    }
}
