//! Issuers that a function of the application finds: the feature `jwks`.

use std::{error::Error, future::Future, sync::Arc};

use super::{Config, key};
use crate::{
    error::{ConfigError, Problem},
    issuers::{Defaults, Issuer, Issuers, Resolve, ResolveError, Resolver},
};

/// With the feature `jwks`.
impl Config {
    /// Lets a function find the issuers whose names have this form: tenants whose keys or rules differ, or
    /// that come and go while the server runs. Can be called repeatedly, for more patterns.
    ///
    /// A pattern is written like that of [`Issuer::template`]. No other name ever reaches the function, and
    /// none of an issuer that is configured. It gets the name, and returns the issuer, with exactly that
    /// name; `None` where there is none.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer};
    ///
    /// let config = Config::for_issuers([]).resolve_issuers(
    ///     "https://{tenant}.example.com",
    ///     |issuer: String| async move {
    ///         // Ask a database, with a time limit.
    ///         let is_customer = issuer == "https://acme.example.com";
    ///         let found = Issuer::new(&issuer)
    ///             .jwks_url("https://keys.example.com/jwks.json") // fetched once for all of them
    ///             .audience("our-api");
    ///         Ok::<_, std::io::Error>(is_customer.then_some(found))
    ///     },
    /// );
    /// assert!(AuthManager::new(config).is_ok());
    /// ```
    ///
    /// What it finds counts for 5 minutes; after 4, it is asked again in the background. Up to 10,000 issuers
    /// are known at once. A name that is nobody's is refused for a minute without a question. The function
    /// runs once for all requests that wait for one name, for at most 12 names that are new and 4 that are
    /// known at a time, and has 5 seconds. An error, a panic, or an issuer that cannot work is logged and
    /// answered with 503.
    ///
    /// Routes and [`verify_token_async`](crate::AuthManager::verify_token_async) wait for it, inside tokio's
    /// runtime; [`verify_token`](crate::AuthManager::verify_token) answers
    /// [`TokenError::KeysUnavailable`](crate::TokenError::KeysUnavailable) for a name that is not known yet.
    /// The function goes on where a client hangs up.
    pub fn resolve_issuers<F, R, E>(mut self, pattern: impl Into<String>, function: F) -> Self
    where
        F: Fn(String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<Issuer>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let function = Arc::new(function);
        self.resolves.push(Resolve {
            pattern: pattern.into(),
            function: Arc::new(move |issuer| {
                // The call itself is part of the future: it may panic, too.
                let function = Arc::clone(&function);
                Box::pin(async move {
                    (*function)(issuer).await.map_err(E::into) as Result<_, ResolveError>
                })
            }),
        });
        self
    }

    /// Judges the patterns. None matches what another one or a template does.
    pub(super) fn add_resolvers(
        &mut self,
        issuers: &mut Issuers,
        own: &str,
        defaults: &Defaults,
    ) -> Result<(), ConfigError> {
        for resolve in std::mem::take(&mut self.resolves) {
            let pattern = resolve.pattern.clone();
            let wrong = |problem: Problem| {
                let reason =
                    format!("has the pattern `{pattern}` of `resolve_issuers`, which {problem}");
                ConfigError::invalid(key::ISSUERS, reason)
            };
            let labels = issuers.labels.iter().cloned().collect();
            let resolver = Resolver::new(resolve, defaults.clone(), labels).map_err(wrong)?;
            if pattern == own || !issuers.add_resolver(resolver) {
                return Err(wrong(Problem::new(
                    "is there twice, or it is an issuer or a template as well",
                )));
            }
        }
        Ok(())
    }
}
