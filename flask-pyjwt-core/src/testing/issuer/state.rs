//! What all clones of a test issuer share: its server and its keys.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::{
    server::Server,
    shape::{Shape, filled},
    test_keys::TestKey,
};

/// The members of a discovery document that most providers have (`OpenID` Connect Discovery 1.0, section 3).
const DOCUMENT: &str = r#"{
    "issuer": "$iss", "jwks_uri": "$jwks_uri", "response_types_supported": ["code"],
    "subject_types_supported": ["public"], "scopes_supported": ["openid", "profile", "email"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    "id_token_signing_alg_values_supported": ["$alg"]
}"#;

pub(super) struct State {
    pub(super) shape: &'static Shape,
    pub(super) server: Server,
    keys: Mutex<Keys>,
    encryption: Option<TestKey>,
}

struct Keys {
    current: Arc<TestKey>,
    /// Those that are still in the set.
    previous: Vec<Arc<TestKey>>,
    rotations: usize,
}

impl State {
    /// Starts the server.
    pub(super) fn start(shape: &'static Shape) -> std::io::Result<Self> {
        let current = TestKey::nth(shape.algorithm, 0, shape.key_id);
        let encryption = shape.encryption_key;
        let state = Self {
            shape,
            server: Server::start()?,
            keys: Mutex::new(Keys {
                current: Arc::new(current),
                previous: Vec::new(),
                rotations: 0,
            }),
            encryption: encryption.map(|_| TestKey::encryption(shape.key_id)),
        };
        state.publish_document();
        state.publish_keys(&state.keys());
        Ok(state)
    }

    /// The issuer's name.
    pub(super) fn url(&self) -> String {
        self.server.origin() + self.shape.issuer
    }

    pub(super) fn keys_url(&self) -> String {
        self.server.origin() + self.shape.keys
    }

    pub(super) fn key(&self) -> Arc<TestKey> {
        Arc::clone(&self.keys().current)
    }

    /// Makes the next key the current one.
    pub(super) fn rotate(&self, forget: bool) {
        let mut keys = self.keys();
        keys.rotations += 1;
        let shape = self.shape;
        let next = Arc::new(TestKey::nth(shape.algorithm, keys.rotations, shape.key_id));
        let last = std::mem::replace(&mut keys.current, next);
        if forget {
            keys.previous.clear();
        } else {
            keys.previous.insert(0, last);
            // After that, the same key would be in the set twice.
            keys.previous.truncate(3);
        }
        self.publish_keys(&keys);
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_document(&self) {
        let Some(document) = &self.shape.document else {
            return;
        };
        let value = |name: &str| {
            Some(Value::from(match name {
                "$iss" => self.url(),
                "$origin" => self.server.origin(),
                "$jwks_uri" => self.keys_url(),
                "$alg" => self.shape.algorithm.name().to_owned(),
                _ => return None,
            }))
        };
        let mut members = filled(DOCUMENT, &value);
        members.extend(filled(document.members, &value));
        let json = Value::from(members).to_string();
        self.server.publish(document.path, json);
    }

    fn publish_keys(&self, keys: &Keys) {
        let signing = [&keys.current].into_iter().chain(&keys.previous);
        let mut set: Vec<_> = signing.map(|key| self.jwk(key, self.shape.key)).collect();
        if let (Some(key), Some(text)) = (&self.encryption, self.shape.encryption_key) {
            set.push(self.jwk(key, text));
        }
        let json = json!({"keys": set}).to_string();
        self.server.publish(self.shape.keys, json);
    }

    /// A key as the provider publishes it.
    fn jwk(&self, key: &TestKey, text: &str) -> Value {
        let mut members = key.numbers();
        members.insert("kid".to_owned(), key.id.as_str().into());
        let value = |name: &str| match name {
            "$iss" => Some(self.url().into()),
            _ => key.placeholder(name),
        };
        members.extend(filled(text, &value));
        members.into()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("shape", &self.shape.name)
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
