//! Which key a token may be of: what its `kid` says, and what is left to choose.

use flask_pyjwt::{AuthType, Config, Issuer, Key, TokenError};
use serde_json::{Value, json};

use super::{
    common::{
        ISSUER, SECRET, claims, claims_with,
        forge::{self, encode, forge},
        frozen, hs256, keys, manager,
    },
    outcome, secret,
};

const OTHER: &str = "https://other.example";

fn header(alg: &str, id: Option<&str>) -> String {
    let mut header = json!({ "alg": alg, "typ": "JWT" });
    if let Some(id) = id {
        header["kid"] = id.into();
    }
    header.to_string()
}

/// THREATS 54
#[test]
fn a_key_without_a_given_id_serves_tokens_of_any_id() {
    for auth_type in AuthType::ALL {
        let clock = frozen();
        let auth = manager(Config::new(ISSUER, auth_type, keys::secret(auth_type)).clock(clock));
        let other = match auth_type {
            AuthType::HS256 => forge::Key::Hs256(b"another secret of 32 bytes or more"),
            AuthType::HS384 => forge::Key::Hs384(b"another secret of 32 bytes or more"),
            AuthType::HS512 => forge::Key::Hs512(b"another secret of 32 bytes or more"),
            AuthType::ES256 => forge::Key::Ecdsa(&keys::OTHER_P256),
            AuthType::ES384 => forge::Key::Ecdsa(&keys::OTHER_P384),
            AuthType::ES512 => forge::Key::Ecdsa(&keys::OTHER_P521),
            AuthType::EdDSA => forge::Key::Ed25519(&keys::OTHER_ED25519),
            _ => forge::Key::Rsa(&keys::OTHER_RSA, &aws_lc_rs::signature::RSA_PKCS1_SHA256),
        };
        for id in [None, Some("a"), Some(""), Some("x/y=="), Some("a\0")] {
            let header = header(auth_type.name(), id);
            let good = forge(&header, claims().to_string(), &keys::key(auth_type));
            assert_eq!(outcome(&auth, &good), Ok("alice".to_owned()), "{header}");
            let forged = forge(&header, claims().to_string(), &other);
            let error = id.map_or(TokenError::Signature, |_| TokenError::UnknownKey);
            assert_eq!(outcome(&auth, &forged), Err(error), "{header}");
        }
    }
}

/// THREATS 54
#[test]
fn a_key_with_an_id_serves_tokens_without_one_where_it_is_the_only_one() {
    let es256 = || Key::verify_only(AuthType::ES256, keys::ecdsa_public(&keys::P256)).id("a");
    let other = || Key::verify_only(AuthType::ES256, keys::ecdsa_public(&keys::OTHER_P256)).id("b");
    let eddsa = || Key::verify_only(AuthType::EdDSA, keys::ed25519_public(&keys::ED25519)).id("c");
    let (good, unknown) = (Ok("alice".to_owned()), Err(TokenError::UnknownKey));
    for (verifying, id, expected) in [
        (vec![es256()], None, good.clone()),
        (vec![es256()], Some("a"), good.clone()),
        (vec![es256()], Some("b"), unknown.clone()),
        (vec![es256(), eddsa()], None, good.clone()),
        (vec![es256(), other()], None, unknown.clone()),
        (vec![es256(), other()], Some("a"), good.clone()),
        (
            vec![es256(), other()],
            Some("b"),
            Err(TokenError::Signature),
        ),
        (
            vec![es256().accept_without_id(false)],
            None,
            unknown.clone(),
        ),
        (vec![es256().accept_without_id(true), other()], None, good),
    ] {
        let config = verifying
            .into_iter()
            .fold(hs256(), Config::verification_key);
        let token = forge(
            header("ES256", id),
            claims().to_string(),
            &keys::key(AuthType::ES256),
        );
        assert_eq!(outcome(&manager(config), &token), expected, "{id:?}");
    }
}

