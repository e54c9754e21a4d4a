//! How PKCS#11 makes the signatures of JWS.

use cryptoki::{
    mechanism::{
        Mechanism, MechanismType,
        eddsa::{EddsaParams, EddsaSignatureScheme},
        rsa::{PkcsMgfType, PkcsPssParams},
    },
    object::KeyType,
};
use flask_pyjwt_core::AuthType;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::Pkcs11Error;

/// The kind of key that an algorithm needs.
pub(crate) fn key_type(auth_type: AuthType) -> Result<KeyType, Pkcs11Error> {
    match auth_type {
        AuthType::ES256 | AuthType::ES384 | AuthType::ES512 => Ok(KeyType::EC),
        AuthType::EdDSA => Ok(KeyType::EC_EDWARDS),
        AuthType::RS256
        | AuthType::RS384
        | AuthType::RS512
        | AuthType::PS256
        | AuthType::PS384
        | AuthType::PS512 => Ok(KeyType::RSA),
        other => Err(Pkcs11Error::Algorithm(other)),
    }
}

/// The mechanism that signs what [`input`] returns.
pub(crate) fn mechanism(auth_type: AuthType) -> Result<Mechanism<'static>, Pkcs11Error> {
    // The salt is as long as the hash (RFC 7518, section 3.5).
    let pss = |hash_alg, mgf, length: u32| PkcsPssParams {
        hash_alg,
        mgf,
        s_len: u64::from(length).into(),
    };
    Ok(match auth_type {
        // The signature is r and s (PKCS #11 3.0, section 2.3.1), as in JWS.
        AuthType::ES256 | AuthType::ES384 | AuthType::ES512 => Mechanism::Ecdsa,
        AuthType::EdDSA => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)),
        AuthType::RS256 => Mechanism::Sha256RsaPkcs,
        AuthType::RS384 => Mechanism::Sha384RsaPkcs,
        AuthType::RS512 => Mechanism::Sha512RsaPkcs,
        AuthType::PS256 => {
            Mechanism::Sha256RsaPkcsPss(pss(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32))
        }
        AuthType::PS384 => {
            Mechanism::Sha384RsaPkcsPss(pss(MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48))
        }
        AuthType::PS512 => {
            Mechanism::Sha512RsaPkcsPss(pss(MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64))
        }
        other => return Err(Pkcs11Error::Algorithm(other)),
    })
}

/// What the HSM gets of a message: its hash for ECDSA, whose mechanisms with a hash not every HSM has.
pub(crate) fn input(auth_type: AuthType, message: &[u8]) -> Vec<u8> {
    match auth_type {
        AuthType::ES256 => Sha256::digest(message).to_vec(),
        AuthType::ES384 => Sha384::digest(message).to_vec(),
        AuthType::ES512 => Sha512::digest(message).to_vec(),
        _ => message.to_vec(),
    }
}
