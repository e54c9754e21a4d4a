//! An issuer whose keys are fetched: the feature `jwks`.

use std::sync::Arc;

use time::Duration;

use super::{Issuer, KeySource, issuer::Defaults};
use crate::{
    config::key::ISSUERS,
    error::ConfigError,
    remote::{Address, Place, RemoteKeys, RemoteRules, client_of},
    token::HeaderTypes,
};

/// How long the last good set is used while its source is down, unless configured otherwise.
const DEFAULT_KEEP: Duration = Duration::hours(24);

/// Where keys are fetched from.
#[derive(Debug, Clone)]
enum From {
    Keys(String),
    Discovery(Option<String>),
}

/// What is configured of an issuer whose keys are fetched.
#[derive(Debug, Clone)]
pub(super) struct RemoteOptions {
    from: Option<From>,
    loopback: bool,
    roots: Option<Vec<u8>>,
    keep: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            from: None,
            loopback: false,
            roots: None,
            keep: DEFAULT_KEEP,
        }
    }
}

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

    /// Sets the certificates of the authorities that may vouch for the servers of this issuer's keys, in PEM,
    /// in place of the system's: for a provider whose certificate a private authority has issued.
    ///
    /// The certificate still has to be valid now, and for the host of the address. Other issuers are not
    /// concerned.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.remote.roots = Some(pem.as_ref().to_vec());
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
        let refused = |reason: &str| ConfigError::invalid(ISSUERS, reason);
        let address = match &options.from {
            None if options.roots.is_some() => {
                return Err(refused(
                    "is not fetched, and has root certificates for that: give an address with \
                     `jwks_url` or `discovery`",
                ));
            }
            None => return Ok(None),
            Some(From::Keys(url) | From::Discovery(Some(url))) => {
                Address::parse(url, options.loopback)
            }
            Some(From::Discovery(None)) => Address::discovery(self.name(), options.loopback),
        };
        let address =
            address.map_err(|reason| refused(&format!("comes from an address that {reason}")))?;
        if has_keys {
            return Err(refused("is given beside an address: keep one of them"));
        }
        if options.keep < Duration::MINUTE || options.keep > Duration::days(30) {
            return Err(refused(
                "is kept for less than a minute or more than 30 days",
            ));
        }
        let client = match &options.roots {
            Some(roots) => Some(client_of(roots).ok_or_else(|| {
                refused("comes from a server whose root certificates are no certificates in PEM")
            })?),
            None => None,
        };
        let place = match &options.from {
            Some(From::Discovery(_)) => Place::Discovery(address),
            _ => Place::Keys(address),
        };
        let keys = RemoteKeys::new(RemoteRules {
            issuer: self.name().to_owned(),
            place,
            loopback: options.loopback,
            client,
            algorithms: self.accepted_algorithms().map(<[_]>::to_vec),
            types: types.clone(),
            clock: defaults.clock.clone(),
            keep: options.keep.whole_seconds(),
        });
        Ok(Some(KeySource::Remote(Arc::new(keys))))
    }
}