#[test]
fn tokens_without_an_id_stay_good_after_a_rotation_and_a_removed_key_verifies_nothing() {
    let auth = manager(hs256());
    let before = auth.auth_token("alice").sign().expect("minted");
    assert!(!before.header().contains_key("kid"));
    let old = auth.keys()[0].id().to_owned();
    auth.rotate(Key::new(AuthType::HS256, secret(1)))
        .expect("a good key");
    let named = forge(
        header("HS256", Some(&old)),
        claims().to_string(),
        &forge::Key::Hs256(SECRET),
    );
    for token in [before.signed(), &named] {
        assert_eq!(outcome(&auth, token), Ok("alice".to_owned()));
    }
    auth.remove_key(&old).expect("it is there");
    assert_eq!(outcome(&auth, before.signed()), Err(TokenError::Signature));
    assert_eq!(outcome(&auth, &named), Err(TokenError::UnknownKey));
}

#[test]
fn a_token_is_tried_with_eight_keys_at_the_most() {
    let config = (1..20).fold(hs256(), |config, number| {
        config.verification_key(Key::new(AuthType::HS256, secret(number)))
    });
    let auth = manager(config);
    for (number, is_tried) in [(1, true), (7, true), (8, false), (19, false)] {
        let secret = secret(number);
        for id in [None, Some("x")] {
            let key = forge::Key::Hs256(&secret);
            let token = forge(header("HS256", id), claims().to_string(), &key);
            assert_eq!(outcome(&auth, &token).is_ok(), is_tried, "{number} {id:?}");
        }
    }
}

#[test]
fn eddsa_is_called_ed25519_too() {
    assert_eq!("Ed25519".parse(), Ok(AuthType::EdDSA));
    let public = keys::ed25519_public(&keys::ED25519);
    let auth = manager(hs256().verification_key(Key::verify_only(AuthType::EdDSA, public)));
    let eddsa = keys::key(AuthType::EdDSA);
    for (alg, expected) in [
        ("EdDSA", Ok("alice".to_owned())),
        ("Ed25519", Ok("alice".to_owned())),
        ("ed25519", Err(TokenError::Algorithm)),
        ("Ed448", Err(TokenError::Algorithm)),
        ("ESP256", Err(TokenError::Algorithm)),
    ] {
        let token = forge(header(alg, None), claims().to_string(), &eddsa);
        assert_eq!(outcome(&auth, &token), expected, "{alg}");
    }
    let own = manager(Config::new(
        ISSUER,
        AuthType::EdDSA,
        keys::secret(AuthType::EdDSA),
    ));
    let minted = own.auth_token("alice").sign().expect("minted");
    assert_eq!(minted.header()["alg"], "EdDSA");
}

fn jwk(pair: &aws_lc_rs::signature::Ed25519KeyPair, more: Value) -> Value {
    use aws_lc_rs::signature::KeyPair as _;
    let mut jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()) });
    for (name, value) in more.as_object().expect("an object") {
        jwk[name] = value.clone();
    }
    jwk
}

