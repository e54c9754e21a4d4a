//! Conversions between [`AuthType`] and the algorithms of `jsonwebtoken`.

use jsonwebtoken::{
    Algorithm,
    errors::{self, ErrorKind},
};

use super::{AuthType, UnknownAuthType};

/// Converts to the algorithm of `jsonwebtoken` with the same name.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthType, jsonwebtoken::Algorithm};
///
/// assert_eq!(Algorithm::try_from(AuthType::PS256), Ok(Algorithm::PS256));
/// assert!(Algorithm::try_from(AuthType::ES512).is_err()); // not supported by `jsonwebtoken`
/// ```
impl TryFrom<AuthType> for Algorithm {
    type Error = errors::Error;

    /// # Errors
    ///
    /// Returns `UnsupportedAlgorithm` for ES512, which `jsonwebtoken` does not support.
    fn try_from(auth_type: AuthType) -> Result<Self, Self::Error> {
        Ok(match auth_type {
            AuthType::HS256 => Self::HS256,
            AuthType::HS384 => Self::HS384,
            AuthType::HS512 => Self::HS512,
            AuthType::RS256 => Self::RS256,
            AuthType::RS384 => Self::RS384,
            AuthType::RS512 => Self::RS512,
            AuthType::PS256 => Self::PS256,
            AuthType::PS384 => Self::PS384,
            AuthType::PS512 => Self::PS512,
            AuthType::ES256 => Self::ES256,
            AuthType::ES384 => Self::ES384,
            AuthType::EdDSA => Self::EdDSA,
            AuthType::ES512 => return Err(ErrorKind::UnsupportedAlgorithm.into()),
        })
    }
}

/// Converts from the algorithm of `jsonwebtoken` with the same name.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthType, jsonwebtoken::Algorithm};
///
/// assert_eq!(AuthType::try_from(Algorithm::EdDSA), Ok(AuthType::EdDSA));
/// ```
impl TryFrom<Algorithm> for AuthType {
    type Error = UnknownAuthType;

    /// # Errors
    ///
    /// Returns an error for an algorithm that a later version of `jsonwebtoken` adds. Today there is none.
    fn try_from(algorithm: Algorithm) -> Result<Self, Self::Error> {
        Ok(match algorithm {
            Algorithm::HS256 => Self::HS256,
            Algorithm::HS384 => Self::HS384,
            Algorithm::HS512 => Self::HS512,
            Algorithm::RS256 => Self::RS256,
            Algorithm::RS384 => Self::RS384,
            Algorithm::RS512 => Self::RS512,
            Algorithm::PS256 => Self::PS256,
            Algorithm::PS384 => Self::PS384,
            Algorithm::PS512 => Self::PS512,
            Algorithm::ES256 => Self::ES256,
            Algorithm::ES384 => Self::ES384,
            Algorithm::EdDSA => Self::EdDSA,
            _ => return Err(UnknownAuthType),
        })
    }
}
