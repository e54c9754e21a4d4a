//! A set of verifying keys, and the selection of a key by a token's header.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{AuthType, Serves, VerifyingKey};
use crate::jose::{Header, HeaderTypes, TokenError};

/// The maximum number of keys that are tried for a token whose `kid` does not name its key. Each trial costs a signature
/// check.
const MAX_TRIALS: usize = 8;
/// Up to this number, known headers are compared one after the other, which is faster than hashing.
const FEW_HEADERS: usize = 6;

type Keys = Box<[Arc<VerifyingKey>]>;
/// Keys by algorithm. A list is enough, since there are few algorithms.
type ByAlgorithm = Vec<(AuthType, Keys)>;

/// An immutable set of verifying keys. A lookup takes the same time for a thousand keys as for ten.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: Vec<Arc<VerifyingKey>>,
    by_id: HashMap<String, ByAlgorithm>,
    /// The keys for tokens without a `kid`.
    without_id: ByAlgorithm,
    /// The keys for tokens whose `kid` belongs to no key.
    unknown_id: ByAlgorithm,
    /// Common header segments, which need not be parsed, if there are few.
    known: Vec<(String, KnownHeader)>,
    /// Common header segments, if there are many.
    known_by_hash: HashMap<String, KnownHeader>,
    /// The algorithms of the keys in this set and in future versions of it.
    algorithms: Vec<AuthType>,
    /// Whether a newer version of the set can have further keys, because the set is fetched.
    may_grow: bool,
}

/// The keys that a known header selects.
struct KnownHeader {
    keys: Keys,
    names_key: bool,
}

/// The keys that may have signed a token.
pub(crate) struct Candidates<'a> {
    pub(crate) keys: &'a [Arc<VerifyingKey>],
    /// The error if none of them verifies the signature.
    pub(crate) otherwise: TokenError,
}

impl KeySet {
    /// Creates a set for headers with these types. The order of `keys` is the order of the trials.
    pub(crate) fn new(keys: Vec<Arc<VerifyingKey>>, types: &HeaderTypes) -> Self {
        let mut algorithms: Vec<_> = keys.iter().map(|key| key.auth_type).collect();
        algorithms.sort_by_key(|algorithm| algorithm.name());
        algorithms.dedup();
        let matching = |matches: &dyn Fn(&VerifyingKey) -> bool| -> ByAlgorithm {
            let each = algorithms.iter().map(|algorithm| {
                let keys = keys
                    .iter()
                    .filter(|key| key.auth_type == *algorithm && matches(key));
                (*algorithm, keys.take(MAX_TRIALS).map(Arc::clone).collect())
            });
            each.filter(|(_, keys): &(_, Keys)| !keys.is_empty())
                .collect()
        };
        let unknown_id = matching(&|key| key.serves == Serves::Any);
        let mut by_id = HashMap::<_, ByAlgorithm>::new();
        for key in keys.iter().filter(|key| !key.id.is_empty()) {
            let mut named = vec![Arc::clone(key)];
            // The owner of a key without an explicit ID may use this ID for it. A thumbprint is unambiguous.
            if key.serves != Serves::Any {
                let others = keys_for(&unknown_id, key.auth_type);
                let others = others.into_iter().flatten();
                named.extend(others.take(MAX_TRIALS - 1).map(Arc::clone));
            }
            let same_id = by_id.entry(key.id.clone()).or_default();
            same_id.push((key.auth_type, named.into()));
        }
        let mut set = Self {
            without_id: matching(&|key| key.serves.without_id() || is_only(&keys, key)),
            unknown_id,
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

    /// Marks the set as fetched: newer versions can have keys of these algorithms.
    #[cfg(feature = "jwks")]
    pub(crate) fn accepting(mut self, algorithms: Vec<AuthType>) -> Self {
        self.algorithms = algorithms;
        self.may_grow = true;
        self
    }

    /// Stores the header segments that this crate and `PyJWT` write.
    fn learn_headers(&mut self) {
        let mut known: Vec<(String, KnownHeader)> = Vec::new();
        let mut learn = |segment, keys: &Keys, names_key| {
            let keys = keys.clone();
            known.push((segment, KnownHeader { keys, names_key }));
        };
        for (auth_type, keys) in &self.without_id {
            learn(header_segment(*auth_type, "JWT", None), keys, false);
            // Older versions of PyJWT do not sort the members.
            let older = format!(r#"{{"typ":"JWT","alg":"{auth_type}"}}"#);
            learn(URL_SAFE_NO_PAD.encode(older), keys, false);
        }
        for key in &self.keys {
            let named = self.by_id.get(&key.id);
            if let Some(keys) = named.and_then(|named| keys_for(named, key.auth_type)) {
                learn(
                    header_segment(key.auth_type, "JWT", Some(&key.id)),
                    keys,
                    true,
                );
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

    /// Selects the keys for a token by its header: one key, or several if the header's `kid` is missing or belongs to no
    /// key. A known header is recognized by its text; any other header is parsed and checked.
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
            let keys = keys_for(&self.without_id, algorithm).ok_or(TokenError::UnknownKey)?;
            return Ok(self.candidates(keys, false));
        };
        let named = self.by_id.get(id);
        if let Some(keys) = named.and_then(|named| keys_for(named, algorithm)) {
            return Ok(self.candidates(keys, true));
        }
        let otherwise = match named {
            Some(_) => TokenError::Algorithm,
            None => TokenError::UnknownKey,
        };
        match keys_for(&self.unknown_id, algorithm) {
            Some(keys) => Ok(Candidates { keys, otherwise }),
            None => Err(otherwise),
        }
    }

    /// Builds candidates. If the set is fetched, a token without a `kid` may be signed by a key that has not been fetched
    /// yet.
    fn candidates<'a>(&self, keys: &'a Keys, names_key: bool) -> Candidates<'a> {
        let otherwise = if self.may_grow && !names_key {
            TokenError::UnknownKey
        } else {
            TokenError::Signature
        };
        Candidates { keys, otherwise }
    }
}

fn keys_for(all: &ByAlgorithm, algorithm: AuthType) -> Option<&Keys> {
    let mut all = all.iter();
    let found = all.find(|(of_keys, _)| *of_keys == algorithm);
    found.map(|(_, keys)| keys)
}

/// Returns whether a key is the only one for its algorithm, so that it is used for tokens without a `kid`. The same key
/// with two IDs counts once.
fn is_only(keys: &[Arc<VerifyingKey>], key: &VerifyingKey) -> bool {
    let mut others = keys
        .iter()
        .filter(|other| other.auth_type == key.auth_type && other.fingerprint != key.fingerprint);
    key.serves == Serves::NamedOrOnly && others.next().is_none()
}

/// Returns the header `{"alg":…,"typ":"JWT"}`, with a `kid` if `id` is given, as a token's first segment.
pub(super) fn header_segment(auth_type: AuthType, typ: &str, id: Option<&str>) -> String {
    let mut header = json!({ "alg": auth_type.name(), "typ": typ });
    if let Some(id) = id {
        header["kid"] = id.into();
    }
    URL_SAFE_NO_PAD.encode(header.to_string())
}
