//! From claims to a [`Token`]. What verification would refuse is not minted.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Token, TokenType, verify::Verification};
use crate::{error::MintError, keys::AuthType};

/// The claims that only the manager sets.
const RESERVED: [&str; 10] = [
    "iss", "sub", "iat", "exp", "nbf", "aud", "type", "rid", "jti", "cnf",
];

/// What minting needs beside [`Verification`].
pub(crate) struct Minting {
    pub(crate) auth_type: AuthType,
    /// Seconds that an auth token is valid for.
    pub(crate) auth_max_age: i64,
    /// Seconds that a refresh token is valid for.
    pub(crate) refresh_max_age: i64,
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
    claims: Map<String, Value>,
    error: Option<MintError>,
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
            claims: Map::new(),
            error: None,
        }
    }

    /// Sets the claim `scope`. `null`, like Python's `None`, leaves it out.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        match scope.into() {
            Value::Null => drop(self.claims.remove("scope")),
            scope => drop(self.claims.insert("scope".to_owned(), scope)),
        }
        self
    }

    /// Sets a claim of your own to anything that becomes JSON. Said again, the last one counts.
    ///
    /// Reserved are `iss`, `sub`, `iat`, `exp`, `nbf`, `aud`, `type`, `rid`, `jti` and `cnf`.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        if RESERVED.contains(&name.as_str()) {
            self.error.get_or_insert(MintError::ReservedClaim { name });
            return self;
        }
        match serde_json::to_value(value) {
            Ok(value) => drop(self.claims.insert(name, value)),
            Err(source) => drop(self.error.get_or_insert(MintError::NoJson { name, source })),
        }
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
        match self.error {
            Some(error) => Err(error),
            None => mint(
                verification,
                minting,
                TokenType::Auth,
                &self.subject,
                self.claims,
            ),
        }
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
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_| MintError::Randomness)?;
        let claims = Map::from_iter([("rid".to_owned(), URL_SAFE_NO_PAD.encode(id).into())]);
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

fn mint(
    verification: &Verification,
    minting: &Minting,
    token_type: TokenType,
    subject: &str,
    mut claims: Map<String, Value>,
) -> Result<Token, MintError> {
    let signing = verification
        .keys
        .signing
        .as_ref()
        .ok_or(MintError::MissingSigner)?;
    let issued_at = verification.clock.now()?.seconds();
    let max_age = match token_type {
        TokenType::Auth => minting.auth_max_age,
        TokenType::Refresh => minting.refresh_max_age,
    };
    claims.insert("iss".to_owned(), (*verification.rules.issuer).into());
    claims.insert("sub".to_owned(), subject.into());
    claims.insert("iat".to_owned(), issued_at.into());
    claims.insert("exp".to_owned(), issued_at.saturating_add(max_age).into());
    claims.insert("type".to_owned(), token_type.name().into());
    if let Some(audience) = &verification.rules.audience {
        claims.insert("aud".to_owned(), audience.as_str().into());
    }

    let payload = Value::Object(claims).to_string();
    let mut signed = format!("{}.{}", signing.header, URL_SAFE_NO_PAD.encode(&payload));
    let signature = signing
        .signer
        .sign(signed.as_bytes())
        .ok_or(MintError::Randomness)?;
    signed.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut signed);
    if signed.len() > verification.max_size {
        return Err(MintError::TooLarge {
            size: signed.len(),
            limit: verification.max_size,
        });
    }
    // The rules that every other server will apply.
    Ok(verification.judge(signed, payload, minting.auth_type)?)
}
