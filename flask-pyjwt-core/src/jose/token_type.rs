//! The two types of token.

use std::{fmt, str::FromStr};

use crate::error_chain::debug_is_the_sentence;

/// What a token is for: its claim `type`.
///
/// Compared exactly: a token whose `type` is `Auth` is no token at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TokenType {
    /// Short-lived, for access to resources: `auth`.
    #[default]
    Auth,
    /// Longer-lived, for obtaining new auth tokens: `refresh`.
    Refresh,
}

impl TokenType {
    /// The value of the claim.
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

/// A text that is neither `auth` nor `refresh`.
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
