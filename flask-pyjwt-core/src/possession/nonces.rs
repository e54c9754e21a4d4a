//! The nonces of DPoP proofs (RFC 9449, section 8). None is stored: each names its time and is authenticated.

use crate::{
    error::ConfigError,
    jose::NumericDate,
    keys::{KeyRing, MacKey, Purpose, Tag},
};

/// How long one nonce is given out, in seconds. It is accepted for twice as long.
const STEP: i64 = 300;

/// Makes and checks nonces.
pub(crate) struct Nonces {
    /// The key, unless the keys of the manager's own tokens make nonces.
    own: MacKey,
    is_configured: bool,
}

/// Whether a nonce is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nonce {
    Current,
    /// Still accepted. The client has to be told the current one.
    Previous,
}

impl Nonces {
    /// With this secret, or a random one for this process.
    pub(super) fn new(secret: Option<&[u8]>) -> Result<Self, ConfigError> {
        let mut random = [0; 32];
        if secret.is_none() {
            getrandom::fill(&mut random).map_err(|_| no_randomness())?;
        }
        let own = MacKey::derived(secret.unwrap_or(&random), Purpose::ProofNonces);
        Ok(Self {
            own: own.ok_or_else(no_randomness)?,
            is_configured: secret.is_some(),
        })
    }

    /// The nonce of this moment.
    pub(super) fn current(&self, ring: &KeyRing, now: NumericDate) -> Option<String> {
        let step = (now.seconds() / STEP).to_string();
        let parts = [step.as_bytes()];
        let of_ring = || ring.tag(Purpose::ProofNonces, &parts);
        let tag = if self.is_configured { None } else { of_ring() };
        let tag = tag.or_else(|| self.own.tag(&parts));
        Some(format!("{step}.{}", tag?))
    }

    /// Checks a nonce. Servers' clocks may differ by a step.
    pub(super) fn check(&self, nonce: &str, ring: &KeyRing, now: NumericDate) -> Option<Nonce> {
        let (step, tag) = nonce.split_once('.')?;
        let tag = Tag::parse(tag)?;
        let current = now.seconds() / STEP;
        let age = [0, 1, -1]
            .into_iter()
            .find(|age| (current - age).to_string() == step)?;
        let parts = [step.as_bytes()];
        let of_ring = || {
            ring.made_by(Purpose::ProofNonces, &parts, &tag, now)
                .is_some()
        };
        let is_own = self.own.verify(&parts, &tag) || (!self.is_configured && of_ring());
        is_own.then_some(match age {
            1 => Nonce::Previous,
            _ => Nonce::Current,
        })
    }
}

fn no_randomness() -> ConfigError {
    ConfigError::invalid(
        "dpop_nonce",
        "needs the system's random numbers, which fail",
    )
}
