//! A remote key as an application gives it, and its checks.

use std::{fmt, sync::Arc};

use time::Duration;
use tokio::sync::Semaphore;

use super::{
    AuthType, Crypto, Family, KeyProblem, PublicPart, RemoteKey, RemoteSigner, Secret, Signer,
    derived::DerivedKeys,
    jwk::ParsedJwk,
    pair::{self, Names, Pair},
    provided::SignatureForm,
};
use crate::{error::ConfigError, json::Document};

/// The name of a remote key in errors.
pub(super) const REMOTE: &str = "Key::remote";

const LONGEST_TIMEOUT: Duration = Duration::MINUTE;
const MOST_RETRIES: u32 = 10;
const MOST_CONCURRENT: usize = 10_000;

/// A remote key as the application gives it.
#[derive(Clone)]
pub(super) struct GivenRemote {
    pub(super) signer: Arc<dyn RemoteSigner>,
    pub(super) public: String,
    pub(super) timeout: Duration,
    pub(super) retries: u32,
    pub(super) concurrency: usize,
    pub(super) local_secret: Option<Secret>,
}

impl GivenRemote {
    /// Checks the settings and the public key, and prepares the key.
    pub(super) fn prepare(&self, auth_type: AuthType, crypto: Crypto) -> Result<Pair, ConfigError> {
        let invalid = |reason: String| ConfigError::invalid(REMOTE, reason);
        if auth_type.family() == Family::Hmac {
            return Err(invalid(format!(
                "has the algorithm {auth_type}, which has no public key: use one of RSA, ECDSA or EdDSA"
            )));
        }
        if !(Duration::MILLISECOND..=LONGEST_TIMEOUT).contains(&self.timeout) {
            return Err(invalid(format!(
                "has a `timeout` of {} ms: it takes 1 ms to a minute",
                self.timeout.whole_milliseconds()
            )));
        }
        if self.retries > MOST_RETRIES {
            return Err(invalid(format!(
                "has {} `retries`: at most {MOST_RETRIES} are possible",
                self.retries
            )));
        }
        if !(1..=MOST_CONCURRENT).contains(&self.concurrency) {
            return Err(invalid(format!(
                "has a `concurrency` of {}: it takes 1 to {MOST_CONCURRENT}",
                self.concurrency
            )));
        }
        let names = Names {
            secret: REMOTE,
            public: REMOTE,
        };
        let public = self.public_part(auth_type)?;
        let mut pair = pair::asymmetric(auth_type, None, Some(&public), crypto, names)?;
        let Some(numbers) = &pair.public else {
            return Err(pair::unusable(auth_type, REMOTE)(KeyProblem::Unfit));
        };
        pair.signer = Some(Signer::Remote(Box::new(RemoteKey {
            signer: Arc::clone(&self.signer),
            timeout: self.timeout.unsigned_abs(),
            retries: self.retries,
            concurrency: self.concurrency,
            places: Semaphore::new(self.concurrency),
            auth_type,
            form: SignatureForm::of(numbers),
        })));
        pair.derived = self.derived(&pair.fingerprint)?;
        Ok(pair)
    }

    /// Derives the keys for CSRF proofs and seals from the local secret and the public key. Different remote keys with
    /// the same local secret have different ones, so that a removed key's proofs are invalid.
    fn derived(&self, fingerprint: &str) -> Result<Option<DerivedKeys>, ConfigError> {
        let Some(secret) = &self.local_secret else {
            return Ok(None);
        };
        let secret = secret.as_bytes();
        pair::check_secret(AuthType::HS256, secret, false).map_err(|problem| {
            let problem = String::from(problem);
            ConfigError::invalid(REMOTE, format!("has a `local_secret` that {problem}"))
        })?;
        let material = zeroize::Zeroizing::new([fingerprint.as_bytes(), b".", secret].concat());
        Ok(DerivedKeys::from_secret(&material))
    }

    /// The public key that the signer has given.
    fn public_part(&self, auth_type: AuthType) -> Result<PublicPart, ConfigError> {
        let text = self.public.trim();
        if !text.starts_with('{') {
            return Ok(PublicPart::text(text));
        }
        let invalid =
            |reason: String| ConfigError::invalid(REMOTE, format!("has a JWK that {reason}"));
        let document = Document::object(text.to_owned())
            .map_err(|_| invalid("is not a JSON object without repeated members".to_owned()))?;
        let checked =
            ParsedJwk::parse(document.root()).and_then(|jwk| jwk.check(Some(&[auth_type])));
        let checked = checked.map_err(|problem| invalid(problem.to_string()))?;
        Ok(PublicPart::Numbers(checked.public))
    }
}

impl fmt::Debug for GivenRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenRemote").finish_non_exhaustive()
    }
}
