//! A token that has not been verified.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::{
    jose::{Header, Segments, TokenError},
    json::Document,
};

/// Decodes a token **without verifying it**: for debugging, routing hints and tests.
///
/// Anybody can write such a token. Nothing in this crate accepts it in place of a [`Token`](crate::Token), and
/// your code should not trust it either. To verify a token, use
/// [`AuthManager::verify_token`](crate::AuthManager::verify_token).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::UnverifiedToken;
///
/// let token = UnverifiedToken::decode("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.AA")?;
/// assert_eq!(token.header()["alg"], "none");
/// assert_eq!(token.claims()["sub"], "mallory");
///
/// assert!(UnverifiedToken::decode("not a token").is_err()); // three segments are needed
/// # Ok::<(), flask_pyjwt::TokenError>(())
/// ```
#[derive(Clone)]
#[doc(alias = "convert_token")]
#[doc(alias = "from_signed_token")]
#[doc(alias = "decode_token")]
#[doc(alias = "get_unverified_jwt_headers")]
#[doc(alias = "get_unverified_header")]
#[doc(alias = "dangerous_insecure_decode")]
#[doc(alias = "JWT")]
pub struct UnverifiedToken {
    signed: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl UnverifiedToken {
    /// Decodes a token's header and claims without checking its signature or its expiry.
    ///
    /// # Errors
    ///
    /// Returns a [`TokenError`] unless the text has three base64url segments (RFC 7515, section 7.1) and the first
    /// two are strict JSON objects.
    pub fn decode(signed: &str) -> Result<Self, TokenError> {
        let segments = Segments::of(signed)?;
        let header = Header::document(segments.header)?.to_map();
        let payload = Document::object(segments.decode_payload()?).map_err(TokenError::payload)?;
        URL_SAFE_NO_PAD
            .decode(segments.signature)
            .map_err(|_| TokenError::Encoding)?;
        Ok(Self {
            signed: signed.to_owned(),
            header,
            claims: payload.to_map(),
        })
    }

    /// Returns the token's text. It is a credential: keep it out of logs.
    #[must_use]
    pub fn signed(&self) -> &str {
        &self.signed
    }

    /// Returns the unverified header, for example to read the key ID in `kid`.
    #[must_use]
    #[doc(alias = "kid")]
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// Returns the unverified claims.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").finish_non_exhaustive()
    }
}
