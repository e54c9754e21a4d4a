//! Checks that a bound token is presented by its client, and reads DPoP proofs from requests.

use actix_web::{
    HttpMessage as _, HttpRequest,
    http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};

use super::{
    Rejection,
    bearer::{Scheme, authorization},
    client_certificate,
    credentials::Source,
    origin::hosts_of,
};
use crate::{
    claims::Binding,
    jose::{Thumbprint, TokenError},
    keys::sha256,
    log_limit::admits,
    manager::AuthManager,
    possession::{Address, Checked, Expected, ProofError, Unfit},
    replay::{Digest, NotFirst, Replays},
    rules::Requirement,
    token::Token,
};

/// The field of a proof (RFC 9449, section 4.1).
const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The field of a nonce (RFC 9449, section 8.1).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Whether [`check`] has to look at a token that came as `Bearer`. It accepts all others.
pub(super) fn has_to_be_proven(
    manager: &AuthManager,
    requirement: &Requirement,
    token: &Token,
) -> bool {
    token.is_bound() || requirement.bound || manager.parts().require_bound
}

/// Checks what a token is bound to. Returns the nonce for the client's next proof, if it needs another one.
pub(super) async fn check(
    manager: &AuthManager,
    requirement: &Requirement,
    request: &HttpRequest,
    token: &Token,
    source: Source,
) -> Result<Option<Box<str>>, Rejection> {
    let is_proven = source == Source::Dpop;
    let Some(binding) = token.binding() else {
        let is_required = requirement.bound || manager.parts().require_bound;
        if is_required || is_proven {
            return Err(Rejection::NotBound);
        }
        return Ok(None);
    };
    check_certificate(manager, request, binding)?;
    match (binding.key, is_proven) {
        (None, false) => Ok(None),
        // The scheme says that the token is bound to a key.
        (None, true) => Err(Rejection::NotBound),
        (Some(_), false) => Err(TokenError::Bound.into()),
        (Some(key), true) => {
            let proof = sole_proof(request)?.ok_or(Rejection::InvalidProof(ProofError::Missing))?;
            let checked = check_proof(manager, request, proof, Some((token.signed(), key)))?;
            use_once(
                manager,
                request,
                &checked,
                &manager.parts().dpop.of_requests,
                account(token),
            )
            .await?;
            Ok(next_nonce(manager, &checked)?.map(String::into_boxed_str))
        }
    }
}

/// Checks that the connection has the certificate to which a token is bound, if it is bound to one.
fn check_certificate(
    manager: &AuthManager,
    request: &HttpRequest,
    binding: Binding,
) -> Result<(), Rejection> {
    let Some(bound_to) = binding.certificate else {
        return Ok(());
    };
    match client_certificate::of(manager, request) {
        None => Err(Rejection::NoCertificate),
        Some(own) if own != bound_to => Err(Rejection::OtherCertificate),
        Some(_) => Ok(()),
    }
}

/// The nonce for the client's next proof, if it needs another one.
pub(super) fn next_nonce(
    manager: &AuthManager,
    proof: &Checked,
) -> Result<Option<String>, Rejection> {
    if proof.wants_nonce {
        nonce(manager)
    } else {
        Ok(None)
    }
}

/// The proof of a request. Two are refused.
pub(super) fn sole_proof(request: &HttpRequest) -> Result<Option<&str>, Rejection> {
    let mut fields = request.headers().get_all(DPOP);
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    // A proof has no comma. A proxy has joined two fields (RFC 9110, section 5.3).
    if fields.next().is_some() || field.as_bytes().contains(&b',') {
        return Err(Rejection::InvalidProof(ProofError::Several));
    }
    let proof = field.to_str();
    proof
        .map(Some)
        .map_err(|_| Rejection::InvalidProof(ProofError::Malformed))
}

/// Checks a proof for this request, and not whether it was used before.
pub(super) fn check_proof(
    manager: &AuthManager,
    request: &HttpRequest,
    proof: &str,
    token: Option<(&str, Thumbprint)>,
) -> Result<Checked, Rejection> {
    check_proof_for(manager, request, proof, token, None)
}

/// The same, for a request that can have a further address.
pub(super) fn check_proof_for(
    manager: &AuthManager,
    request: &HttpRequest,
    proof: &str,
    token: Option<(&str, Thumbprint)>,
    address: Option<Address>,
) -> Result<Checked, Rejection> {
    let parts = manager.parts();
    let mut addresses = addresses(manager, request);
    addresses.extend(address);
    let (ring, clock) = (&parts.verification.keys, &parts.verification.clock);
    let expected = Expected {
        method: request.method().as_str(),
        addresses: &addresses,
        token,
    };
    let checked = parts.dpop.check(proof, &expected, ring, clock.now());
    checked.map_err(|unfit| match unfit {
        Unfit::Proof(error) => Rejection::InvalidProof(error),
        Unfit::Clock(error) => error.into(),
        Unfit::Nonce => match nonce(manager) {
            Ok(nonce) => Rejection::NonceRequired {
                nonce: nonce.unwrap_or_default(),
            },
            Err(error) => error,
        },
    })
}

