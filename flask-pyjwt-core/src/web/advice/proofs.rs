//! Advice about a DPoP proof that is refused, one sentence for each rule.

use crate::possession::ProofError;

/// What the client has to change so that the proof is accepted.
pub(super) const fn what_to_do(error: ProofError) -> &'static str {
    match error {
        ProofError::Missing => "send one in the field `DPoP`, made for this request",
        ProofError::Several => "send one, and check whether a proxy adds another",
        ProofError::Malformed => "send a JWT of at most 8,192 bytes, as a DPoP library makes it",
        ProofError::Type => "set `typ` to `dpop+jwt` in the header of the proof",
        ProofError::Algorithm => {
            "sign it with an asymmetric algorithm, one of those that `Config::dpop_algorithms` names"
        }
        ProofError::Key => {
            "put the public key into `jwk`, without its private members; an RSA key needs 2048 bits"
        }
        ProofError::Signature => "sign it with the private key of its `jwk`",
        ProofError::Claim(_) => {
            "mint `jti`, `htm`, `htu` and `iat`, and with a token `ath`, as RFC 9449, section 4.2 says"
        }
        ProofError::Method => "make a proof for each request, with its method in `htm`",
        ProofError::Address => {
            "make a proof for each request, with its address in `htu`, without the query; behind a proxy, have it pass \
             on `X-Forwarded-Proto` and `X-Forwarded-Host`, or name the address with `Config::public_urls`"
        }
        ProofError::Time => {
            "make a proof for each request, and set the client's clock: it may differ by `Config::dpop_max_age` (1 minute by \
             default), or by 5 minutes with `Config::dpop_nonce`"
        }
        ProofError::OtherToken => "set `ath` to the SHA-256 hash of the token that the request has",
        ProofError::OtherKey => "sign the proof with the key with which the token was requested",
        ProofError::Replayed => "make a proof with a new `jti` for each request",
    }
}
