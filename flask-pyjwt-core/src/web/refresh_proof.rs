//! What a request to the token endpoint proves (RFC 9449, section 5; RFC 8705, section 4).

use actix_web::HttpRequest;

use super::{
    Rejection,
    binding::{account, check_proof_for, next_nonce, sole_proof, use_once},
    client_certificate,
};
use crate::{
    claims::Binding,
    jose::{Segments, Thumbprint},
    json::Document,
    manager::AuthManager,
    possession::{Address, Checked, ProofError},
    token::Token,
};

/// The key and the certificate that a request proves. A proof has no hash of the refresh token, which comes in the form, so
/// it is checked before the token is looked at.
pub(crate) struct RefreshProof {
    key: Option<Checked>,
    certificate: Option<Thumbprint>,
}

impl RefreshProof {
    /// Checks the DPoP proof of a request, if it has one, and not whether it was used before. `url` is the configured address
    /// of the endpoint.
    pub(crate) fn of(
        manager: &AuthManager,
        request: &HttpRequest,
        url: Option<&str>,
    ) -> Result<Self, Rejection> {
        let proof = sole_proof(request)?;
        let address = url.and_then(Address::parse);
        let check = |proof| check_proof_for(manager, request, proof, None, address);
        Ok(Self {
            key: proof.map(check).transpose()?,
            certificate: client_certificate::of(manager, request),
        })
    }

    /// Whether nothing is proven.
    pub(crate) fn is_empty(&self) -> bool {
        self.key.is_none() && self.certificate.is_none()
    }

    /// Checks that a token with this binding is bound to nothing else.
    pub(crate) fn check(&self, binding: Option<Binding>) -> Result<(), Rejection> {
        let Some(Binding { key, certificate }) = binding else {
            return Ok(());
        };
        match (certificate, self.certificate) {
            (Some(_), None) => return Err(Rejection::NoCertificate),
            (Some(bound_to), Some(own)) if bound_to != own => {
                return Err(Rejection::OtherCertificate);
            }
            _ => {}
        }
        match (key, &self.key) {
            (Some(_), None) => Err(Rejection::InvalidProof(ProofError::Missing)),
            (Some(key), Some(proof)) if proof.key != key => {
                Err(Rejection::InvalidProof(ProofError::OtherKey))
            }
            _ => Ok(()),
        }
    }

    /// Whether a token, which was verified before, is bound, and to nothing else.
    pub(crate) fn is_of(&self, signed: &str) -> bool {
        let payload = Segments::of(signed).and_then(|segments| segments.decode_payload());
        let payload = payload
            .ok()
            .and_then(|payload| Document::object(payload).ok());
        let binding = payload.and_then(|payload| Binding::of(payload.root().member("cnf")?).ok());
        binding.is_some() && self.check(binding).is_ok()
    }

    /// Uses the proof up. Returns the nonce for the client's next one, if it needs another one.
    pub(crate) async fn use_up(
        &self,
        manager: &AuthManager,
        request: &HttpRequest,
        token: &Token,
    ) -> Result<Option<String>, Rejection> {
        let Some(proof) = &self.key else {
            return Ok(None);
        };
        let dpop = &manager.parts().dpop;
        // Anybody can make a proof for a token that is bound to no key.
        let (replays, sender) = match token.binding().and_then(|binding| binding.key) {
            Some(_) => (&dpop.of_requests, account(token)),
            None => (&dpop.of_logins, proof.key.0),
        };
        use_once(manager, request, proof, replays, sender).await?;
        next_nonce(manager, proof)
    }
}
