//! The one object that a server holds.

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
    session::note_memory,
    token::{AuthTokenBuilder, RefreshTokenBuilder, Token, TokenError},
};

/// Mints and verifies tokens. Made once, cloned cheaply, registered with the application.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config};
///
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "a secret of 32 bytes, at the least",
/// ))?;
///
/// let app = App::new().app_data(auth.clone()); // `web::Data<AuthManager>` is found as well
///
/// let token = auth.auth_token("alice").sign()?;
/// assert!(auth.verify_token(token.signed()).is_ok());
/// assert!(auth.verify_token("a.forged.token").is_err());
/// # drop(app.route("/", web::get().to(actix_web::HttpResponse::Ok)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A handler that mints takes it as an argument: `AuthManager` is an extractor.
///
/// Where scopes register managers of their own, the innermost one decides. One application
/// registers them in one way: where both `AuthManager` and `web::Data<AuthManager>` are found and
/// are two different managers, nobody can tell which is nearer, and every guarded request is
/// answered with 500.
#[derive(Clone)]
pub struct AuthManager(Arc<Parts>);

impl AuthManager {
    /// Makes a manager of a configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first value that is missing or cannot work.
    #[doc(alias = "init_app")]
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let manager = config.validate().map(Arc::new).map(Self)?;
        manager.watch_keys()?;
        #[cfg(feature = "jwks")]
        manager.fetch_in_background()?;
        manager.note_siblings();
        Ok(manager)
    }

    /// Makes a manager of the environment and the `.env` file: [`Config::from_env`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first value that is missing or cannot work.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::new(Config::from_env()?)
    }

    /// Begins an auth token for this subject, which becomes a string: `42` gives `"42"`.
    pub fn auth_token(&self, subject: impl fmt::Display) -> AuthTokenBuilder<'_> {
        AuthTokenBuilder::new(&self.0.verification, &self.0.minting, subject)
    }

    /// Begins a refresh token for this subject, which becomes a string: `42` gives `"42"`.
    pub fn refresh_token(&self, subject: impl fmt::Display) -> RefreshTokenBuilder<'_> {
        RefreshTokenBuilder::new(&self.0.verification, &self.0.minting, subject)
    }

    /// Verifies a token of either type with the keys that are there, at once. Routes verify theirs by
    /// themselves.
    ///
    /// [`verify_token_async`](Self::verify_token_async) judges by the same rules, and differs in one thing: where
    /// the key of another issuer is being fetched, it waits for it. Neither asks the session store, which is
    /// [`check_revocation`](Self::check_revocation), nor [`Config::token_check`].
    ///
    /// # Errors
    ///
    /// [`TokenError`] names the first rule that the token breaks;
    /// [`TokenError::KeysUnavailable`] where its key is being fetched.
    pub fn verify_token(&self, signed: &str) -> Result<Token, TokenError> {
        self.0.verification.verify(signed)
    }

    /// Who issues this server's own tokens; empty where it has none ([`Config::for_issuers`]).
    #[must_use]
    #[doc(alias = "signer")]
    pub fn issuer(&self) -> &str {
        &self.0.verification.rules.issuer
    }

    /// How this server's own tokens are signed; of no meaning where it has none ([`Config::for_issuers`]).
    #[must_use]
    #[doc(alias = "signer")]
    pub fn auth_type(&self) -> AuthType {
        let ring = self.0.verification.keys.load();
        let signing = ring.signing.as_ref();
        signing.map_or(self.0.minting.auth_type, |signing| signing.key.auth_type)
    }

    /// How long auth tokens minted here are valid.
    #[must_use]
    #[doc(alias = "signer")]
    pub fn auth_max_age(&self) -> Duration {
        Duration::seconds(self.0.minting.auth_max_age)
    }

    /// How long refresh tokens minted here are valid.
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

    /// Logs that each worker makes its own manager. Managers with a clock that is set are those of tests, which
    /// may have any number.
    fn note_siblings(&self) {
        let verification = &self.0.verification;
        let TimeSource::System = &verification.clock else {
            return;
        };
        let issuer = &verification.rules.issuer;
        match self.0.sessions.as_ref().and_then(|it| it.memory.as_ref()) {
            Some(memory) => note_memory(issuer, memory),
            None => per_worker::note(issuer, &self.0),
        }
    }

    /// The parts that requests need.
    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for AuthManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthManager")
            .field("issuer", &self.issuer())
            .field("auth_type", &self.auth_type())
            .finish_non_exhaustive()
    }
}
