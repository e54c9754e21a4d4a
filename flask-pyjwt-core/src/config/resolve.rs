//! Issuers that a function of the application finds at run time (feature `jwks`).

use std::{error::Error, future::Future, sync::Arc};

use super::{Config, key};
use crate::{
    error::{ConfigError, Problem},
    issuers::{Defaults, Issuer, Issuers, Resolve, ResolveError, Resolver},
};

/// Needs the feature `jwks`.
impl Config {
    /// Finds issuers whose names match a pattern by an async function, while the server runs.
    ///
    /// Use it for tenants with different keys or rules, or tenants that come and go. A pattern has the syntax of
    /// [`Issuer::template`]. The function is called only for names that match the pattern and are not configured. It
    /// returns an issuer with exactly the given name, or `None`. Can be called repeatedly, with other patterns.
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
    /// A found issuer is used for 5 minutes, and looked up again in the background after 4. Up to 10,000 issuers are kept.
    /// A name without an issuer is refused for one minute without another call. All requests that wait for one name share
    /// one call. At most 12 calls for new names and 4 for known names run at a time, each for at most 5 seconds. An error,
    /// a panic or an invalid issuer is logged and answered with 503.
    ///
    /// Guards and [`verify_token_async`](crate::AuthManager::verify_token_async) wait for the call, inside a tokio
    /// runtime. [`verify_token`](crate::AuthManager::verify_token) returns
    /// [`TokenError::KeysUnavailable`](crate::TokenError::KeysUnavailable) for a name that is not known yet. A call
    /// continues if the client disconnects.
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
                // The call is inside the future, because it may panic as well.
                let function = Arc::clone(&function);
                Box::pin(async move {
                    (*function)(issuer).await.map_err(E::into) as Result<_, ResolveError>
                })
            }),
        });
        self
    }

    /// Checks the patterns. No two of them, and no template, may match the same name.
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
                    "is given twice, or is also an issuer or a template",
                )));
            }
        }
        Ok(())
    }
}
