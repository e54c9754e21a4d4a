//! A token that nobody has verified.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::{
    jose::{Header, Segments, TokenError},
    json::Document,
};

/// What a token claims about itself, before anybody has checked that it is genuine.
///
/// For logs of a debugging session, routing hints and tests. Nothing in this crate takes it in
/// place of a [`Token`](crate::Token), and neither should you.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::UnverifiedToken;
///
/// let token = UnverifiedToken::decode("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.AA")?;
/// assert_eq!(token.header()["alg"], "none");
/// assert_eq!(token.claims()["sub"], "mallory");
///
/// assert!(UnverifiedToken::decode("not a token").is_err());
/// # Ok::<(), flask_pyjwt::TokenError>(())
/// ```
#[derive(Clone)]
#[doc(alias = "convert_token")]
#[doc(alias = "from_signed_token")]
pub struct UnverifiedToken {
    signed: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl UnverifiedToken {
    /// Reads a token's header and claims without checking who signed it.
    ///
    /// # Errors
    ///
    /// [`TokenError`] when it is not three segments of base64url, the first two of which are
    /// strict JSON objects.
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

    /// The token's text.
    #[must_use]
    pub fn signed(&self) -> &str {
        &self.signed
    }

    /// The header, unverified.
    #[must_use]
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The claims, unverified.
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
