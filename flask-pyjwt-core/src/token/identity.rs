//! The identifiers and times of a token that a session store needs.

use super::Token;
use crate::{
    jose::{NumericDate, TokenError, TokenType},
    json::Json,
};

impl Token {
    /// Returns the token's identifier: `jti` in an auth token, `rid` in a refresh token.
    pub(crate) fn own_id(&self) -> Result<Option<String>, TokenError> {
        self.id(match self.token_type() {
            TokenType::Auth => "jti",
            TokenType::Refresh => "rid",
        })
    }

    /// Returns an optional claim that must be a non-empty string.
    pub(crate) fn id(&self, name: &'static str) -> Result<Option<String>, TokenError> {
        let Some(value) = self.payload().member(name) else {
            return Ok(None);
        };
        match value.as_str() {
            Some(id) if !id.is_empty() => Ok(Some(id.into_owned())),
            _ => Err(TokenError::MistypedClaim(name)),
        }
    }

    /// Returns a required claim that must be a non-empty string.
    pub(crate) fn required_id(&self, name: &'static str) -> Result<String, TokenError> {
        self.id(name)?.ok_or(TokenError::MissingClaim(name))
    }

    pub(crate) fn issued_at(&self) -> NumericDate {
        self.registered().issued_at
    }

    /// Returns the claim `auth_time` if it is a valid time.
    pub(crate) fn authenticated_at(&self) -> Option<NumericDate> {
        let claim: Option<Json<'_>> = self.payload().member("auth_time");
        claim.and_then(NumericDate::from_json)
    }

    pub(crate) fn issued_at_milliseconds(&self) -> i64 {
        self.issued_at().milliseconds()
    }

    pub(crate) fn expires_at_milliseconds(&self) -> i64 {
        self.registered().expires_at.milliseconds()
    }
}
