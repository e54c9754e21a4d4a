//! The keys of one issuer: which of them signs, and which of them a token's header selects.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{AuthType, Signer, Verifier};
use crate::token::{Header, TokenError};

/// A key that verifies, prepared, and the headers by which its tokens are usually recognised.
pub(crate) struct VerifyingKey {
    pub(crate) auth_type: AuthType,
    pub(crate) verifier: Verifier,
    id: Option<String>,
    /// Header segments of our own tokens and of `PyJWT`'s, as they stand in the token.
    known_headers: Vec<String>,
}

impl VerifyingKey {
    pub(crate) fn new(auth_type: AuthType, id: Option<String>, verifier: Verifier) -> Self {
        let mut known_headers = vec![
            header_segment(auth_type, id.as_deref()),
            // PyJWT's, before and since it sorts the members
            URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"JWT","alg":"{auth_type}"}}"#)),
        ];
        if id.is_some() {
            known_headers.push(header_segment(auth_type, None));
        }
        Self {
            auth_type,
            verifier,
            id,
            known_headers,
        }
    }
}

/// A key that signs, and the header segment that it puts before every payload.
pub(crate) struct SigningKey {
    pub(crate) signer: Signer,
    pub(crate) header: String,
}

impl SigningKey {
    pub(crate) fn new(auth_type: AuthType, id: Option<&str>, signer: Signer) -> Self {
        Self {
            signer,
            header: header_segment(auth_type, id),
        }
    }
}

/// The keys of one issuer.
pub(crate) struct KeyRing {
    pub(crate) signing: Option<SigningKey>,
    pub(crate) verifying: VerifyingKey,
}

impl KeyRing {
    /// The key that the header of a token selects.
    ///
    /// A known header is recognised by comparison; any other one is parsed and judged.
    pub(crate) fn select(&self, header: &str) -> Result<&VerifyingKey, TokenError> {
        let key = &self.verifying;
        if key.known_headers.iter().any(|known| known == header) {
            return Ok(key);
        }
        let header = Header::parse(header)?;
        if header.algorithm != key.auth_type.name() {
            return Err(TokenError::Algorithm);
        }
        match (header.key_id, &key.id) {
            (None, _) => Ok(key),
            (Some(named), Some(id)) if named == *id => Ok(key),
            (Some(_), _) => Err(TokenError::UnknownKey),
        }
    }
}

/// `{"alg":…,"typ":"JWT"}`, with `kid` where there is one, as a token's first segment.
fn header_segment(auth_type: AuthType, id: Option<&str>) -> String {
    let mut header = json!({ "alg": auth_type.name(), "typ": "JWT" });
    if let Some(id) = id {
        header["kid"] = id.into();
    }
    URL_SAFE_NO_PAD.encode(header.to_string())
}
