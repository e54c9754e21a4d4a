//! Errors of logins, refreshes and revocations.

use super::StoreError;
use crate::{
    error::MintError,
    error_chain::{debug_is_the_sentence, said},
    token::TokenError,
};

/// Why a login, a refresh, a revocation or a question about sessions has failed.
///
/// It has nothing to do with HTTP: a job or a command line prints it. In a handler of actix-web, `?` turns it into a
/// [`Rejection`](crate::Rejection).
///
/// | error | answer |
/// | --- | --- |
/// | [`Token`](Self::Token) | 401; 503 where the keys of the token's issuer are not available |
/// | [`Store`](Self::Store), [`TooDeep`](Self::TooDeep) | 503 with `Retry-After: 1` |
/// | [`NotRevocable`](Self::NotRevocable) | 400 |
/// | [`Mint`](Self::Mint) | 500; 503 where a remote key may sign later |
/// | [`NoStore`](Self::NoStore) | 500 |
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, SessionError};
///
/// /// Ends all sessions of a user, from a command line, and returns how many.
/// async fn log_out_everywhere(auth: &AuthManager, user: &str) -> Result<usize, SessionError> {
///     auth.revoke_subject(user).await.inspect_err(|error| {
///         // `Debug` has all causes in one line, `Display` and `source()` have them one by one.
///         eprintln!("{user} is still logged in: {error:?}");
///     })
/// }
/// # let _ = log_out_everywhere;
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The token is refused: it has expired, is revoked, was used before or is of the wrong type.
    #[error("the token is refused")]
    Token(#[from] TokenError),
    /// The session store has failed. The change may have been made.
    #[error("the session store has not done what it was asked")]
    Store(#[source] StoreError),
    /// No tokens can be minted for the session. Nothing was opened or rotated.
    #[error("the session's tokens cannot be minted")]
    Mint(#[from] MintError),
    /// The token has neither a session nor an ID, or is of another issuer.
    #[error("the token has no id to revoke it by: mint it with `AuthManager::login`")]
    NotRevocable,
    /// Sessions are used, and no session store is configured.
    #[error("no session store is configured: add `Config::session_store`")]
    NoStore,
    /// The application's session store calls the manager that calls the store, too deeply.
    #[error("calls of the AuthManager are nested too deeply: its session store calls it")]
    TooDeep,
}

debug_is_the_sentence!(SessionError);

/// Two errors are equal if they and their sources have the same messages.
impl PartialEq for SessionError {
    fn eq(&self, other: &Self) -> bool {
        said(self) == said(other)
    }
}

impl Eq for SessionError {}
