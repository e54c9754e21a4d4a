//! Why a token is refused.

use super::TokenType;
use crate::{error_chain::debug_is_the_sentence, json::JsonError};

/// The reason why a token is not valid. There is one variant for each rule, and the first broken
/// rule is reported.
///
/// This is for logs and for decisions of the server. A client only gets the coarser description of
/// the [`Rejection`](crate::Rejection).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, TokenError};
///
/// let auth = AuthManager::new(Config::new(
///     "shop",
///     AuthType::HS256,
///     "change-me: at least 32 bytes of secret",
/// ))?;
/// let token = auth.auth_token("alice").sign()?;
/// assert!(auth.verify_token(token.signed()).is_ok());
///
/// let error = auth.verify_token("not a token").unwrap_err();
/// assert_eq!(error, TokenError::Form);
/// assert_eq!(error.reason(), "token_form");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is longer than [`Config::max_token_size`](crate::Config::max_token_size), or one
    /// of its parts is too large.
    ///
    /// The header may have a quarter of that size, or
    /// [`Issuer::max_header_size`](crate::Issuer::max_header_size). Header and payload may each
    /// have 840 names and values, plus one for each 4 bytes above 6 KiB. Names with escapes and
    /// numbers that are not integers count twice.
    #[error(
        "the token or its header is longer than the limit, or one of its segments has too many values"
    )]
    TooLarge,
    /// The token does not have three non-empty segments (RFC 7515, section 7.1).
    #[error("the token is not of the form header.payload.signature")]
    Form,
    /// A segment is not strict base64url: no padding, unused bits zero (RFC 7515, section 2).
    #[error("a segment of the token is not strict base64url")]
    Encoding,
    /// The header is not a strict JSON object.
    #[error("the header is not a strict JSON object")]
    Header,
    /// `alg` is missing, is not a string, or is not the algorithm of the key.
    #[error("the header's `alg` is not the algorithm of the key")]
    Algorithm,
    /// `typ` is missing, or is neither `JWT` nor `at+jwt`: this is another kind of token (RFC 8725,
    /// section 3.11).
    #[error("the header's `typ` is not that of an access token")]
    Kind,
    /// The header has `crit`, `b64` or `zip`, which are extensions that are not supported (RFC
    /// 7515, section 4.1.11).
    #[error("the header requires an extension that is not supported")]
    Critical,
    /// `kid` is not a string, or no configured key has this ID.
    #[error("the header's `kid` is not the ID of a configured key")]
    UnknownKey,
    /// The signature was not made by the key over this header and payload.
    #[error("the signature does not verify")]
    Signature,
    /// The payload is not a strict JSON object in UTF-8.
    #[error("the payload is not a strict JSON object")]
    Payload,
    /// A JSON object in the header or the payload has two members with the same name (RFC 7519,
    /// section 4).
    #[error("a JSON object has two members with the same name")]
    DuplicateMember,
    /// A required claim is missing.
    #[error("the required claim `{0}` is missing")]
    MissingClaim(&'static str),
    /// A registered claim has a value of the wrong type or out of range.
    #[error("the claim `{0}` has a value of the wrong type or out of range")]
    MistypedClaim(&'static str),
    /// `exp` is not in the future (RFC 7519, section 4.1.4).
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future (RFC 7519, sections 4.1.5 and 4.1.6).
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The time from `iat` to `exp` is longer than
    /// [`Config::max_lifetime`](crate::Config::max_lifetime) or, for another issuer,
    /// [`Issuer::max_lifetime`](crate::Issuer::max_lifetime).
    #[error("the token's lifetime is longer than the limit")]
    Lifetime,
    /// `iss` is not a trusted issuer, or not the one that the route requires.
    #[error("the token is from another issuer")]
    Issuer,
    /// A claim does not satisfy [`Issuer::require_claim`](crate::Issuer::require_claim).
    #[error("a claim does not have the value that is required for this issuer's tokens")]
    IssuerClaim,
    /// `aud` does not contain the configured audience, or no audience is configured (RFC 7519,
    /// section 4.1.3).
    #[error("the token is for another audience")]
    Audience,
    /// The route requires a token of the other type.
    #[error("a token of type `{expected}` is required")]
    WrongType {
        /// The required type.
        expected: TokenType,
    },
    /// `cnf` binds the token to a key or certificate, and the client has not proven that it has that (RFC 9449, section
    /// 7.2; RFC 8705, section 3).
    #[error("the token is bound, and nothing proves that the client may use it")]
    Bound,
    /// `cnf` is not an object of `jkt` and `x5t#S256` alone, so what it demands is not known (RFC 7800, section 3.1).
    #[error("the token is bound in a way that is not supported")]
    UnknownBinding,
    /// The token's session has ended or is unknown, the token or its subject was revoked, or
    /// [`Config::token_check`](crate::Config::token_check) says so.
    #[error("the token is revoked")]
    Revoked,
    /// The issuer says that the token is not active: it has expired, was revoked, or is unknown (RFC 7662, section 2.2).
    #[error("the issuer says that the token is not active")]
    Inactive,
    /// The refresh token was rotated before, so somebody has a copy of it (RFC 9700, section
    /// 4.14.2).
    #[error("the refresh token was used before")]
    Replayed,
    /// The key of the token is unknown, and the key source of its issuer does not answer or has not
    /// answered yet; or the same holds for the issuer's introspection endpoint. The response is 503.
    #[error(
        "the keys or the introspection endpoint of the token's issuer are not available at the moment"
    )]
    KeysUnavailable {
        /// How long to wait before the next attempt.
        retry_after: time::Duration,
    },
    /// The clock shows a time before 1970 or after 9999.
    #[error("the clock is out of range")]
    Clock,
}

debug_is_the_sentence!(TokenError);

impl TokenError {
    /// A short name of the reason for logs and metrics. It never changes.
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
            Self::UnknownBinding => "token_unknown_binding",
            Self::Revoked => "token_revoked",
            Self::Inactive => "token_inactive",
            Self::Replayed => "token_replayed",
            Self::KeysUnavailable { .. } => "keys_unavailable",
            Self::Clock => "token_clock",
        }
    }

    /// The error for a header that is not strict JSON.
    pub(super) fn header(error: JsonError) -> Self {
        match error {
            JsonError::Duplicate => Self::DuplicateMember,
            JsonError::TooMany => Self::TooLarge,
            JsonError::Syntax => Self::Header,
        }
    }

    /// The error for a payload that is not strict JSON.
    pub(crate) fn payload(error: JsonError) -> Self {
        match error {
            JsonError::Duplicate => Self::DuplicateMember,
            JsonError::TooMany => Self::TooLarge,
            JsonError::Syntax => Self::Payload,
        }
    }
}
