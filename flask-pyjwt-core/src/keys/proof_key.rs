//! The key of a client, which comes with its proof (RFC 9449, section 4.2).

use super::{AuthType, Crypto, Verifier, jwk::ParsedJwk};
use crate::{jose::Thumbprint, json::Json};

/// A public key that a client has sent. It proves that the client has the private key, and nothing about who it is.
pub(crate) struct ProofKey {
    /// The JWK thumbprint (RFC 7638), to which tokens are bound.
    pub(crate) thumbprint: Thumbprint,
    verifier: Verifier,
}

impl ProofKey {
    /// Reads a JWK for an algorithm. Private and symmetric keys, keys of another algorithm and weak keys are `None`.
    pub(crate) fn of(jwk: Json<'_>, algorithm: AuthType, crypto: Crypto) -> Option<Self> {
        let checked = ParsedJwk::parse(jwk).ok()?.check(Some(&[algorithm])).ok()?;
        let verifier = crypto.public(algorithm, &checked.public.to_material());
        Some(Self {
            thumbprint: Thumbprint::parse(&checked.public.thumbprint())?,
            verifier: verifier.ok()?,
        })
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature)
    }
}
