//! Keys that verify, and which of them the header of a token selects.

use std::{collections::HashMap, slice, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{AuthType, VerifyingKey};
use crate::token::{Header, HeaderTypes, TokenError};

/// A token that names no key is tried with so many, at the most: each trial costs a signature.
const NAMELESS_TRIALS: usize = 8;
/// So many known headers are compared one after the other, which is faster than hashing.
const FEW_HEADERS: usize = 6;

type Keys = Box<[Arc<VerifyingKey>]>;

/// Verifying keys that do not change. Looking one up takes as long for a thousand as for ten.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: Vec<Arc<VerifyingKey>>,
    by_id: HashMap<String, Keys>,
    nameless: Vec<(AuthType, Keys)>,
    /// Header segments as they usually stand in tokens, so that they need not be parsed.
    known: Vec<(String, Keys)>,
    known_by_hash: HashMap<String, Keys>,
    /// The algorithms of the keys that are there or may come.
    algorithms: Vec<AuthType>,
}

impl KeySet {
    /// A set of keys, the most likely ones first, for headers of these types.
    pub(crate) fn new(keys: Vec<Arc<VerifyingKey>>, types: &HeaderTypes) -> Self {
        let mut by_id = HashMap::<_, Vec<_>>::new();
        let mut nameless = Vec::<(_, Vec<_>)>::new();
        for key in &keys {
            if !key.id.is_empty() {
                let same_id = by_id.entry(key.id.clone()).or_default();
                same_id.push(Arc::clone(key));
            }
            if !key.serves_nameless {
                continue;
            }
            match nameless.iter_mut().find(|(of, _)| *of == key.auth_type) {
                Some((_, keys)) if keys.len() == NAMELESS_TRIALS => {}
                Some((_, keys)) => keys.push(Arc::clone(key)),
                None => nameless.push((key.auth_type, vec![Arc::clone(key)])),
            }
        }
        let mut set = Self {
            algorithms: keys.iter().map(|key| key.auth_type).collect(),
            by_id: by_id
                .into_iter()
                .map(|(id, keys)| (id, keys.into()))
                .collect(),
            nameless: nameless
                .into_iter()
                .map(|(auth_type, keys)| (auth_type, keys.into()))
                .collect(),
            keys,
            ..Self::default()
        };
        if types.accepts("JWT") {
            set.learn_headers();
        }
        set
    }

    /// The same set, which may get keys of these algorithms.
    #[cfg(feature = "jwks")]
    pub(crate) fn accepting(mut self, algorithms: Vec<AuthType>) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// The headers of our own tokens and of `PyJWT`'s.
    fn learn_headers(&mut self) {
        let mut known: Vec<(String, Keys)> = Vec::new();
        for (auth_type, keys) in &self.nameless {
            known.push((header_segment(*auth_type, None), keys.clone()));
            // PyJWT's, before and since it sorts the members
            let older = URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"JWT","alg":"{auth_type}"}}"#));
            known.push((older, keys.clone()));
        }
        for key in self.keys.iter().filter(|key| !key.id.is_empty()) {
            let segment = header_segment(key.auth_type, Some(&key.id));
            known.push((segment, Box::new([Arc::clone(key)])));
        }
        if known.len() <= FEW_HEADERS {
            self.known = known;
        } else {
            self.known_by_hash = known.into_iter().collect();
        }
    }

    pub(crate) fn keys(&self) -> &[Arc<VerifyingKey>] {
        &self.keys
    }

    /// The keys that the header of a token selects: one, or the few that a nameless token may be
    /// of. A known header is recognised by its text; any other one is parsed and judged.
    pub(crate) fn select(
        &self,
        header: &str,
        types: &HeaderTypes,
    ) -> Result<&[Arc<VerifyingKey>], TokenError> {
        let known = if self.known_by_hash.is_empty() {
            let known = self.known.iter().find(|(known, _)| known == header);
            known.map(|(_, keys)| keys)
        } else {
            self.known_by_hash.get(header)
        };
        match known {
            Some(keys) => Ok(keys),
            None => self.select_by(&Header::parse(header, types)?),
        }
    }

    fn select_by(&self, header: &Header) -> Result<&[Arc<VerifyingKey>], TokenError> {
        let has_algorithm = |key: &&Arc<VerifyingKey>| key.auth_type.name() == header.algorithm;
        let mut algorithms = self.algorithms.iter();
        if !algorithms.any(|own| own.name() == header.algorithm) {
            return Err(TokenError::Algorithm);
        }
        let Some(id) = &header.key_id else {
            let keys = self
                .nameless
                .iter()
                .find(|(auth_type, _)| auth_type.name() == header.algorithm);
            return keys.map(|(_, keys)| &**keys).ok_or(TokenError::UnknownKey);
        };
        match self.by_id.get(id) {
            Some(named) => named
                .iter()
                .find(has_algorithm)
                .map(slice::from_ref)
                .ok_or(TokenError::Algorithm),
            None => Err(TokenError::UnknownKey),
        }
    }
}

/// `{"alg":…,"typ":"JWT"}`, with `kid` where there is one, as a token's first segment.
pub(super) fn header_segment(auth_type: AuthType, id: Option<&str>) -> String {
    let mut header = json!({ "alg": auth_type.name(), "typ": "JWT" });
    if let Some(id) = id {
        header["kid"] = id.into();
    }
    URL_SAFE_NO_PAD.encode(header.to_string())
}
