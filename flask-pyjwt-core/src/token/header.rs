//! The header of a token that is not one of the known ones.

use super::{
    TokenError,
    document::{Document, Json},
    segments::decode_text,
};

/// What a header says that matters: its algorithm and key. Everything else was checked.
///
/// `jwk`, `jku`, `x5u` and `x5c` are ignored: a key that a token brings along proves nothing.
pub(crate) struct Header {
    pub(crate) algorithm: String,
    pub(crate) key_id: Option<String>,
}

impl Header {
    /// Reads a header segment strictly.
    ///
    /// # Errors
    ///
    /// The first rule of RFC 7515, section 4.1 and RFC 8725, section 3 that is broken.
    pub(crate) fn parse(segment: &str) -> Result<Self, TokenError> {
        let document = Self::document(segment)?;
        let root = document.root();
        if ["crit", "b64", "zip"]
            .iter()
            .any(|name| root.member(name).is_some())
        {
            return Err(TokenError::Critical);
        }
        let algorithm = root
            .member("alg")
            .and_then(Json::as_str)
            .ok_or(TokenError::Algorithm)?;
        let typ = root
            .member("typ")
            .and_then(Json::as_str)
            .ok_or(TokenError::Kind)?;
        if !["jwt", "at+jwt"]
            .iter()
            .any(|known| typ.eq_ignore_ascii_case(known))
        {
            return Err(TokenError::Kind);
        }
        let key_id = match root.member("kid") {
            None => None,
            Some(id) => Some(id.as_str().ok_or(TokenError::UnknownKey)?.into_owned()),
        };
        Ok(Self {
            algorithm: algorithm.into_owned(),
            key_id,
        })
    }

    /// A header segment as a strict JSON object.
    pub(super) fn document(segment: &str) -> Result<Document, TokenError> {
        Document::object(decode_text(segment, TokenError::Header)?).map_err(TokenError::header)
    }
}
