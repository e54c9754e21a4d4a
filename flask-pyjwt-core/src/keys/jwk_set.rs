//! JWK sets of others (RFC 7517): each key is judged by itself, and a bad one is left out.

use std::{fmt, sync::Arc};

use super::{
    AuthType, Crypto, Serves, VerifyingKey,
    jwk::{Judged, JwkProblem, Named, member},
};
use crate::json::{Document, Kind};

/// More keys than anybody publishes, and no more than a check of each of them may cost.
const MOST_KEYS: usize = 1_000;

/// So many refused keys are told one by one where none is left, so that an error stays readable.
const MOST_TOLD: usize = 10;
/// So much of an id is told, in characters.
const TOLD_ID: usize = 64;

/// A set that is configured: its text, or what `jsonwebtoken` has read.
#[derive(Debug, Clone)]
pub(crate) enum GivenSet {
    Text(String),
    Read(jsonwebtoken::jwk::JwkSet),
}

impl GivenSet {
    pub(crate) fn judge(
        &self,
        accepted: Option<&[AuthType]>,
        crypto: Crypto,
    ) -> Result<JudgedSet, SetProblem> {
        match self {
            Self::Text(json) => JudgedSet::parse(json, accepted, crypto, &[]),
            Self::Read(set) => JudgedSet::of_jwks(set, accepted, crypto),
        }
    }
}

/// A set of keys that was read.
pub(crate) struct JudgedSet {
    pub(crate) keys: Vec<Arc<VerifyingKey>>,
    /// Those that were left out.
    pub(crate) refused: Vec<RefusedKey>,
}

/// A key of a set that is left out: which one, and why. Tells nothing of what is in it but its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedKey {
    /// Its place in the set, from 1 on.
    pub(crate) number: usize,
    pub(crate) id: Option<String>,
    pub(crate) problem: JwkProblem,
}

impl fmt::Display for RefusedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.number)?;
        if let Some(id) = &self.id {
            // Somebody else has written it: `Debug` escapes line breaks.
            write!(
                f,
                " (`kid` {:?})",
                id.chars().take(TOLD_ID).collect::<String>()
            )?;
        }
        write!(f, " {}", self.problem)
    }
}

/// Why a set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SetProblem {
    #[error("it is no JSON object with an array `keys`")]
    NoSet,
    #[error("it has more than 1000 keys")]
    TooMany,
    #[error("it has no key that can be used{}", told(.0))]
    NoKey(Vec<RefusedKey>),
}

/// Why each key was refused.
fn told(refused: &[RefusedKey]) -> String {
    let mut reasons: Vec<_> = refused
        .iter()
        .take(MOST_TOLD)
        .map(ToString::to_string)
        .collect();
    if let Some(more @ 1..) = refused.len().checked_sub(MOST_TOLD) {
        reasons.push(format!("and {more} more"));
    }
    if reasons.is_empty() {
        return String::new();
    }
    format!(": {}", reasons.join("; "))
}

impl JudgedSet {
    /// Reads a set. `accepted` are the algorithms that may be used; without them a key serves the one
    /// that it says itself, or else the usual one of its kind. The keys that are among the `known` ones already
    /// are those very ones: they are not prepared again, which a crypto provider may refuse the second time.
    ///
    /// Not by `jsonwebtoken`'s `Deserialize`: there one malformed member spoils the whole set, repeated members
    /// and private ones are dropped in silence, and ES512 is unknown.
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
            let judged = Named::read(key).and_then(|jwk| jwk.judge(accepted));
            let id = member(key, "kid").and_then(|id| Some(id.as_str()?.into_owned()));
            (judged, id)
        });
        Self::of(keys, crypto, known)
    }

    /// Judges a set that was read with `jsonwebtoken`.
    fn of_jwks(
        set: &jsonwebtoken::jwk::JwkSet,
        accepted: Option<&[AuthType]>,
        crypto: Crypto,
    ) -> Result<Self, SetProblem> {
        let keys = set.keys.iter().map(|jwk| {
            let judged = Named::of(jwk).judge(accepted);
            (judged, jwk.common.key_id.clone())
        });
        Self::of(keys, crypto, &[])
    }

    /// Prepares the keys of a set, each with its id or why it cannot be used.
    fn of(
        judged: impl Iterator<Item = (Result<Judged, JwkProblem>, Option<String>)>,
        crypto: Crypto,
        known: &[Arc<VerifyingKey>],
    ) -> Result<Self, SetProblem> {
        let mut set = Self {
            keys: Vec::new(),
            refused: Vec::new(),
        };
        let mut numbers = Vec::new();
        for (number, (judged, id)) in (1..).zip(judged) {
            if number > MOST_KEYS {
                return Err(SetProblem::TooMany);
            }
            match judged.and_then(|judged| prepare(&judged, crypto, known)) {
                Ok(keys) => {
                    for key in keys {
                        // A key that is there already is not added.
                        if !set.keys.iter().any(|own| is_same(own, &key)) {
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

    /// Of keys that only a guess could tell apart, none is used. `numbers` are the places of the keys.
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

/// The verifiers of all the algorithms that a key serves.
fn prepare(
    judged: &Judged,
    crypto: Crypto,
    known: &[Arc<VerifyingKey>],
) -> Result<Vec<Arc<VerifyingKey>>, JwkProblem> {
    let fingerprint = judged.public.thumbprint();
    let serves = match judged.id {
        None => Serves::Any,
        Some(_) => Serves::NamedOrOnly,
    };
    let prepared = judged.algorithms.iter().map(|algorithm| {
        let id = judged.id.clone().unwrap_or_default();
        let is_known = |key: &&Arc<VerifyingKey>| {
            key.id == id && key.auth_type == *algorithm && key.fingerprint == fingerprint
        };
        if let Some(known) = known.iter().find(is_known) {
            return Ok(Arc::clone(known));
        }
        let verifier = crypto.public(*algorithm, &judged.public.to_material())?;
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
