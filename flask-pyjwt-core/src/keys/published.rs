//! The JWK set of this server's public keys (RFC 7517).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{VerifyingKey, backend::sha256};
use crate::jose::NumericDate;

/// A JWK set as it is sent, and its entity tag.
pub(crate) struct Published {
    pub(crate) json: String,
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
        let keys: Vec<_> = live.filter_map(|key| jwk(key)).collect();
        // An end may be set after this: it is looked at again soon.
        let until = now.seconds().saturating_add(1);
        let json = Value::Object(Map::from_iter([("keys".to_owned(), keys.into())])).to_string();
        Self {
            etag: etag(&json),
            json,
            valid: (now.seconds(), until),
        }
    }
}

/// The entity tag of a text, with its quotes (RFC 9110, section 8.8.3).
pub(crate) fn etag(text: &str) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(sha256(text.as_bytes())))
}

fn jwk(key: &VerifyingKey) -> Option<Value> {
    let numbers = key.public.as_ref()?.members();
    let about = [
        ("use", "sig".to_owned()),
        ("alg", key.auth_type.name().to_owned()),
        ("kid", key.id.clone()),
    ];
    let members = about.into_iter().chain(numbers);
    Some(Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect(),
    ))
}
