//! Key rotation while tokens are still accepted: by code, and from a folder.

mod changes;
pub(crate) mod directory;
mod ids;
mod load;
mod odd_files;
mod provider_sets;

use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, Key, Token, TokenError, testing::FrozenClock,
};
use serde_json::json;
use time::Duration;

use support::{
    ISSUER, NOW, SECRET, at, claims, claims_with,
    forge::{self, encode, forge},
    keys, manager,
};

/// A secret of 64 bytes for this number.
pub(crate) fn secret(number: u8) -> Vec<u8> {
    vec![b'a' + number; 64]
}

fn frozen(auth_type: AuthType, secret: impl AsRef<[u8]>) -> (Config, FrozenClock) {
    let clock = FrozenClock::new(at(NOW));
    let config = Config::new(ISSUER, auth_type, secret).clock(clock.clone());
    (config, clock)
}

fn kid(token: &Token) -> Option<String> {
    let header = token.header();
    header
        .get("kid")
        .map(|id| id.as_str().expect("a string").to_owned())
}

fn outcome(auth: &AuthManager, token: &str) -> Result<String, TokenError> {
    auth.verify_token(token).map(|token| token.sub().to_owned())
}

#[test]
fn threat_38_the_old_key_verifies_until_its_last_token_has_expired_and_is_then_dropped() {
    let (config, clock) = frozen(AuthType::HS256, SECRET);
    let auth = manager(config.leeway(Duration::seconds(5)));
    let of_old = |lifetime: i64| {
        let claims = claims_with(json!({ "iat": NOW, "exp": NOW + lifetime }));
        forge(
            r#"{"alg":"HS256","typ":"JWT"}"#,
            claims,
            &forge::Key::Hs256(SECRET),
        )
    };
    let minted = auth.refresh_token("alice").sign().expect("minted");
    // This server mints no such token, but somebody who stole the key could.
    let stolen = of_old(10_000_000);
    for token in [minted.signed(), &stolen] {
        assert_eq!(outcome(&auth, token), Ok("alice".to_owned()));
    }
    let id = auth.rotate(Key::new(AuthType::HS256, secret(1)));
    let new = auth.auth_token("bob").sign().expect("minted");
    assert_eq!(kid(&new), id.ok());

    // The default age of refresh tokens, and the leeway.
    let last = 604_800 + 5;
    for (second, by_old, by_stolen) in [
        (0, Ok("alice".to_owned()), Ok("alice".to_owned())),
        (last - 1, Ok("alice".to_owned()), Ok("alice".to_owned())),
        (
            last,
            Err(TokenError::UnknownKey),
            Err(TokenError::UnknownKey),
        ),
        (
            last + 1,
            Err(TokenError::UnknownKey),
            Err(TokenError::UnknownKey),
        ),
        // A clock that is set back makes the key valid again, but not for longer.
        (last - 1, Ok("alice".to_owned()), Ok("alice".to_owned())),
    ] {
        clock.set(at(NOW + second));
        for _ in 0..2 {
            assert_eq!(outcome(&auth, minted.signed()), by_old, "{second}");
            assert_eq!(outcome(&auth, &stolen), by_stolen, "{second}");
        }
        let count = auth.keys().len();
        assert_eq!(count, if second >= last { 1 } else { 2 }, "{second}");
    }
    clock.set(at(NOW + last));
    auth.rotate(Key::new(AuthType::HS256, secret(2)))
        .expect("a valid key");
    clock.set(at(NOW));
    // A dropped key stays dropped, even if the clock is set back. The token names no key, so the new ones are
    // tried.
    assert_eq!(outcome(&auth, minted.signed()), Err(TokenError::Signature));
}

