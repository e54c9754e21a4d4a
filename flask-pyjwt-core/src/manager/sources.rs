//! Fetched keys of other issuers (feature `jwks`).

use std::sync::Arc;

use super::{AuthManager, without_binding};
use crate::{
    config::key,
    error::ConfigError,
    issuers::{Found, KeySource, Trust},
    remote::{KeySourceState, RemoteKeys, Worker},
    token::{Token, TokenError, UnverifiedToken},
};

/// Needs the feature `jwks`.
impl AuthManager {
    /// The state of each fetched key set, for health checks: which keys are known, since when, and the last error.
    ///
    /// There is one state for each configured issuer, even if several share a source. A template is named by its text.
    /// Issuers that [`Config::resolve_issuers`](crate::Config::resolve_issuers) finds are not listed.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let auth = AuthManager::new(config.trust(
    ///     Issuer::new("https://accounts.invalid").discovery().audience("our-api"),
    /// ))?;
    /// assert_eq!(auth.key_sources()[0].issuer(), "https://accounts.invalid");
    /// assert!(!auth.key_sources()[0].is_usable()); // no keys have been fetched yet
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "health")]
    #[must_use]
    pub fn key_sources(&self) -> Vec<KeySourceState> {
        let now = self.0.verification.clock.now().ok();
        let remote = self.remote();
        let mut states: Vec<_> = remote.map(|(name, keys)| keys.state(name, now)).collect();
        states.sort_by(|a, b| a.issuer().cmp(b.issuer()));
        states
    }

    /// Fetches the keys of all issuers now and waits for the results. Returns the same as
    /// [`key_sources`](Self::key_sources).
    ///
    /// Call it before a server reports that it is ready, or after an issuer dropped a key in an emergency. It has to be
    /// called inside a tokio runtime.
    pub async fn fetch_keys(&self) -> Vec<KeySourceState> {
        let sources = self.remote().map(|(_, keys)| Arc::clone(keys));
        let mut sources: Vec<_> = sources.collect();
        // Issuers can share a source. Each is fetched once.
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

    /// Verifies a token of either type outside a request, and waits while the key of another issuer is being fetched, or
    /// while an issuer is [asked about](crate::Issuer::introspection) an opaque token.
    ///
    /// It applies the same rules as [`verify_token`](Self::verify_token), which never waits. Neither asks the session store
    /// ([`check_revocation`](Self::check_revocation) does) nor [`Config::token_check`](crate::Config::token_check). It has
    /// to be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`TokenError`] names the first rule that the token breaks. [`TokenError::KeysUnavailable`]: the keys could not be
    /// fetched, or the issuer could not be asked.
    pub async fn verify_token_async(&self, signed: &str) -> Result<Token, TokenError> {
        without_binding(self.verify_presented_async(signed).await?)
    }

    /// Verifies a token that may be bound. The caller checks what the client proves.
    pub(crate) async fn verify_presented_async(&self, signed: &str) -> Result<Token, TokenError> {
        match self.verify_presented(signed) {
            Err(error @ TokenError::KeysUnavailable { .. }) => {
                // Boxed, so that the future of the usual case stays small.
                Box::pin(self.verify_after_waiting(signed, error)).await
            }
            result => result,
        }
    }

    /// Waits for `resolve_issuers` to find the issuer, if it has to, then for its keys.
    async fn verify_after_waiting(
        &self,
        signed: &str,
        mut error: TokenError,
    ) -> Result<Token, TokenError> {
        if let Some(result) = self.0.verification.ask_about(signed).await {
            return result;
        }
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
            match self.verify_presented(signed) {
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
        self.verify_presented(signed)
    }

    /// The other issuers that have a discovery document, with its address.
    #[cfg(feature = "utoipa")]
    pub(crate) fn discovery_documents(&self) -> Vec<(String, String)> {
        let documents = self.remote().filter_map(|(issuer, keys)| {
            let address = keys.discovery_document()?;
            Some((issuer.to_owned(), address.to_owned()))
        });
        let mut documents: Vec<_> = documents.collect();
        documents.sort();
        documents
    }

    /// The configured issuers with fetched keys. Several can share a source.
    fn remote(&self) -> impl Iterator<Item = (&str, &Arc<RemoteKeys>)> {
        let issuers = self.0.verification.issuers.configured();
        issuers.filter_map(|trust| match &trust.keys {
            KeySource::Remote(keys) => Some((&*trust.rules.issuer, keys)),
            KeySource::Fixed(_) => None,
        })
    }

    /// Starts the fetching thread, if any keys are to be fetched.
    pub(super) fn fetch_in_background(&self) -> Result<(), ConfigError> {
        let issuers = &self.0.verification.issuers;
        let is_asked = issuers.introspection.is_some();
        if self.remote().next().is_none() && issuers.resolvers.is_empty() && !is_asked {
            return Ok(());
        }
        let Some(sources) = issuers.sources.take_receivers() else {
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

/// The source of an issuer's keys, if they are fetched.
fn source_of(trust: &Trust) -> Option<Arc<RemoteKeys>> {
    match &trust.keys {
        KeySource::Remote(keys) => Some(Arc::clone(keys)),
        KeySource::Fixed(_) => None,
    }
}
