//! The header of a token that is not one of the known ones.

use super::{TokenError, segments::decode_text};
use crate::json::{Document, Json};

/// What a header says that matters: its algorithm and key. Everything else was checked.
///
/// `jwk`, `jku`, `x5u` and `x5c` are ignored: a key that a token brings along proves nothing.
pub(crate) struct Header {
    pub(crate) algorithm: String,
    pub(crate) key_id: Option<String>,
}

/// Longest header in bytes, decoded, unless an issuer needs more. Those with `alg`, `typ`, `kid` and the
/// thumbprint of a certificate have some 200.
pub(crate) const MAX_HEADER: usize = 2_048;

/// The values of `typ` by which a token is known to be of the right kind (RFC 8725, section 3.11), and how
/// long headers may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderTypes {
    names: Vec<String>,
    /// Whether a header may leave `typ` out.
    may_be_missing: bool,
    /// Longest header in bytes, decoded.
    max_size: usize,
}

impl HeaderTypes {
    /// What our own tokens may say.
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

    /// The same for headers of at most so many bytes.
    pub(crate) fn max_size(self, max_size: usize) -> Self {
        Self { max_size, ..self }
    }

    /// Whether a type is among them, in any case.
    pub(crate) fn accepts(&self, typ: &str) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case(typ))
    }
}

impl Header {
    /// Reads a header segment strictly, in one walk over its members.
    ///
    /// # Errors
    ///
    /// The first rule of RFC 7515, section 4.1 and RFC 8725, section 3 that is broken.
    pub(crate) fn parse(segment: &str, types: &HeaderTypes) -> Result<Self, TokenError> {
        // Four characters are three bytes.
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

    /// A header segment as a strict JSON object.
    pub(crate) fn document(segment: &str) -> Result<Document, TokenError> {
        Document::object(decode_text(segment, TokenError::Header)?).map_err(TokenError::header)
    }
}
