//! The application's check of tokens and its clock, and what the log says.

use std::{any::Any, future::Future, pin::Pin, sync::Arc};

use time::Duration;

use super::Config;
use crate::{
    clock::{Clock, TimeSource},
    error_chain::debug_is_the_sentence,
    token::Token,
};

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
    /// Sets how many refusals of each reason and route are logged in a second. The default is 100.
    ///
    /// Beyond it, one in 1,000 is logged, so that a flood of bad requests does not flood the log. The next event of that
    /// reason and route says in its field `not_logged` how many were left out. Every refusal still reaches
    /// [`Config::on_rejection`](crate::Config::on_rejection) and the metrics. With `u32::MAX`, all are logged.
    #[doc(alias = "sampling")]
    #[doc(alias = "rate limit")]
    pub fn log_limit(mut self, refusals: u32) -> Self {
        self.log_limit = refusals;
        self
    }

    /// `true` adds the token's subject to the log events of refusals, as the field `sub`, and to the request's span, as
    /// `enduser.id` if it has that field.
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

    /// Sets the source of the time, for tests: see [`FrozenClock`](crate::testing::FrozenClock).
    #[doc(alias = "freezegun")]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = TimeSource::Other(Arc::new(clock));
        self
    }

    /// Sets for how long a loaded user is used again for requests with the same token: zero to one day.
    ///
    /// The default is zero: each request loads the user anew. A change of the user is seen after at most this time, or at
    /// once in this process after [`AuthManager::forget_users`](crate::AuthManager::forget_users), which
    /// [`AuthManager::revoke_subject`](crate::AuthManager::revoke_subject) calls. At most 10,000 users are kept. Users who
    /// are gone, and errors, are not, and neither are those of [`Config::user_loader_with`](Self::user_loader_with).
    pub fn user_cache(mut self, age: Duration) -> Self {
        self.user_cache = age;
        self
    }
}
