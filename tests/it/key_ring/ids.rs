//! Which keys a token is verified with: by its `kid`, and without one.

use flask_pyjwt::{AuthType, Config, Key, TokenError};
use serde_json::json;

use super::{outcome, secret};
use support::{
    ISSUER, SECRET, claims,
    forge::{self, forge},
    frozen, hs256, keys, manager,
};

pub(super) fn header(alg: &str, id: Option<&str>) -> String {
    let mut header = json!({ "alg": alg, "typ": "JWT" });
    if let Some(id) = id {
        header["kid"] = id.into();
    }
    header.to_string()
}

/// `docs/threats.md` 54
#[test]
fn a_key_without_a_configured_id_verifies_tokens_with_any_kid() {
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

/// `docs/threats.md` 54
#[test]
fn a_key_with_an_id_verifies_tokens_without_kid_if_it_is_the_only_one() {
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
        (vec![es256().accept_without_id(false)], None, unknown),
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
fn tokens_without_kid_stay_valid_after_a_rotation_until_their_key_is_removed() {
    let auth = manager(hs256());
    let before = auth.auth_token("alice").sign().expect("minted");
    assert!(!before.header().contains_key("kid"));
    let old = auth.keys()[0].id().to_owned();
    auth.rotate(Key::new(AuthType::HS256, secret(1)))
        .expect("a valid key");
    let named = forge(
        header("HS256", Some(&old)),
        claims().to_string(),
        &forge::Key::Hs256(SECRET),
    );
    for token in [before.signed(), &named] {
        assert_eq!(outcome(&auth, token), Ok("alice".to_owned()));
    }
    auth.remove_key(&old).expect("it exists");
    assert_eq!(outcome(&auth, before.signed()), Err(TokenError::Signature));
    assert_eq!(outcome(&auth, &named), Err(TokenError::UnknownKey));
}

#[test]
fn a_token_is_tried_with_at_most_eight_keys() {
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
fn ed25519_is_accepted_as_a_name_of_eddsa() {
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
