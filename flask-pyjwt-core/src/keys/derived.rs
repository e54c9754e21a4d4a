//! HMAC keys for internal purposes, derived from signing keys.
//!
//! HKDF with SHA-256 (RFC 5869) derives one HMAC key for each purpose. A derived key can be used as long as its
//! signing key is in the ring. A retired signing key still checks the tags that it has made. After a key is removed,
//! its tags are invalid.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{
    AuthType, Encoding, Family, Material,
    backend::{Signer, Verifier},
    der,
};

/// The salt of HKDF's extraction step. Changing it invalidates all tags of earlier versions.
const SALT: &[u8] = b"flask-pyjwt derived keys";
/// The length of a key's name in bytes. Each tag starts with the name of the key that made it.
const NAME: usize = 4;
/// The length of a MAC in bytes.
const MAC: usize = 32;

/// The purpose of a derived key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// CSRF proofs, which show that a request comes from a page of this server.
    CsrfProofs,
    /// Seals of session records in a store that other programs can write to.
    SessionRecords,
    /// Nonces of DPoP proofs, which say when the proof was made.
    ProofNonces,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::CsrfProofs => b"csrf proofs",
            Self::SessionRecords => b"session records",
            Self::ProofNonces => b"proof nonces",
        }
    }
}

/// The keys derived from one signing key.
pub(crate) struct DerivedKeys {
    csrf_proofs: MacKey,
    session_records: MacKey,
    proof_nonces: MacKey,
}

impl DerivedKeys {
    /// Derives the keys from a private key. The result does not depend on the encoding of the private key.
    pub(super) fn from_private_key(auth_type: AuthType, key: &Material) -> Option<Self> {
        Self::from_secret(private_part(auth_type, key).unwrap_or(&key.der))
    }

    /// Derives the keys from an HMAC secret.
    pub(super) fn from_secret(secret: &[u8]) -> Option<Self> {
        Some(Self {
            csrf_proofs: MacKey::derived(secret, Purpose::CsrfProofs)?,
            session_records: MacKey::derived(secret, Purpose::SessionRecords)?,
            proof_nonces: MacKey::derived(secret, Purpose::ProofNonces)?,
        })
    }

    pub(super) fn key(&self, purpose: Purpose) -> &MacKey {
        match purpose {
            Purpose::CsrfProofs => &self.csrf_proofs,
            Purpose::SessionRecords => &self.session_records,
            Purpose::ProofNonces => &self.proof_nonces,
        }
    }
}

/// An HMAC key that makes and checks tags. A tag consists of the key's name and a MAC over several parts.
pub(crate) struct MacKey {
    name: [u8; NAME],
    signer: Signer,
    verifier: Verifier,
}

impl MacKey {
    /// Derives the key for a purpose.
    pub(crate) fn derived(secret: &[u8], purpose: Purpose) -> Option<Self> {
        let extracted = Signer::hmac(AuthType::HS256, SALT).sign(secret)?;
        let extracted = Zeroizing::new(extracted);
        let extracted = Signer::hmac(AuthType::HS256, &extracted);
        let label = purpose.label();
        let key = Zeroizing::new(extracted.sign(&[label, &[1]].concat())?);
        let name = extracted.sign(&[label, b" name", &[1]].concat())?;
        Some(Self {
            name: *name.first_chunk()?,
            signer: Signer::hmac(AuthType::HS256, &key),
            verifier: Verifier::hmac(AuthType::HS256, &key),
        })
    }

    /// Makes a tag over these parts: 48 characters of base64url.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Option<String> {
        let mac = self.signer.sign(&message(parts))?;
        Some(URL_SAFE_NO_PAD.encode([&self.name[..], &mac].concat()))
    }

    /// Returns whether this key made the tag over these parts. The MACs are compared in constant time.
    pub(crate) fn verify(&self, parts: &[&[u8]], tag: &Tag) -> bool {
        self.is_named_by(tag) && self.verifier.verify(&message(parts), &tag.mac)
    }

    /// Returns whether a tag names this key. Names are short, so two keys can have the same name.
    pub(super) fn is_named_by(&self, tag: &Tag) -> bool {
        self.name == tag.name
    }
}

/// A parsed tag.
pub(crate) struct Tag {
    name: [u8; NAME],
    mac: [u8; MAC],
}

impl Tag {
    /// The length of a tag's text in bytes.
    pub(crate) const LENGTH: usize = (NAME + MAC) * 4 / 3;

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (name, mac) = bytes.split_first_chunk()?;
        Some(Self {
            name: *name,
            mac: mac.try_into().ok()?,
        })
    }
}

/// Joins the parts into one message. Each part follows its length, so that no two lists of parts make the same message.
fn message(parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len() + 8).sum();
    let mut message = Vec::with_capacity(length);
    for part in parts {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}

/// Returns the part of a private key that is the same in every encoding: the numbers of RSA (RFC 8017), the scalar of
/// an elliptic curve (RFC 5915), or the seed of Ed25519 (RFC 8410).
fn private_part(auth_type: AuthType, material: &Material) -> Option<&[u8]> {
    let mut key = material.der.as_slice();
    if material.encoding == Encoding::Pkcs8 {
        let mut fields = der::only(key, der::SEQUENCE)?;
        der::take(&mut fields, der::INTEGER)?;
        der::take(&mut fields, der::SEQUENCE)?;
        key = der::take(&mut fields, der::OCTET_STRING)?;
    }
    match auth_type.family() {
        Family::Hmac => None,
        Family::Rsa => Some(key),
        Family::Ecdsa => {
            let mut fields = der::only(key, der::SEQUENCE)?;
            der::take(&mut fields, der::INTEGER)?;
            der::take(&mut fields, der::OCTET_STRING)
        }
        Family::Ed25519 => der::only(key, der::OCTET_STRING),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [&[u8]; 3] = [b"one", b"", b"two\0three"];

    fn key(secret: &[u8], purpose: Purpose) -> MacKey {
        MacKey::derived(secret, purpose).expect("derived")
    }

    #[test]
    fn a_tag_is_valid_only_for_its_key_purpose_and_parts() {
        let key_of_tag = key(b"secret", Purpose::CsrfProofs);
        let text = key_of_tag.tag(&PARTS).expect("made");
        let tag = Tag::parse(&text).expect("a tag");
        assert_eq!(text.len(), Tag::LENGTH);
        assert!(key_of_tag.verify(&PARTS, &tag));
        for other in [
            key(b"secret", Purpose::SessionRecords),
            key(b"secret2", Purpose::CsrfProofs),
        ] {
            let renamed = Tag {
                name: other.name,
                mac: tag.mac,
            };
            assert!(!other.verify(&PARTS, &tag) && !other.verify(&PARTS, &renamed));
        }
        for parts in [
            &[b"one".as_slice(), b"", b"two", b"three"][..],
            &[b"one", b"two\0three"],
            &[b"on", b"e", b"two\0three"],
            &[b"one", b"\0two", b"three"],
            &[b"one", b"", b"two\0three", b""],
            &[],
        ] {
            assert!(!key_of_tag.verify(parts, &tag), "{parts:?}");
        }
    }

    #[test]
    fn a_malformed_text_is_not_parsed_as_a_tag() {
        let text = key(b"secret", Purpose::CsrfProofs)
            .tag(&PARTS)
            .expect("made");
        for wrong in [
            "",
            &text[1..],
            &format!("{text}A"),
            &text.replace(&text[..1], "="),
        ] {
            assert!(Tag::parse(wrong).is_none(), "{wrong}");
        }
    }
}
