//! Keys, JWKs and tokens as types of `jsonwebtoken`, as input and output.

use flask_pyjwt::{
    AuthManager, AuthType, Config, Issuer, Key, Token,
    jsonwebtoken::{
        Algorithm, DecodingKey, EncodingKey, TokenData,
        jwk::{self, Jwk, JwkSet, KeyAlgorithm, KeyOperations, PublicKeyUse, ThumbprintHash},
    },
};
use serde_json::{Value, json};

use support::{
    ISSUER, SECRET, claims, config, forge, frozen,
    keys::{self, OTHER_RSA, P521},
    manager,
};

/// RFC 8037, appendix A.2
const OKP: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn jwk(of: &Value) -> Jwk {
    serde_json::from_value(of.clone()).expect("a JWK")
}

fn okp(changes: &Value) -> Value {
    let mut key: Value = serde_json::from_str(OKP).expect("JSON");
    for (name, value) in changes.as_object().expect("an object") {
        key[name] = value.clone();
    }
    key
}

fn with(key: Key) -> Result<AuthManager, flask_pyjwt::ConfigError> {
    AuthManager::new(Config::with_key(ISSUER, key).clock(frozen()))
}

#[test]
fn algorithms_convert_in_both_directions() {
    for auth_type in AuthType::ALL {
        match Algorithm::try_from(auth_type) {
            Ok(algorithm) => {
                assert_eq!(AuthType::try_from(algorithm), Ok(auth_type));
                assert_eq!(format!("{algorithm:?}"), auth_type.name());
            }
            Err(_) => assert_eq!(auth_type, AuthType::ES512),
        }
    }
}

#[test]
fn a_key_is_the_same_in_every_form() {
    let rsa = keys::der(&keys::rsa_private_pkcs1(&keys::RSA));
    let rsa_pkcs8 = keys::der(&keys::rsa_private(&keys::RSA));
    let p521 = keys::der(&keys::ecdsa_private(&P521));
    let p521_sec1 = keys::der(&keys::ecdsa_private_sec1(&P521));
    let ed25519 = keys::der(&keys::ed25519_private(&keys::ED25519));
    for (auth_type, key) in [
        (AuthType::HS512, EncodingKey::from_secret(SECRET)),
        (AuthType::RS256, EncodingKey::from_rsa_der(&rsa)),
        (AuthType::PS512, EncodingKey::from_rsa_der(&rsa_pkcs8)),
        (AuthType::ES512, EncodingKey::from_ec_der(&p521)),
        (AuthType::ES512, EncodingKey::from_ec_der(&p521_sec1)),
        (AuthType::EdDSA, EncodingKey::from_ed_der(&ed25519)),
    ] {
        let auth = with(Key::from_encoding_key(auth_type, &key)).expect("a valid key");
        let same = manager(config(auth_type, keys::secret(auth_type)));
        assert_eq!(auth.keys(), same.keys(), "{auth_type}");
        let token = auth.auth_token("alice").sign().expect("minted");
        assert!(same.verify_token(token.signed()).is_ok());
    }
}

#[test]
fn public_keys_verify_in_every_form_and_cannot_sign() {
    let numbers = keys::integers_of(&keys::der(&keys::rsa_public_pkcs1(&keys::RSA)));
    let spki = |auth_type| keys::der(&keys::public(auth_type).expect("a public key"));
    let rsa_spki = spki(AuthType::RS256);
    let point = |auth_type| {
        let spki = keys::read(&spki(auth_type)).remove(0).1;
        keys::read(&spki)[1].1[1..].to_vec()
    };
    for (auth_type, key) in [
        (AuthType::HS256, DecodingKey::from_secret(SECRET)),
        (AuthType::RS256, DecodingKey::from_rsa_der(&rsa_spki)),
        (
            AuthType::PS256,
            DecodingKey::from_rsa_raw_components(&numbers[0], &numbers[1]),
        ),
        (
            AuthType::ES256,
            DecodingKey::from_ec_der(&point(AuthType::ES256)),
        ),
        (
            AuthType::ES512,
            DecodingKey::from_ec_der(&point(AuthType::ES512)),
        ),
        (
            AuthType::ES512,
            DecodingKey::from_ec_der(&spki(AuthType::ES512)),
        ),
        (
            AuthType::EdDSA,
            DecodingKey::from_ed_der(&point(AuthType::EdDSA)),
        ),
    ] {
        let auth = with(Key::from_decoding_key(auth_type, &key)).expect("a valid key");
        let same = manager(config(auth_type, keys::secret(auth_type)));
        let token = same.auth_token("alice").sign().expect("minted");
        assert!(auth.verify_token(token.signed()).is_ok(), "{auth_type}");
        assert!(auth.auth_token("alice").sign().is_err(), "{auth_type}");
        assert!(
            same.rotate(Key::from_decoding_key(auth_type, &key).id("public"))
                .is_err()
        );
    }
}

