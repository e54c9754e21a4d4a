//! `jsonwebtoken`'s own provider, with all algorithms that it supports.

use super::{accepts_its_tokens_only, algorithms, decoding_key, encoding_key, own};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Key,
    jsonwebtoken::{Header, Validation, crypto::aws_lc, decode, encode},
};
use serde_json::Value;
use support::{claims, config, keys};

fn provided(auth_type: AuthType) -> Config {
    config(auth_type, keys::secret(auth_type)).crypto_provider(&aws_lc::DEFAULT_PROVIDER)
}

#[test]
fn the_provider_and_the_built_in_cryptography_accept_each_others_tokens() {
    assert_eq!(algorithms().count(), 12);
    for (auth_type, algorithm) in algorithms() {
        let (theirs, ours) = (support::manager(provided(auth_type)), own(auth_type));
        let tokens = [&theirs, &ours].map(|auth| auth.auth_token("alice").sign().expect("minted"));
        let written = encode(&Header::new(algorithm), &claims(), &encoding_key(auth_type));
        let written = written.expect("written");
        let texts = [tokens[0].signed(), tokens[1].signed(), &written];
        for text in texts {
            for auth in [&theirs, &ours] {
                accepts_its_tokens_only(auth, text);
            }
            let mut validation = Validation::new(algorithm);
            validation.validate_exp = false;
            let read = decode::<Value>(text, &decoding_key(auth_type), &validation);
            assert_eq!(read.expect("valid").claims["sub"], "alice", "{auth_type}");
        }
        assert_eq!(theirs.keys(), ours.keys(), "{auth_type}");
        assert_eq!(theirs.jwk_set(), ours.jwk_set(), "{auth_type}");
    }
}

#[test]
fn every_encoding_of_a_key_reaches_the_provider() {
    let rsa = keys::rsa_private_pkcs1(&keys::RSA);
    let p256 = keys::ecdsa_private_sec1(&keys::P256);
    let p384 = keys::ecdsa_private_sec1(&keys::P384);
    let ed25519 = keys::ed25519_private_v2(&keys::ED25519);
    for (auth_type, secret) in [
        (AuthType::RS256, rsa),
        (AuthType::ES256, p256),
        (AuthType::ES384, p384),
        (AuthType::EdDSA, ed25519),
    ] {
        let config = config(auth_type, secret).crypto_provider(&aws_lc::DEFAULT_PROVIDER);
        let auth = support::manager(config);
        let token = auth.auth_token("alice").sign().expect("minted");
        accepts_its_tokens_only(&own(auth_type), token.signed());
    }
    let public = keys::rsa_public_pkcs1(&keys::RSA);
    let verifier = Config::verify_only(support::ISSUER, AuthType::PS256, public);
    let verifier = verifier
        .clock(support::frozen())
        .crypto_provider(&aws_lc::DEFAULT_PROVIDER);
    let token = own(AuthType::PS256)
        .auth_token("alice")
        .sign()
        .expect("minted");
    accepts_its_tokens_only(&support::manager(verifier), token.signed());
}

/// `docs/threats.md` 3 and 4: the library validates keys before the provider gets them.
#[test]
fn weak_and_mismatched_keys_are_refused_before_the_provider_gets_them() {
    let with = |auth_type, secret: &[u8]| {
        AuthManager::new(config(auth_type, secret).crypto_provider(&aws_lc::DEFAULT_PROVIDER))
    };
    let es512 = super::reason(with(AuthType::ES512, &keys::secret(AuthType::ES512)));
    assert!(es512.contains("`jsonwebtoken` does not support"), "{es512}");
    assert!(with(AuthType::HS256, b"short").is_err());
    assert!(with(AuthType::HS256, &keys::secret(AuthType::RS256)).is_err());
    assert!(with(AuthType::RS256, &keys::secret(AuthType::ES256)).is_err());
    assert!(with(AuthType::ES384, &keys::secret(AuthType::ES256)).is_err());
    let [small, _] = keys::rsa_public_of(&[0xff; 128], &[1, 0, 1]);
    let verifier = Config::verify_only("issuer", AuthType::RS256, small);
    let verifier = AuthManager::new(verifier.crypto_provider(&aws_lc::DEFAULT_PROVIDER));
    assert!(super::reason(verifier).contains("2048"));
    let pair = config(AuthType::ES256, keys::secret(AuthType::ES256))
        .public_key(keys::ecdsa_public(&keys::OTHER_P256))
        .crypto_provider(&aws_lc::DEFAULT_PROVIDER);
    assert!(super::reason(AuthManager::new(pair)).contains("does not match"));
}

#[test]
fn a_manager_rotates_to_keys_of_the_provider() {
    let auth = support::manager(provided(AuthType::ES256));
    let before = auth.auth_token("alice").sign().expect("minted");
    let key = Key::from_encoding_key(AuthType::EdDSA, &encoding_key(AuthType::EdDSA));
    auth.rotate(key.id("next")).expect("a valid key");
    let after = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(after.header()["kid"], "next");
    for token in [before, after] {
        accepts_its_tokens_only(&auth, token.signed());
    }
    let es512 = Key::new(AuthType::ES512, keys::secret(AuthType::ES512));
    assert!(auth.rotate(es512).is_err());
}
