//! Keys for this package's own purposes, derived from a key that signs.
//!
//! HKDF with SHA-256 (RFC 5869) makes one HMAC key for each purpose. It lives as long as its key is in the
//! ring: a key that signs no more goes on checking what it has made, and a key that was removed ends what
//! it has made.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{
    AuthType, Encoding, Family, Material,
    backend::{Signer, Verifier},
    der,
};

/// The salt of the extraction step. Another one would make every tag of an earlier version wrong.
const SALT: &[u8] = b"flask-pyjwt derived keys";
/// How many bytes of a tag name the key that made it.
const NAME: usize = 4;
/// The length in bytes of the MAC.
const MAC: usize = 32;

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The proofs that a page is our own.
    CsrfProofs,
    /// The records of sessions in a store that others may write to.
    SessionRecords,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::CsrfProofs => b"csrf proofs",
            Self::SessionRecords => b"session records",
        }
    }
}

/// The derived keys of one key.
pub(crate) struct DerivedKeys {
    csrf_proofs: MacKey,
    session_records: MacKey,
}

impl DerivedKeys {
    /// Derives the keys of a private key. The same key gives the same ones, whichever encoding it is written
    /// in.
    pub(super) fn of_private_key(auth_type: AuthType, key: &Material) -> Option<Self> {
        Self::of_secret(private_part(auth_type, key).unwrap_or(&key.der))
    }

    /// Derives the keys of an HMAC secret.
    pub(super) fn of_secret(secret: &[u8]) -> Option<Self> {
        Some(Self {
            csrf_proofs: MacKey::derived(secret, Purpose::CsrfProofs)?,
            session_records: MacKey::derived(secret, Purpose::SessionRecords)?,
        })
    }

    pub(super) fn key(&self, purpose: Purpose) -> &MacKey {
        match purpose {
            Purpose::CsrfProofs => &self.csrf_proofs,
            Purpose::SessionRecords => &self.session_records,
        }
    }
}

/// An HMAC key that makes and checks tags: the key's name, and a MAC over several parts.
pub(crate) struct MacKey {
    name: [u8; NAME],
    signer: Signer,
    verifier: Verifier,
}

impl MacKey {
    /// The key of one purpose.
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

    /// Makes the tag of these parts: 48 characters of base64url.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Option<String> {
        let mac = self.signer.sign(&message(parts))?;
        Some(URL_SAFE_NO_PAD.encode([&self.name[..], &mac].concat()))
    }

    /// Whether this key made the tag of these parts. The MACs are compared in constant time.
    pub(crate) fn verify(&self, parts: &[&[u8]], tag: &Tag) -> bool {
        self.made(tag) && self.verifier.verify(&message(parts), &tag.mac)
    }

    /// Whether a tag names this key. Names are short, and two keys may have the same one.
    pub(super) fn made(&self, tag: &Tag) -> bool {
        self.name == tag.name
    }
}

/// A tag as it was read.
pub(crate) struct Tag {
    name: [u8; NAME],
    mac: [u8; MAC],
}

impl Tag {
    /// The length of its text.
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

/// The parts as one message, each behind its length: no two lists of parts give the same message.
fn message(parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len() + 8).sum();
    let mut message = Vec::with_capacity(length);
    for part in parts {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}

/// The part of a private key that is the same in every encoding: RSA's numbers (RFC 8017), the scalar of an
/// elliptic curve (RFC 5915), the seed of Ed25519 (RFC 8410).
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
    fn a_tag_is_good_for_its_key_its_purpose_and_its_parts_only() {
        let own = key(b"secret", Purpose::CsrfProofs);
        let text = own.tag(&PARTS).expect("made");
        let tag = Tag::parse(&text).expect("a tag");
        assert_eq!(text.len(), Tag::LENGTH);
        assert!(own.verify(&PARTS, &tag));
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
            assert!(!own.verify(parts, &tag), "{parts:?}");
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_tag() {
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