#[test]
fn a_header_names_its_key_if_there_are_several_or_if_configured() {
    let (config, _) = frozen(AuthType::EdDSA, keys::secret(AuthType::EdDSA));
    let kid_of = |auth: &AuthManager| kid(&auth.auth_token("alice").sign().expect("minted"));
    let thumbprint = manager(config.clone()).keys()[0].id().to_owned();
    assert_eq!(kid_of(&manager(config.clone())), None);
    let always = config.clone().always_key_id(true);
    assert_eq!(kid_of(&manager(always)), Some(thumbprint.clone()));
    let named = config.clone().key_id("mine");
    assert_eq!(kid_of(&manager(named)), Some("mine".to_owned()));
    let more = config
        .clone()
        .verification_key(Key::new(AuthType::HS256, secret(1)));
    assert_eq!(kid_of(&manager(more)), Some(thumbprint.clone()));
    let auth = manager(config);
    auth.prepublish(Key::new(AuthType::HS256, secret(1)).id("next"))
        .expect("a valid key");
    assert_eq!(kid_of(&auth), Some(thumbprint));
}

#[test]
fn a_token_without_kid_is_tried_with_the_keys_of_its_algorithm_that_allow_it() {
    let (config, _) = frozen(AuthType::HS256, SECRET);
    let auth = manager(
        config
            .verification_key(Key::new(AuthType::HS256, secret(1)))
            .verification_key(Key::new(AuthType::HS256, secret(2)).id("named"))
            .verification_key(
                Key::new(AuthType::HS256, secret(3))
                    .id("both")
                    .accept_without_id(true),
            )
            .verification_key(Key::new(AuthType::HS256, secret(4)).accept_without_id(false))
            .verification_key(Key::new(AuthType::HS512, secret(5))),
    );
    let good = Ok("alice".to_owned());
    for (number, expected) in [
        (None, good.clone()),
        (Some(1), good.clone()),
        (Some(2), Err(TokenError::Signature)),
        (Some(3), good.clone()),
        (Some(4), Err(TokenError::Signature)),
        (Some(5), Err(TokenError::Signature)),
    ] {
        let secret = number.map_or(SECRET.to_vec(), secret);
        for header in [
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"typ":"JWT","alg":"HS256"}"#,
            r#"{"typ":"JWT","alg":"HS256","x":1}"#,
        ] {
            let token = forge(header, claims().to_string(), &forge::Key::Hs256(&secret));
            assert_eq!(outcome(&auth, &token), expected, "{number:?} {header}");
        }
    }
    let token = forge(
        r#"{"alg":"HS512","typ":"JWT"}"#,
        claims().to_string(),
        &forge::Key::Hs512(&secret(5)),
    );
    assert_eq!(outcome(&auth, &token), good);
}

#[test]
fn threats_2_and_6_a_key_verifies_only_its_algorithm_and_its_tokens() {
    let (config, _) = frozen(AuthType::HS256, SECRET);
    let public = keys::public(AuthType::ES256).expect("a public key");
    let auth = manager(
        config
            .key_id("secret")
            .verification_key(Key::verify_only(AuthType::ES256, &public).id("ec"))
            .verification_key(Key::new(AuthType::RS256, keys::secret(AuthType::RS256)).id("rsa")),
    );
    let (hs256, es256) = (forge::Key::Hs256(SECRET), keys::key(AuthType::ES256));
    let confused = forge::Key::Hs256(public.as_bytes());
    let alien = keys::key(AuthType::EdDSA);
    let [long, too_long] = [1_900, 4_000].map(|length| "a".repeat(length));
    for (alg, id, key, expected) in [
        ("HS256", "secret", &hs256, Ok("alice".to_owned())),
        ("ES256", "ec", &es256, Ok("alice".to_owned())),
        ("ES256", "secret", &es256, Err(TokenError::Algorithm)),
        ("HS256", "ec", &hs256, Err(TokenError::Algorithm)),
        ("HS256", "ec", &confused, Err(TokenError::Algorithm)),
        ("HS256", "secret", &confused, Err(TokenError::Signature)),
        ("PS256", "rsa", &hs256, Err(TokenError::Algorithm)),
        ("EdDSA", "ec", &alien, Err(TokenError::Algorithm)),
        ("EdDSA", "nobody", &alien, Err(TokenError::Algorithm)),
        ("none", "ec", &alien, Err(TokenError::Algorithm)),
        ("ES256", "EC", &es256, Err(TokenError::UnknownKey)),
        ("ES256", "", &es256, Err(TokenError::UnknownKey)),
        (
            "ES256",
            "../../dev/null",
            &es256,
            Err(TokenError::UnknownKey),
        ),
        (
            "ES256",
            "ec' OR '1'='1",
            &es256,
            Err(TokenError::UnknownKey),
        ),
        ("ES256", "ec\0", &es256, Err(TokenError::UnknownKey)),
        ("ES256", &long, &es256, Err(TokenError::UnknownKey)),
        ("ES256", &too_long, &es256, Err(TokenError::TooLarge)),
    ] {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": id }).to_string();
        let token = forge(&header, claims().to_string(), key);
        assert_eq!(outcome(&auth, &token), expected, "{header:.80}");
    }
    for id in [json!(1), json!(null), json!(["ec"]), json!({}), json!(true)] {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": id }).to_string();
        let token = forge(&header, claims().to_string(), &es256);
        assert_eq!(
            outcome(&auth, &token),
            Err(TokenError::UnknownKey),
            "{header}"
        );
    }
}

