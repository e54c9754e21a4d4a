//! The two types of tokens.

use std::{fmt, str::FromStr};

use crate::error_chain::debug_is_the_sentence;

/// What a token is for: an auth token gives access, a refresh token gets the next pair of tokens.
///
/// It is the claim `type` of the token. The comparison is exact: a token with the type `Auth` is
/// refused.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::TokenType;
///
/// assert_eq!("refresh".parse(), Ok(TokenType::Refresh));
/// assert!("Refresh".parse::<TokenType>().is_err());
/// assert_eq!(TokenType::Auth.to_string(), "auth");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TokenType {
    /// A short-lived token for requests, in Python `"auth"`.
    #[default]
    Auth,
    /// A longer-lived token for getting new auth tokens, in Python `"refresh"`.
    Refresh,
}

impl TokenType {
    /// The value of the claim `type`: `auth` or `refresh`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Refresh => "refresh",
        }
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error for a text that is neither `auth` nor `refresh`.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the type of token is neither `auth` nor `refresh`")]
#[non_exhaustive]
pub struct UnknownTokenType;

debug_is_the_sentence!(UnknownTokenType);

impl FromStr for TokenType {
    type Err = UnknownTokenType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "auth" => Ok(Self::Auth),
            "refresh" => Ok(Self::Refresh),
            _ => Err(UnknownTokenType),
        }
    }
}
