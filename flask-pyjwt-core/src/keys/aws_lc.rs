//! The cryptographic primitives, implemented with AWS-LC. A key is parsed once, when it is configured.

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
        RsaEncoding, VerificationAlgorithm,
    },
};

use super::{
    AuthType, Encoding, Family, KeyProblem, Material, PublicKey, rsa_numbers::check_rsa,
    weak_points::starts_with_weak_point,
};

/// Verifies signatures of one algorithm with one key.
#[expect(
    clippy::large_enum_variant,
    reason = "one per configured key, never moved"
)]
pub(crate) enum Verifier {
    Hmac(hmac::Key),
    Public(ParsedPublicKey),
    Ed25519(ParsedPublicKey),
}

/// Signs with one key.
#[expect(
    clippy::large_enum_variant,
    reason = "one per configured key, never moved"
)]
pub(crate) enum Signer {
    Hmac(hmac::Key),
    Rsa(rsa::KeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Verifier {
    /// Checks a signature. HMAC signatures are compared in constant time.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
            // AWS-LC accepts points of small order; RustCrypto's strict check refuses them. Refuse them here too.
            Self::Ed25519(key) => {
                !starts_with_weak_point(signature) && key.verify_sig(message, signature).is_ok()
            }
        }
    }

    pub(crate) fn hmac(auth_type: AuthType, secret: &[u8]) -> Self {
        Self::Hmac(hmac::Key::new(hmac_algorithm(auth_type), secret))
    }

    pub(crate) fn public(auth_type: AuthType, key: &Material) -> Result<Self, KeyProblem> {
        Self::parsed(auth_type, &PublicKey::checked(auth_type, key)?.der)
    }

    fn parsed(auth_type: AuthType, key: &[u8]) -> Result<Self, KeyProblem> {
        let key = ParsedPublicKey::new(verification(auth_type), key);
        let key = key.map_err(|_| KeyProblem::Unfit)?;
        Ok(match auth_type {
            AuthType::EdDSA => Self::Ed25519(key),
            _ => Self::Public(key),
        })
    }
}

impl Signer {
    pub(crate) fn hmac(auth_type: AuthType, secret: &[u8]) -> Self {
        Self::Hmac(hmac::Key::new(hmac_algorithm(auth_type), secret))
    }

    pub(crate) fn private(auth_type: AuthType, key: &Material) -> Result<Self, KeyProblem> {
        let der = key.der.as_slice();
        match (auth_type.family(), key.encoding) {
            (Family::Rsa, Encoding::Pkcs8) => rsa(auth_type, rsa::KeyPair::from_pkcs8(der)),
            (Family::Rsa, Encoding::Pkcs1Private) => rsa(auth_type, rsa::KeyPair::from_der(der)),
            (Family::Ecdsa, Encoding::Pkcs8 | Encoding::Sec1) => {
                EcdsaKeyPair::from_private_key_der(ecdsa_signing(auth_type), der)
                    .map(Self::Ecdsa)
                    .map_err(|_| KeyProblem::Unfit)
            }
            (Family::Ed25519, Encoding::Pkcs8) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .map(Self::Ed25519)
                .map_err(|_| KeyProblem::Unfit),
            _ => Err(KeyProblem::Unfit),
        }
    }

    /// Returns the verifier for this signer's key.
    pub(crate) fn verifier(&self, auth_type: AuthType) -> Result<Verifier, KeyProblem> {
        match self {
            Self::Hmac(key) => Ok(Verifier::Hmac(key.clone())),
            Self::Rsa(pair, _) => Verifier::parsed(auth_type, pair.public_key().as_ref()),
            Self::Ecdsa(pair) => Verifier::parsed(auth_type, pair.public_key().as_ref()),
            Self::Ed25519(pair) => Verifier::parsed(auth_type, pair.public_key().as_ref()),
        }
    }

    /// Returns the public key as `SubjectPublicKeyInfo`, or `None` for an HMAC secret.
    pub(crate) fn spki(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Hmac(_) => return None,
            Self::Rsa(pair, _) => pair.public_key().as_der().ok()?,
            Self::Ecdsa(pair) => pair.public_key().as_der().ok()?,
            Self::Ed25519(pair) => pair.public_key().as_der().ok()?,
        };
        Some(der.as_ref().to_vec())
    }

    /// Signs a message. Returns `None` if the system's random number generator fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hmac(key) => Some(hmac::sign(key, message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).ok()?;
                Some(signature.as_ref().to_vec())
            }
            Self::Ed25519(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
        }
    }
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, message).as_ref());
    hash
}

pub(crate) fn sha384(message: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA384, message).as_ref().to_vec()
}

pub(crate) fn sha512(message: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA512, message).as_ref().to_vec()
}

fn rsa(
    auth_type: AuthType,
    pair: Result<rsa::KeyPair, aws_lc_rs::error::KeyRejected>,
) -> Result<Signer, KeyProblem> {
    let pair = pair.map_err(|rejected| match rejected.description_() {
        "TooSmall" => KeyProblem::TooSmall,
        "TooLarge" => KeyProblem::TooLarge,
        _ => KeyProblem::Unfit,
    })?;
    let key = pair.public_key();
    check_rsa(
        key.modulus().big_endian_without_leading_zero(),
        key.exponent().big_endian_without_leading_zero(),
    )?;
    Ok(Signer::Rsa(pair, rsa_encoding(auth_type)))
}

fn hmac_algorithm(auth_type: AuthType) -> hmac::Algorithm {
    match auth_type {
        AuthType::HS384 => hmac::HMAC_SHA384,
        AuthType::HS512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    }
}

fn rsa_encoding(auth_type: AuthType) -> &'static dyn RsaEncoding {
    match auth_type {
        AuthType::RS384 => &signature::RSA_PKCS1_SHA384,
        AuthType::RS512 => &signature::RSA_PKCS1_SHA512,
        AuthType::PS256 => &signature::RSA_PSS_SHA256,
        AuthType::PS384 => &signature::RSA_PSS_SHA384,
        AuthType::PS512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

fn ecdsa_signing(auth_type: AuthType) -> &'static EcdsaSigningAlgorithm {
    match auth_type {
        AuthType::ES384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        AuthType::ES512 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    }
}

fn verification(auth_type: AuthType) -> &'static dyn VerificationAlgorithm {
    match auth_type {
        AuthType::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        AuthType::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        AuthType::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        AuthType::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        AuthType::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        AuthType::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        AuthType::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        AuthType::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
        AuthType::EdDSA => &signature::ED25519,
        AuthType::RS256 | AuthType::HS256 | AuthType::HS384 | AuthType::HS512 => {
            &signature::RSA_PKCS1_2048_8192_SHA256
        }
    }
}
