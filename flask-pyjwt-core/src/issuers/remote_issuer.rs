//! The options of issuers whose keys are fetched: the feature `jwks`.

use std::path::PathBuf;

use time::Duration;

use super::{Defaults, Issuer, KeySource, remote_options::FetchFrom};
use crate::{
    error::Problem,
    jose::HeaderTypes,
    remote::{ProxyChoice, RemoteRules},
};

/// Options for fetched keys, with the feature `jwks`.
impl Issuer {
    /// Fetches the keys from the URL of a JWK set (RFC 7517), and renews them in the background.
    ///
    /// The URL must use https. Redirects are not followed. The response must arrive within 5 seconds, must be JSON and
    /// must not exceed 512 KiB. If this method, [`discovery`](Self::discovery) and
    /// [`discovery_url`](Self::discovery_url) are called repeatedly, the last call is used.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer};
    ///
    /// let trusting = |url| {
    ///     let issuer = Issuer::new("https://accounts.example").jwks_url(url).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer]))
    /// };
    /// assert!(trusting("https://accounts.example/jwks.json").is_ok());
    /// assert!(trusting("http://accounts.example/jwks.json").is_err());
    /// ```
    #[doc(alias = "jwks_uri")]
    #[doc(alias = "PyJWKClient")]
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.remote.from = Some(FetchFrom::Keys(url.into()));
        self
    }

    /// Finds the keys through the issuer's discovery document (`OpenID` Connect Discovery 1.0, section 4).
    ///
    /// The document is fetched from `/.well-known/openid-configuration` below the issuer's name, which must be an https
    /// URL. The `issuer` in the document must equal that name exactly.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer};
    ///
    /// let trusting = |name| {
    ///     let issuer = Issuer::new(name).discovery().audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer]))
    /// };
    /// assert!(trusting("https://accounts.example").is_ok());
    /// assert!(trusting("accounts").is_err()); // not a URL
    /// ```
    #[doc(alias = "oidc")]
    #[doc(alias = "OpenID Connect")]
    #[doc(alias = "well-known")]
    #[doc(alias = "openid-configuration")]
    pub fn discovery(mut self) -> Self {
        self.remote.from = Some(FetchFrom::Discovery(None));
        self
    }

    /// Finds the keys through a discovery document at this URL, for example
    /// `https://accounts.example/.well-known/oauth-authorization-server` (RFC 8414).
    ///
    /// The rules are those of [`discovery`](Self::discovery).
    pub fn discovery_url(mut self, url: impl Into<String>) -> Self {
        self.remote.from = Some(FetchFrom::Discovery(Some(url.into())));
        self
    }

    /// Allows plain http to this machine's loopback addresses: `127.0.0.1`, `[::1]` and `localhost`.
    ///
    /// This is for tests and sidecars. Any local process that can bind the port can issue tokens.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer};
    ///
    /// let trusting = |url| {
    ///     let issuer = Issuer::new("https://accounts.example").jwks_url(url).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer.allow_http_on_loopback(true)]))
    /// };
    /// assert!(trusting("http://127.0.0.1:8080/jwks.json").is_ok());
    /// assert!(trusting("http://accounts.example/jwks.json").is_err());
    /// ```
    pub fn allow_http_on_loopback(mut self, allow: bool) -> Self {
        self.remote.loopback = allow;
        self
    }

    /// Sets the certificate authorities for fetching this issuer's keys, in PEM. They replace the system's.
    ///
    /// Use it for a provider whose certificate was issued by a private authority. The certificate is still checked for
    /// its validity period and its host name. Other issuers are not affected.
    #[doc(alias = "CA")]
    #[doc(alias = "TLS")]
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.remote.connections.roots = Some(pem.as_ref().to_vec());
        self
    }

    /// Allows plain http to one server, given as scheme, host and port: `http://keycloak:8080`.
    ///
    /// This is for a server inside a network that you trust, such as a cluster. **Anybody who can answer in its place
    /// can issue tokens.** A warning is logged at start. All other servers need https, including those that a discovery
    /// document of this server names.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer};
    ///
    /// let trusting = |url| {
    ///     let issuer = Issuer::new("https://sso.example").jwks_url(url).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer.allow_insecure_http("http://keycloak:8080")]))
    /// };
    /// assert!(trusting("http://keycloak:8080/realms/our/protocol/openid-connect/certs").is_ok());
    /// assert!(trusting("http://other:8080/certs").is_err());
    /// ```
    pub fn allow_insecure_http(mut self, server: impl Into<String>) -> Self {
        self.remote.insecure = Some(server.into());
        self
    }

    /// Fetches the keys through the proxy that the environment names: `HTTPS_PROXY`, `HTTP_PROXY` (for plain http) or
    /// `ALL_PROXY`. Hosts in `NO_PROXY` are contacted directly. By default, no proxy is used.
    pub fn proxy_from_env(mut self, from_env: bool) -> Self {
        self.remote.connections.proxy = if from_env {
            ProxyChoice::Environment
        } else {
            ProxyChoice::None
        };
        self
    }

    /// Fetches the keys through this proxy: `http://host:port` or `http://user:password@host:port`.
    ///
    /// The user and password never appear in logs or errors. For https URLs, the proxy sees only the host name and
    /// port.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.remote.connections.proxy = ProxyChoice::Address(address.into());
        self
    }

    /// Sends a header field with each request for keys, for example the key of an API gateway. Can be called
    /// repeatedly.
    ///
    /// Only the configured server receives the field, not another server that a discovery document names. The value
    /// never appears in logs or errors.
    pub fn request_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.remote.fields.push((name.into(), value.into()));
        self
    }

    /// Sends the token in this file as `Authorization: Bearer …` with each request for keys. Only the configured
    /// server receives it.
    ///
    /// The file is read again for each fetch, so that it can be renewed. The key set of Kubernetes needs the token at
    /// `/var/run/secrets/kubernetes.io/serviceaccount/token`.
    pub fn bearer_token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.remote.token_file = Some(path.into());
        self
    }

    /// Accepts responses with any `Content-Type`, or without one. Use it for servers that send key sets with a wrong
    /// type, such as `text/plain`. The content itself is still checked as strictly.
    pub fn accept_any_content_type(mut self, accept: bool) -> Self {
        self.remote.any_content_type = accept;
        self
    }

    /// Sets how long the last good keys are used while their source is down: 1 minute to 30 days, by default 24 hours.
    ///
    /// After that time, requests with this issuer's tokens fail with status 503.
    pub fn keep_keys(mut self, keep: Duration) -> Self {
        self.remote.keep = keep;
        self
    }

    pub(super) fn remote_source(
        &self,
        types: &HeaderTypes,
        defaults: &Defaults,
        has_keys: bool,
    ) -> Result<Option<KeySource>, Problem> {
        let options = &self.remote;
        let Some(from) = &options.from else {
            return match options.unused_option(self.introspection.is_some()) {
                None => Ok(None),
                Some(option) => Err(Problem::new(format!(
                    "has no address to fetch keys from, although {option} is set: give one with `jwks_url(…)` or \
                     `discovery()`"
                ))),
            };
        };
        let request = options.request(from, self.name())?;
        if has_keys {
            return Err(Problem::new(
                "has both keys and an address to fetch keys from: keep one of them",
            ));
        }
        if options.keep < Duration::MINUTE || options.keep > Duration::days(30) {
            return Err(Problem::new(
                "has a `keep_keys` that is less than 1 minute or more than 30 days",
            ));
        }
        let client = defaults.sources.client(&options.connections)?;
        if let Some(server) = &options.insecure {
            tracing::warn!(
                issuer = self.name(),
                server,
                "keys may be fetched over plain http: anybody who can answer in the server's place can issue tokens"
            );
        }
        let keys = defaults.sources.source(RemoteRules {
            issuer: self.name().to_owned(),
            label: defaults
                .pattern
                .as_deref()
                .unwrap_or(self.name())
                .to_owned(),
            request,
            client,
            connections: options.connections.clone(),
            algorithms: self.accepted_algorithms().map(<[_]>::to_vec),
            types: types.clone(),
            crypto: defaults.crypto,
            clock: defaults.clock.clone(),
            keep: options.keep.whole_seconds(),
        });
        Ok(Some(KeySource::Remote(keys)))
    }
}
