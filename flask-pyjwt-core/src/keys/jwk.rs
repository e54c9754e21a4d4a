//! JWK sets of others (RFC 7517): each key is judged by itself, and a bad one is left out.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    AuthType, Family, KeyProblem, PublicKey, Serves, Verifier, VerifyingKey, public_key::Curve,
};
use crate::json::{Document, Json, Kind};

/// More keys than anybody publishes, and no more than a check of each of them may cost.
const MOST_KEYS: usize = 1_000;
/// The longest key id in bytes.
const LONGEST_ID: usize = 256;

/// So many refused keys are told one by one where none is left, so that an error stays readable.
const MOST_TOLD: usize = 10;
/// So much of an id is told, in characters.
const TOLD_ID: usize = 64;

/// A set of keys that was read.
pub(crate) struct JwkSet {
    pub(crate) keys: Vec<VerifyingKey>,
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

/// Why a key of a set cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwkProblem {
    #[error("is no JSON object")]
    NoObject,
    #[error("has no member `{0}`")]
    Missing(&'static str),
    #[error("has a member `{0}` of another type or form than RFC 7517 and RFC 7518 say")]
    Malformed(&'static str),
    #[error("has the private member `{0}`: whoever reads the set can sign")]
    Private(&'static str),
    #[error("is symmetric")]
    Symmetric,
    #[error("is of a kind or curve that is not supported: see `kty` and `crv`")]
    Unsupported,
    #[error("is not for signatures: its `use` is not `sig`")]
    OtherUse,
    #[error("is not for verifying: its `key_ops` have no `verify`")]
    OtherOperations,
    #[error("is for another algorithm than those that are accepted: see `alg`")]
    Algorithm,
    #[error("has a `kid` that is empty or longer than 256 bytes")]
    Id,
    #[error("has the `kid` and the algorithm of another key: nobody can tell them apart")]
    Duplicate,
    #[error("{0}")]
    Key(KeyProblem),
}

impl JwkSet {
    /// Reads a set. `accepted` are the algorithms that may be used; without them a key serves the one
    /// that it says itself, or else the usual one of its kind.
    pub(crate) fn parse(text: &str, accepted: Option<&[AuthType]>) -> Result<Self, SetProblem> {
        let document = Document::object(text.to_owned()).map_err(|_| SetProblem::NoSet)?;
        let keys = document.root().member("keys").ok_or(SetProblem::NoSet)?;
        if keys.kind() != Kind::Array {
            return Err(SetProblem::NoSet);
        }
        let mut set = Self {
            keys: Vec::new(),
            refused: Vec::new(),
        };
        let mut numbers = Vec::new();
        for (number, key) in (1..).zip(keys.items()) {
            if number > MOST_KEYS {
                return Err(SetProblem::TooMany);
            }
            match read(key, accepted) {
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
                    id: member(key, "kid").and_then(|id| Some(id.as_str()?.into_owned())),
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
        let name = |key: &VerifyingKey| (key.id.clone(), key.auth_type);
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

    /// The keys, those that are in another set already being those very ones.
    pub(crate) fn joined_to(self, old: &[Arc<VerifyingKey>]) -> Vec<Arc<VerifyingKey>> {
        let known = |key: &VerifyingKey| old.iter().find(|own| is_same(own, key)).map(Arc::clone);
        self.keys
            .into_iter()
            .map(|key| known(&key).unwrap_or_else(|| Arc::new(key)))
            .collect()
    }
}

fn is_same(one: &VerifyingKey, other: &VerifyingKey) -> bool {
    one.id == other.id && one.auth_type == other.auth_type && one.fingerprint == other.fingerprint
}

/// A member of a key. Some write `null` for what is not there.
fn member<'a>(key: Json<'a>, name: &str) -> Option<Json<'a>> {
    key.member(name).filter(|value| value.kind() != Kind::Null)
}

/// Reads one key: the verifiers of all the algorithms that it serves.
fn read(key: Json<'_>, accepted: Option<&[AuthType]>) -> Result<Vec<VerifyingKey>, JwkProblem> {
    if key.kind() != Kind::Object {
        return Err(JwkProblem::NoObject);
    }
    let text = |name| {
        let value = member(key, name);
        let text = value.map(|value| value.as_str().ok_or(JwkProblem::Malformed(name)));
        text.transpose()
    };
    let kind = text("kty")?.ok_or(JwkProblem::Missing("kty"))?;
    if kind == "oct" || member(key, "k").is_some() {
        return Err(JwkProblem::Symmetric);
    }
    let mut private = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"].into_iter();
    if let Some(name) = private.find(|name| member(key, name).is_some()) {
        return Err(JwkProblem::Private(name));
    }
    if text("use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(JwkProblem::OtherUse);
    }
    if !allows_verifying(key)? {
        return Err(JwkProblem::OtherOperations);
    }
    let id = text("kid")?.map(std::borrow::Cow::into_owned);
    if id
        .as_ref()
        .is_some_and(|id| id.is_empty() || id.len() > LONGEST_ID)
    {
        return Err(JwkProblem::Id);
    }
    let number = |name| -> Result<Vec<u8>, JwkProblem> {
        let text = text(name)?.ok_or(JwkProblem::Missing(name))?;
        URL_SAFE_NO_PAD
            .decode(&*text)
            .map_err(|_| JwkProblem::Malformed(name))
    };
    let public = public_key(&kind, text("crv")?.as_deref(), number)?;
    let declared = match text("alg")? {
        None => None,
        Some(name) => Some(name.parse().map_err(|_| JwkProblem::Algorithm)?),
    };
    let mut algorithms = match (declared, accepted) {
        (Some(declared), _) => vec![declared],
        (None, Some(accepted)) => accepted.to_vec(),
        (None, None) => vec![public.usual_algorithm()],
    };
    algorithms.retain(|algorithm| {
        public.fits(*algorithm) && accepted.is_none_or(|accepted| accepted.contains(algorithm))
    });
    if algorithms.is_empty() {
        return Err(JwkProblem::Algorithm);
    }
    let fingerprint = public.thumbprint();
    let serves = if id.is_none() {
        Serves::Any
    } else {
        Serves::NamedOrOnly
    };
    let id = id.unwrap_or_default();
    let prepared = algorithms.into_iter().map(|algorithm| {
        debug_assert!(algorithm.family() != Family::Hmac, "no public key fits it");
        let verifier = Verifier::public(algorithm, &public.to_material())?;
        let (id, fingerprint) = (id.clone(), fingerprint.clone());
        let public = None;
        Ok(VerifyingKey::new(
            algorithm,
            id,
            fingerprint,
            serves,
            verifier,
            public,
        ))
    });
    prepared.collect::<Result<_, _>>().map_err(JwkProblem::Key)
}

/// Whether `key_ops` is absent or has `verify` (RFC 7517, section 4.3).
fn allows_verifying(key: Json<'_>) -> Result<bool, JwkProblem> {
    let Some(operations) = member(key, "key_ops") else {
        return Ok(true);
    };
    let is_text = |item: Json<'_>| matches!(item.kind(), Kind::String | Kind::EscapedString);
    if operations.kind() != Kind::Array || !operations.items().all(is_text) {
        return Err(JwkProblem::Malformed("key_ops"));
    }
    Ok(operations
        .items()
        .any(|operation| operation.is_str("verify")))
}

fn public_key(
    kind: &str,
    curve: Option<&str>,
    number: impl Fn(&'static str) -> Result<Vec<u8>, JwkProblem>,
) -> Result<PublicKey, JwkProblem> {
    match kind {
        "RSA" => {
            let positive = |name| {
                let number = number(name)?;
                // RFC 7518, section 6.3.1, forbids leading zeros; some wrote them all the same.
                let zeros = number.iter().take_while(|byte| **byte == 0).count();
                let number = number[zeros..].to_vec();
                // What no DER here could say, no key is as long as.
                match number.len() {
                    0 => Err(JwkProblem::Malformed(name)),
                    1..=4_096 => Ok(number),
                    _ => Err(JwkProblem::Key(KeyProblem::TooLarge)),
                }
            };
            Ok(PublicKey::Rsa {
                n: positive("n")?,
                e: positive("e")?,
            })
        }
        "EC" => {
            let curve = Curve::ALL
                .into_iter()
                .find(|known| Some(known.name()) == curve)
                .ok_or(JwkProblem::Unsupported)?;
            let coordinate = |name| {
                // Of exactly the curve's length (RFC 7518, section 6.2.1.2).
                let number = number(name)?;
                let is_right = number.len() == curve.coordinate();
                is_right
                    .then_some(number)
                    .ok_or(JwkProblem::Malformed(name))
            };
            let (x, y) = (coordinate("x")?, coordinate("y")?);
            Ok(PublicKey::Ec { curve, x, y })
        }
        "OKP" if curve == Some("Ed25519") => {
            let x = number("x")?.try_into();
            let x = x.map_err(|_| JwkProblem::Malformed("x"))?;
            Ok(PublicKey::Ed25519 { x })
        }
        _ => Err(JwkProblem::Unsupported),
    }
}

#[cfg(test)]
mod tests;