/// `docs/threats.md` 2, 3 and 4: keys of these types are validated like all others.
#[test]
fn weak_and_mismatched_keys_are_refused() {
    let rsa = keys::der(&keys::rsa_private(&keys::RSA));
    let p256 = keys::der(&keys::ecdsa_private(&keys::P256));
    let pem = keys::rsa_public(&keys::RSA);
    for (auth_type, key) in [
        (AuthType::HS256, EncodingKey::from_secret(b"short")),
        (AuthType::HS256, EncodingKey::from_secret(b"")),
        (AuthType::HS512, EncodingKey::from_secret(&[7; 63])),
        (AuthType::HS256, EncodingKey::from_secret(pem.as_bytes())),
        (AuthType::HS256, EncodingKey::from_rsa_der(&rsa)),
        (AuthType::RS256, EncodingKey::from_secret(&rsa)),
        (AuthType::RS256, EncodingKey::from_ec_der(&rsa)),
        (AuthType::RS256, EncodingKey::from_rsa_der(&p256)),
        (AuthType::RS256, EncodingKey::from_rsa_der(b"")),
        (AuthType::RS256, EncodingKey::from_rsa_der(&rsa[1..])),
        (AuthType::ES256, EncodingKey::from_ec_der(&rsa)),
        (AuthType::ES384, EncodingKey::from_ec_der(&p256)),
        (AuthType::EdDSA, EncodingKey::from_ec_der(&p256)),
        (AuthType::EdDSA, EncodingKey::from_ed_der(&[7; 32])),
    ] {
        assert!(
            with(Key::from_encoding_key(auth_type, &key)).is_err(),
            "{auth_type} {key:?}"
        );
    }
    let even = [&[0xff; 255][..], &[0xfe]].concat();
    for (auth_type, key) in [
        (AuthType::HS256, DecodingKey::from_secret(&[7; 31])),
        (AuthType::HS256, DecodingKey::from_rsa_der(&rsa)),
        (AuthType::HS256, DecodingKey::from_ed_der(&[7; 32])),
        (AuthType::RS256, DecodingKey::from_secret(SECRET)),
        (AuthType::RS256, DecodingKey::from_rsa_der(&rsa)), // the private key
        (
            AuthType::RS256,
            DecodingKey::from_rsa_raw_components(&[0xff; 128], &[1, 0, 1]),
        ),
        (
            AuthType::RS256,
            DecodingKey::from_rsa_raw_components(&[0xff; 1_025], &[1, 0, 1]),
        ),
        (
            AuthType::RS256,
            DecodingKey::from_rsa_raw_components(&vec![0xff; 70_000], &[1, 0, 1]),
        ),
        (
            AuthType::RS256,
            DecodingKey::from_rsa_raw_components(&even, &[1, 0, 1]),
        ),
        (
            AuthType::RS256,
            DecodingKey::from_rsa_raw_components(&[], &[]),
        ),
        (
            AuthType::ES256,
            DecodingKey::from_ec_der(&[&[4][..], &[1; 64]].concat()),
        ),
        (
            AuthType::ES256,
            DecodingKey::from_ec_der(&[&[4][..], &[1; 63]].concat()),
        ),
        (AuthType::ES256, DecodingKey::from_ec_der(&[4])),
        (AuthType::ES256, DecodingKey::from_ec_der(&[])),
        (AuthType::EdDSA, DecodingKey::from_ed_der(&[0; 32])),
        (AuthType::EdDSA, DecodingKey::from_ed_der(&[0xff; 32])),
        (AuthType::EdDSA, DecodingKey::from_ec_der(&[7; 32])),
    ] {
        assert!(
            with(Key::from_decoding_key(auth_type, &key)).is_err(),
            "{auth_type}"
        );
    }
    // A secret has no public key, and a public key cannot replace a secret.
    let point = DecodingKey::from_ed_der(&[7; 32]);
    for key in [
        Key::new(AuthType::HS256, SECRET).public_key(&point),
        Key::from_decoding_key(AuthType::HS256, &point),
    ] {
        let message = with(key).expect_err("a key of another type").to_string();
        assert!(message.contains("a key of another type"), "{message}");
    }
}

