//! Why something could not be done with a session.

use super::StoreError;
use crate::{
    error::MintError,
    error_chain::{debug_is_the_sentence, said},
    token::TokenError,
};

/// Why a login, a refresh, a revocation or a question about sessions has failed.
///
/// It says what happened, and nothing of HTTP: a job or a command line prints it and walks
/// [`source()`](std::error::Error::source). In a handler of actix-web, `?` turns it into the answer of the
/// [`Rejection`](crate::Rejection) that it becomes.
///
/// | error | answer |
/// | --- | --- |
/// | [`Token`](Self::Token) | 401; 503 where the keys of the token's issuer cannot be had |
/// | [`Store`](Self::Store), [`TooDeep`](Self::TooDeep) | 503 with `Retry-After: 1` |
/// | [`NotRevocable`](Self::NotRevocable) | 400 |
/// | [`Mint`](Self::Mint), [`NoStore`](Self::NoStore) | 500 |
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use std::error::Error;
///
/// use flask_pyjwt::{AuthManager, SessionError};
///
/// /// Ends all sessions of a user, from a command line.
/// async fn log_out_everywhere(auth: &AuthManager, user: &str) -> Result<(), SessionError> {
///     auth.revoke_subject(user).await.inspect_err(|error| {
///         eprintln!("{user} is still logged in: {error}");
///         let mut source = error.source();
///         while let Some(cause) = source {
///             eprintln!("  because {cause}");
///             source = cause.source();
///         }
///     })
/// }
/// # let _ = log_out_everywhere;
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The token is refused: it has expired, is revoked, was used before, or is of the wrong type.
    #[error("the token is refused")]
    Token(#[from] TokenError),
    /// The session store has not done what it was asked, and may have done it in part.
    #[error("the session store has not done what it was asked")]
    Store(#[source] StoreError),
    /// No tokens can be minted for the session. Nothing was opened or rotated.
    #[error("the session's tokens cannot be minted")]
    Mint(#[from] MintError),
    /// The token has neither a session nor an id, or is of another issuer.
    #[error("the token has no id to revoke it by: mint it with `AuthManager::login`")]
    NotRevocable,
    /// Sessions are used, and no store is configured.
    #[error("no session store is configured: add `Config::session_store`")]
    NoStore,
    /// A session store of the application calls the manager that calls the store, again and again.
    #[error("calls of the AuthManager are nested too deeply: its session store calls it")]
    TooDeep,
}

debug_is_the_sentence!(SessionError);

/// Two are equal where they say the same, with all their sources.
impl PartialEq for SessionError {
    fn eq(&self, other: &Self) -> bool {
        said(self) == said(other)
    }
}

impl Eq for SessionError {}
