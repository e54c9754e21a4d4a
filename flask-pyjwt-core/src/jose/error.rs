//! Why a token is refused.

use super::TokenType;
use crate::{error_chain::debug_is_the_sentence, json::JsonError};

/// The reason why a token is not valid: one variant for each rule, the first that is broken.
///
/// For logs and decisions of the server. A client is told only what
/// [`Rejection`](crate::Rejection) says, which is coarser.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than [`Config::max_token_size`](crate::Config::max_token_size), or its header than a quarter of that or
    /// [`Issuer::max_header_size`](crate::Issuer::max_header_size). Or header or payload have more than 840
    /// names and values, counted together, and one more for each 4 bytes above 6 KiB. Names with escapes count
    /// twice, and so do numbers that are no integers.
    #[error(
        "the token or its header is longer than the limit, or one of its segments has too many values"
    )]
    TooLarge,
    /// Not three non-empty segments (RFC 7515, section 7.1).
    #[error("the token is not of the form header.payload.signature")]
    Form,
    /// A segment is not base64url without padding, unused bits zero (RFC 7515, section 2).
    #[error("a segment of the token is not strict base64url")]
    Encoding,
    /// The header is no strict JSON object.
    #[error("the header is no strict JSON object")]
    Header,
    /// `alg` is missing, no string, or not that of the key.
    #[error("the header's `alg` is not that of the key")]
    Algorithm,
    /// `typ` is missing or neither `JWT` nor `at+jwt`: another kind of token (RFC 8725, section 3.11).
    #[error("the header's `typ` is not that of an access token")]
    Kind,
    /// `crit`, `b64` or `zip` is there: an extension that is not supported (RFC 7515, section 4.1.11).
    #[error("the header demands an extension that is not supported")]
    Critical,
    /// `kid` is no string or names no key that is configured.
    #[error("the header's `kid` names no key that is configured")]
    UnknownKey,
    /// The signature is not that of the key over these bytes.
    #[error("the signature does not verify")]
    Signature,
    /// The payload is no strict JSON object in UTF-8.
    #[error("the payload is no strict JSON object")]
    Payload,
    /// A JSON object in the header or the payload has a member twice (RFC 7519, section 4).
    #[error("a JSON object has a member twice")]
    DuplicateMember,
    /// A claim that is required is not there.
    #[error("the required claim `{0}` is missing")]
    MissingClaim(&'static str),
    /// A registered claim has a value of the wrong type or out of range.
    #[error("the claim `{0}` has a value of the wrong type or out of range")]
    MistypedClaim(&'static str),
    /// `exp` is now or earlier.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is later than now.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The time from `iat` to `exp` is above [`Config::max_lifetime`](crate::Config::max_lifetime).
    #[error("the token's lifetime is above the limit")]
    Lifetime,
    /// `iss` is another issuer than those that are trusted, or than the one that the route requires.
    #[error("the token is of another issuer")]
    Issuer,
    /// A claim is not what [`Issuer::require_claim`](crate::Issuer::require_claim) says.
    #[error("a claim is not what is required of this issuer's tokens")]
    IssuerClaim,
    /// `aud` does not contain the configured audience, or none is configured.
    #[error("the token is for another audience")]
    Audience,
    /// A token of the other type is required.
    #[error("a token of type `{expected}` is required")]
    WrongType {
        /// The type that is required.
        expected: TokenType,
    },
    /// `cnf` binds the token to a key whose possession cannot be proven here (RFC 7800).
    #[error("the token is bound to a key whose possession cannot be proven here")]
    Bound,
    /// The session store does not know its session or says that it is revoked, or
    /// [`Config::token_check`](crate::Config::token_check) says so.
    #[error("the token is revoked")]
    Revoked,
    /// A refresh token that was rotated before: somebody has a copy (RFC 9700, section 4.14.2).
    #[error("the refresh token was used before")]
    Replayed,
    /// The key of the token is not known, and the source of its issuer's keys does not answer, or has not
    /// answered yet. Answered with 503.
    #[error("the keys of the token's issuer cannot be had at the moment")]
    KeysUnavailable {
        /// When to try again.
        retry_after: time::Duration,
    },
    /// The clock shows a time before 1970 or after 9999.
    #[error("the clock is out of range")]
    Clock,
}

debug_is_the_sentence!(TokenError);

impl TokenError {
    /// The exact reason for logs and metrics: a short name that never changes.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "token_too_large",
            Self::Form => "token_form",
            Self::Encoding => "token_encoding",
            Self::Header => "token_header",
            Self::Algorithm => "token_algorithm",
            Self::Kind => "token_kind",
            Self::Critical => "token_critical",
            Self::UnknownKey => "token_unknown_key",
            Self::Signature => "token_signature",
            Self::Payload => "token_payload",
            Self::DuplicateMember => "token_duplicate_member",
            Self::MissingClaim(_) => "token_missing_claim",
            Self::MistypedClaim(_) => "token_mistyped_claim",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Lifetime => "token_lifetime",
            Self::Issuer => "token_issuer",
            Self::IssuerClaim => "token_issuer_claim",
            Self::Audience => "token_audience",
            Self::WrongType { .. } => "token_wrong_type",
            Self::Bound => "token_bound",
            Self::Revoked => "token_revoked",
            Self::Replayed => "token_replayed",
            Self::KeysUnavailable { .. } => "keys_unavailable",
            Self::Clock => "token_clock",
        }
    }

    /// The error of a header that is no strict JSON.
    pub(super) fn header(error: JsonError) -> Self {
        match error {
            JsonError::Duplicate => Self::DuplicateMember,
            JsonError::TooMany => Self::TooLarge,
            JsonError::Syntax => Self::Header,
        }
    }

    /// The error of a payload that is no strict JSON.
    pub(crate) fn payload(error: JsonError) -> Self {
        match error {
            JsonError::Duplicate => Self::DuplicateMember,
            JsonError::TooMany => Self::TooLarge,
            JsonError::Syntax => Self::Payload,
        }
    }
}
