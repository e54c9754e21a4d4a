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

/// The values of `typ` by which a token is known to be of the right kind (RFC 8725, section 3.11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderTypes {
    names: Vec<String>,
    /// Whether a header may leave `typ` out.
    may_be_missing: bool,
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
        }
    }

    /// Whether a type is among them, in any case.
    pub(crate) fn accepts(&self, typ: &str) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case(typ))
    }
}

impl Header {
    /// Reads a header segment strictly.
    ///
    /// # Errors
    ///
    /// The first rule of RFC 7515, section 4.1 and RFC 8725, section 3 that is broken.
    pub(crate) fn parse(segment: &str, types: &HeaderTypes) -> Result<Self, TokenError> {
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
        let is_right = match root.member("typ") {
            None => types.may_be_missing,
            Some(typ) => typ.as_str().is_some_and(|typ| types.accepts(&typ)),
        };
        if !is_right {
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