/// The proof that this request has used. The guard of a handler inside a guarded scope sees it again.
struct Used(Digest);

/// Notes that a request has used a proof. Refuses it if another one has used it, or if that cannot be told.
pub(super) async fn use_once(
    manager: &AuthManager,
    request: &HttpRequest,
    proof: &Checked,
    replays: &Replays,
    sender: Digest,
) -> Result<(), Rejection> {
    let used = request.extensions().get::<Used>().map(|used| used.0);
    if used == Some(proof.id) {
        return Ok(());
    }
    note_use(manager, proof, replays, sender).await?;
    request.extensions_mut().insert(Used(proof.id));
    Ok(())
}

/// Whose proofs are counted together. Not those of one key: an account can make as many keys as it likes.
pub(super) fn account(token: &Token) -> Digest {
    // The issuer has no control characters.
    sha256([token.iss(), token.sub()].join("\0").as_bytes())
}

async fn note_use(
    manager: &AuthManager,
    proof: &Checked,
    replays: &Replays,
    sender: Digest,
) -> Result<(), Rejection> {
    const REPLAYED: Rejection = Rejection::InvalidProof(ProofError::Replayed);
    let now = manager.parts().verification.clock.now()?;
    match replays.first_use(sender, proof.id, proof.ends_at, now) {
        Ok(()) => {}
        Err(NotFirst::Used) => return Err(REPLAYED),
        Err(NotFirst::Full) => {
            if admits("too_many_proofs") {
                tracing::warn!(
                    "too many DPoP proofs are remembered, of one account or key, or of all: more are refused with 503"
                );
            }
            return Err(Rejection::Unavailable {
                retry_after: time::Duration::SECOND,
            });
        }
    }
    let Some(sessions) = &manager.parts().sessions else {
        return Ok(());
    };
    let is_first = sessions.first_use(&proof.id, proof.ends_at, now).await;
    let is_first = is_first.map_err(Rejection::anew)?;
    is_first.then_some(()).ok_or(REPLAYED)
}

/// The addresses that a proof for this request may name.
fn addresses(manager: &AuthManager, request: &HttpRequest) -> Vec<Address> {
    let path = request.uri().path();
    let public = &manager.parts().dpop.public_urls;
    if !public.is_empty() {
        return public.iter().filter_map(|url| url.join(path)).collect();
    }
    let info = request.connection_info();
    let scheme = info.scheme().to_owned();
    drop(info);
    let hosts = hosts_of(request);
    let addresses = hosts
        .iter()
        .filter_map(|host| Address::of(&scheme, host, path));
    addresses.collect()
}

/// The nonce for the next proof, if nonces are demanded.
pub(super) fn nonce(manager: &AuthManager) -> Result<Option<String>, Rejection> {
    let parts = manager.parts();
    let now = parts.verification.clock.now()?;
    Ok(parts.dpop.nonce(&parts.verification.keys, now))
}

pub(super) fn tell_nonce(nonce: &str, answer: &mut HeaderMap) {
    if let Ok(nonce) = HeaderValue::from_str(nonce) {
        answer.insert(DPOP_NONCE, nonce);
    }
}

/// The accepted algorithms of proofs, for challenges.
pub(super) fn algorithms(manager: Option<&AuthManager>) -> String {
    manager.map_or_else(String::new, |manager| manager.parts().dpop.algorithms())
}

/// Whether the credentials of a request are of the scheme `DPoP`.
pub(super) fn came_with_proof(request: &HttpRequest) -> bool {
    request.headers().contains_key(AUTHORIZATION)
        && matches!(authorization(request), Ok(Some((Scheme::Dpop, _))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthType, Config};

    /// Keys cost nothing: with a limit for each key, one account could take all places.
    #[test]
    fn threat_63_proofs_are_counted_by_account_whatever_their_key() {
        let manager = |issuer: &str| {
            let config = Config::new(
                issuer,
                AuthType::HS256,
                "a secret of 32 bytes, at the least",
            );
            AuthManager::new(config).expect("a valid configuration")
        };
        let (here, there) = (manager("here"), manager("there"));
        let of = |auth: &AuthManager, user: &str, key: &str| {
            let token = auth.auth_token(user).bind_to(key.repeat(43)).sign();
            account(&token.expect("minted"))
        };
        let alice = of(&here, "alice", "A");
        assert_eq!(of(&here, "alice", "E"), alice);
        assert_ne!(of(&here, "bob", "A"), alice);
        assert_ne!(of(&there, "alice", "A"), alice);
    }
}
