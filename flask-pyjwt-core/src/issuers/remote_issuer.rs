//! An issuer whose keys are fetched: the feature `jwks`.

use std::path::PathBuf;

use time::Duration;

use super::{Defaults, ISSUERS, Issuer, KeySource, remote_options::From};
use crate::{
    error::{ConfigError, Problem},
    jose::HeaderTypes,
    remote::{ProxyChoice, RemoteRules},
};

/// With the feature `jwks`.
impl Issuer {
    /// Fetches the keys from this address of a JWK set (RFC 7517), and renews them in the background.
    ///
    /// The address has to be https. No redirect is followed; an answer has 5 seconds, 512 KiB, and to be
    /// JSON. Set several sources, and the last one counts.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.remote.from = Some(From::Keys(url.into()));
        self
    }

    /// Finds the keys by the issuer's discovery document, at `/.well-known/openid-configuration` below
    /// the issuer's name (`OpenID` Connect Discovery 1.0, section 4). Its `issuer` has to be exactly that
    /// name.
    pub fn discovery(mut self) -> Self {
        self.remote.from = Some(From::Discovery(None));
        self
    }

    /// The same with the document at another address, for instance
    /// `/.well-known/oauth-authorization-server` (RFC 8414).
    pub fn discovery_url(mut self, url: impl Into<String>) -> Self {
        self.remote.from = Some(From::Discovery(Some(url.into())));
        self
    }

    /// Allows http where the address is this machine's loopback: `127.0.0.1`, `[::1]`, `localhost`. For
    /// tests and for sidecars; whoever can bind that port can issue tokens.
    pub fn allow_http_on_loopback(mut self, allow: bool) -> Self {
        self.remote.loopback = allow;
        self
    }

    /// Sets the certificate authorities that are trusted for the servers of this issuer's keys, in PEM,
    /// in place of the system's: for a provider whose certificate a private authority has issued.
    ///
    /// The certificate still has to be valid now, and for the host of the address. Other issuers are not
    /// concerned.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.remote.connections.roots = Some(pem.as_ref().to_vec());
        self
    }

    /// Allows plain http to this one server: `http://keycloak:8080`, scheme, host and port. For a server
    /// inside a network that you trust, such as a cluster's. **Whoever can answer in its place there can
    /// issue tokens.** It is logged as a warning at start. Other servers are asked by https, also those
    /// that a discovery document of this one names.
    pub fn allow_insecure_http(mut self, server: impl Into<String>) -> Self {
        self.remote.insecure = Some(server.into());
        self
    }

    /// Reaches the servers of the keys by the proxy that the environment names: `HTTPS_PROXY`,
    /// `HTTP_PROXY` (for plain http), `ALL_PROXY`, and `NO_PROXY` for the hosts that need none. By default
    /// no proxy is asked.
    pub fn proxy_from_env(mut self, from_env: bool) -> Self {
        self.remote.connections.proxy = if from_env {
            ProxyChoice::Environment
        } else {
            ProxyChoice::None
        };
        self
    }

    /// Reaches the servers of the keys by this proxy: `http://host:port`, with a user and a password if it
    /// wants them, which are never shown. A proxy of https sees which hosts are asked, and nothing else.
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.remote.connections.proxy = ProxyChoice::Address(address.into());
        self
    }

    /// Sends a header field with each request to the configured server, for instance the key of an API
    /// gateway. Its value is never shown, and no other server gets it, not even one that a discovery
    /// document names. Can be called repeatedly.
    pub fn request_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.remote.fields.push((name.into(), value.into()));
        self
    }

    /// Sends the token in this file as `Authorization: Bearer …` to the configured server, and to no other.
    /// The file is read again for each fetch, since its owner renews it: Kubernetes' key set asks for the
    /// one at `/var/run/secrets/kubernetes.io/serviceaccount/token`.
    pub fn bearer_token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.remote.token_file = Some(path.into());
        self
    }

    /// Takes an answer for JSON whatever its `Content-Type` says, `text/plain` or nothing at all. What is in
    /// it is judged just as strictly. For sources that you know to be mistaken about it.
    pub fn accept_any_content_type(mut self, accept: bool) -> Self {
        self.remote.any_content_type = accept;
        self
    }

    /// Sets for how long the last good keys are used while their source is down: 1 minute to 30 days, by
    /// default 24 hours. Then the issuer's tokens are answered with 503.
    pub fn keep_keys(mut self, keep: Duration) -> Self {
        self.remote.keep = keep;
        self
    }

    pub(super) fn remote_source(
        &self,
        types: &HeaderTypes,
        defaults: &Defaults,
        has_keys: bool,
    ) -> Result<Option<KeySource>, ConfigError> {
        let options = &self.remote;
        let refused = |problem: Problem| ConfigError::invalid(ISSUERS, problem);
        let Some(from) = &options.from else {
            return match options.without_address() {
                None => Ok(None),
                Some(option) => Err(refused(Problem::new(format!(
                    "is not fetched, and has {option} for that: give an address with `jwks_url` or \
                     `discovery`"
                )))),
            };
        };
        let request = options.request(from, self.name()).map_err(refused)?;
        if has_keys {
            return Err(refused(Problem::new(
                "is given beside an address: keep one of them",
            )));
        }
        if options.keep < Duration::MINUTE || options.keep > Duration::days(30) {
            return Err(refused(Problem::new(
                "is kept for less than a minute or more than 30 days",
            )));
        }
        let client = defaults
            .sources
            .client(&options.connections)
            .map_err(refused)?;
        if let Some(server) = &options.insecure {
            tracing::warn!(
                issuer = self.name(),
                server,
                "keys may be fetched by plain http: whoever can answer in the server's place can issue tokens"
            );
        }
        let keys = defaults.sources.source(RemoteRules {
            issuer: self.name().to_owned(),
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
