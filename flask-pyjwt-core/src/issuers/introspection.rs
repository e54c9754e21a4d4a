//! The options of issuers that are asked about their opaque tokens: the feature `jwks`.

use std::sync::Arc;

use time::Duration;

use super::{Defaults, IntrospectionClient, Issuer, introspection_client::Asked};
use crate::{
    claims::ClaimRules,
    error::Problem,
    remote::{Address, Endpoint, Introspection, basic},
};

/// How long an active token is not asked about again, by default.
const DEFAULT_CACHE: Duration = Duration::seconds(30);

/// Opaque tokens, with the feature `jwks`.
impl Issuer {
    /// Asks the issuer about opaque tokens, at its introspection endpoint (RFC 7662). A token is opaque if it is not of the
    /// three segments of a JWT.
    ///
    /// The claims of the answer are judged by the same rules as those of a JWT of this issuer, except that `iss` may be
    /// missing: `active` has to be `true`, and `exp`, `iat`, `aud` and `sub` have to be there. Handlers then see a
    /// [`Token`](crate::Token) with these claims, and routes can require them.
    ///
    /// The same limits as for fetched keys apply: https only, no redirects, 5 seconds, and at most 64 KiB. If the endpoint
    /// does not answer, the answer to the request is 503. At most 128 questions are on their way at the same time; tokens
    /// beyond them get 503, too.
    ///
    /// Only one issuer of a manager can have it, because an opaque token does not say whose it is. The issuer needs no keys
    /// if all its tokens are opaque. [`verify_token`](crate::AuthManager::verify_token) never asks:
    /// [`verify_token_async`](crate::AuthManager::verify_token_async) and guards do.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, IntrospectionClient, Issuer};
    ///
    /// let issuer = Issuer::new("https://accounts.example")
    ///     .introspection("https://accounts.example/introspect", IntrospectionClient::basic("our-api", "the secret"))
    ///     .audience("our-api");
    /// assert!(AuthManager::new(Config::for_issuers([issuer])).is_ok());
    ///
    /// // Tokens and the secret would be sent in the clear.
    /// let issuer = Issuer::new("https://accounts.example")
    ///     .introspection("http://accounts.example/introspect", IntrospectionClient::basic("our-api", "the secret"))
    ///     .audience("our-api");
    /// assert!(AuthManager::new(Config::for_issuers([issuer])).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "RFC 7662")]
    #[doc(alias = "opaque tokens")]
    #[doc(alias = "reference tokens")]
    pub fn introspection(mut self, url: impl Into<String>, client: IntrospectionClient) -> Self {
        let url = url.into();
        self.introspection = Some(Asked { url, client });
        self
    }

    /// Sets how long an active token is not asked about again, at most until its `exp`: 0 to 3600 seconds. A revoked token
    /// is accepted for this long. The default is 30 seconds.
    ///
    /// That a token is not active is remembered for 5 seconds.
    pub fn introspection_cache(mut self, age: Duration) -> Self {
        self.introspection_cache = Some(age);
        self
    }

    /// Prepares the introspection, if there is one.
    pub(super) fn introspection_of(
        &self,
        rules: &Arc<ClaimRules>,
        defaults: &Defaults,
    ) -> Result<Option<Arc<Introspection>>, Problem> {
        let Some(Asked { url, client }) = &self.introspection else {
            return if self.introspection_cache.is_some() {
                Err(Problem::new(
                    "has an `introspection_cache` and no `introspection(…)`",
                ))
            } else {
                Ok(None)
            };
        };
        if self.is_template || defaults.pattern.is_some() {
            return Err(Problem::new(
                "has `introspection(…)`, although it is one of many issuers of a pattern: an opaque token does not say \
                 whose it is",
            ));
        }
        let cache = self.introspection_cache.unwrap_or(DEFAULT_CACHE);
        if !(Duration::ZERO..=Duration::HOUR).contains(&cache) {
            return Err(Problem::new(
                "has an `introspection_cache` that is not 0 to 3600 seconds",
            ));
        }
        if client.id.is_empty() || client.secret.as_bytes().is_empty() {
            return Err(Problem::new(
                "has an `introspection(…)` whose client has an empty ID or an empty secret",
            ));
        }
        let address = Address::parse(url, &self.remote.plain_http()?);
        let address = address.map_err(|problem| {
            Problem::new(format!("has an introspection address that {problem}"))
        })?;
        let authorization = basic(&client.id, client.secret.as_bytes());
        let authorization = authorization.ok_or("has a client whose secret cannot be sent")?;
        if let Some(server) = &self.remote.insecure {
            tracing::warn!(
                issuer = self.name(),
                server,
                "tokens may be asked about over plain http: anybody who can answer in the server's place can make tokens"
            );
        }
        let endpoint = Endpoint {
            issuer: self.name().to_owned(),
            address,
            client: defaults.sources.client(&self.remote.connections)?,
            authorization,
            any_content_type: self.remote.any_content_type,
        };
        // At most an hour.
        let active_for = i64::try_from(cache.whole_milliseconds()).unwrap_or_default();
        Ok(Some(Arc::new(Introspection::new(
            endpoint,
            Arc::clone(rules),
            defaults.clock.clone(),
            active_for,
            defaults.sources.questions(),
        ))))
    }
}