#[test]
fn a_jwk_is_read_with_its_algorithm_and_its_key_id() {
    let rsa = manager(config(AuthType::PS256, keys::secret(AuthType::PS256)));
    let key = Key::from_jwk(&rsa.jwk_set().keys[0]).expect("a valid JWK");
    let auth = with(key).expect("a valid key");
    assert_eq!(auth.auth_type(), AuthType::PS256);
    assert_eq!(auth.keys()[0].id(), rsa.keys()[0].id());
    let token = rsa.auth_token("alice").sign().expect("minted");
    assert!(auth.verify_token(token.signed()).is_ok());

    let secret = json!({ "kty": "oct", "k": forge::encode(SECRET), "alg": "HS384", "kid": "a" });
    let auth = with(Key::from_jwk(&jwk(&secret)).expect("a JWK")).expect("a valid key");
    let token = auth.auth_token("alice").sign().expect("a secret signs");
    assert_eq!(
        (token.alg(), &token.header()["kid"]),
        (AuthType::HS384, &json!("a"))
    );
}

#[test]
fn jwks_of_another_use_type_or_form_are_refused() {
    let secret = |changes: &Value| {
        let mut key = json!({ "kty": "oct", "k": forge::encode(SECRET), "alg": "HS256" });
        for (name, value) in changes.as_object().expect("an object") {
            key[name] = value.clone();
        }
        key
    };
    for bad in [
        okp(&json!({ "use": "enc" })),
        okp(&json!({ "key_ops": ["sign"] })),
        okp(&json!({ "key_ops": [] })),
        okp(&json!({ "alg": "RS256" })),
        okp(&json!({ "alg": "HS256" })),
        okp(&json!({ "alg": "ECDH-ES" })),
        okp(&json!({ "kid": "" })),
        okp(&json!({ "kid": "a".repeat(257) })),
        okp(&json!({ "x": "AAAA" })),
        okp(&json!({ "x": "+/+/" })),
        okp(&json!({ "crv": "Ed448" })),
        okp(&json!({ "crv": "P-256" })),
        okp(&json!({ "kty": "EC", "y": "AAAA" })),
        json!({ "kty": "LWE" }),
        json!({ "kty": "RSA", "n": "", "e": "AQAB" }),
        secret(&json!({ "alg": null })),
        secret(&json!({ "alg": "EdDSA" })),
        secret(&json!({ "use": "enc" })),
        secret(&json!({ "key_ops": ["verify"] })),
    ] {
        assert!(Key::from_jwk(&jwk(&bad)).is_err(), "{bad}");
    }
    for weak in [
        okp(&json!({ "x": forge::encode([0; 32]) })),
        secret(&json!({ "k": "c2VjcmV0" })),
        secret(&json!({ "k": "" })),
        json!({ "kty": "RSA", "n": forge::encode([0xff; 128]), "e": "AQAB" }),
    ] {
        let key = Key::from_jwk(&jwk(&weak)).expect("its numbers are validated later");
        assert!(with(key).is_err(), "{weak}");
    }
}

