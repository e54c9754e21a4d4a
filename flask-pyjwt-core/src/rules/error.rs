//! Why a valid token does not open a route.

use crate::token::TokenError;

/// A rule of the route that a valid token does not satisfy: the first that is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleError {
    /// The token is of an issuer that the route does not accept, or the clock is out of range.
    #[error("the route refuses the token")]
    Token(#[from] TokenError),
    #[error("the claim `{name}` is not what the route requires")]
    Claim { name: String },
    /// `missing` is the space-separated list of what the scope lacks; empty where no such list can be made.
    #[error("the scope is not what the route requires")]
    Scope { missing: String },
    /// `max_age` is in seconds; 0 where the token has to be that of the login itself.
    #[error("the login is not recent enough for the route")]
    LoginTooOld { max_age: u32 },
    /// The route itself is wrong. This is what to tell its author.
    #[error("the route is mistaken: {0}")]
    RouteMistake(String),
}
