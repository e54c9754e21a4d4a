//! The builders that mint a [`Token`]. They never mint a token that this server would refuse.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{
    Token,
    draft::{Draft, OwnClaims, random_id},
    verify::Verification,
};
use crate::{
    error::MintError,
    jose::TokenType,
    json::Members,
    keys::AuthType,
    possession::{ClientCertificate, DpopProof},
};

/// What minting needs in addition to [`Verification`].
pub(crate) struct Minting {
    /// The algorithm set by [`Config::auth_type`](crate::Config::auth_type).
    pub(crate) auth_type: AuthType,
    /// The lifetime of auth tokens in seconds.
    pub(crate) auth_max_age: i64,
    /// The lifetime of refresh tokens in seconds.
    pub(crate) refresh_max_age: i64,
    /// Whether a session store is configured, so that the claim `sid` is checked.
    pub(crate) has_sessions: bool,
}

/// Mints an auth token. [`AuthManager::auth_token`](crate::AuthManager::auth_token) creates the builder.
///
/// The token is valid for [`Config::auth_max_age`](crate::Config::auth_max_age), one hour by default.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// # use flask_pyjwt::{AuthManager, AuthType, Config, MintError};
/// # use serde_json::json;
/// # let auth = AuthManager::new(Config::new(
/// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// # ))?;
/// let token = auth.auth_token("alice").scope(json!({"admin": true})).claim("team", 7).sign()?;
/// assert_eq!(token.scope(), Some(&json!({"admin": true})));
///
/// // Claims that the manager sets cannot be overwritten.
/// let refused = auth.auth_token("alice").claim("exp", 4_102_444_800_u32).sign();
/// assert!(matches!(refused, Err(MintError::ReservedClaim { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "JWT")]
#[doc(alias = "create_access_token")]
#[doc(alias = "access token")]
#[doc(alias = "encode")]
#[must_use = "call `sign()` to mint the token"]
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

    /// Sets the claim `scope`, which says what the token allows. `null` leaves it out, like Python's `None`.
    ///
    /// The value can be any JSON: an object of named scopes, a list, or a space-separated string (RFC 8693,
    /// section 4.2).
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        self.claims.scope(&scope.into());
        self
    }

    /// Adds a custom claim. The value can be anything that serializes to JSON.
    ///
    /// If the same name is set repeatedly, the last value is used.
    ///
    /// The claims `iss`, `sub`, `iat`, `exp`, `nbf`, `aud`, `type`, `rid`, `jti` and `cnf` are reserved:
    /// [`sign`](Self::sign) fails with [`MintError::ReservedClaim`]. If a session store is configured, `sid` must
    /// be the ID of one of the subject's sessions. The token is then valid only while that session is open.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.claim(name.into(), &value);
        self
    }

    /// Binds the token to the key of a client: whoever presents it has to prove that they have the key (RFC 9449, section
    /// 6). Takes what [`AuthManager::dpop_proof`](crate::AuthManager::dpop_proof) has returned; `None` changes nothing.
    #[doc(alias = "DPoP")]
    #[doc(alias = "cnf")]
    pub fn bind<'p>(mut self, proof: impl Into<Option<&'p DpopProof>>) -> Self {
        if let Some(proof) = proof.into() {
            self.claims.bind_to_key(proof.key());
        }
        self
    }

    /// Binds the token to the key with this JWK thumbprint (RFC 7638): 43 characters of base64url. Another text is an error
    /// when it is minted.
    #[doc(alias = "jkt")]
    pub fn bind_to(mut self, thumbprint: impl AsRef<str>) -> Self {
        self.claims.bind_to(thumbprint.as_ref());
        self
    }

    /// Binds the token to the client certificate of a connection (RFC 8705, section 3). Takes what
    /// [`AuthManager::client_certificate`](crate::AuthManager::client_certificate) has returned; `None` changes nothing.
    #[doc(alias = "mTLS")]
    pub fn bind_to_certificate<'p>(
        mut self,
        certificate: impl Into<Option<&'p ClientCertificate>>,
    ) -> Self {
        if let Some(certificate) = certificate.into() {
            self.claims.bind_to_certificate(certificate.hash());
        }
        self
    }

    /// Sets the claim `acr`, the authentication context class of the user's login, such as `"urn:example:mfa"`
    /// (`OpenID` Connect Core, section 2). `#[require_token(acr = "…")]` requires it.
    ///
    /// It is text of printable ASCII characters without blanks, `"` and `\`. For any other text, [`sign`](Self::sign) fails
    /// with [`MintError::Refused`].
    pub fn acr(mut self, acr: impl AsRef<str>) -> Self {
        self.claims.acr(acr.as_ref());
        self
    }

    /// Sets the claim `client_id`: the client for which the token is minted (RFC 8693, section 4.3). With
    /// [`Config::access_token_profile`](crate::Config::access_token_profile), it replaces the configured one.
    ///
    /// It is text of printable ASCII characters. For any other text, [`sign`](Self::sign) fails with
    /// [`MintError::Refused`].
    pub fn client_id(mut self, client_id: impl AsRef<str>) -> Self {
        self.claims.client_id(client_id.as_ref());
        self
    }

    /// Mints the token. Its `iat` is the current time.
    ///
    /// # Errors
    ///
    /// Returns a [`MintError`] if a claim is reserved or does not serialize to JSON, if the manager has no private
    /// key, or if this server would refuse the token. [`MintError::NeedsAsync`] if the key is
    /// [remote](crate::Key::remote).
    pub fn sign(self) -> Result<Token, MintError> {
        let (verification, minting) = self.manager;
        let claims = self.claims.into_members()?;
        let draft = draft(
            verification,
            minting,
            TokenType::Auth,
            &self.subject,
            claims,
        )?;
        checked(draft.sign(verification)?, minting)
    }

    /// Mints the token with any key, and waits for the signature of a [remote](crate::Key::remote) one. Its `iat` is the
    /// time of the call.
    ///
    /// With other keys it is the same as [`sign`](Self::sign), and does not wait. For a remote key it has to be awaited
    /// inside a tokio runtime.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let token = auth.auth_token("alice").claim("team", 7).sign_async().await?;
    /// assert_eq!(token.claims()["team"], 7);
    ///
    /// // Claims that the manager sets cannot be overwritten.
    /// assert!(auth.auth_token("alice").claim("exp", 4_102_444_800_u32).sign_async().await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same as [`sign`](Self::sign), and [`MintError::Signer`] if the remote key does not sign.
    pub async fn sign_async(self) -> Result<Token, MintError> {
        let (verification, minting) = self.manager;
        let claims = self.claims.into_members()?;
        let draft = draft(
            verification,
            minting,
            TokenType::Auth,
            &self.subject,
            claims,
        )?;
        checked(draft.sign_async(verification).await?, minting)
    }
}

