//! Why a DPoP proof is refused.

use crate::error_chain::debug_is_the_sentence;

/// The first rule of a DPoP proof that is broken (RFC 9449, section 4.3).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{ProofError, Rejection};
///
/// let refused = Rejection::InvalidProof(ProofError::Replayed);
/// assert_eq!((refused.status().as_u16(), refused.oauth_error()), (401, "invalid_dpop_proof"));
/// assert_eq!(refused.reason(), "dpop_replayed");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The credentials are of the scheme `DPoP`, and there is no field `DPoP`.
    #[error("the request has no DPoP proof")]
    Missing,
    /// There are two fields `DPoP`, or one into which a proxy has joined two.
    #[error("the request has two DPoP proofs")]
    Several,
    /// The proof is longer than 8,192 bytes, is not a JWT, or has `crit`, `b64` or `zip`.
    #[error("the DPoP proof is not a JWT of at most 8,192 bytes, or requires an extension")]
    Malformed,
    /// `typ` is not `dpop+jwt`.
    #[error("the `typ` of the DPoP proof is not `dpop+jwt`")]
    Type,
    /// `alg` is symmetric, `none`, or not one of [`Config::dpop_algorithms`](crate::Config::dpop_algorithms).
    #[error("the `alg` of the DPoP proof is not accepted")]
    Algorithm,
    /// `jwk` is missing, is not a public key for the algorithm, contains a private part, or is weak.
    #[error("the `jwk` of the DPoP proof is not an acceptable public key")]
    Key,
    /// The key in `jwk` has not made the signature.
    #[error("the signature of the DPoP proof does not verify")]
    Signature,
    /// A required claim is missing or has a value of the wrong type: `jti`, `htm`, `htu`, `iat`, and `ath` with a token.
    #[error("the claim `{0}` of the DPoP proof is missing or malformed")]
    Claim(&'static str),
    /// `htm` is not the method of the request.
    #[error("the DPoP proof is for another method")]
    Method,
    /// `htu` is not the address of the request.
    #[error("the DPoP proof is for another address")]
    Address,
    /// `iat` is too far in the past or in the future.
    #[error("the DPoP proof is too old, or from the future")]
    Time,
    /// `ath` is not the hash of the token.
    #[error("the DPoP proof is for another token")]
    OtherToken,
    /// The token is bound to another key than that of the proof.
    #[error("the token is bound to another key than that of the DPoP proof")]
    OtherKey,
    /// The proof was used before.
    #[error("the DPoP proof was used before")]
    Replayed,
}

debug_is_the_sentence!(ProofError);

impl ProofError {
    /// The exact reason for logs and metrics: a short name that never changes.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "dpop_missing",
            Self::Several => "dpop_several",
            Self::Malformed => "dpop_malformed",
            Self::Type => "dpop_type",
            Self::Algorithm => "dpop_algorithm",
            Self::Key => "dpop_key",
            Self::Signature => "dpop_signature",
            Self::Claim(_) => "dpop_claim",
            Self::Method => "dpop_method",
            Self::Address => "dpop_address",
            Self::Time => "dpop_time",
            Self::OtherToken => "dpop_other_token",
            Self::OtherKey => "dpop_other_key",
            Self::Replayed => "dpop_replayed",
        }
    }
}
