//! The keys of test issuers, which are the same in every process: making RSA keys takes seconds in debug builds.
//!
//! They are published in this package. Only a test issuer's own server and the tests that trust it use them.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};

use super::shape::KeyId;
use crate::{
    AuthType, Key,
    keys::{Crypto, Prepared, PublicKey},
};

/// A private key in PEM, and what key sets say about its certificate.
struct Material {
    pem: &'static str,
    /// The certificate in base64, as in `x5c`. ECDSA keys have none.
    certificate: &'static str,
    /// The certificate's SHA-1 hash in base64url, as in `x5t`.
    thumbprint: &'static str,
}

macro_rules! rsa {
    ($name:literal, $thumbprint:literal) => {
        Material {
            pem: include_str!(concat!("keys/rsa_", $name, ".pem")),
            certificate: include_str!(concat!("keys/rsa_", $name, ".x5c")),
            thumbprint: $thumbprint,
        }
    };
}

macro_rules! p256 {
    ($name:literal) => {
        Material {
            pem: include_str!(concat!("keys/p256_", $name, ".pem")),
            certificate: "",
            thumbprint: "",
        }
    };
}

/// The issuer's keys, one after the other as it rotates.
const RSA: [Material; 4] = [
    rsa!("1", "P4tVWhwjUKPyC2Thd2ST9dhhJQ4"),
    rsa!("2", "5goaNhdc-fIdfTl1RUFYHg12dHk"),
    rsa!("3", "J0lCDILlHMArMKLbJIsPUIRJhMY"),
    rsa!("4", "D9VaYQKL5kqYs-3OdGqtgAUhELU"),
];
/// The key that is not the issuer's.
const OTHER_RSA: Material = rsa!("5", "TbG968363Jd34LqiYcJtXNibvU8");
/// A key for encryption, beside those for signatures.
const ENCRYPTION: Material = rsa!("6", "PnCWKahyYXsZQO9M6tFN8JoQr5s");
const P256: [Material; 4] = [p256!("1"), p256!("2"), p256!("3"), p256!("4")];
const OTHER_P256: Material = p256!("5");

/// A key with its ID and its form in a key set.
pub(super) struct TestKey {
    prepared: Prepared,
    pub(super) id: String,
    pub(super) thumbprint: &'static str,
    certificate: &'static str,
}

impl TestKey {
    /// The key that an issuer has after so many rotations. After four, the first one returns, with another ID unless
    /// the ID is the thumbprint.
    pub(super) fn nth(auth_type: AuthType, rotation: usize, form: KeyId) -> Self {
        let keys = if auth_type == AuthType::ES256 {
            &P256
        } else {
            &RSA
        };
        let material = &keys[rotation % keys.len()];
        Self::of(auth_type, material, form.new_id(material.thumbprint))
    }

    /// A key that is not the issuer's, with the ID of one that is.
    pub(super) fn stranger(auth_type: AuthType, id: &str) -> Self {
        let material = if auth_type == AuthType::ES256 {
            &OTHER_P256
        } else {
            &OTHER_RSA
        };
        Self::of(auth_type, material, id.to_owned())
    }

    /// A key for encryption, which must not verify signatures.
    pub(super) fn encryption(form: KeyId) -> Self {
        let id = form.new_id(ENCRYPTION.thumbprint);
        Self::of(AuthType::RS256, &ENCRYPTION, id)
    }

    fn of(auth_type: AuthType, material: &Material, id: String) -> Self {
        let key = Key::new(auth_type, material.pem).id(&id);
        let prepared = key.prepare("the test issuer's key", "its public key", Crypto::default());
        Self {
            prepared: prepared.expect("a key of this package"),
            id,
            thumbprint: material.thumbprint,
            certificate: material.certificate.trim_ascii(),
        }
    }

    /// Signs the message of a token, and returns the signature's segment.
    pub(super) fn sign(&self, message: &str) -> String {
        let signer = self.prepared.signer.as_ref();
        let signer = signer.expect("the key is private");
        let signature = signer.sign(message.as_bytes());
        URL_SAFE_NO_PAD.encode(signature.expect("the system has random numbers"))
    }

    /// The public key's members: `kty` and the numbers.
    pub(super) fn numbers(&self) -> Map<String, Value> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let numbers = match &self.prepared.verifying.public {
            Some(PublicKey::Rsa { n, e }) => {
                json!({"kty": "RSA", "n": encode(n), "e": encode(e)})
            }
            Some(PublicKey::Ec { x, y, .. }) => {
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            _ => Value::Null,
        };
        match numbers {
            Value::Object(members) => members,
            _ => unreachable!("all test keys are RSA or P-256"),
        }
    }

    /// The value of a placeholder in a key's or header's shape.
    pub(super) fn placeholder(&self, name: &str) -> Option<Value> {
        Some(match name {
            "$kid" => self.id.clone().into(),
            "$x5t" => self.thumbprint.into(),
            "$x5c" => self.certificate.into(),
            _ => return None,
        })
    }
}

impl KeyId {
    /// A new ID in this form.
    fn new_id(self, thumbprint: &str) -> String {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        let hex = |length: usize| {
            let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let digits = halves.filter_map(|half| char::from_digit(half.into(), 16));
            digits.take(length).collect::<String>()
        };
        match self {
            Self::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
            Self::Short(length) => {
                STANDARD.encode(bytes).replace(['+', '/'], "k")[..length].to_owned()
            }
            Self::Padded => STANDARD.encode(bytes),
            Self::Hex(length) => hex(length),
            Self::UpperHex(length) => hex(length).to_uppercase(),
            Self::Uuid => {
                let digits = hex(32);
                let parts = [
                    &digits[..8],
                    &digits[8..12],
                    &digits[12..16],
                    &digits[16..20],
                    &digits[20..],
                ];
                parts.join("-")
            }
            Self::Digits => {
                let digits = bytes.iter().map(|byte| char::from(b'0' + byte % 10));
                digits.take(18).collect()
            }
            Self::Thumbprint => thumbprint.to_owned(),
        }
    }
}
