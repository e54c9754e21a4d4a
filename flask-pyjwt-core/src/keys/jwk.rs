//! JWK sets of others (RFC 7517): each key is judged by itself, and a bad one is left out.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{AuthType, Family, KeyProblem, PublicKey, Verifier, VerifyingKey, public_key::Curve};
use crate::token::{Document, Json, Kind};

/// More keys than anybody publishes, and no more than a check of each of them may cost.
const MOST_KEYS: usize = 1_000;
/// The longest key id in bytes.
const LONGEST_ID: usize = 256;

/// A set of keys that was read.
pub(crate) struct JwkSet {
    pub(crate) keys: Vec<VerifyingKey>,
    /// Why others were left out.
    pub(crate) refused: Vec<JwkProblem>,
}

/// Why a key of a set, or a whole set, cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwkProblem {
    #[error("it is no JSON object with an array `keys`")]
    NoSet,
    #[error("it has more than 1000 keys")]
    TooMany,
    #[error("it has no key that can be used")]
    NoKey,
    #[error("a key is no JSON object, or a member of it has the wrong type")]
    Malformed,
    #[error("a key has private parts: whoever reads the set can sign")]
    Private,
    #[error("a key is symmetric")]
    Symmetric,
    #[error("a key is of a kind or curve that is not supported")]
    Unsupported,
    #[error("a key is not for signatures: `use` or `key_ops` say so")]
    OtherUse,
    #[error("a key is for another algorithm than those that are accepted")]
    Algorithm,
    #[error("the id of a key is empty or longer than 256 bytes")]
    Id,
    #[error("two different keys have the same id")]
    Duplicate,
    #[error("a key {0}")]
    Key(KeyProblem),
}

impl JwkSet {
    /// Reads a set. `accepted` are the algorithms that may be used; without them a key serves the one
    /// that it says itself, or else the usual one of its kind.
    pub(crate) fn parse(text: &str, accepted: Option<&[AuthType]>) -> Result<Self, JwkProblem> {
        let document = Document::object(text.to_owned()).map_err(|_| JwkProblem::NoSet)?;
        let keys = document.root().member("keys").ok_or(JwkProblem::NoSet)?;
        if keys.kind() != Kind::Array {
            return Err(JwkProblem::NoSet);
        }
        let mut set = Self {
            keys: Vec::new(),
            refused: Vec::new(),
        };
        for (number, key) in keys.items().enumerate() {
            if number == MOST_KEYS {
                return Err(JwkProblem::TooMany);
            }
            match read(key, accepted) {
                Ok(keys) => keys.into_iter().for_each(|key| set.add(key)),
                Err(problem) => set.refused.push(problem),
            }
        }
        set.refuse_ambiguous();
        if set.keys.is_empty() {
            return Err(JwkProblem::NoKey);
        }
        Ok(set)
    }

    /// Adds a key, unless it is there already.
    fn add(&mut self, key: VerifyingKey) {
        if !self.keys.iter().any(|own| is_same(own, &key)) {
            self.keys.push(key);
        }
    }

    /// Of keys that only a guess could tell apart, none is used.
    fn refuse_ambiguous(&mut self) {
        let name = |key: &VerifyingKey| (key.id.clone(), key.auth_type);
        let mut count = std::collections::HashMap::new();
        for key in self.keys.iter().filter(|key| !key.id.is_empty()) {
            *count.entry(name(key)).or_insert(0) += 1;
        }
        let before = self.keys.len();
        self.keys
            .retain(|key| key.id.is_empty() || count[&name(key)] == 1);
        if self.keys.len() < before {
            self.refused.push(JwkProblem::Duplicate);
        }
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

/// Reads one key: the verifiers of all the algorithms that it serves.
fn read(key: Json<'_>, accepted: Option<&[AuthType]>) -> Result<Vec<VerifyingKey>, JwkProblem> {
    if key.kind() != Kind::Object {
        return Err(JwkProblem::Malformed);
    }
    let text = |name| match key.member(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(JwkProblem::Malformed),
    };
    let kind = text("kty")?.ok_or(JwkProblem::Malformed)?;
    if kind == "oct" || key.member("k").is_some() {
        return Err(JwkProblem::Symmetric);
    }
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"]
        .iter()
        .any(|name| key.member(name).is_some())
    {
        return Err(JwkProblem::Private);
    }
    if text("use")?.is_some_and(|purpose| purpose != "sig") || !allows_verifying(key)? {
        return Err(JwkProblem::OtherUse);
    }
    let id = text("kid")?.map(std::borrow::Cow::into_owned);
    if id
        .as_ref()
        .is_some_and(|id| id.is_empty() || id.len() > LONGEST_ID)
    {
        return Err(JwkProblem::Id);
    }
    let number = |name| -> Result<Vec<u8>, JwkProblem> {
        let text = text(name)?.ok_or(JwkProblem::Malformed)?;
        URL_SAFE_NO_PAD
            .decode(&*text)
            .map_err(|_| JwkProblem::Malformed)
    };
    let public = public_key(&kind, text("crv")?.as_deref(), number)?;
    let declared = match text("alg")? {
        None => None,
        // RFC 9864 names the algorithm by its curve.
        Some(name) if name == "Ed25519" => Some(AuthType::EdDSA),
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
    if public.is_guessable() {
        return Err(JwkProblem::Key(KeyProblem::Guessable));
    }
    let fingerprint = public.thumbprint();
    let is_nameless = id.is_none();
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
            is_nameless,
            verifier,
            public,
        ))
    });
    prepared.collect::<Result<_, _>>().map_err(JwkProblem::Key)
}

/// Whether `key_ops` is absent or has `verify` (RFC 7517, section 4.3).
fn allows_verifying(key: Json<'_>) -> Result<bool, JwkProblem> {
    let Some(operations) = key.member("key_ops") else {
        return Ok(true);
    };
    let is_text = |item: Json<'_>| matches!(item.kind(), Kind::String | Kind::EscapedString);
    if operations.kind() != Kind::Array || !operations.items().all(is_text) {
        return Err(JwkProblem::Malformed);
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
                    0 => Err(JwkProblem::Malformed),
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
            let (x, y) = (number("x")?, number("y")?);
            // Of exactly the curve's length (RFC 7518, section 6.2.1.2).
            if [&x, &y].iter().any(|n| n.len() != curve.coordinate()) {
                return Err(JwkProblem::Malformed);
            }
            Ok(PublicKey::Ec { curve, x, y })
        }
        "OKP" if curve == Some("Ed25519") => {
            let x = number("x")?.try_into().map_err(|_| JwkProblem::Malformed)?;
            Ok(PublicKey::Ed25519 { x })
        }
        _ => Err(JwkProblem::Unsupported),
    }
}

#[cfg(test)]
mod tests;
