//! Keys that verify, and which of them the header of a token selects.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{AuthType, Serves, VerifyingKey};
use crate::jose::{Header, HeaderTypes, TokenError};

/// A token whose key is not told by its id is tried with so many, at the most: each trial costs a
/// signature.
const MOST_TRIALS: usize = 8;
/// So many known headers are compared one after the other, which is faster than hashing.
const FEW_HEADERS: usize = 6;

type Keys = Box<[Arc<VerifyingKey>]>;
/// Keys by their algorithms, which are few.
type ByAlgorithm = Vec<(AuthType, Keys)>;

/// Verifying keys that do not change. Looking one up takes as long for a thousand as for ten.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: Vec<Arc<VerifyingKey>>,
    by_id: HashMap<String, ByAlgorithm>,
    /// For tokens that name no key.
    nameless: ByAlgorithm,
    /// For tokens whose id no key has.
    unnamed: ByAlgorithm,
    /// Header segments as they usually stand in tokens, so that they need not be parsed.
    known: Vec<(String, Known)>,
    known_by_hash: HashMap<String, Known>,
    /// The algorithms of the keys that are there or may come.
    algorithms: Vec<AuthType>,
    /// Whether other keys may come.
    may_grow: bool,
}

/// What a header that is known selects.
struct Known {
    keys: Keys,
    names_key: bool,
}

/// The keys that a token may be of.
pub(crate) struct Candidates<'a> {
    pub(crate) keys: &'a [Arc<VerifyingKey>],
    /// What it means that none of them made the signature.
    pub(crate) otherwise: TokenError,
}

impl KeySet {
    /// A set of keys, the most likely ones first, for headers of these types.
    pub(crate) fn new(keys: Vec<Arc<VerifyingKey>>, types: &HeaderTypes) -> Self {
        let mut algorithms: Vec<_> = keys.iter().map(|key| key.auth_type).collect();
        algorithms.sort_by_key(|algorithm| algorithm.name());
        algorithms.dedup();
        let those = |of: &dyn Fn(&VerifyingKey) -> bool| -> ByAlgorithm {
            let each = algorithms.iter().map(|algorithm| {
                let keys = keys
                    .iter()
                    .filter(|key| key.auth_type == *algorithm && of(key));
                (*algorithm, keys.take(MOST_TRIALS).map(Arc::clone).collect())
            });
            each.filter(|(_, keys): &(_, Keys)| !keys.is_empty())
                .collect()
        };
        let unnamed = those(&|key| key.serves == Serves::Any);
        let mut by_id = HashMap::<_, ByAlgorithm>::new();
        for key in keys.iter().filter(|key| !key.id.is_empty()) {
            let mut named = vec![Arc::clone(key)];
            // A signer that was given no name may use this one. A thumbprint says which key it is.
            if key.serves != Serves::Any {
                let unnamed = of(&unnamed, key.auth_type).into_iter().flatten();
                named.extend(unnamed.take(MOST_TRIALS - 1).map(Arc::clone));
            }
            let same_id = by_id.entry(key.id.clone()).or_default();
            same_id.push((key.auth_type, named.into()));
        }
        let mut set = Self {
            nameless: those(&|key| key.serves.nameless() || is_only(&keys, key)),
            unnamed,
            by_id,
            algorithms,
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
        self.may_grow = true;
        self
    }

    /// The headers of our own tokens and of `PyJWT`'s.
    fn learn_headers(&mut self) {
        let mut known: Vec<(String, Known)> = Vec::new();
        let mut learn = |segment, keys: &Keys, names_key| {
            let keys = keys.clone();
            known.push((segment, Known { keys, names_key }));
        };
        for (auth_type, keys) in &self.nameless {
            learn(header_segment(*auth_type, None), keys, false);
            // PyJWT's, before and since it sorts the members
            let older = format!(r#"{{"typ":"JWT","alg":"{auth_type}"}}"#);
            learn(URL_SAFE_NO_PAD.encode(older), keys, false);
        }
        for key in &self.keys {
            let named = self.by_id.get(&key.id);
            if let Some(keys) = named.and_then(|named| of(named, key.auth_type)) {
                learn(header_segment(key.auth_type, Some(&key.id)), keys, true);
            }
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

    /// The keys that the header of a token selects: one, or the few that a token without a key id, or
    /// with one that no key has, may be of. A known header is recognised by its text; any other one is
    /// parsed and judged.
    pub(crate) fn select(
        &self,
        header: &str,
        types: &HeaderTypes,
    ) -> Result<Candidates<'_>, TokenError> {
        let known = if self.known_by_hash.is_empty() {
            let known = self.known.iter().find(|(known, _)| known == header);
            known.map(|(_, known)| known)
        } else {
            self.known_by_hash.get(header)
        };
        match known {
            Some(known) => Ok(self.candidates(&known.keys, known.names_key)),
            None => self.select_by(&Header::parse(header, types)?),
        }
    }

    fn select_by(&self, header: &Header) -> Result<Candidates<'_>, TokenError> {
        let algorithm = header.algorithm.parse().ok();
        let algorithm = algorithm.filter(|algorithm| self.algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or(TokenError::Algorithm)?;
        let Some(id) = &header.key_id else {
            let keys = of(&self.nameless, algorithm).ok_or(TokenError::UnknownKey)?;
            return Ok(self.candidates(keys, false));
        };
        let named = self.by_id.get(id);
        if let Some(keys) = named.and_then(|named| of(named, algorithm)) {
            return Ok(self.candidates(keys, true));
        }
        let otherwise = match named {
            Some(_) => TokenError::Algorithm,
            None => TokenError::UnknownKey,
        };
        match of(&self.unnamed, algorithm) {
            Some(keys) => Ok(Candidates { keys, otherwise }),
            None => Err(otherwise),
        }
    }

    /// Keys for a token that names one of them, or none. If other keys may come, the key of a token without
    /// a name may be one of those.
    fn candidates<'a>(&self, keys: &'a Keys, names_key: bool) -> Candidates<'a> {
        let otherwise = if self.may_grow && !names_key {
            TokenError::UnknownKey
        } else {
            TokenError::Signature
        };
        Candidates { keys, otherwise }
    }
}

fn of(all: &ByAlgorithm, algorithm: AuthType) -> Option<&Keys> {
    let mut all = all.iter();
    all.find(|(own, _)| *own == algorithm).map(|(_, keys)| keys)
}

/// Whether a key that has an id is the only one that a token without one can be of. The same key under two
/// ids is one.
fn is_only(keys: &[Arc<VerifyingKey>], key: &VerifyingKey) -> bool {
    let mut others = keys
        .iter()
        .filter(|other| other.auth_type == key.auth_type && other.fingerprint != key.fingerprint);
    key.serves == Serves::NamedOrOnly && others.next().is_none()
}

/// `{"alg":…,"typ":"JWT"}`, with `kid` where there is one, as a token's first segment.
pub(super) fn header_segment(auth_type: AuthType, id: Option<&str>) -> String {
    let mut header = json!({ "alg": auth_type.name(), "typ": "JWT" });
    if let Some(id) = id {
        header["kid"] = id.into();
    }
    URL_SAFE_NO_PAD.encode(header.to_string())
}
