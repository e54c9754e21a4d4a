//! Keys that are generated for one run, and the texts to configure them with.

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{self, KeySize},
    signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    },
};
use flask_pyjwt::AuthType;

use super::{SECRET, forge::Key};

pub static RSA: LazyLock<rsa::KeyPair> = LazyLock::new(make_rsa);
pub static OTHER_RSA: LazyLock<rsa::KeyPair> = LazyLock::new(make_rsa);
pub static P256: LazyLock<EcdsaKeyPair> = LazyLock::new(make_p256);
pub static OTHER_P256: LazyLock<EcdsaKeyPair> = LazyLock::new(make_p256);
pub static P384: LazyLock<EcdsaKeyPair> = LazyLock::new(make_p384);
pub static OTHER_P384: LazyLock<EcdsaKeyPair> = LazyLock::new(make_p384);
pub static P521: LazyLock<EcdsaKeyPair> = LazyLock::new(make_p521);
pub static OTHER_P521: LazyLock<EcdsaKeyPair> = LazyLock::new(make_p521);
pub static ED25519: LazyLock<Ed25519KeyPair> = LazyLock::new(make_ed25519);
pub static OTHER_ED25519: LazyLock<Ed25519KeyPair> = LazyLock::new(make_ed25519);

fn make_rsa() -> rsa::KeyPair {
    rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key")
}

fn make_p256() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
}

fn make_p384() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key")
}

fn make_p521() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).expect("a key")
}

pub fn make_ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::generate().expect("a key")
}

/// The key that signs tokens of this algorithm.
pub fn key(auth_type: AuthType) -> Key<'static> {
    match auth_type {
        AuthType::HS256 => Key::Hs256(SECRET),
        AuthType::HS384 => Key::Hs384(SECRET),
        AuthType::HS512 => Key::Hs512(SECRET),
        AuthType::RS256 => Key::Rsa(&RSA, &signature::RSA_PKCS1_SHA256),
        AuthType::RS384 => Key::Rsa(&RSA, &signature::RSA_PKCS1_SHA384),
        AuthType::RS512 => Key::Rsa(&RSA, &signature::RSA_PKCS1_SHA512),
        AuthType::PS256 => Key::Rsa(&RSA, &signature::RSA_PSS_SHA256),
        AuthType::PS384 => Key::Rsa(&RSA, &signature::RSA_PSS_SHA384),
        AuthType::PS512 => Key::Rsa(&RSA, &signature::RSA_PSS_SHA512),
        AuthType::ES256 => Key::Ecdsa(&P256),
        AuthType::ES384 => Key::Ecdsa(&P384),
        AuthType::ES512 => Key::Ecdsa(&P521),
        AuthType::EdDSA => Key::Ed25519(&ED25519),
        _ => panic!("a new algorithm: {auth_type}"),
    }
}

/// `JWT_SECRET` for [`key`]: the secret, or the private key as PKCS#8.
pub fn secret(auth_type: AuthType) -> Vec<u8> {
    match auth_type {
        AuthType::HS256 | AuthType::HS384 | AuthType::HS512 => SECRET.to_vec(),
        AuthType::ES256 => ecdsa_private(&P256).into_bytes(),
        AuthType::ES384 => ecdsa_private(&P384).into_bytes(),
        AuthType::ES512 => ecdsa_private(&P521).into_bytes(),
        AuthType::EdDSA => ed25519_private(&ED25519).into_bytes(),
        _ => rsa_private(&RSA).into_bytes(),
    }
}

/// `JWT_PUBLICKEY` for [`key`], if there is one.
pub fn public(auth_type: AuthType) -> Option<String> {
    match auth_type {
        AuthType::HS256 | AuthType::HS384 | AuthType::HS512 => None,
        AuthType::ES256 => Some(ecdsa_public(&P256)),
        AuthType::ES384 => Some(ecdsa_public(&P384)),
        AuthType::ES512 => Some(ecdsa_public(&P521)),
        AuthType::EdDSA => Some(ed25519_public(&ED25519)),
        _ => Some(rsa_public(&RSA)),
    }
}

pub fn pem(tag: &str, der: impl AsRef<[u8]>) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(tag, der.as_ref()), config)
}