/// `docs/threats.md` 8: one bad key is skipped, and the other keys of its set are used.
#[test]
fn each_key_of_a_set_is_validated_by_itself() {
    let theirs = |auth_type, secret: Vec<u8>| {
        let config = Config::new("https://theirs.example", auth_type, secret);
        manager(config.audience("ours").clock(frozen()).always_key_id(true))
    };
    let good = theirs(AuthType::RS256, keys::secret(AuthType::RS256));
    let bad = theirs(AuthType::RS256, keys::rsa_private(&OTHER_RSA).into_bytes());
    let trusting = |set| {
        let issuer = Issuer::new("https://theirs.example")
            .jwks(set)
            .audience("ours");
        AuthManager::new(Config::for_issuers([issuer]).clock(frozen()))
    };
    let spoil: [fn(&mut Jwk); 4] = [
        |key| key.common.public_key_use = Some(PublicKeyUse::Encryption),
        |key| key.common.key_operations = Some(vec![KeyOperations::Encrypt]),
        |key| key.common.key_algorithm = Some(KeyAlgorithm::UNKNOWN_ALGORITHM),
        |key| key.common.key_algorithm = Some(KeyAlgorithm::HS256),
    ];
    for spoil in spoil {
        let mut set = bad.jwk_set();
        spoil(&mut set.keys[0]);
        set.keys.extend(good.jwk_set().keys);
        set.keys.push(jwk(
            &json!({ "kty": "oct", "k": forge::encode(SECRET), "alg": "HS256" }),
        ));
        set.keys.push(jwk(&json!({ "kty": "LWE" })));
        let auth = trusting(set.clone()).expect("one key is valid");
        let token = |auth: &AuthManager| auth.auth_token("alice").sign().expect("minted");
        assert!(auth.verify_token(token(&good).signed()).is_ok());
        assert!(auth.verify_token(token(&bad).signed()).is_err());
        set.keys.remove(1);
        assert!(trusting(set).is_err(), "no key is left");
    }
    assert!(trusting(JwkSet { keys: vec![] }).is_err());
    let many = vec![good.jwk_set().keys.remove(0); 1_001];
    assert!(trusting(JwkSet { keys: many }).is_err());
}

#[test]
fn the_published_set_has_every_public_key_and_thumbprint() {
    for auth_type in AuthType::ALL {
        let auth = manager(config(auth_type, keys::secret(auth_type)));
        let JwkSet { keys: published } = auth.jwk_set();
        let Some(key) = published.first() else {
            assert!(auth_type.name().starts_with("HS"), "{auth_type}");
            continue;
        };
        assert_eq!(published.len(), 1);
        let algorithm = Algorithm::try_from(auth_type).ok().map(KeyAlgorithm::from);
        assert_eq!(key.common.key_algorithm, algorithm);
        assert_eq!(key.common.public_key_use, Some(PublicKeyUse::Signature));
        let thumbprint = key
            .thumbprint(ThumbprintHash::SHA256)
            .expect("a thumbprint");
        assert_eq!(key.common.key_id.as_deref(), Some(thumbprint.as_str()));
        let json = serde_json::to_string(key).expect("JSON");
        assert!(
            !json.contains("\"d\"") && !json.contains("UNKNOWN"),
            "{json}"
        );
        let again = with(Key::from_jwk(key).expect("a valid JWK")).expect("a valid key");
        assert_eq!(again.jwk_set().keys[0].algorithm, key.algorithm);
    }
}

#[test]
fn a_token_converts_to_token_data() {
    for auth_type in AuthType::ALL {
        let auth = manager(config(auth_type, keys::secret(auth_type)).key_id("a"));
        let token: Token = auth
            .auth_token("alice")
            .claim("team", 7)
            .sign()
            .expect("minted");
        let data: Result<TokenData<Value>, _> = token.token_data();
        let Ok(algorithm) = Algorithm::try_from(auth_type) else {
            assert!(data.is_err(), "{auth_type}");
            continue;
        };
        let data = data.expect("it fits");
        assert_eq!(data.header.alg, algorithm);
        assert_eq!(data.header.kid.as_deref(), Some("a"));
        assert_eq!(data.claims["team"], 7);
    }
    // The other name of EdDSA (RFC 9864).
    let auth = manager(config(AuthType::EdDSA, keys::secret(AuthType::EdDSA)));
    let header = json!({ "alg": "Ed25519", "typ": "JWT", "more": [1] }).to_string();
    let token = forge::forge(&header, claims().to_string(), &keys::key(AuthType::EdDSA));
    let token = auth.verify_token(&token).expect("a valid token");
    let data: TokenData<Value> = token.token_data().expect("it fits");
    assert_eq!(data.header.alg, Algorithm::EdDSA);
    assert_eq!(data.header.extras.inner()["more"], json!([1]));
    assert!(matches!(
        jwk(&okp(&json!({}))).algorithm,
        jwk::AlgorithmParameters::OctetKeyPair(_)
    ));
}
