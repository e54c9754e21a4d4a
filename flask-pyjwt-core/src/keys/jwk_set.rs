//! JWK sets of other issuers (RFC 7517). Each key is checked separately, and a bad key is skipped.

use std::{fmt, sync::Arc};

use super::{
    AuthType, Crypto, Serves, VerifyingKey,
    jwk::{CheckedJwk, JwkProblem, ParsedJwk, member},
};
use crate::json::{Document, Kind};

/// The maximum number of keys in a set. It bounds the time that checking a set takes.
const MAX_KEYS: usize = 1_000;

/// The maximum number of refused keys that an error lists, so that it stays readable.
const MAX_LISTED: usize = 10;
/// The maximum length of a key ID in an error, in characters.
const MAX_SHOWN_ID: usize = 64;

/// A configured set: its text, or a set that `jsonwebtoken` has parsed.
#[derive(Debug, Clone)]
pub(crate) enum GivenSet {
    Text(String),
    Parsed(jsonwebtoken::jwk::JwkSet),
}

impl GivenSet {
    pub(crate) fn check(
        &self,
        accepted: Option<&[AuthType]>,
        crypto: Crypto,
    ) -> Result<CheckedSet, SetProblem> {
        match self {
            Self::Text(json) => CheckedSet::parse(json, accepted, crypto, &[]),
            Self::Parsed(set) => CheckedSet::of_jwks(set, accepted, crypto),
        }
    }
}

/// A checked set of keys.
pub(crate) struct CheckedSet {
    pub(crate) keys: Vec<Arc<VerifyingKey>>,
    /// The keys that were skipped.
    pub(crate) refused: Vec<RefusedKey>,
}

/// A skipped key: which one, and why. It contains nothing of the key except its ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedKey {
    /// The position in the set, starting at 1.
    pub(crate) number: usize,
    pub(crate) id: Option<String>,
    pub(crate) problem: JwkProblem,
}

impl fmt::Display for RefusedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.number)?;
        if let Some(id) = &self.id {
            // The ID is foreign input: `Debug` escapes line breaks.
            write!(
                f,
                " (`kid` {:?})",
                id.chars().take(MAX_SHOWN_ID).collect::<String>()
            )?;
        }
        write!(f, " {}", self.problem)
    }
}

/// Why a set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SetProblem {
    #[error("it is not a JSON object with an array `keys`")]
    NoSet,
    #[error("it has more than 1000 keys")]
    TooMany,
    #[error("it has no usable key{}", listed(.0))]
    NoKey(Vec<RefusedKey>),
}

/// Lists why keys were refused.
fn listed(refused: &[RefusedKey]) -> String {
    let mut reasons: Vec<_> = refused
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    if let Some(more @ 1..) = refused.len().checked_sub(MAX_LISTED) {
        reasons.push(format!("and {more} more"));
    }
    if reasons.is_empty() {
        return String::new();
    }
    format!(": {}", reasons.join("; "))
}

impl CheckedSet {
    /// Parses a set.
    ///
    /// `accepted` are the algorithms that may be used. Without them, a key is used with the algorithm in its `alg`, or
    /// else with the usual one of its kind. A key that is among the `known` ones is taken from there instead of being
    /// prepared again, because a crypto provider can refuse the same key the second time.
    ///
    /// The `Deserialize` of `jsonwebtoken` is not used: one malformed member makes it refuse the whole set, it silently
    /// drops repeated and private members, and it does not know ES512.
    pub(crate) fn parse(
        text: &str,
        accepted: Option<&[AuthType]>,
        crypto: Crypto,
        known: &[Arc<VerifyingKey>],
    ) -> Result<Self, SetProblem> {
        let document = Document::object(text.to_owned()).map_err(|_| SetProblem::NoSet)?;
        let keys = document.root().member("keys").ok_or(SetProblem::NoSet)?;
        if keys.kind() != Kind::Array {
            return Err(SetProblem::NoSet);
        }
        let keys = keys.items().map(|key| {
            let checked = ParsedJwk::parse(key).and_then(|jwk| jwk.check(accepted));
            let id = member(key, "kid").and_then(|id| Some(id.as_str()?.into_owned()));
            (checked, id)
        });
        Self::of(keys, crypto, known)
    }

