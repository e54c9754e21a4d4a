//! Keys of other issuers that are fetched: the feature `jwks`.

use std::sync::Arc;

use super::AuthManager;
use crate::{
    config::key,
    error::ConfigError,
    issuers::{Found, KeySource, Trust},
    remote::{KeySourceState, RemoteKeys, Worker},
    token::{Token, TokenError, UnverifiedToken},
};

/// With the feature `jwks`.
impl AuthManager {
    /// The sources of other issuers' keys, for health checks: which keys are known, since when, and what
    /// went wrong. There is one state for each configured issuer, also where several share a source; a template
    /// is named by its text. Those that [`Config::resolve_issuers`](crate::Config::resolve_issuers) finds are
    /// not listed.
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
        let remote = self.remote();
        let mut states: Vec<_> = remote.map(|(name, keys)| keys.state(name, now)).collect();
        states.sort_by(|a, b| a.issuer().cmp(b.issuer()));
        states
    }

    /// Fetches the keys of all issuers now, and waits for it: before a server says that it is ready, or
    /// after an issuer has dropped a key in an emergency. Has to be called inside tokio's runtime.
    pub async fn fetch_keys(&self) -> Vec<KeySourceState> {
        let sources = self.remote().map(|(_, keys)| Arc::clone(keys));
        let mut sources: Vec<_> = sources.collect();
        // Each once, however many issuers share it.
        sources.sort_by_key(Arc::as_ptr);
        sources.dedup_by(|a, b| Arc::ptr_eq(a, b));
        for source in &sources {
            source.renew();
        }
        for source in sources {
            source.fetched().await;
        }
        self.key_sources()
    }

    /// Verifies a token of either type, and waits where the key of another issuer is being fetched. Routes do
    /// so by themselves. Has to be called inside tokio's runtime.
    ///
    /// [`verify_token`](Self::verify_token) judges by the same rules, and differs in one thing: it never waits.
    /// Neither asks the session store, which is [`check_revocation`](Self::check_revocation), nor
    /// [`Config::token_check`](crate::Config::token_check).
    ///
    /// # Errors
    ///
    /// [`TokenError`] names the first rule that the token breaks;
    /// [`TokenError::KeysUnavailable`] where nobody can tell.
    pub async fn verify_token_async(&self, signed: &str) -> Result<Token, TokenError> {
        match self.verify_token(signed) {
            Err(error @ TokenError::KeysUnavailable { .. }) => {
                // In a place of its own: those who need not wait carry nothing of it along.
                Box::pin(self.verify_after_waiting(signed, error)).await
            }
            result => result,
        }
    }

    /// Waits for the issuer where a function has to find it, then for its keys.
    async fn verify_after_waiting(
        &self,
        signed: &str,
        mut error: TokenError,
    ) -> Result<Token, TokenError> {
        let unverified = UnverifiedToken::decode(signed).ok();
        let issuer = unverified
            .as_ref()
            .and_then(|it| it.claims().get("iss")?.as_str());
        let (Some(issuer), issuers) = (issuer, &self.0.verification.issuers) else {
            return Err(error);
        };
        let clock = &self.0.verification.clock;
        if let Found::Unresolved(_) = issuers.find(issuer, clock.now()?)
            && let Some(resolver) = issuers.resolver_of(issuer)
        {
            resolver.resolve(issuer).await;
            match self.verify_token(signed) {
                Err(again @ TokenError::KeysUnavailable { .. }) => error = again,
                result => return result,
            }
        }
        let source = match issuers.find(issuer, clock.now()?) {
            Found::Trust(trust) => source_of(trust),
            Found::Resolved(trust) => source_of(&trust),
            Found::Unresolved(_) | Found::Nobody => None,
        };
        let Some(source) = source else {
            return Err(error);
        };
        source.fetched().await;
        self.verify_token(signed)
    }

    /// The configured issuers whose keys are fetched. Several may have one source.
    fn remote(&self) -> impl Iterator<Item = (&str, &Arc<RemoteKeys>)> {
        let issuers = self.0.verification.issuers.configured();
        issuers.filter_map(|trust| match &trust.keys {
            KeySource::Remote(keys) => Some((&*trust.rules.issuer, keys)),
            KeySource::Fixed(_) => None,
        })
    }

    /// Starts the thread that fetches, if there is anything to fetch.
    pub(super) fn fetch_in_background(&self) -> Result<(), ConfigError> {
        let issuers = &self.0.verification.issuers;
        if self.remote().next().is_none() && issuers.resolvers.is_empty() {
            return Ok(());
        }
        let Some(sources) = issuers.sources.take_receiver() else {
            return Ok(());
        };
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

/// Where the keys of an issuer are fetched, if they are.
fn source_of(trust: &Trust) -> Option<Arc<RemoteKeys>> {
    match &trust.keys {
        KeySource::Remote(keys) => Some(Arc::clone(keys)),
        KeySource::Fixed(_) => None,
    }
}