/// THREATS 54: the shapes of key sets that providers publish.
#[test]
fn the_key_sets_of_providers() {
    let rsa = |more: Value| {
        let numbers = keys::integers_of(&keys::der(&keys::rsa_public_pkcs1(&keys::RSA)));
        let mut jwk =
            json!({ "kty": "RSA", "n": encode(&numbers[0][1..]), "e": encode(&numbers[1]) });
        for (name, value) in more.as_object().expect("an object") {
            jwk[name] = value.clone();
        }
        jwk
    };
    let own = |more| jwk(&keys::ED25519, more);
    let other = |more| jwk(&keys::OTHER_ED25519, more);
    let (good, unknown) = (Ok(()), Err(TokenError::UnknownKey));
    let rows = [
        (
            "no kid, one key with kid",
            vec![own(json!({ "kid": "a" }))],
            "EdDSA",
            None,
            good.clone(),
        ),
        (
            "ADFS",
            vec![rsa(
                json!({ "kid": "T", "x5t": "T", "use": "sig", "alg": "RS256" }),
            )],
            "RS256",
            None,
            good.clone(),
        ),
        (
            "no kid, two keys",
            vec![own(json!({ "kid": "a" })), other(json!({ "kid": "b" }))],
            "EdDSA",
            None,
            unknown.clone(),
        ),
        (
            "no kid, a key of another kind",
            vec![own(json!({ "kid": "a" })), rsa(json!({ "kid": "b" }))],
            "EdDSA",
            None,
            good.clone(),
        ),
        (
            "no kid anywhere",
            vec![own(json!({}))],
            "EdDSA",
            None,
            good.clone(),
        ),
        (
            "a kid, a set without",
            vec![own(json!({}))],
            "EdDSA",
            Some("a"),
            good.clone(),
        ),
        (
            "RFC 9864",
            vec![own(json!({ "kid": "a", "alg": "Ed25519" }))],
            "Ed25519",
            Some("a"),
            good.clone(),
        ),
        (
            "RFC 9864 in the set only",
            vec![own(json!({ "kid": "a", "alg": "Ed25519" }))],
            "EdDSA",
            Some("a"),
            good.clone(),
        ),
        (
            "RFC 9864 in the token only",
            vec![own(json!({ "kid": "a", "alg": "EdDSA" }))],
            "Ed25519",
            Some("a"),
            good.clone(),
        ),
        (
            "null members",
            vec![own(
                json!({ "kid": "a", "alg": null, "n": null, "e": null, "use": null, "x5c": null }),
            )],
            "EdDSA",
            Some("a"),
            good.clone(),
        ),
        (
            "one kid, by alg",
            vec![
                rsa(json!({ "kid": "a", "alg": "RS256" })),
                rsa(json!({ "kid": "a", "alg": "RS384" })),
                rsa(json!({ "kid": "a", "alg": "RS512" })),
            ],
            "RS256",
            Some("a"),
            good.clone(),
        ),
        (
            "one kid, two keys",
            vec![
                own(json!({ "kid": "a" })),
                other(json!({ "kid": "a" })),
                rsa(json!({ "kid": "r" })),
            ],
            "EdDSA",
            Some("a"),
            Err(TokenError::Algorithm),
        ),
        (
            "the same key twice",
            vec![own(json!({ "kid": "a" })), own(json!({ "kid": "b" }))],
            "EdDSA",
            None,
            good.clone(),
        ),
        (
            "encryption key beside",
            vec![
                rsa(json!({ "kid": "e", "use": "enc", "alg": "RSA-OAEP" })),
                rsa(json!({ "kid": "s", "use": "sig", "alg": "RS256" })),
            ],
            "RS256",
            None,
            good.clone(),
        ),
        (
            "others beside",
            vec![
                json!(null),
                json!({ "kty": "oct", "k": "AAAA" }),
                json!({ "kty": "OKP", "crv": "X25519", "x": "AAAA" }),
                json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" }),
                json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }),
                json!({ "kty": "OKP", "crv": "Ed448", "x": "AAAA" }),
                json!({ "kty": "RSA", "x5c": ["MIIB"] }),
                own(json!({ "kid": "a", "key_ops": ["verify"], "ext": true })),
            ],
            "EdDSA",
            Some("a"),
            good,
        ),
    ];
    for (what, set, alg, id, expected) in rows {
        let set = json!({ "keys": set }).to_string();
        let auth = manager(hs256().trust(Issuer::new(OTHER).jwk_set(set).audience("api")));
        let claims = claims_with(json!({ "iss": OTHER, "aud": "api", "type": null }));
        let key = if alg == "RS256" {
            keys::key(AuthType::RS256)
        } else {
            keys::key(AuthType::EdDSA)
        };
        let token = forge(header(alg, id), &claims, &key);
        assert_eq!(auth.verify_token(&token).map(drop), expected, "{what}");
        let forged = forge::with_signature(&token, [7; 64]);
        assert!(auth.verify_token(&forged).is_err(), "{what}");
    }
}
