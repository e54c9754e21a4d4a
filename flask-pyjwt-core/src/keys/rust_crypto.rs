//! The cryptographic primitives, implemented with the RustCrypto crates. A key is parsed once, when it is configured.

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _};
use getrandom::SysRng;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rsa::{
    PrivateKey, PublicKey,
    pkcs1::DecodeRsaPrivateKey as _,
    pkcs1v15, pss,
    signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _, Verifier as _},
    traits::PublicKeyParts as _,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{
    AuthType, Encoding, Family, KeyProblem, Material, PublicKey as KeyNumbers,
    rsa_numbers::check_rsa, weak_points::starts_with_weak_point,
};

/// Verifies signatures of one algorithm with one key.
pub(crate) enum Verifier {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
    Rs256(pkcs1v15::VerifyingKey<Sha256>),
    Rs384(pkcs1v15::VerifyingKey<Sha384>),
    Rs512(pkcs1v15::VerifyingKey<Sha512>),
    Ps256(pss::VerifyingKey<Sha256>),
    Ps384(pss::VerifyingKey<Sha384>),
    Ps512(pss::VerifyingKey<Sha512>),
    Es256(p256::ecdsa::VerifyingKey),
    Es384(p384::ecdsa::VerifyingKey),
    Es512(p521::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// Signs with one key.
pub(crate) enum Signer {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
    Rsa(PrivateKey, AuthType),
    Es256(p256::ecdsa::SigningKey),
    Es384(p384::ecdsa::SigningKey),
    Es512(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

/// Parses the signature first, so that a wrong length is refused before any arithmetic.
macro_rules! verified {
    ($key:expr, $signature:ty, $message:expr, $bytes:expr) => {
        <$signature>::try_from($bytes)
            .is_ok_and(|signature| $key.verify($message, &signature).is_ok())
    };
}

impl Verifier {
    /// Checks a signature. HMAC signatures are compared in constant time.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => key
                .clone()
                .chain_update(message)
                .verify_slice(signature)
                .is_ok(),
            Self::Hs384(key) => key
                .clone()
                .chain_update(message)
                .verify_slice(signature)
                .is_ok(),
            Self::Hs512(key) => key
                .clone()
                .chain_update(message)
                .verify_slice(signature)
                .is_ok(),
            Self::Rs256(key) => verified!(key, pkcs1v15::Signature, message, signature),
            Self::Rs384(key) => verified!(key, pkcs1v15::Signature, message, signature),
            Self::Rs512(key) => verified!(key, pkcs1v15::Signature, message, signature),
            Self::Ps256(key) => verified!(key, pss::Signature, message, signature),
            Self::Ps384(key) => verified!(key, pss::Signature, message, signature),
            Self::Ps512(key) => verified!(key, pss::Signature, message, signature),
            Self::Es256(key) => verified!(key, p256::ecdsa::Signature, message, signature),
            Self::Es384(key) => verified!(key, p384::ecdsa::Signature, message, signature),
            Self::Es512(key) => verified!(key, p521::ecdsa::Signature, message, signature),
            Self::Ed25519(key) => {
                !starts_with_weak_point(signature)
                    && ed25519_dalek::Signature::from_slice(signature)
                        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
        }
    }

    pub(crate) fn hmac(auth_type: AuthType, secret: &[u8]) -> Self {
        match Signer::hmac(auth_type, secret) {
            Signer::Hs384(key) => Self::Hs384(key),
            Signer::Hs512(key) => Self::Hs512(key),
            Signer::Hs256(key) => Self::Hs256(key),
            _ => unreachable!("an HMAC signer has an HMAC key"),
        }
    }

    pub(crate) fn public(auth_type: AuthType, key: &Material) -> Result<Self, KeyProblem> {
        macro_rules! read {
            ($key:ty) => {
                <$key>::from_public_key_der(&KeyNumbers::checked(auth_type, key)?.der)
                    .map_err(|_| KeyProblem::Unfit)
            };
        }
        match auth_type {
            AuthType::ES256 => read!(p256::ecdsa::VerifyingKey).map(Self::Es256),
            AuthType::ES384 => read!(p384::ecdsa::VerifyingKey).map(Self::Es384),
            AuthType::ES512 => read!(p521::ecdsa::VerifyingKey).map(Self::Es512),
            AuthType::EdDSA => read!(ed25519_dalek::VerifyingKey).map(Self::Ed25519),
            _ => Self::rsa(auth_type, read!(PublicKey)?),
        }
    }

    fn rsa(auth_type: AuthType, key: PublicKey) -> Result<Self, KeyProblem> {
        check_rsa(&key.n_bytes(), &key.e_bytes())?;
        Ok(match auth_type {
            AuthType::RS384 => Self::Rs384(pkcs1v15::VerifyingKey::new(key)),
            AuthType::RS512 => Self::Rs512(pkcs1v15::VerifyingKey::new(key)),
            AuthType::PS256 => Self::Ps256(pss::VerifyingKey::new(key)),
            AuthType::PS384 => Self::Ps384(pss::VerifyingKey::new(key)),
            AuthType::PS512 => Self::Ps512(pss::VerifyingKey::new(key)),
            _ => Self::Rs256(pkcs1v15::VerifyingKey::new(key)),
        })
    }
}

impl Signer {
    pub(crate) fn hmac(auth_type: AuthType, secret: &[u8]) -> Self {
        const ANY_LENGTH: &str = "HMAC takes a key of any length (RFC 2104)";
        match auth_type {
            AuthType::HS384 => Self::Hs384(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
            AuthType::HS512 => Self::Hs512(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
            _ => Self::Hs256(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
        }
    }

    pub(crate) fn private(auth_type: AuthType, key: &Material) -> Result<Self, KeyProblem> {
        let der = key.der.as_slice();
        let unfit = KeyProblem::Unfit;
        match (auth_type.family(), key.encoding) {
            (Family::Rsa, Encoding::Pkcs8) => rsa(
                auth_type,
                PrivateKey::from_pkcs8_der(der).map_err(|_| unfit)?,
            ),
            (Family::Rsa, Encoding::Pkcs1Private) => rsa(
                auth_type,
                PrivateKey::from_pkcs1_der(der).map_err(|_| unfit)?,
            ),
            (Family::Ecdsa, Encoding::Pkcs8 | Encoding::Sec1) => {
                ecdsa(auth_type, key.encoding, der).ok_or(unfit)
            }
            (Family::Ed25519, Encoding::Pkcs8) => ed25519_dalek::SigningKey::from_pkcs8_der(der)
                .map(Self::Ed25519)
                .map_err(|_| unfit),
            _ => Err(unfit),
        }
    }

    /// Returns the verifier for this signer's key.
    pub(crate) fn verifier(&self, auth_type: AuthType) -> Result<Verifier, KeyProblem> {
        Ok(match self {
            Self::Hs256(key) => Verifier::Hs256(key.clone()),
            Self::Hs384(key) => Verifier::Hs384(key.clone()),
            Self::Hs512(key) => Verifier::Hs512(key.clone()),
            Self::Rsa(key, _) => return Verifier::rsa(auth_type, key.to_public_key()),
            Self::Es256(key) => Verifier::Es256(*key.verifying_key()),
            Self::Es384(key) => Verifier::Es384(*key.verifying_key()),
            Self::Es512(key) => Verifier::Es512(*key.verifying_key()),
            Self::Ed25519(key) => Verifier::Ed25519(key.verifying_key()),
        })
    }

    /// Returns the public key as `SubjectPublicKeyInfo`, or `None` for an HMAC secret.
    pub(crate) fn spki(&self) -> Option<Vec<u8>> {
        let der = match self {
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => return None,
            Self::Rsa(key, _) => key.to_public_key().to_public_key_der().ok()?,
            Self::Es256(key) => key.verifying_key().to_public_key_der().ok()?,
            Self::Es384(key) => key.verifying_key().to_public_key_der().ok()?,
            Self::Es512(key) => key.verifying_key().to_public_key_der().ok()?,
            Self::Ed25519(key) => key.verifying_key().to_public_key_der().ok()?,
        };
        Some(der.as_ref().to_vec())
    }

    /// Signs a message. Returns `None` if the system's random number generator fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Self::Hs256(key) => key
                .clone()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Hs384(key) => key
                .clone()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Hs512(key) => key
                .clone()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Rsa(key, auth_type) => return sign_rsa(key, *auth_type, message),
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_vec()
            }
            Self::Es384(key) => {
                let signature: p384::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_vec()
            }
            Self::Es512(key) => {
                let signature: p521::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_vec()
            }
            Self::Ed25519(key) => key.try_sign(message).ok()?.to_vec(),
        })
    }
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

pub(crate) fn sha384(message: &[u8]) -> Vec<u8> {
    Sha384::digest(message).to_vec()
}

pub(crate) fn sha512(message: &[u8]) -> Vec<u8> {
    Sha512::digest(message).to_vec()
}

/// Signs with blinding: random numbers hide the timing of the private key operation.
fn sign_rsa(key: &PrivateKey, auth_type: AuthType, message: &[u8]) -> Option<Vec<u8>> {
    macro_rules! signed {
        ($scheme:ident, $hash:ty) => {
            $scheme::SigningKey::<$hash>::new(key.clone())
                .try_sign_with_rng(&mut SysRng, message)
                .ok()?
                .to_vec()
        };
    }
    Some(match auth_type {
        AuthType::RS384 => signed!(pkcs1v15, Sha384),
        AuthType::RS512 => signed!(pkcs1v15, Sha512),
        AuthType::PS256 => signed!(pss, Sha256),
        AuthType::PS384 => signed!(pss, Sha384),
        AuthType::PS512 => signed!(pss, Sha512),
        _ => signed!(pkcs1v15, Sha256),
    })
}

fn ecdsa(auth_type: AuthType, encoding: Encoding, der: &[u8]) -> Option<Signer> {
    macro_rules! secret {
        ($curve:ident) => {
            if encoding == Encoding::Sec1 {
                $curve::SecretKey::from_sec1_der(der).ok()?
            } else {
                $curve::SecretKey::from_pkcs8_der(der).ok()?
            }
            .into()
        };
    }
    Some(match auth_type {
        AuthType::ES384 => Signer::Es384(secret!(p384)),
        AuthType::ES512 => Signer::Es512(secret!(p521)),
        _ => Signer::Es256(secret!(p256)),
    })
}

fn rsa(auth_type: AuthType, key: PrivateKey) -> Result<Signer, KeyProblem> {
    check_rsa(&key.n_bytes(), &key.e_bytes())?;
    key.validate().map_err(|_| KeyProblem::Unfit)?;
    Ok(Signer::Rsa(key, auth_type))
}