impl fmt::Debug for AuthTokenBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthTokenBuilder").finish_non_exhaustive()
    }
}

/// Mints a refresh token. [`AuthManager::refresh_token`](crate::AuthManager::refresh_token) creates the builder.
///
/// A refresh token has a random identifier in the claim `rid` and never has a scope. It is valid for
/// [`Config::refresh_max_age`](crate::Config::refresh_max_age), 7 days by default.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// # use flask_pyjwt::{AuthManager, AuthType, Config, TokenType};
/// # let auth = AuthManager::new(Config::new(
/// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// # ))?;
/// let token = auth.refresh_token("alice").sign()?;
/// assert_eq!(token.token_type(), TokenType::Refresh);
/// assert!(token.claims().contains_key("rid"));
/// assert_eq!(token.scope(), None);
///
/// // The subject must not be empty.
/// assert!(auth.refresh_token("").sign().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "JWT")]
#[doc(alias = "create_refresh_token")]
#[must_use = "call `sign()` to mint the token"]
pub struct RefreshTokenBuilder<'a> {
    manager: (&'a Verification, &'a Minting),
    subject: String,
    claims: OwnClaims,
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
            claims: OwnClaims::default(),
        }
    }

    /// Binds the token to the key of a client: whoever presents it has to prove that they have the key (RFC 9449, section
    /// 6). Takes what [`AuthManager::dpop_proof`](crate::AuthManager::dpop_proof) has returned; `None` changes nothing.
    #[doc(alias = "DPoP")]
    #[doc(alias = "cnf")]
    pub fn bind<'p>(mut self, proof: impl Into<Option<&'p DpopProof>>) -> Self {
        if let Some(proof) = proof.into() {
            self.claims.bind_to_key(proof.key());
        }
        self
    }

    /// Binds the token to the key with this JWK thumbprint (RFC 7638): 43 characters of base64url. Another text is an error
    /// when it is minted.
    #[doc(alias = "jkt")]
    pub fn bind_to(mut self, thumbprint: impl AsRef<str>) -> Self {
        self.claims.bind_to(thumbprint.as_ref());
        self
    }

    /// Binds the token to the client certificate of a connection (RFC 8705, section 3). Takes what
    /// [`AuthManager::client_certificate`](crate::AuthManager::client_certificate) has returned; `None` changes nothing.
    #[doc(alias = "mTLS")]
    pub fn bind_to_certificate<'p>(
        mut self,
        certificate: impl Into<Option<&'p ClientCertificate>>,
    ) -> Self {
        if let Some(certificate) = certificate.into() {
            self.claims.bind_to_certificate(certificate.hash());
        }
        self
    }

    /// Mints the token. Its `iat` is the current time.
    ///
    /// # Errors
    ///
    /// Returns a [`MintError`] if the manager has no private key, if the system's random number generator fails,
    /// or if this server would refuse the token. [`MintError::NeedsAsync`] if the key is [remote](crate::Key::remote).
    pub fn sign(mut self) -> Result<Token, MintError> {
        let verification = self.manager.0;
        self.draft()?.sign(verification)
    }

    /// Mints the token with any key, and waits for the signature of a [remote](crate::Key::remote) one:
    /// see [`AuthTokenBuilder::sign_async`].
    ///
    /// # Errors
    ///
    /// The same as [`sign`](Self::sign), and [`MintError::Signer`] if the remote key does not sign.
    pub async fn sign_async(mut self) -> Result<Token, MintError> {
        let verification = self.manager.0;
        self.draft()?.sign_async(verification).await
    }

    fn draft(&mut self) -> Result<Draft<'_>, MintError> {
        let mut claims = std::mem::take(&mut self.claims).into_members()?;
        claims.insert("rid", &random_id()?.into());
        let (verification, minting) = self.manager;
        draft(
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

/// A token of the current time with the lifetime of its type.
fn draft<'a>(
    verification: &Verification,
    minting: &Minting,
    token_type: TokenType,
    subject: &'a str,
    claims: Members,
) -> Result<Draft<'a>, MintError> {
    let issued_at = verification.clock.now()?.seconds();
    let max_age = match token_type {
        TokenType::Auth => minting.auth_max_age,
        TokenType::Refresh => minting.refresh_max_age,
    };
    Ok(Draft {
        token_type,
        subject,
        claims,
        issued_at,
        expires_at: issued_at.saturating_add(max_age),
    })
}

/// Refuses an auth token whose claim `sid` is no ID of a session.
fn checked(token: Token, minting: &Minting) -> Result<Token, MintError> {
    if minting.has_sessions {
        token.id("sid")?;
    }
    Ok(token)
}
