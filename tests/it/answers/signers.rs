//! The sentence about a token of a trusted issuer names the settings of `Issuer`, and not those of this server.

use actix_web::web;
use flask_pyjwt::{
    AuthManager, AuthType, Config, CurrentToken, Issuer, Key, MemoryStore, Rejection, require_token,
};
use serde_json::{Value, json};

use super::token;
use crate::key_ring::directory::KeysFolder;
use support::{
    ISSUER, NOW, SECRET, claims_with, forge, frozen, header, hs256, log, manager, site::Site,
};

const PROVIDER: &str = "https://provider.example";
const OTHER_SECRET: &str = "another secret of the provider, 32 bytes";
/// A text that must not be in any sentence.
const PRIVATE: &str = "private-text";
const UNTYPED: &str = r#"{"alg":"HS256"}"#;

#[require_token]
async fn plain() -> &'static str {
    ""
}

fn provider() -> Issuer {
    Issuer::new(PROVIDER)
        .key(Key::new(AuthType::HS256, OTHER_SECRET))
        .audience("our-api")
        .max_lifetime(time::Duration::hours(1))
        .require_claim("token_use", "access")
        .require_any_claim(["scp", "roles"])
}

fn signed(header: &str, changes: Value, secret: &[u8]) -> String {
    forge::forge(header, claims_with(changes), &forge::Key::Hs256(secret))
}

/// A token of the provider, with these changes.
fn foreign(changes: Value) -> String {
    let mut claims =
        json!({"iss": PROVIDER, "aud": "our-api", "token_use": "access", "scp": "read"});
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    claims.as_object_mut().expect("an object").extend(changes);
    signed(&header(AuthType::HS256), claims, OTHER_SECRET.as_bytes())
}

fn text_of(log: &log::Captured) -> String {
    let events = log.take();
    assert_eq!(events.len(), 1, "{events:?}");
    events[0].text.clone()
}

/// The text of the one event of a refused request.
async fn event(auth: &AuthManager, signed: &str) -> String {
    let site = Site::new(|app| {
        app.app_data(auth.clone()).route("/", web::get().to(plain));
    })
    .await;
    let log = log::capture();
    let reply = site.get("/", signed).await;
    let text = text_of(&log);
    assert_eq!(reply.status, 401, "{text}");
    assert!(!text.contains(PRIVATE) && !text.contains("eyJ"), "{text}");
    text
}

#[actix_web::test]
async fn the_sentence_names_the_setting_for_the_tokens_issuer() {
    let auth = manager(hs256().trust(provider()));
    let later = json!({"iat": NOW + 900, "exp": NOW + 1_000});
    let other_key = b"a key that nobody has configured here, 40";
    for (own, of_provider, here, there) in [
        (
            token(json!({"aud": PRIVATE})),
            foreign(json!({"aud": PRIVATE})),
            "`JWT_AUDIENCE`",
            "`Issuer::audience`",
        ),
        (
            token(later.clone()),
            foreign(later),
            "`JWT_LEEWAY`",
            "`Issuer::leeway`",
        ),
        (
            signed(UNTYPED, json!({}), SECRET),
            signed(UNTYPED, json!({"iss": PROVIDER}), OTHER_SECRET.as_bytes()),
            "whose `typ` is `JWT`",
            "`Issuer::accept_untyped`",
        ),
        (
            signed(&header(AuthType::HS512), json!({}), SECRET),
            signed(&header(AuthType::HS512), json!({"iss": PROVIDER}), SECRET),
            "`JWT_AUTHTYPE`",
            "`Issuer::algorithms`",
        ),
        (
            signed(&header(AuthType::HS256), json!({}), other_key),
            signed(
                &header(AuthType::HS256),
                json!({"iss": PROVIDER}),
                other_key,
            ),
            "`JWT_SECRET`",
            "`Issuer::key`",
        ),
    ] {
        let text = event(&auth, &own).await;
        assert!(text.contains(here) && !text.contains("Issuer::"), "{text}");
        let text = event(&auth, &of_provider).await;
        assert!(text.contains(there) && !text.contains("JWT_"), "{text}");
    }
}

#[actix_web::test]
async fn other_sentences_about_a_trusted_issuers_token_are_right_too() {
    let auth = manager(Config::for_issuers([provider()]).clock(frozen()));
    for (signed, expected) in [
        (
            foreign(json!({"iat": NOW - 10, "exp": NOW + 9_000})),
            "raise `Issuer::max_lifetime`",
        ),
        (
            foreign(json!({"aud": null})),
            "`Issuer::any_audience` is only for providers that set none",
        ),
        (
            foreign(json!({"sub": 7})),
            "accept integers with `Config::integer_subjects`, or name another claim with `Issuer::map_claim`",
        ),
        (
            foreign(json!({"exp": NOW - 100, "iat": NOW - 200})),
            "get a new one from the issuer",
        ),
        (
            foreign(json!({"typ": "Refresh"})),
            "send the issuer's access token, and not its refresh token",
        ),
        (
            foreign(json!({"iss": "https://provider.example/"})),
            "trust its issuer with `Config::for_issuers`",
        ),
    ] {
        let text = event(&auth, &signed).await;
        assert!(text.contains(expected) && !text.contains("JWT_"), "{text}");
    }
}

#[actix_web::test]
async fn the_event_names_the_claim_that_the_issuers_configuration_requires() {
    let auth = manager(hs256().trust(provider()));
    for (changes, claim) in [
        (json!({"token_use": PRIVATE}), "token_use"),
        (json!({"token_use": null}), "token_use"),
        (json!({"scp": null}), "scp"),
    ] {
        let text = event(&auth, &foreign(changes)).await;
        assert!(text.contains("token_issuer_claim"), "{text}");
        assert!(text.contains(&format!("claim={claim:?}")), "{text}");
        let expected = format!("have the issuer set the claim `{claim}`");
        assert!(text.contains(&expected), "{text}");
    }
}

#[actix_web::test]
async fn an_unknown_key_belongs_where_the_keys_come_from() {
    let folder = KeysFolder::new("signers");
    folder.write("a.key", SECRET, 60);
    let config = Config::with_keys_dir(ISSUER, AuthType::HS256, folder.path());
    let unknown = signed(
        r#"{"alg":"HS256","typ":"JWT","kid":"private-text"}"#,
        json!({}),
        OTHER_SECRET.as_bytes(),
    );
    let text = event(&manager(config.clock(frozen())), &unknown).await;
    assert!(text.contains("directory that `JWT_KEYS_DIR`"), "{text}");
    let text = event(&manager(hs256().key_id("a")), &unknown).await;
    assert!(text.contains("`Config::verification_key`"), "{text}");
    assert!(!text.contains("JWT_KEYS_DIR"), "{text}");
}

/// Its guard is for auth tokens, which is the mistake.
#[require_token]
async fn refresh(auth: AuthManager, token: CurrentToken) -> Result<&'static str, Rejection> {
    auth.refresh(&token).await?;
    Ok("")
}

#[actix_web::test]
async fn a_refresh_behind_the_guard_for_auth_tokens_is_told_the_right_guard() {
    let auth = manager(hs256().session_store(MemoryStore::default()));
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/refresh", web::get().to(refresh));
    })
    .await;
    let pair = auth.login("alice").await.expect("a session");
    let log = log::capture();
    let reply = site.get("/refresh", pair.auth.signed()).await;
    let text = text_of(&log);
    assert_eq!(reply.status, 401, "{text}");
    let expected = "write `#[require_token(\"refresh\")]` on the route that refreshes";
    assert!(text.contains(expected), "{text}");
}
