//! What is configured about DPoP.

use time::Duration;

use super::{Address, Nonces};
use crate::{
    error::ConfigError,
    jose::NumericDate,
    keys::{AuthType, Crypto, Family, KeyRing, Secret},
    replay::Replays,
};

/// The names of the methods, for errors.
const ALGORITHMS: &str = "dpop_algorithms";
const MAX_AGE: &str = "dpop_max_age";
const NONCE_SECRET: &str = "dpop_nonce_secret";
const PUBLIC_URLS: &str = "public_urls";

/// The longest value of `dpop_max_age`, in seconds.
const LONGEST_AGE: i64 = 600;

/// The configuration, not checked yet.
#[derive(Debug, Clone)]
pub(crate) struct DpopConfig {
    pub(crate) algorithms: Vec<AuthType>,
    pub(crate) max_age: Duration,
    pub(crate) nonce: bool,
    pub(crate) nonce_secret: Option<Secret>,
    pub(crate) public_urls: Vec<String>,
}

impl Default for DpopConfig {
    fn default() -> Self {
        Self {
            algorithms: AuthType::with_public_keys(),
            max_age: Duration::MINUTE,
            nonce: false,
            nonce_secret: None,
            public_urls: Vec::new(),
        }
    }
}

/// What is needed to check proofs.
pub(crate) struct Dpop {
    pub(super) algorithms: Vec<AuthType>,
    /// How far `iat` may be from the clock, in seconds.
    pub(super) window: i64,
    pub(super) nonces: Option<Nonces>,
    pub(super) crypto: Crypto,
    /// The addresses of this server. Empty means those that each request names.
    pub(crate) public_urls: Vec<Address>,
    /// The proofs with which tokens were presented.
    pub(crate) of_requests: Replays,
    /// The proofs that came without a token: anybody can make them, and must not use up the room of the others.
    pub(crate) of_logins: Replays,
}

impl DpopConfig {
    /// Checks every value.
    pub(crate) fn validate(self, crypto: Crypto) -> Result<Dpop, ConfigError> {
        if self.algorithms.is_empty() {
            return Err(ConfigError::invalid(ALGORITHMS, "names no algorithm"));
        }
        let symmetric = |algorithm: &&AuthType| algorithm.family() == Family::Hmac;
        if let Some(symmetric) = self.algorithms.iter().find(symmetric) {
            let reason =
                format!("has {symmetric}: a proof is signed with a key that only the client has");
            return Err(ConfigError::invalid(ALGORITHMS, reason));
        }
        let window = self.max_age.whole_seconds();
        if !(1..=LONGEST_AGE).contains(&window) || self.max_age != Duration::seconds(window) {
            return Err(ConfigError::invalid(
                MAX_AGE,
                "must be 1 to 600 whole seconds",
            ));
        }
        let secret = self.nonce_secret.as_ref().map(Secret::as_bytes);
        if secret.is_some_and(|secret| secret.len() < 32) {
            return Err(ConfigError::invalid(
                NONCE_SECRET,
                "has fewer than 32 bytes: make one with `openssl rand -hex 32`",
            ));
        }
        let urls = self.public_urls.iter().map(|url| {
            Address::parse(url).ok_or_else(|| {
                let reason = format!("has {url:?}: an address is like https://api.example.com");
                ConfigError::invalid(PUBLIC_URLS, reason)
            })
        });
        Ok(Dpop {
            public_urls: urls.collect::<Result<_, _>>()?,
            nonces: self.nonce.then(|| Nonces::new(secret)).transpose()?,
            algorithms: self.algorithms,
            window,
            crypto,
            of_requests: Replays::default(),
            of_logins: Replays::default(),
        })
    }
}

impl Dpop {
    /// The accepted algorithms, separated by blanks, for challenges (RFC 9449, section 7.1).
    pub(crate) fn algorithms(&self) -> String {
        let names: Vec<_> = self.algorithms.iter().map(|it| it.name()).collect();
        names.join(" ")
    }

    /// The nonce for the next proof, if nonces are demanded.
    pub(crate) fn nonce(&self, ring: &KeyRing, now: NumericDate) -> Option<String> {
        self.nonces.as_ref()?.current(ring, now)
    }
}
