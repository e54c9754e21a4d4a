//! New keys.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::{AuthManager, AuthType, Config};
use zeroize::Zeroizing;

use crate::{failure::Failure, terminal};

/// The size of RSA keys, in bits, if none is given.
pub(crate) const DEFAULT_BITS: u32 = 3_072;

/// A text that is overwritten in memory when it is no longer needed.
pub(crate) type Secret = Zeroizing<String>;

/// The kind of key that an algorithm needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A random secret of so many bytes: the length of the hash (RFC 7518, section 3.2).
    Secret(usize),
    Rsa,
    Curve,
}

/// The kind of key that an algorithm needs.
pub(crate) fn kind(auth_type: AuthType) -> Kind {
    match auth_type {
        AuthType::HS256 => Kind::Secret(32),
        AuthType::HS384 => Kind::Secret(48),
        AuthType::HS512 => Kind::Secret(64),
        AuthType::RS256
        | AuthType::RS384
        | AuthType::RS512
        | AuthType::PS256
        | AuthType::PS384
        | AuthType::PS512 => Kind::Rsa,
        _ => Kind::Curve,
    }
}

/// Makes a key: PEM (PKCS#8), or for HMAC a random secret in base64url.
pub(crate) fn key(auth_type: AuthType, bits: Option<u32>) -> Result<Secret, Failure> {
    check(auth_type, bits)?;
    let unusable = |_| Failure::wrong("the key cannot be generated");
    match auth_type {
        _ if kind(auth_type) == Kind::Rsa => rsa(bits.unwrap_or(DEFAULT_BITS)),
        AuthType::ES256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
        AuthType::ES384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
        AuthType::ES512 => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING),
        AuthType::EdDSA => {
            let pair = Ed25519KeyPair::generate().map_err(unusable)?;
            Ok(pem(pair.to_pkcs8v1().map_err(unusable)?.as_ref()))
        }
        _ => match kind(auth_type) {
            Kind::Secret(length) => secret(length),
            Kind::Rsa | Kind::Curve => Err(Failure::wrong(format!(
                "keys for {auth_type} cannot be generated"
            ))),
        },
    }
}

/// Whether there are keys of this size.
pub(crate) fn check(auth_type: AuthType, bits: Option<u32>) -> Result<(), Failure> {
    match bits {
        Some(_) if kind(auth_type) != Kind::Rsa => Err(Failure::usage(format!(
            "`--bits` is for RSA, and {auth_type} has keys of one size"
        ))),
        Some(bits) => size(bits).map(drop),
        None => Ok(()),
    }
}

fn size(bits: u32) -> Result<KeySize, Failure> {
    match bits {
        2_048 => Ok(KeySize::Rsa2048),
        3_072 => Ok(KeySize::Rsa3072),
        4_096 => Ok(KeySize::Rsa4096),
        8_192 => Ok(KeySize::Rsa8192),
        _ => Err(Failure::usage("`--bits` is 2048, 3072, 4096 or 8192")),
    }
}

/// The ID that a server gives to this key.
pub(crate) fn id(auth_type: AuthType, key: &str) -> Result<String, Failure> {
    let auth = AuthManager::new(Config::new("flask-pyjwt", auth_type, key))?;
    let keys = auth.keys();
    let id = keys.first().map(|key| key.id().to_owned());
    id.ok_or_else(|| Failure::wrong("the clock is out of range"))
}

fn secret(length: usize) -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    rand::fill(&mut bytes)
        .map_err(|_| Failure::wrong("the system's source of randomness fails"))?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(&*bytes)))
}

fn rsa(bits: u32) -> Result<Secret, Failure> {
    let size = size(bits)?;
    terminal::progress(&format!("an RSA key of {bits} bits is being generated"));
    let unusable = |_| Failure::wrong("the key cannot be generated");
    let pair = rsa::KeyPair::generate(size).map_err(unusable)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(unusable)?;
    Ok(pem(der.as_ref()))
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Secret, Failure> {
    let unusable = |_| Failure::wrong("the key cannot be generated");
    let pair = EcdsaKeyPair::generate(algorithm).map_err(unusable)?;
    Ok(pem(pair.to_pkcs8v1().map_err(unusable)?.as_ref()))
}

fn pem(der: &[u8]) -> Secret {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Zeroizing::new(pem::encode_config(
        &pem::Pem::new("PRIVATE KEY", der),
        config,
    ))
}
