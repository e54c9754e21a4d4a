//! The other packages, set up as in their documentation, each checking signature, times and issuer.

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use jwt_simple::prelude::{
    Duration, ECDSAP256KeyPairLike as _, ECDSAP256PublicKeyLike as _, ES256KeyPair, ES256PublicKey,
    Ed25519KeyPair, Ed25519PublicKey, EdDSAKeyPairLike as _, EdDSAPublicKeyLike as _, HS256Key,
    JWTClaims, MACLike as _, RS256KeyPair, RS256PublicKey, RSAKeyPairLike as _,
    RSAPublicKeyLike as _, VerificationOptions,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{claims::ISSUER, keys::Keys};

/// `jsonwebtoken`, with its keys made once, as its documentation recommends.
pub(crate) struct JsonWebToken {
    decoding: DecodingKey,
    encoding: EncodingKey,
    validation: Validation,
    header: Header,
}

impl JsonWebToken {
    pub(crate) fn new(keys: &Keys) -> Self {
        let (public, private) = (keys.public.as_bytes(), keys.private.as_bytes());
        let (algorithm, decoding, encoding) = match &*keys.algorithm {
            "RS256" => (
                Algorithm::RS256,
                DecodingKey::from_rsa_pem(public),
                EncodingKey::from_rsa_pem(private),
            ),
            "ES256" => (
                Algorithm::ES256,
                DecodingKey::from_ec_pem(public),
                EncodingKey::from_ec_pem(private),
            ),
            "EdDSA" => (
                Algorithm::EdDSA,
                DecodingKey::from_ed_pem(public),
                EncodingKey::from_ed_pem(private),
            ),
            _ => (
                Algorithm::HS256,
                Ok(DecodingKey::from_secret(private)),
                Ok(EncodingKey::from_secret(private)),
            ),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.leeway = 0;
        Self {
            decoding: decoding.expect("a public key"),
            encoding: encoding.expect("a private key"),
            validation,
            header: Header::new(algorithm),
        }
    }

    pub(crate) fn verify<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let verified = jsonwebtoken::decode(token, &self.decoding, &self.validation);
        verified.ok().map(|verified| verified.claims)
    }

    pub(crate) fn mint(&self, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(&self.header, claims, &self.encoding).expect("minted")
    }
}

/// `jwt-simple`, with the registered claims in its own struct and the others in a map.
pub(crate) struct JwtSimple {
    key: SimpleKey,
    options: VerificationOptions,
}

enum SimpleKey {
    Hs256(HS256Key),
    Rs256(Box<(RS256PublicKey, RS256KeyPair)>),
    Es256(Box<(ES256PublicKey, ES256KeyPair)>),
    EdDsa(Box<(Ed25519PublicKey, Ed25519KeyPair)>),
}

pub(crate) type SimpleClaims = JWTClaims<Map<String, Value>>;

impl JwtSimple {
    pub(crate) fn new(keys: &Keys) -> Self {
        let (public, private) = (&keys.public, &keys.private);
        let key = match &*keys.algorithm {
            "RS256" => SimpleKey::Rs256(Box::new((
                RS256PublicKey::from_pem(public).expect("a public key"),
                RS256KeyPair::from_pem(private).expect("a private key"),
            ))),
            "ES256" => SimpleKey::Es256(Box::new((
                ES256PublicKey::from_pem(public).expect("a public key"),
                ES256KeyPair::from_pem(private).expect("a private key"),
            ))),
            "EdDSA" => {
                let key = pem::parse(private).expect("PEM").into_contents();
                let pair = Ed25519KeyPair::from_der(&key).expect("a private key");
                let public = Ed25519PublicKey::from_pem(public).expect("a public key");
                SimpleKey::EdDsa(Box::new((public, pair)))
            }
            _ => SimpleKey::Hs256(HS256Key::from_bytes(private.as_bytes())),
        };
        let options = VerificationOptions {
            allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
            time_tolerance: Some(Duration::from_secs(0)),
            ..VerificationOptions::default()
        };
        Self { key, options }
    }

    pub(crate) fn verify(&self, token: &str) -> Option<SimpleClaims> {
        let options = Some(self.options.clone());
        match &self.key {
            SimpleKey::Hs256(key) => key.verify_token(token, options),
            SimpleKey::Rs256(key) => key.0.verify_token(token, options),
            SimpleKey::Es256(key) => key.0.verify_token(token, options),
            SimpleKey::EdDsa(key) => key.0.verify_token(token, options),
        }
        .ok()
    }

    pub(crate) fn mint(&self, claims: SimpleClaims) -> String {
        match &self.key {
            SimpleKey::Hs256(key) => key.authenticate(claims),
            SimpleKey::Rs256(key) => key.1.sign(claims),
            SimpleKey::Es256(key) => key.1.sign(claims),
            SimpleKey::EdDsa(key) => key.1.sign(claims),
        }
        .expect("minted")
    }
}
