//! `AuthManager`: the one object that a server makes and registers.

mod per_worker;
mod rotation;
#[cfg(feature = "jwks")]
mod sources;

use std::{
    fmt,
    sync::{Arc, Weak},
};

use time::Duration;

use crate::{
    clock::TimeSource,
    config::{Config, Parts},
    error::ConfigError,
    keys::AuthType,
    meters,
    session::note_memory,
    token::{AuthTokenBuilder, RefreshTokenBuilder, Token, TokenError},
};

/// Signs and verifies tokens, and opens and ends sessions. Make one at start and register a clone with the application.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config};
///
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// ))?;
///
/// let app = App::new().app_data(auth.clone());
///
/// let token = auth.auth_token("alice").sign()?;
/// assert!(auth.verify_token(token.signed()).is_ok());
/// assert!(auth.verify_token("a.forged.token").is_err());
/// # drop(app.route("/", web::get().to(actix_web::HttpResponse::Ok)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A handler that signs tokens takes `auth: AuthManager` as an argument: it is an extractor. Clones are cheap and share
/// everything. Call `new` before `HttpServer::new`, not in its closure, which runs once for each worker.
///
/// Scopes can register managers of their own. The innermost one decides. A manager that was registered as
/// `web::Data<AuthManager>` is found as well. If a request finds both forms and they are two different managers, the
/// guard cannot tell which one is nearer, and answers with 500.
#[doc(alias = "JWTManager")]
#[derive(Clone)]
pub struct AuthManager(Arc<Parts>);

/// Which manager it is, without keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ManagerId(usize);

impl AuthManager {
    /// Makes a manager from a configuration, and checks every value of it.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config};
    ///
    /// let secret = "change-me: at least 32 bytes of secret";
    /// assert!(AuthManager::new(Config::new("example", AuthType::HS256, secret)).is_ok());
    ///
    /// // HS512 needs 64 bytes.
    /// let error = AuthManager::new(Config::new("example", AuthType::HS512, secret)).unwrap_err();
    /// assert_eq!(error.key(), "JWT_SECRET");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first value that is missing or invalid.
    #[doc(alias = "init_app")]
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        meters::describe();
        let manager = config.validate().map(Arc::new).map(Self)?;
        let ring = manager.0.verification.keys.load();
        if ring
            .signing
            .as_ref()
            .is_some_and(|key| key.signer.remote().is_some())
        {
            meters::begin_remote_signatures();
        }
        drop(ring);
        manager.watch_keys()?;
        #[cfg(feature = "jwks")]
        manager.fetch_in_background()?;
        manager.note_siblings();
        Ok(manager)
    }

    /// Makes a manager from the environment and the `.env` file. Short for `AuthManager::new(Config::from_env()?)`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first value that is missing or invalid.
    #[doc(alias = "dotenv")]
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::new(Config::from_env()?)
    }

    /// Builds an auth token for a subject. The subject becomes a string: `42` gives `"42"`.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config};
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let token = auth.auth_token(42).claim("team", 7).sign()?;
    /// assert_eq!(token.sub(), "42");
    ///
    /// // The manager sets `exp` itself.
    /// assert!(auth.auth_token(42).claim("exp", 4_102_444_800_u32).sign().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "create_access_token")]
    pub fn auth_token(&self, subject: impl fmt::Display) -> AuthTokenBuilder<'_> {
        AuthTokenBuilder::new(&self.0.verification, &self.0.minting, subject)
    }

    /// Builds a refresh token for a subject, without a session. The subject becomes a string: `42` gives `"42"`.
    ///
    /// Such a token can be used until it expires, as in Flask_PyJWT. For refresh tokens that work once and can be
    /// revoked, open a session with [`login`](Self::login).
    #[doc(alias = "create_refresh_token")]
    pub fn refresh_token(&self, subject: impl fmt::Display) -> RefreshTokenBuilder<'_> {
        RefreshTokenBuilder::new(&self.0.verification, &self.0.minting, subject)
    }

    /// Verifies a token of either type outside a request. Guards verify the tokens of requests themselves.
    ///
    /// It uses the keys that are loaded. If the key of another issuer is still being fetched, it fails, whereas
    /// [`verify_token_async`](Self::verify_token_async) waits; the rules are the same. Neither asks the session store
    /// ([`check_revocation`](Self::check_revocation) does) nor [`Config::token_check`].
    ///
    /// A token that is bound to a key or certificate of its client is refused, because nothing proves here who presents it.
    ///
    /// # Errors
    ///
    /// [`TokenError`] names the first rule that the token breaks. [`TokenError::KeysUnavailable`]: its key is being
    /// fetched. [`TokenError::Bound`]: it is valid for the client that can prove its binding.
    #[doc(alias = "decode_token")]
    pub fn verify_token(&self, signed: &str) -> Result<Token, TokenError> {
        without_binding(self.verify_presented(signed)?)
    }

    /// Verifies a token that may be bound. The caller checks what the client proves.
    pub(crate) fn verify_presented(&self, signed: &str) -> Result<Token, TokenError> {
        self.0.verification.verify(signed)
    }

    /// The issuer of the tokens that this manager signs (`JWT_ISSUER`). Empty with [`Config::for_issuers`].
    #[must_use]
    #[doc(alias = "signer")]
    pub fn issuer(&self) -> &str {
        &self.0.verification.rules.issuer
    }

    /// The algorithm that this manager signs with. Without meaning with [`Config::for_issuers`].
    #[must_use]
    #[doc(alias = "signer")]
    pub fn auth_type(&self) -> AuthType {
        let ring = self.0.verification.keys.load();
        let signing = ring.signing.as_ref();
        signing.map_or(self.0.minting.auth_type, |signing| signing.key.auth_type)
    }

    /// The lifetime of auth tokens that this manager signs (`JWT_AUTHMAXAGE`).
    #[must_use]
    #[doc(alias = "signer")]
    pub fn auth_max_age(&self) -> Duration {
        Duration::seconds(self.0.minting.auth_max_age)
    }

    /// The lifetime of refresh tokens that this manager signs (`JWT_REFRESHMAXAGE`).
    #[must_use]
    #[doc(alias = "signer")]
    pub fn refresh_max_age(&self) -> Duration {
        Duration::seconds(self.0.minting.refresh_max_age)
    }

    pub(crate) fn of(parts: Arc<Parts>) -> Self {
        Self(parts)
    }

    pub(crate) fn downgrade(&self) -> Weak<Parts> {
        Arc::downgrade(&self.0)
    }

    /// Logs an error if each worker makes a manager of its own. A manager with its own clock is a test's, and tests may make
    /// any number.
    fn note_siblings(&self) {
        let verification = &self.0.verification;
        let TimeSource::System = &verification.clock else {
            return;
        };
        let issuer = &verification.rules.issuer;
        match self.0.sessions.as_ref().and_then(|it| it.memory.as_ref()) {
            Some(memory) => note_memory(issuer, memory, &self.0),
            None => per_worker::note(issuer, &self.0),
        }
    }

    /// What requests need.
    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Tells it from all others that exist at the same time.
    pub(crate) fn id(&self) -> ManagerId {
        ManagerId(Arc::as_ptr(&self.0).addr())
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Refuses a bound token where nothing proves that its client presents it.
pub(crate) fn without_binding(token: Token) -> Result<Token, TokenError> {
    if token.is_bound() {
        return Err(TokenError::Bound);
    }
    Ok(token)
}

impl fmt::Debug for AuthManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthManager")
            .field("issuer", &self.issuer())
            .field("auth_type", &self.auth_type())
            .finish_non_exhaustive()
    }
}
