//! The built-in cryptography as a provider for `jsonwebtoken`.

use flask_pyjwt::{
    AuthType, CRYPTO_PROVIDER,
    jsonwebtoken::{
        Algorithm, DecodingKey, EncodingKey,
        crypto::aws_lc,
        jwk::{EllipticCurve, ThumbprintHash},
    },
};

use super::{algorithms, decoding_key, encoding_key};
use support::keys;

#[test]
fn the_built_in_and_the_default_provider_accept_each_others_signatures() {
    let providers = [&CRYPTO_PROVIDER, &aws_lc::DEFAULT_PROVIDER];
    for (auth_type, algorithm) in algorithms() {
        let (private, public) = (encoding_key(auth_type), decoding_key(auth_type));
        for signing in providers {
            let signer = (signing.signer_factory)(&algorithm, &private).expect("a valid key");
            assert_eq!(signer.algorithm(), algorithm);
            let signature = signer.try_sign(b"message").expect("signed");
            for verifying in providers {
                let verifier = (verifying.verifier_factory)(&algorithm, &public);
                let verifier = verifier.expect("a valid key");
                assert_eq!(verifier.algorithm(), algorithm);
                assert!(
                    verifier.verify(b"message", &signature).is_ok(),
                    "{auth_type}"
                );
                assert!(verifier.verify(b"massage", &signature).is_err());
                assert!(
                    verifier
                        .verify(b"message", &signature[1..].to_vec())
                        .is_err()
                );
                assert!(verifier.verify(b"message", &Vec::new()).is_err());
            }
        }
    }
}

/// `docs/threats.md` 2, 3 and 4
#[test]
fn weak_keys_and_keys_of_another_kind_are_refused() {
    for (auth_type, algorithm) in algorithms() {
        for (other, of_other) in algorithms() {
            if algorithm.family() == of_other.family()
                && !(auth_type == AuthType::ES384 || other == AuthType::ES384)
            {
                continue;
            }
            if auth_type == other {
                continue;
            }
            let (private, public) = (encoding_key(other), decoding_key(other));
            let signer = (CRYPTO_PROVIDER.signer_factory)(&algorithm, &private);
            assert!(signer.is_err(), "{auth_type} {other}");
            let verifier = (CRYPTO_PROVIDER.verifier_factory)(&algorithm, &public);
            assert!(verifier.is_err(), "{auth_type} {other}");
        }
    }
    let verifier = CRYPTO_PROVIDER.verifier_factory;
    for (algorithm, key) in [
        (Algorithm::HS256, DecodingKey::from_secret(&[7; 31])),
        (Algorithm::HS512, DecodingKey::from_secret(&[7; 63])),
        (
            Algorithm::RS256,
            DecodingKey::from_rsa_raw_components(&[0xff; 128], &[1, 0, 1]),
        ),
        (
            Algorithm::RS256,
            DecodingKey::from_rsa_raw_components(&[0xff; 256], &[1]),
        ),
        (
            Algorithm::ES256,
            DecodingKey::from_ec_der(&[&[4][..], &[1; 64]].concat()),
        ),
        (Algorithm::ES256, DecodingKey::from_ec_der(b"")),
        (Algorithm::EdDSA, DecodingKey::from_ed_der(&[0; 32])),
        (Algorithm::EdDSA, DecodingKey::from_ed_der(&[7; 31])),
        (Algorithm::RS256, DecodingKey::from_rsa_der(b"rsa")),
    ] {
        assert!(verifier(&algorithm, &key).is_err(), "{algorithm:?}");
    }
    let short = EncodingKey::from_secret(&[7; 31]);
    assert!((CRYPTO_PROVIDER.signer_factory)(&Algorithm::HS256, &short).is_err());
}

#[test]
fn its_jwk_functions_match_those_of_the_default_provider() {
    let (ours, theirs) = (
        &CRYPTO_PROVIDER.key_utils,
        &aws_lc::DEFAULT_PROVIDER.key_utils,
    );
    let rsa = keys::der(&keys::rsa_private_pkcs1(&keys::RSA));
    let (from, other) = (
        ours.rsa_pub_components_from_private_key,
        theirs.rsa_pub_components_from_private_key,
    );
    assert_eq!(from(&rsa).expect("a key"), other(&rsa).expect("a key"));
    let rsa = keys::der(&keys::rsa_public_pkcs1(&keys::RSA));
    let (from, other) = (
        ours.rsa_pub_components_from_public_key,
        theirs.rsa_pub_components_from_public_key,
    );
    assert_eq!(from(&rsa).expect("a key"), other(&rsa).expect("a key"));
    assert!(from(b"rsa").is_err());
    let (from, other) = (
        ours.ec_pub_components_from_private_key,
        theirs.ec_pub_components_from_private_key,
    );
    for (auth_type, algorithm) in [
        (AuthType::ES256, Algorithm::ES256),
        (AuthType::ES384, Algorithm::ES384),
    ] {
        let key = encoding_key(auth_type);
        let expected = other(key.as_bytes(), algorithm).expect("a key");
        assert_eq!(from(key.as_bytes(), algorithm).expect("a key"), expected);
        assert!(from(key.as_bytes(), Algorithm::RS256).is_err());
    }
    let (from, other) = (
        ours.ed_pub_components_from_private_key,
        theirs.ed_pub_components_from_private_key,
    );
    let key = encoding_key(AuthType::EdDSA);
    let expected = other(key.as_bytes(), &EllipticCurve::Ed25519).expect("a key");
    assert_eq!(
        from(key.as_bytes(), &EllipticCurve::Ed25519).expect("a key"),
        expected
    );
    assert!(from(key.as_bytes(), &EllipticCurve::P256).is_err());
    for hash in [
        ThumbprintHash::SHA256,
        ThumbprintHash::SHA384,
        ThumbprintHash::SHA512,
    ] {
        let digest = (ours.compute_digest)(b"data", hash.clone()).expect("a digest");
        assert_eq!(
            digest,
            (theirs.compute_digest)(b"data", hash).expect("a digest")
        );
    }
}
