//! A server that only accepts tokens of others and has no issuer itself.

use actix_web::test::TestRequest;
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, Key, MemoryStore, MintError, TokenError,
};
use serde_json::{Value, json};
use time::Duration;

use super::{OTHER, other, third, token};
use support::{
    ISSUER, SECRET, claims_with, forge, forge::Key as Forger, frozen, guarded, header, keys,
    manager, site::Site,
};

fn config() -> Config {
    Config::for_issuers([other(), third()]).clock(frozen())
}

#[actix_web::test]
async fn it_accepts_tokens_of_its_issuers_and_nothing_else() {
    let auth = manager(config());
    let site = Site::new(guarded(&auth)).await;
    let sent = site.get("/", &token(json!({}))).await;
    assert_eq!(sent.status, 200);

    let own = |issuer: Value| {
        let payload = claims_with(json!({ "iss": issuer }));
        forge::forge(header(AuthType::HS256), payload, &Forger::Hs256(SECRET))
    };
    for issuer in [
        json!(ISSUER),
        json!(""),
        json!(null),
        json!("null"),
        json!(OTHER),
    ] {
        let refused = site.get("/", &own(issuer.clone())).await;
        assert_eq!(refused.status, 401, "{issuer}");
    }
    // A server without keys refuses every token.
    let empty = forge::forge(
        r#"{"alg":"none","typ":"JWT"}"#,
        claims_with(json!({ "iss": "" })),
        &Forger::Hs256(b""),
    );
    assert_eq!(site.get("/", &empty).await.status, 401);
    for issuer in ["", ISSUER] {
        assert_eq!(
            auth.verify_token(&own(json!(issuer))).err(),
            Some(TokenError::Issuer)
        );
    }
}

#[actix_web::test]
async fn its_challenges_name_the_realm_or_the_first_issuer() {
    for (config, realm) in [(config(), OTHER), (config().realm("our api"), "our api")] {
        let site = Site::new(guarded(&manager(config))).await;
        let refused = site.ask(TestRequest::get().uri("/")).await;
        assert_eq!(
            refused.field("www-authenticate"),
            format!(r#"Bearer realm="{realm}""#)
        );
    }
}

#[test]
fn it_mints_nothing_and_publishes_no_key() {
    let auth = manager(config());
    for minted in [
        auth.auth_token("alice").sign(),
        auth.refresh_token("alice").sign(),
    ] {
        assert!(matches!(minted, Err(MintError::MissingSigner)));
    }
    assert!(auth.keys().is_empty());
    assert_eq!(auth.issuer(), "");
}

#[test]
fn keys_cannot_be_added_at_run_time() {
    let auth = manager(config());
    let key = || Key::new(AuthType::HS256, SECRET);
    for refused in [auth.rotate(key()), auth.prepublish(key())] {
        let error = refused.expect_err("no issuer of its own");
        assert!(error.to_string().contains("for_issuers"), "{error}");
    }
    assert!(auth.remove_key("x").is_err());
    assert!(auth.keys().is_empty());
    assert!(auth.auth_token("alice").sign().is_err());
}

#[test]
fn settings_that_only_an_issuer_uses_are_an_error_at_startup() {
    let public = keys::public(AuthType::ES256).expect("a public key");
    for (config, key) in [
        (Config::for_issuers([]), "trust"),
        (config().issuer("example"), "JWT_ISSUER"),
        (config().auth_type(AuthType::HS256), "JWT_AUTHTYPE"),
        (config().secret(SECRET), "JWT_SECRET"),
        (config().public_key(&public), "JWT_PUBLICKEY"),
        (config().key_id("1"), "JWT_KEYID"),
        (config().audience("api"), "JWT_AUDIENCE"),
        (config().keys_dir("keys"), "JWT_KEYS_DIR"),
        (
            config().verification_key(Key::verify_only(AuthType::ES256, &public)),
            "verification_key",
        ),
        (
            config().session_store(MemoryStore::default()),
            "session_store",
        ),
        (config().max_lifetime(Duration::hours(1)), "max_lifetime"),
    ] {
        let error = AuthManager::new(config).expect_err(key);
        assert_eq!(error.key(), key);
        assert!(matches!(error, ConfigError::Invalid { .. }), "{error}");
    }
}
