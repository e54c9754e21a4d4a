//! From claims to a [`Token`]. What verification would refuse is not minted.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Token,
    draft::{Draft, OwnClaims, random_id},
    verify::Verification,
};
use crate::{error::MintError, jose::TokenType, keys::AuthType};

/// What minting needs beside [`Verification`].
pub(crate) struct Minting {
    /// What [`Config::auth_type`](crate::Config::auth_type) says.
    pub(crate) auth_type: AuthType,
    /// Seconds that an auth token is valid for.
    pub(crate) auth_max_age: i64,
    /// Seconds that a refresh token is valid for.
    pub(crate) refresh_max_age: i64,
    /// Whether a session store is asked about tokens that say a session.
    pub(crate) has_sessions: bool,
}

/// An auth token in the making: [`AuthManager::auth_token`](crate::AuthManager::auth_token).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// # use flask_pyjwt::{AuthManager, AuthType, Config, MintError};
/// # use serde_json::json;
/// # let auth = AuthManager::new(Config::new(
/// #     "example", AuthType::HS256, "a secret of 32 bytes, at the least",
/// # ))?;
/// let token = auth.auth_token("alice").scope(json!({"admin": true})).claim("team", 7).sign()?;
/// assert_eq!(token.scope(), Some(&json!({"admin": true})));
///
/// // What the manager itself answers for cannot be claimed.
/// let refused = auth.auth_token("alice").claim("exp", 4_102_444_800_u32).sign();
/// assert!(matches!(refused, Err(MintError::ReservedClaim { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a token is minted by `sign()`"]
pub struct AuthTokenBuilder<'a> {
    manager: (&'a Verification, &'a Minting),
    subject: String,
    claims: OwnClaims,
}

impl<'a> AuthTokenBuilder<'a> {
    pub(crate) fn new(
        verification: &'a Verification,
        minting: &'a Minting,
        subject: impl fmt::Display,
    ) -> Self {
        Self {
            manager: (verification, minting),
            subject: subject.to_string(),
            claims: OwnClaims::default(),
        }
    }

    /// Sets the claim `scope`. `null`, like Python's `None`, leaves it out.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        self.claims.scope(scope.into());
        self
    }

    /// Sets a claim of your own to anything that becomes JSON. Called repeatedly for one claim, the last value counts.
    ///
    /// Reserved are `iss`, `sub`, `iat`, `exp`, `nbf`, `aud`, `type`, `rid`, `jti` and `cnf`. With a session
    /// store, `sid` has to be the id of a session of this subject: the token is good for as long as that is
    /// open.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.claim(name.into(), value);
        self
    }

    /// Mints the token, issued now.
    ///
    /// # Errors
    ///
    /// [`MintError`] when a claim is reserved or no JSON, when the manager has no private key, or
    /// when verification would refuse the token.
    pub fn sign(self) -> Result<Token, MintError> {
        let (verification, minting) = self.manager;
        let token = mint(
            verification,
            minting,
            TokenType::Auth,
            &self.subject,
            self.claims.into_map()?,
        )?;
        if minting.has_sessions {
            token.id("sid")?;
        }
        Ok(token)
    }
}

impl fmt::Debug for AuthTokenBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthTokenBuilder").finish_non_exhaustive()
    }
}

/// A refresh token in the making: [`AuthManager::refresh_token`](crate::AuthManager::refresh_token).
/// It has an identifier of its own, `rid`, and never a scope.
#[must_use = "a token is minted by `sign()`"]
pub struct RefreshTokenBuilder<'a> {
    manager: (&'a Verification, &'a Minting),
    subject: String,
}

impl<'a> RefreshTokenBuilder<'a> {
    pub(crate) fn new(
        verification: &'a Verification,
        minting: &'a Minting,
        subject: impl fmt::Display,
    ) -> Self {
        Self {
            manager: (verification, minting),
            subject: subject.to_string(),
        }
    }

    /// Mints the token, issued now.
    ///
    /// # Errors
    ///
    /// [`MintError`] when the manager has no private key, when the system has no randomness, or
    /// when verification would refuse the token.
    pub fn sign(self) -> Result<Token, MintError> {
        let claims = Map::from_iter([("rid".to_owned(), random_id()?.into())]);
        let (verification, minting) = self.manager;
        mint(
            verification,
            minting,
            TokenType::Refresh,
            &self.subject,
            claims,
        )
    }
}

impl fmt::Debug for RefreshTokenBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTokenBuilder")
            .finish_non_exhaustive()
    }
}

/// Mints a token that is issued now, with the age of its type.
fn mint(
    verification: &Verification,
    minting: &Minting,
    token_type: TokenType,
    subject: &str,
    claims: Map<String, Value>,
) -> Result<Token, MintError> {
    let issued_at = verification.clock.now()?.seconds();
    let max_age = match token_type {
        TokenType::Auth => minting.auth_max_age,
        TokenType::Refresh => minting.refresh_max_age,
    };
    let draft = Draft {
        token_type,
        subject,
        claims,
        issued_at,
        expires_at: issued_at.saturating_add(max_age),
    };
    draft.sign(verification)
}