#[test]
fn threat_38_a_remembered_token_is_refused_when_its_key_is_removed() {
    let (config, _) = frozen(AuthType::HS256, SECRET);
    let auth = manager(config.key_id("old"));
    let token = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(outcome(&auth, token.signed()), Ok("alice".to_owned()));
    assert_eq!(outcome(&auth, token.signed()), Ok("alice".to_owned()));
    let error = auth.remove_key("old").expect_err("it signs");
    assert!(
        error.to_string().contains("rotate to another key first"),
        "{error}"
    );
    assert!(auth.remove_key("none").is_err());

    auth.rotate(Key::new(AuthType::HS256, secret(1)).id("new"))
        .expect("a valid key");
    assert_eq!(outcome(&auth, token.signed()), Ok("alice".to_owned()));
    auth.remove_key("old").expect("it exists");
    assert_eq!(outcome(&auth, token.signed()), Err(TokenError::UnknownKey));
    // The same key added again is a new key: no token is remembered for it, and it verifies.
    auth.prepublish(Key::new(AuthType::HS256, SECRET).id("old"))
        .expect("a valid key");
    assert_eq!(outcome(&auth, token.signed()), Ok("alice".to_owned()));
}

#[test]
fn a_prepublished_key_verifies_and_signs_after_the_rotation() {
    let (config, clock) = frozen(AuthType::EdDSA, keys::secret(AuthType::EdDSA));
    let auth = manager(config);
    let next = || Key::new(AuthType::ES256, keys::secret(AuthType::ES256));
    let id = auth.prepublish(next()).expect("a valid key");
    assert_eq!(auth.auth_type(), AuthType::EdDSA);
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": id }).to_string();
    let elsewhere = forge(&header, claims().to_string(), &keys::key(AuthType::ES256));
    assert_eq!(outcome(&auth, &elsewhere), Ok("alice".to_owned()));

    assert_eq!(auth.rotate(next()).ok().as_ref(), Some(&id));
    assert_eq!(auth.auth_type(), AuthType::ES256);
    assert_eq!(
        kid(&auth.auth_token("alice").sign().expect("minted")).as_ref(),
        Some(&id)
    );
    let signs: Vec<_> = auth
        .keys()
        .iter()
        .map(|key| (key.auth_type(), key.signs()))
        .collect();
    assert_eq!(signs, [(AuthType::ES256, true), (AuthType::EdDSA, false)]);
    assert_eq!(auth.keys()[1].retires_at(), Some(at(NOW + 604_800)));

    // Back to the first key, which is not about to be dropped any more.
    clock.advance(Duration::hours(1));
    auth.rotate(Key::new(AuthType::EdDSA, keys::secret(AuthType::EdDSA)))
        .expect("a valid key");
    let [first, second] = &auth.keys()[..] else {
        panic!("two keys");
    };
    assert_eq!(
        (first.auth_type(), first.retires_at()),
        (AuthType::EdDSA, None)
    );
    assert_eq!(second.retires_at(), Some(at(NOW + 3_600 + 604_800)));
}

