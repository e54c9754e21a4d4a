//! From the errors of the lower layers to refusals.

use time::Duration;

use super::{Misconfiguration, Rejection, refused};
use crate::{error::MintError, rules::RuleError, session::SessionError, token::TokenError};

impl Rejection {
    /// Makes a new refusal from an error. An equal one that was logged before is another refusal.
    pub(crate) fn anew(error: impl Into<Self>) -> Self {
        let rejection = error.into();
        refused::forget(&rejection);
        rejection
    }
}

/// When a client may try again after the session store or a remote key has failed.
const RETRY_AFTER: Duration = Duration::SECOND;

/// The refusal of a token. It does not change what was logged before.
fn of_token(error: TokenError) -> Rejection {
    match error {
        TokenError::KeysUnavailable { retry_after } => Rejection::Unavailable { retry_after },
        error => Rejection::InvalidToken(error),
    }
}

/// The refusal of a token that cannot be minted. It does not change what was logged before.
pub(super) fn of_mint(error: &MintError) -> Rejection {
    match error {
        MintError::Refused(TokenError::Clock) => of_token(TokenError::Clock),
        MintError::Signer(failure) if failure.is_temporary() => Rejection::Unavailable {
            retry_after: RETRY_AFTER,
        },
        error => Misconfiguration::NotMinted(error.clone()).into(),
    }
}

impl From<TokenError> for Rejection {
    fn from(error: TokenError) -> Self {
        Self::anew(of_token(error))
    }
}

impl From<MintError> for Rejection {
    fn from(error: MintError) -> Self {
        Self::anew(of_mint(&error))
    }
}

impl From<RuleError> for Rejection {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Token(error) => error.into(),
            RuleError::Claim { name } => Self::ClaimNotMet { name },
            RuleError::Scope { missing } if missing.is_empty() => Self::ScopeNotMet,
            RuleError::Scope { missing } => Self::MissingScope { scope: missing },
            RuleError::LoginTooOld {
                max_age,
                acr_values,
            } => Self::LoginTooOld {
                max_age,
                acr_values,
            },
            RuleError::Acr {
                acr_values,
                max_age,
            } => Self::AcrNotMet {
                acr_values,
                max_age,
            },
            RuleError::RouteMistake(explanation) => {
                Misconfiguration::RouteMistake(explanation).into()
            }
        }
    }
}

/// The same refusal: it was logged when the manager's method returned the error.
impl From<&SessionError> for Rejection {
    fn from(error: &SessionError) -> Self {
        match error {
            SessionError::Token(error) => of_token(*error),
            SessionError::Mint(error) => of_mint(error),
            SessionError::Store(_) | SessionError::TooDeep => Self::Unavailable {
                retry_after: RETRY_AFTER,
            },
            SessionError::NotRevocable => Self::NotRevocable,
            SessionError::NoStore => Misconfiguration::NoSessionStore.into(),
        }
    }
}

impl From<&Rejection> for Rejection {
    fn from(rejection: &Rejection) -> Self {
        rejection.clone()
    }
}

/// The same refusal: it was logged when the manager's method returned the error.
impl From<SessionError> for Rejection {
    fn from(error: SessionError) -> Self {
        Self::from(&error)
    }
}
