//! The signature algorithms.

use std::{fmt, str::FromStr};

use crate::error_chain::debug_is_the_sentence;

/// Names the algorithm that signs tokens: `JWT_AUTHTYPE`, and `alg` in a token's header (RFC 7518, section 3.1; RFC
/// 8037).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::AuthType;
///
/// assert_eq!("HS256".parse(), Ok(AuthType::HS256));
/// assert_eq!(AuthType::EdDSA.to_string(), "EdDSA");
/// assert_eq!("Ed25519".parse(), Ok(AuthType::EdDSA)); // RFC 9864
/// assert!("hs256".parse::<AuthType>().is_err()); // names are exact, as in Flask_PyJWT
/// assert!("none".parse::<AuthType>().is_err()); // unsigned tokens are never accepted
/// ```
#[doc(alias = "alg")]
#[doc(alias = "algorithm")]
#[doc(alias = "JWT_AUTHTYPE")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthType {
    /// HMAC with SHA-256: one shared secret of at least 32 bytes.
    HS256,
    /// HMAC with SHA-384: one shared secret of at least 48 bytes.
    HS384,
    /// HMAC with SHA-512: one shared secret of at least 64 bytes.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256, at least 2048 bits.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384, at least 2048 bits.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512, at least 2048 bits.
    RS512,
    /// RSASSA-PSS with SHA-256, at least 2048 bits.
    PS256,
    /// RSASSA-PSS with SHA-384, at least 2048 bits.
    PS384,
    /// RSASSA-PSS with SHA-512, at least 2048 bits.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// Ed25519. Received tokens and keys can also call it `Ed25519` (RFC 9864). Minted tokens say `EdDSA`.
    #[doc(alias = "Ed25519")]
    EdDSA,
}

/// The kind of key that an algorithm needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Hmac,
    Rsa,
    Ecdsa,
    Ed25519,
}

impl AuthType {
    /// All supported algorithms.
    pub const ALL: [Self; 13] = [
        Self::HS256,
        Self::HS384,
        Self::HS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// Returns the name as written in a token's header and in `JWT_AUTHTYPE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Self::HS256 | Self::HS384 | Self::HS512 => Family::Hmac,
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512 => {
                Family::Rsa
            }
            Self::ES256 | Self::ES384 | Self::ES512 => Family::Ecdsa,
            Self::EdDSA => Family::Ed25519,
        }
    }

    /// Returns the algorithms that verify with a public key.
    pub(crate) fn with_public_keys() -> Vec<Self> {
        let mut all = Self::ALL.to_vec();
        all.retain(|algorithm| algorithm.family() != Family::Hmac);
        all
    }

    /// Returns the minimum length of an HMAC secret in bytes: the hash's output size (RFC 7518, section 3.2). For HMAC,
    /// this is also the length of a signature.
    pub(crate) const fn min_secret_length(self) -> usize {
        match self {
            Self::HS384 => 48,
            Self::HS512 => 64,
            _ => 32,
        }
    }
}

impl fmt::Display for AuthType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error for a text that is not the name of an [`AuthType`].
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the algorithm {}", Self::PROBLEM)]
#[non_exhaustive]
pub struct UnknownAuthType;

debug_is_the_sentence!(UnknownAuthType);

impl UnknownAuthType {
    /// The end of a sentence about the value.
    pub(crate) const PROBLEM: &str = "is not one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, \
         ES384, ES512, EdDSA";
}

impl FromStr for AuthType {
    type Err = UnknownAuthType;

    /// Parses the exact name of an algorithm.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        // The new name of EdDSA from RFC 9864, section 2.2. The RFC's names for ECDSA are for COSE only.
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL
            .into_iter()
            .find(|auth_type| auth_type.name() == name)
            .ok_or(UnknownAuthType)
    }
}
