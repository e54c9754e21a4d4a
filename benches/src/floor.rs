//! The minimum work of a verification by the fastest means: comparison with a known header, SIMD base64 into
//! stack buffers, a prepared key, one parse.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    },
};
use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::keys::Keys;

/// Longest payload in bytes: a larger buffer would take time to zero.
const LONGEST: usize = 1024;

/// Everything is prepared.
pub(crate) struct Floor {
    header: String,
    verifier: Verifier,
    signer: Signer,
}

#[expect(clippy::large_enum_variant, reason = "there is one")]
enum Verifier {
    Hmac(hmac::Key),
    Public(ParsedPublicKey),
}

#[expect(clippy::large_enum_variant, reason = "there is one")]
enum Signer {
    Hmac(hmac::Key),
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Floor {
    pub(crate) fn new(keys: &Keys) -> Self {
        let (public, private) = (keys.verifying_bytes(), keys.signing_bytes());
        let parsed = |algorithm| {
            Verifier::Public(ParsedPublicKey::new(algorithm, &public).expect("a public key"))
        };
        let (verifier, signer) = match &*keys.algorithm {
            "RS256" => (
                parsed(&RSA_PKCS1_2048_8192_SHA256),
                Signer::Rsa(RsaKeyPair::from_pkcs8(&private).expect("an RSA key")),
            ),
            "ES256" => (
                parsed(&ECDSA_P256_SHA256_FIXED),
                Signer::Ecdsa(
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private)
                        .expect("a P-256 key"),
                ),
            ),
            "EdDSA" => (
                parsed(&ED25519),
                Signer::Ed25519(
                    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&private).expect("an Ed25519 key"),
                ),
            ),
            _ => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &private);
                (Verifier::Hmac(key.clone()), Signer::Hmac(key))
            }
        };
        let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, keys.algorithm);
        Self {
            header: URL_SAFE_NO_PAD.encode_to_string(header) + ".",
            verifier,
            signer,
        }
    }

    /// Verifies a token and reads its payload into a `T`.
    pub(crate) fn verify<T>(&self, token: &str, read: impl FnOnce(&[u8]) -> T) -> T {
        let (message, signature) = token.rsplit_once('.').expect("a signature");
        let payload = message.strip_prefix(&*self.header).expect("this header");
        let mut decoded = [0; 256];
        let signature = URL_SAFE_NO_PAD
            .decode(signature.as_bytes(), decoded[..].as_out())
            .expect("base64url");
        assert!(self.is_genuine(message.as_bytes(), signature));
        let mut decoded = [0; LONGEST];
        let payload = URL_SAFE_NO_PAD
            .decode(payload.as_bytes(), decoded[..].as_out())
            .expect("base64url");
        read(payload)
    }

    /// The signature alone.
    pub(crate) fn is_genuine(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.verifier {
            Verifier::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Verifier::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }

    /// Mints a token with these claims.
    pub(crate) fn mint(&self, claims: &impl Serialize) -> String {
        let mut payload = Vec::with_capacity(512);
        serde_json::to_writer(&mut payload, claims).expect("JSON");
        let mut token = String::with_capacity(1024);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_append(&payload, &mut token);
        let mut buffer = [0; 512];
        let length = self.sign(token.as_bytes(), &mut buffer);
        token.push('.');
        URL_SAFE_NO_PAD.encode_append(&buffer[..length], &mut token);
        token
    }

    /// The signature alone. Returns its length.
    pub(crate) fn sign(&self, message: &[u8], signature: &mut [u8; 512]) -> usize {
        let mut copy = |bytes: &[u8]| {
            signature[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        };
        match &self.signer {
            Signer::Hmac(key) => copy(hmac::sign(key, message).as_ref()),
            Signer::Ed25519(key) => copy(key.sign(message).as_ref()),
            Signer::Ecdsa(key) => {
                let signed = key.sign(&SystemRandom::new(), message).expect("signed");
                copy(signed.as_ref())
            }
            Signer::Rsa(key) => {
                let length = key.public_modulus_len();
                let signature = &mut signature[..length];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, signature)
                    .expect("signed");
                length
            }
        }
    }
}

/// Reads a payload.
pub(crate) fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> T {
    serde_json::from_slice(payload).expect("these claims")
}
