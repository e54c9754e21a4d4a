//! Why a route refuses a valid token.

use crate::token::TokenError;

/// The first rule of the route that a valid token breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleError {
    /// The token is of an issuer that the route does not accept, or the clock is out of range.
    #[error("the route refuses the token")]
    Token(#[from] TokenError),
    #[error("the claim `{name}` is not what the route requires")]
    Claim { name: String },
    /// `missing` is the space-separated list of missing items. Empty if the requirement is not about items.
    #[error("the scope is not what the route requires")]
    Scope { missing: String },
    /// `max_age` is in seconds. 0 means that the token of the login itself is required. `acr_values` is empty if
    /// the route requires none.
    #[error("the login is not recent enough for the route")]
    LoginTooOld { max_age: u32, acr_values: String },
    /// `acr_values` is the space-separated list of accepted values. `max_age` is what the route requires beside it.
    #[error("the claim `acr` is not what the route requires")]
    Acr {
        acr_values: String,
        max_age: Option<u32>,
    },
    /// The route itself is wrong. The text is for its author.
    #[error("the route is mistaken: {0}")]
    RouteMistake(String),
}
