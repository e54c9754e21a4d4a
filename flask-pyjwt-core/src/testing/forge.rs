//! Tokens that no manager would mint: any header and any claims, signed with the manager's key, with the key of a
//! stranger, or with none.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::FrozenClock;
use crate::{
    config::Config,
    keys::{AuthType, Family},
    manager::AuthManager,
    token::Token,
};

/// A secret and private keys that no server uses: everybody can read them here.
const SECRET: &str =
    "the secret of a stranger, which no server has, for the tests of refusals: it is public";
const ES256: &str = include_str!("stranger/es256.pem");
const ES384: &str = include_str!("stranger/es384.pem");
const ES512: &str = include_str!("stranger/es512.pem");
const EDDSA: &str = include_str!("stranger/eddsa.pem");
const RSA: &str = include_str!("stranger/rsa.pem");

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signer {
    /// The manager, with the key of the tokens that it mints.
    Manager,
    /// Another key of the same algorithm.
    Stranger,
    /// Nobody: the header says `alg: none`, and the signature is empty.
    Nobody,
}

/// A token before its signature.
#[derive(Clone)]
pub(super) struct Forgery {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl Forgery {
    /// What a token says, to be changed.
    pub(super) fn of(token: &Token) -> Self {
        Self {
            header: token.header(),
            claims: token.claims().clone(),
        }
    }

    pub(super) fn set(&mut self, claim: impl Into<String>, value: impl Into<Value>) {
        self.claims.insert(claim.into(), value.into());
    }

    /// The signed text. `None` if the manager has no key that signs.
    pub(super) fn sign(&self, manager: &AuthManager, signer: Signer) -> Option<String> {
        let mut header = self.header.clone();
        if signer == Signer::Nobody {
            header.insert("alg".to_owned(), json!("none"));
        }
        let message = format!("{}.{}", segment(&header), segment(&self.claims));
        let signature = match signer {
            Signer::Manager => signature_of(manager, message.as_bytes())?,
            Signer::Stranger => signature_of(&stranger(algorithm_of(manager)), message.as_bytes())?,
            Signer::Nobody => Vec::new(),
        };
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The same signature over other claims: one that says more, and nothing else.
pub(super) fn with_tampered_claims(signed: &str) -> String {
    let mut parts = signed.split('.').map(str::to_owned).collect::<Vec<_>>();
    if let Some(payload) = parts.get_mut(1) {
        let claims = URL_SAFE_NO_PAD.decode(payload.as_bytes()).ok();
        let claims = claims.and_then(|claims| serde_json::from_slice::<Map<_, _>>(&claims).ok());
        let mut claims = claims.unwrap_or_default();
        claims.insert("tampered".to_owned(), json!(true));
        *payload = segment(&claims);
    }
    parts.join(".")
}

/// The same token with one bit of the signature changed.
pub(super) fn with_tampered_signature(signed: &str) -> String {
    let Some((message, signature)) = signed.rsplit_once('.') else {
        return signed.to_owned();
    };
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    match signature.first_mut() {
        Some(byte) => *byte ^= 1,
        None => signature.push(1),
    }
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn segment(members: &Map<String, Value>) -> String {
    URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string())
}

fn signature_of(manager: &AuthManager, message: &[u8]) -> Option<Vec<u8>> {
    let ring = manager.parts().verification.keys.load();
    ring.signing.as_ref()?.signer.sign(message).ok()
}

/// The algorithm of the tokens that the manager mints, or of a key that it verifies with.
fn algorithm_of(manager: &AuthManager) -> AuthType {
    let ring = manager.parts().verification.keys.load();
    match (&ring.signing, ring.set.keys().first()) {
        (None, Some(key)) => key.auth_type,
        _ => manager.auth_type(),
    }
}

/// A manager with keys that nobody trusts.
pub(super) fn stranger(auth_type: AuthType) -> AuthManager {
    let key = match auth_type {
        AuthType::ES256 => ES256,
        AuthType::ES384 => ES384,
        AuthType::ES512 => ES512,
        AuthType::EdDSA => EDDSA,
        _ if auth_type.family() == Family::Hmac => SECRET,
        _ => RSA,
    };
    // With a clock of its own it is not counted among the server's managers.
    let clock = FrozenClock::new(time::OffsetDateTime::now_utc());
    let config = Config::new("stranger", auth_type, key).clock(clock);
    AuthManager::new(config).expect("the keys in this file are good")
}