#[test]
fn an_unusable_key_changes_nothing() {
    let (config, _) = frozen(AuthType::HS256, SECRET);
    let auth = manager(config.key_id("one"));
    let before = auth.keys();
    let public = keys::public(AuthType::EdDSA).expect("a public key");
    for (key, reason) in [
        (Key::new(AuthType::HS256, "short"), "needs 32 or more"),
        (
            Key::new(AuthType::HS256, &public),
            "in PEM, SSH, JWK or DER form",
        ),
        (Key::new(AuthType::EdDSA, "no PEM"), "has no PEM block"),
        (
            Key::new(AuthType::EdDSA, &public),
            "a public key where a private key is needed",
        ),
        (
            Key::verify_only(AuthType::EdDSA, &public),
            "a public key where a private key is needed",
        ),
        (
            Key::new(AuthType::ES256, keys::secret(AuthType::ES384)),
            "the type and curve that the algorithm needs",
        ),
        (
            Key::new(AuthType::HS256, secret(1)).id("one"),
            "has the same key ID as another key",
        ),
        (
            Key::new(AuthType::HS256, secret(1)).id(""),
            "has an empty key ID",
        ),
    ] {
        let error = auth.rotate(key).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(
            matches!(error, ConfigError::Invalid { key: "key", .. }),
            "{error:?}"
        );
        assert_eq!(auth.keys(), before);
    }
    assert!(
        auth.rotate(Key::new(AuthType::HS256, SECRET).id("one"))
            .is_ok()
    );
    assert_eq!(auth.keys(), before, "it is already the signing key");
}

#[test]
fn a_manager_that_only_verifies_can_get_a_signing_key() {
    let public = keys::public(AuthType::EdDSA).expect("a public key");
    let auth = manager(Config::verify_only(ISSUER, AuthType::EdDSA, public));
    assert!(auth.auth_token("alice").sign().is_err());
    auth.rotate(Key::new(AuthType::EdDSA, keys::secret(AuthType::EdDSA)))
        .expect("its own key");
    assert_eq!(auth.keys().len(), 1);
    let token = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(outcome(&auth, token.signed()), Ok("alice".to_owned()));
}

#[test]
fn a_thousand_keys_are_distinguished() {
    let (config, _) = frozen(AuthType::HS256, SECRET);
    let number_of = |n: u32| format!("a secret of 32 bytes and the number {n}");
    let config = (0..1_000).fold(config, |config, n| {
        let key = Key::new(AuthType::HS256, number_of(n)).id(n.to_string());
        config.verification_key(key)
    });
    let auth = manager(config);
    for n in (0..1_000).step_by(37) {
        let (own, next) = (number_of(n), number_of(n + 1));
        let header = format!(r#"{{"alg":"HS256","kid":"{n}","typ":"JWT"}}"#);
        let token = forge(
            &header,
            claims().to_string(),
            &forge::Key::Hs256(own.as_bytes()),
        );
        assert_eq!(outcome(&auth, &token), Ok("alice".to_owned()), "{n}");
        let token = forge(
            &header,
            claims().to_string(),
            &forge::Key::Hs256(next.as_bytes()),
        );
        assert_eq!(outcome(&auth, &token), Err(TokenError::Signature), "{n}");
    }
    let token = format!(
        "{}.e30.AA",
        encode(r#"{"alg":"HS256","kid":"1000","typ":"JWT"}"#)
    );
    assert_eq!(outcome(&auth, &token), Err(TokenError::UnknownKey));
}