    /// Checks a set that `jsonwebtoken` has parsed.
    fn of_jwks(
        set: &jsonwebtoken::jwk::JwkSet,
        accepted: Option<&[AuthType]>,
        crypto: Crypto,
    ) -> Result<Self, SetProblem> {
        let keys = set.keys.iter().map(|jwk| {
            let checked = ParsedJwk::of(jwk).check(accepted);
            (checked, jwk.common.key_id.clone())
        });
        Self::of(keys, crypto, &[])
    }

    /// Prepares the keys of a set. Each item is a key or the reason why it is refused, with the key's ID.
    fn of(
        checked: impl Iterator<Item = (Result<CheckedJwk, JwkProblem>, Option<String>)>,
        crypto: Crypto,
        known: &[Arc<VerifyingKey>],
    ) -> Result<Self, SetProblem> {
        let mut set = Self {
            keys: Vec::new(),
            refused: Vec::new(),
        };
        let mut numbers = Vec::new();
        for (number, (checked, id)) in (1..).zip(checked) {
            if number > MAX_KEYS {
                return Err(SetProblem::TooMany);
            }
            match checked.and_then(|checked| prepare(&checked, crypto, known)) {
                Ok(keys) => {
                    for key in keys {
                        // The same key twice is harmless.
                        if !set.keys.iter().any(|added| is_same(added, &key)) {
                            set.keys.push(key);
                            numbers.push(number);
                        }
                    }
                }
                Err(problem) => set.refused.push(RefusedKey {
                    number,
                    id,
                    problem,
                }),
            }
        }
        set.refuse_ambiguous(&numbers);
        if set.keys.is_empty() {
            return Err(SetProblem::NoKey(set.refused));
        }
        Ok(set)
    }

    /// Removes all keys whose ID and algorithm are not unique. `numbers` are the positions of the keys in the set.
    fn refuse_ambiguous(&mut self, numbers: &[usize]) {
        let name = |key: &Arc<VerifyingKey>| (key.id.clone(), key.auth_type);
        let mut count = std::collections::HashMap::new();
        for key in self.keys.iter().filter(|key| !key.id.is_empty()) {
            *count.entry(name(key)).or_insert(0) += 1;
        }
        let mut numbers = numbers.iter();
        let refused = &mut self.refused;
        self.keys.retain(|key| {
            let number = numbers.next().copied().unwrap_or_default();
            let is_unique = key.id.is_empty() || count[&name(key)] == 1;
            if !is_unique {
                refused.push(RefusedKey {
                    number,
                    id: Some(key.id.clone()),
                    problem: JwkProblem::Duplicate,
                });
            }
            is_unique
        });
    }
}

/// Prepares a key for each of its algorithms.
fn prepare(
    checked: &CheckedJwk,
    crypto: Crypto,
    known: &[Arc<VerifyingKey>],
) -> Result<Vec<Arc<VerifyingKey>>, JwkProblem> {
    let fingerprint = checked.public.thumbprint();
    let serves = match checked.id {
        None => Serves::Any,
        Some(_) => Serves::NamedOrOnly,
    };
    let prepared = checked.algorithms.iter().map(|algorithm| {
        let id = checked.id.clone().unwrap_or_default();
        let is_known = |key: &&Arc<VerifyingKey>| {
            key.id == id && key.auth_type == *algorithm && key.fingerprint == fingerprint
        };
        if let Some(known) = known.iter().find(is_known) {
            return Ok(Arc::clone(known));
        }
        let verifier = crypto.public(*algorithm, &checked.public.to_material())?;
        let fingerprint = fingerprint.clone();
        let key = VerifyingKey::new(*algorithm, id, fingerprint, serves, verifier, None);
        Ok(Arc::new(key))
    });
    prepared.collect::<Result<_, _>>().map_err(JwkProblem::Key)
}

fn is_same(one: &VerifyingKey, other: &VerifyingKey) -> bool {
    one.id == other.id && one.auth_type == other.auth_type && one.fingerprint == other.fingerprint
}

#[cfg(test)]
mod tests;
