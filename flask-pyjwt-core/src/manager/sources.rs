//! Keys of other issuers that are fetched: the feature `jwks`.

use std::sync::Arc;

use super::AuthManager;
use crate::{
    config::key,
    error::ConfigError,
    issuers::{Found, KeySource},
    remote::{KeySourceState, RemoteKeys, Worker},
    token::{Token, TokenError, UnverifiedToken},
};

/// With the feature `jwks`.
impl AuthManager {
    /// The sources of other issuers' keys, for health checks: which keys are known, since when, and what
    /// went wrong.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer};
    ///
    /// let config = Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least");
    /// let auth = AuthManager::new(config.trust(
    ///     Issuer::new("https://accounts.invalid").discovery().audience("our-api"),
    /// ))?;
    /// assert_eq!(auth.key_sources()[0].issuer(), "https://accounts.invalid");
    /// assert!(!auth.key_sources()[0].is_usable()); // not yet, or never
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key_sources(&self) -> Vec<KeySourceState> {
        let now = self.0.verification.clock.now().ok();
        let mut states: Vec<_> = self.remote().map(|keys| keys.state(now)).collect();
        states.sort_by(|a, b| a.issuer().cmp(b.issuer()));
        states
    }

    /// Fetches the keys of all issuers now, and waits for it: before a server says that it is ready, or
    /// after an issuer has dropped a key in an emergency. Has to be called inside tokio's runtime.
    pub async fn fetch_keys(&self) -> Vec<KeySourceState> {
        let sources: Vec<_> = self.remote().map(Arc::clone).collect();
        for source in &sources {
            source.renew();
        }
        for source in sources {
            source.fetched().await;
        }
        self.key_sources()
    }

    /// Verifies a token, and waits for the key where that is being fetched. Routes do so by themselves.
    /// Has to be called inside tokio's runtime.
    ///
    /// # Errors
    ///
    /// [`TokenError`] names the first rule that the token breaks;
    /// [`TokenError::KeysUnavailable`] where nobody can tell.
    pub async fn verify_token_async(&self, signed: &str) -> Result<Token, TokenError> {
        match self.verify_token(signed) {
            Err(error @ TokenError::KeysUnavailable { .. }) => {
                let Some(source) = self.source_of(signed) else {
                    return Err(error);
                };
                source.fetched().await;
                self.verify_token(signed)
            }
            result => result,
        }
    }

    /// The source of the issuer that a token names.
    fn source_of(&self, signed: &str) -> Option<Arc<RemoteKeys>> {
        let token = UnverifiedToken::decode(signed).ok()?;
        let issuers = &self.0.verification.issuers;
        let Found::Trust(trust) = issuers.find(token.claims().get("iss")?.as_str()?) else {
            return None;
        };
        match &trust.keys {
            KeySource::Remote(keys) => Some(Arc::clone(keys)),
            KeySource::Fixed(_) => None,
        }
    }

    fn remote(&self) -> impl Iterator<Item = &Arc<RemoteKeys>> {
        let issuers = self.0.verification.issuers.configured();
        issuers.filter_map(|trust| match &trust.keys {
            KeySource::Remote(keys) => Some(keys),
            KeySource::Fixed(_) => None,
        })
    }

    /// Starts the thread that fetches, if there is anything to fetch.
    pub(super) fn fetch_in_background(&self) -> Result<(), ConfigError> {
        let sources: Vec<_> = self.remote().map(Arc::clone).collect();
        if sources.is_empty() {
            return Ok(());
        }
        let worker = Worker::start(sources).map_err(|error| {
            ConfigError::invalid(
                key::ISSUERS,
                format!("has keys that cannot be fetched: {error}"),
            )
        })?;
        drop(self.0.worker.set(worker));
        Ok(())
    }
}
