//! The JWK set of this server's public keys (RFC 7517).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm,
    jwk::{CommonParameters, Jwk, JwkSet, PublicKeyUse},
};
use serde_json::Value;

use super::{AuthType, VerifyingKey, backend::sha256};
use crate::jose::NumericDate;

/// A JWK set ready to be sent, with its entity tag.
pub(crate) struct Published {
    pub(crate) json: String,
    /// The same set in the types of `jsonwebtoken`.
    pub(crate) set: JwkSet,
    pub(crate) etag: String,
    /// The period in which this set is valid, in seconds since 1970. The end is exclusive.
    valid: (i64, i64),
}

/// A cache of the published set, since keys rarely change.
#[derive(Default)]
pub(crate) struct PublishedCache(ArcSwapOption<Published>);

impl PublishedCache {
    pub(crate) fn get(&self, keys: &[Arc<VerifyingKey>], now: NumericDate) -> Arc<Published> {
        if let Some(published) = &*self.0.load() {
            let (from, until) = published.valid;
            if (from..until).contains(&now.seconds()) {
                return Arc::clone(published);
            }
        }
        let published = Arc::new(Published::of(keys, now));
        self.0.store(Some(Arc::clone(&published)));
        published
    }
}

impl Published {
    /// Builds the set of the live public keys. HMAC secrets are never published.
    fn of(keys: &[Arc<VerifyingKey>], now: NumericDate) -> Self {
        let live = keys.iter().filter(|key| key.is_live(now));
        let published = live.filter_map(|key| Some((jwk(key)?, key.auth_type)));
        let (keys, algorithms): (Vec<_>, Vec<_>) = published.unzip();
        let set = JwkSet { keys };
        let json = json(&set, &algorithms);
        // A key's end can be set at any time, so the set is built again every second.
        let until = now.seconds().saturating_add(1);
        Self {
            etag: etag(&json),
            json,
            set,
            valid: (now.seconds(), until),
        }
    }
}

/// Returns the entity tag of a text, including the quotes (RFC 9110, section 8.8.3).
pub(crate) fn etag(text: &str) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(sha256(text.as_bytes())))
}

/// Returns a key as a JWK. `alg` is missing if `jsonwebtoken` does not support the algorithm.
fn jwk(key: &VerifyingKey) -> Option<Jwk> {
    let algorithm = Algorithm::try_from(key.auth_type).ok();
    Some(Jwk {
        common: CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: algorithm.map(Into::into),
            key_id: Some(key.id.clone()),
            ..CommonParameters::default()
        },
        algorithm: key.public.as_ref()?.to_jwk(),
    })
}

/// Serializes a set. Adds `alg` to every key, because `KeyAlgorithm` cannot express ES512.
fn json(set: &JwkSet, algorithms: &[AuthType]) -> String {
    let mut json = serde_json::to_value(set).expect("strings can be serialized");
    let keys = json["keys"].as_array_mut().into_iter().flatten();
    for (key, algorithm) in keys.zip(algorithms) {
        key["alg"] = Value::from(algorithm.name());
    }
    json.to_string()
}
