//! Parses the header of a token.

use super::{TokenError, segments::decode_text};
use crate::json::{Document, Json};

/// The algorithm and the key ID of a header. Everything else was checked.
///
/// `jwk`, `jku`, `x5u` and `x5c` are ignored, because a key that comes with a token proves nothing.
pub(crate) struct Header {
    pub(crate) algorithm: String,
    pub(crate) key_id: Option<String>,
}

/// The default limit for a decoded header, in bytes. A header with `alg`, `typ`, `kid` and a
/// certificate thumbprint has about 200.
pub(crate) const MAX_HEADER: usize = 2_048;

/// The accepted values of `typ`, which identify the kind of token (RFC 8725, section 3.11), and the
/// maximum size of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderTypes {
    names: Vec<String>,
    /// Whether a header without `typ` is accepted.
    may_be_missing: bool,
    /// The maximum size of a decoded header, in bytes.
    max_size: usize,
}

impl HeaderTypes {
    /// The types of tokens that this server mints.
    pub(crate) fn own() -> Self {
        Self::new(["JWT", "at+jwt"].map(str::to_owned), false)
    }

    pub(crate) fn new(names: impl Into<Vec<String>>, may_be_missing: bool) -> Self {
        Self {
            names: names.into(),
            may_be_missing,
            max_size: MAX_HEADER,
        }
    }

    /// Sets the maximum size of a decoded header, in bytes.
    pub(crate) fn max_size(self, max_size: usize) -> Self {
        Self { max_size, ..self }
    }

    /// Whether a type is accepted, in any case.
    pub(crate) fn accepts(&self, typ: &str) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case(typ))
    }
}

impl Header {
    /// Parses a header segment strictly, in one pass over its members.
    ///
    /// # Errors
    ///
    /// The first broken rule of RFC 7515, section 4.1 or RFC 8725, section 3.
    pub(crate) fn parse(segment: &str, types: &HeaderTypes) -> Result<Self, TokenError> {
        // Four characters encode three bytes.
        if segment.len() / 4 * 3 + segment.len() % 4 * 3 / 4 > types.max_size {
            return Err(TokenError::TooLarge);
        }
        let document = Self::document(segment)?;
        let (mut algorithm, mut typ, mut key_id) = (None, None, None);
        let mut buffer = [0; 8];
        for (name, value) in document.root().named() {
            match name.as_short(&mut buffer) {
                b"crit" | b"b64" | b"zip" => return Err(TokenError::Critical),
                b"alg" => algorithm = Some(value),
                b"typ" => typ = Some(value),
                b"kid" => key_id = Some(value),
                _ => {}
            }
        }
        let algorithm = algorithm
            .and_then(Json::as_str)
            .ok_or(TokenError::Algorithm)?;
        let is_right = match typ {
            None => types.may_be_missing,
            Some(typ) => typ.as_str().is_some_and(|typ| types.accepts(&typ)),
        };
        if !is_right {
            return Err(TokenError::Kind);
        }
        let key_id = match key_id {
            None => None,
            Some(id) => Some(id.as_str().ok_or(TokenError::UnknownKey)?.into_owned()),
        };
        Ok(Self {
            algorithm: algorithm.into_owned(),
            key_id,
        })
    }

    /// Decodes a header segment as a strict JSON object.
    pub(crate) fn document(segment: &str) -> Result<Document, TokenError> {
        Document::object(decode_text(segment, TokenError::Header)?).map_err(TokenError::header)
    }
}
