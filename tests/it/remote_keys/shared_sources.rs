//! Issuers that would fetch the same keys from the same server share one source.

use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, KeySourceState, TokenError};
use serde_json::json;
use time::Duration;

use super::{
    PATH, SECRET, config, jwk, keys, manager,
    server::{Answer, BadServer},
    set, token,
};

fn server() -> BadServer {
    let server = BadServer::start();
    server.answers(PATH, set(&[jwk(&keys::ED25519, "a")]));
    server
}

fn issuer(name: &str, server: &BadServer) -> Issuer {
    Issuer::new(name)
        .jwks_url(server.url(PATH))
        .allow_http_on_loopback(true)
        .audience("api")
}

fn trusting(issuers: impl IntoIterator<Item = Issuer>) -> AuthManager {
    let own = config(AuthType::HS256, SECRET);
    manager(issuers.into_iter().fold(own, Config::trust))
}

/// `docs/threats.md` 59.
#[actix_web::test]
async fn a_thousand_issuers_with_one_address_share_a_fetch() {
    let server = server();
    let name = |number: usize| format!("https://tenant{number}.example");
    let auth = trusting((0..1_000).map(|number| issuer(&name(number), &server)));
    for number in [0, 1, 500, 999] {
        let token = token(&name(number), &keys::ED25519, "a");
        let verified = auth.verify_token_async(&token).await.expect("valid");
        assert_eq!(verified.iss(), name(number));
    }
    assert_eq!(server.requests(), 1);
    let states = auth.key_sources();
    assert_eq!(states.len(), 1_000);
    assert!(states.iter().all(|state| state.key_ids() == ["a"]));
    let mut names: Vec<_> = (0..1_000).map(name).collect();
    names.sort();
    assert!(states.iter().map(KeySourceState::issuer).eq(names));
    auth.fetch_keys().await;
    assert_eq!(server.requests(), 2);
}

#[actix_web::test]
async fn issuers_with_other_requests_or_other_rules_for_keys_have_their_own_source() {
    let of = |change: fn(Issuer) -> Issuer| async move {
        let server = server();
        let first = issuer("https://a.example", &server);
        let second = change(issuer("https://b.example", &server));
        let auth = trusting([first, second]);
        for issuer in ["https://a.example", "https://b.example"] {
            // Waits for the first fetch of its source.
            let token = token(issuer, &keys::ED25519, "a");
            drop(auth.verify_token_async(&token).await);
        }
        server.requests()
    };
    assert_eq!(of(|issuer| issuer.leeway(Duration::ZERO)).await, 1);
    assert_eq!(of(|issuer| issuer.require_claim("x", 1)).await, 1);
    for change in [
        (|issuer| issuer.algorithms([AuthType::EdDSA])) as fn(Issuer) -> Issuer,
        |issuer| issuer.types(["at+jwt"]),
        |issuer| issuer.accept_untyped(true),
        |issuer| issuer.max_header_size(4_096),
        |issuer| issuer.keep_keys(Duration::HOUR),
        |issuer| issuer.request_header("x-api-key", "k"),
        |issuer| issuer.accept_any_content_type(true),
    ] {
        assert_eq!(of(change).await, 2);
    }
}

#[actix_web::test]
async fn a_discovery_document_belongs_to_one_issuer() {
    let server = server();
    let (right, wrong) = (server.url("/a"), server.url("/b"));
    let document = json!({ "issuer": right, "jwks_uri": server.url(PATH) });
    server.answers("/document", Answer::json(document));
    let of = |name: &str| {
        Issuer::new(name)
            .discovery_url(server.url("/document"))
            .allow_http_on_loopback(true)
            .audience("api")
    };
    let auth = trusting([of(&right), of(&wrong)]);
    let states = auth.fetch_keys().await;
    assert_eq!(states[0].error(), None);
    assert!(
        states[1]
            .error()
            .is_some_and(|it| it.contains("not the configured name"))
    );
    let good = token(&right, &keys::ED25519, "a");
    assert!(auth.verify_token_async(&good).await.is_ok());
    let bad = token(&wrong, &keys::ED25519, "a");
    let outcome = auth.verify_token_async(&bad).await.map(drop);
    assert!(matches!(outcome, Err(TokenError::KeysUnavailable { .. })));
}

#[actix_web::test]
async fn the_discovery_document_of_a_template_names_the_template() {
    let server = server();
    let name = server.url("/{tenant}/v2.0");
    let document = json!({ "issuer": name, "jwks_uri": server.url(PATH) });
    server.answers("/common", Answer::json(document));
    let auth = trusting([Issuer::template(&name)
        .discovery_url(server.url("/common"))
        .allow_http_on_loopback(true)
        .audience("api")]);
    for tenant in ["a", "b"] {
        let issuer = server.url(&format!("/{tenant}/v2.0"));
        let token = token(&issuer, &keys::ED25519, "a");
        let verified = auth.verify_token_async(&token).await.expect("valid");
        assert_eq!(verified.iss(), issuer);
    }
    assert_eq!(auth.key_sources()[0].issuer(), name);
    assert_eq!(server.requests(), 2, "the document and the keys, once");
}
