//! A server's own question about every verified token.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::token::Token;

/// What [`Config::token_check`](crate::Config::token_check) was given.
pub(crate) type TokenCheck = Arc<dyn Fn(Token) -> Answer + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = Result<(), CheckError>>>>;

/// Why a check of [`Config::token_check`](crate::Config::token_check) does not let a token pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The token is no longer good: 401.
    #[error("the token is revoked")]
    Revoked,
    /// Nobody can tell at the moment: 503 with `Retry-After`. A token passes only on a clear yes.
    #[error("the check cannot be made at the moment")]
    Unavailable {
        /// When to try again; whole seconds, rounded up.
        retry_after: Duration,
    },
}
