//! Tokens as an attacker writes them: any header and any payload, with a valid signature.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The key of a forged token.
pub enum Key<'a> {
    Hs256(&'a [u8]),
    Hs384(&'a [u8]),
    Hs512(&'a [u8]),
    Rsa(&'a rsa::KeyPair, &'static dyn signature::RsaEncoding),
    Ecdsa(&'a EcdsaKeyPair),
    Ed25519(&'a Ed25519KeyPair),
}

impl Key<'_> {
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let hmac = |algorithm, secret: &[u8]| {
            let key = hmac::Key::new(algorithm, secret);
            hmac::sign(&key, message).as_ref().to_vec()
        };
        let random = SystemRandom::new();
        match self {
            Self::Hs256(secret) => hmac(hmac::HMAC_SHA256, secret),
            Self::Hs384(secret) => hmac(hmac::HMAC_SHA384, secret),
            Self::Hs512(secret) => hmac(hmac::HMAC_SHA512, secret),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .expect("signed");
                signature
            }
            Self::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).expect("signed");
                signature.as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// A signed token with this header and this payload, which may be invalid.
pub fn forge(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, key: &Key<'_>) -> String {
    sign_segments(&encode(header), &encode(payload), key)
}

/// Signs these two segments as they are.
pub fn sign_segments(header: &str, payload: &str, key: &Key<'_>) -> String {
    let message = format!("{header}.{payload}");
    let signature = key.sign(message.as_bytes());
    format!("{message}.{}", encode(signature))
}

/// A token's three segments.
pub fn segments(token: &str) -> [&str; 3] {
    let segments: Vec<_> = token.split('.').collect();
    segments.try_into().expect("three segments")
}

/// The token with another signature.
pub fn with_signature(token: &str, signature: impl AsRef<[u8]>) -> String {
    let [header, payload, _] = segments(token);
    format!("{header}.{payload}.{}", encode(signature))
}