/// The bytes inside a PEM text.
pub fn der(text: &str) -> Vec<u8> {
    pem::parse(text).expect("PEM").into_contents()
}

pub fn rsa_private(pair: &rsa::KeyPair) -> String {
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("PKCS#8");
    pem("PRIVATE KEY", der.as_ref())
}

/// `RSA PRIVATE KEY`: the octet string inside PKCS#8.
pub fn rsa_private_pkcs1(pair: &rsa::KeyPair) -> String {
    let pkcs8 = der(&rsa_private(pair));
    let [_version, _algorithm, key] = &read(&read(&pkcs8)[0].1)[..] else {
        panic!("three parts");
    };
    pem("RSA PRIVATE KEY", &key.1)
}

pub fn rsa_public(pair: &rsa::KeyPair) -> String {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("SPKI");
    pem("PUBLIC KEY", der.as_ref())
}

pub fn rsa_public_pkcs1(pair: &rsa::KeyPair) -> String {
    pem("RSA PUBLIC KEY", pair.public_key())
}

pub fn ecdsa_private(pair: &EcdsaKeyPair) -> String {
    pem("PRIVATE KEY", pair.to_pkcs8v1().expect("PKCS#8"))
}

pub fn ecdsa_private_sec1(pair: &EcdsaKeyPair) -> String {
    let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().expect("SEC1");
    pem("EC PRIVATE KEY", der.as_ref())
}

pub fn ecdsa_public(pair: &EcdsaKeyPair) -> String {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("SPKI");
    pem("PUBLIC KEY", der.as_ref())
}

pub fn ed25519_private(pair: &Ed25519KeyPair) -> String {
    pem("PRIVATE KEY", pair.to_pkcs8v1().expect("PKCS#8"))
}

/// PKCS#8 that includes the public key (RFC 5958, section 2).
pub fn ed25519_private_v2(pair: &Ed25519KeyPair) -> String {
    pem("PRIVATE KEY", pair.to_pkcs8().expect("PKCS#8"))
}

pub fn ed25519_public(pair: &Ed25519KeyPair) -> String {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("SPKI");
    pem("PUBLIC KEY", der.as_ref())
}

/// A public key with this modulus and this exponent, both as big-endian bytes, in the forms PKCS#1 and SPKI.
pub fn rsa_public_of(modulus: &[u8], exponent: &[u8]) -> [String; 2] {
    let positive = |number: &[u8]| match number {
        [0x80..=0xFF, ..] => [&[0], number].concat(),
        _ => number.to_vec(),
    };
    let pkcs1 = integers(&[&positive(modulus), &positive(exponent)]);
    let rsa_encryption = write(6, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1]);
    let algorithm = write(0x30, &[rsa_encryption, vec![5, 0]].concat());
    let bits = write(3, &[&[0], pkcs1.as_slice()].concat());
    let spki = write(0x30, &[algorithm, bits].concat());
    [pem("RSA PUBLIC KEY", pkcs1), pem("PUBLIC KEY", spki)]
}

/// The parts of a DER text, each with its tag and its content.
pub fn read(mut der: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut parts = Vec::new();
    while let [tag, length, rest @ ..] = der {
        let (length, rest) = if *length < 0x80 {
            (usize::from(*length), rest)
        } else {
            let (length, rest) = rest.split_at(usize::from(length & 0x7F));
            let length = length
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        };
        let (content, rest) = rest.split_at(length);
        parts.push((*tag, content.to_vec()));
        der = rest;
    }
    parts
}

/// One DER value.
pub fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    let mut der = match content.len() {
        0..0x80 => vec![tag, length[1]],
        0x80..0x100 => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    der.extend_from_slice(content);
    der
}

/// A DER sequence of integers, as in keys of PKCS#1. The numbers include their leading zeros.
pub fn integers(numbers: &[&[u8]]) -> Vec<u8> {
    let parts: Vec<_> = numbers.iter().flat_map(|number| write(2, number)).collect();
    write(0x30, &parts)
}

/// The integers of a DER sequence.
pub fn integers_of(der: &[u8]) -> Vec<Vec<u8>> {
    let parts = read(&read(der)[0].1);
    parts.into_iter().map(|(_, number)| number).collect()
}
