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

/// A JWK set as it is sent, and its entity tag.
pub(crate) struct Published {
    pub(crate) json: String,
    /// The same in the types of `jsonwebtoken`.
    pub(crate) set: JwkSet,
    pub(crate) etag: String,
    /// The seconds since 1970 from and until which this is what is published.
    valid: (i64, i64),
}

/// What was published last: keys change rarely, and come to their end on their own.
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
    /// The public keys among these that count now. HMAC secrets are none, and nothing of them is
    /// published.
    fn of(keys: &[Arc<VerifyingKey>], now: NumericDate) -> Self {
        let live = keys.iter().filter(|key| key.is_live(now));
        let published = live.filter_map(|key| Some((jwk(key)?, key.auth_type)));
        let (keys, algorithms): (Vec<_>, Vec<_>) = published.unzip();
        let set = JwkSet { keys };
        let json = json(&set, &algorithms);
        // An end may be set after this: it is looked at again soon.
        let until = now.seconds().saturating_add(1);
        Self {
            etag: etag(&json),
            json,
            set,
            valid: (now.seconds(), until),
        }
    }
}

/// The entity tag of a text, with its quotes (RFC 9110, section 8.8.3).
pub(crate) fn etag(text: &str) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(sha256(text.as_bytes())))
}

/// A key as it is published; `alg` is missing where `jsonwebtoken` does not have the algorithm.
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

/// The text of a set. Each key says its algorithm, ES512 too, which `KeyAlgorithm` cannot say.
fn json(set: &JwkSet, algorithms: &[AuthType]) -> String {
    let mut json = serde_json::to_value(set).expect("texts are written as JSON");
    let keys = json["keys"].as_array_mut().into_iter().flatten();
    for (key, algorithm) in keys.zip(algorithms) {
        key["alg"] = Value::from(algorithm.name());
    }
    json.to_string()
}
