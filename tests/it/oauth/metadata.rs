//! The documents of RFC 8414 and RFC 9728, and the challenge that names the second one.

use actix_web::test::TestRequest;
use flask_pyjwt::{
    AuthManager, AuthType, Config, MemoryStore, OAuthClient, OAuthClients, TokenLocation,
};
use serde_json::{Value, json};

use support::{SECRET, guarded, keys, manager, site::Site};

use super::clients;

/// The algorithms of DPoP proofs (RFC 9449, section 5.1; RFC 9728, section 2).
const PROOFS: [&str; 10] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];
const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

fn of(issuer: &str, auth_type: AuthType) -> AuthManager {
    let config = Config::new(issuer, auth_type, keys::secret(auth_type));
    manager(config.session_store(MemoryStore::default()))
}

async fn get(site: &Site, path: &str) -> Value {
    let reply = site.ask(TestRequest::with_uri(path)).await;
    assert_eq!(reply.status, 200, "{path}");
    assert_eq!(reply.field("content-type"), "application/json");
    reply.json()
}

#[actix_web::test]
async fn the_document_lists_what_is_served() {
    let auth = of("https://auth.example", AuthType::ES256);
    let clients = clients();
    let token = auth.token_endpoint(&clients).path("/oauth/token");
    let introspection = auth.introspection(&clients);
    let revocation = auth
        .revocation(&clients)
        .url("https://other.example/revoke");
    let metadata = auth.server_metadata().expect("a URL");
    let metadata = metadata
        .token_endpoint(&token)
        .introspection(&introspection)
        .revocation(&revocation)
        .jwks(&auth.jwks())
        .member("service_documentation", "https://auth.example/docs")
        .member("issuer", "https://mallory.example");
    let site = Site::new(|app| {
        app.service(metadata);
    });
    let site = site.await;
    let confidential = json!([
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt"
    ]);
    let all = json!([
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none"
    ]);
    let expected = json!({
        "issuer": "https://auth.example",
        "jwks_uri": "https://auth.example/.well-known/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token"],
        "dpop_signing_alg_values_supported": PROOFS,
        "token_endpoint": "https://auth.example/oauth/token",
        "token_endpoint_auth_methods_supported": all,
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "introspection_endpoint": "https://auth.example/introspect",
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "revocation_endpoint": "https://other.example/revoke",
        "revocation_endpoint_auth_methods_supported": all,
        "revocation_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "service_documentation": "https://auth.example/docs",
    });
    assert_eq!(get(&site, SERVER).await, expected);
    let post = TestRequest::post().uri(SERVER);
    assert_eq!(site.ask(post).await.status, 405);
}

#[actix_web::test]
async fn nothing_else_is_listed() {
    // HMAC keys are not public.
    let auth = of("https://auth.example/tenant", AuthType::HS256);
    let secret = OAuthClient::with_secret("demo", SECRET);
    let clients = OAuthClients::new([secret]).expect("valid clients");
    let metadata = auth.server_metadata().expect("a URL").jwks(&auth.jwks());
    let with_token = metadata
        .clone()
        .token_endpoint(&auth.token_endpoint(&clients).path("token"))
        .revocation(&auth.revocation(&clients));
    for (metadata, expected) in [
        (
            metadata,
            json!({
                "issuer": "https://auth.example/tenant",
                "response_types_supported": [],
                "grant_types_supported": [],
            }),
        ),
        (
            with_token,
            json!({
                "issuer": "https://auth.example/tenant",
                "response_types_supported": [],
                "grant_types_supported": ["refresh_token"],
                "dpop_signing_alg_values_supported": PROOFS,
                "token_endpoint": "https://auth.example/tenant/token",
                "token_endpoint_auth_methods_supported":
                    ["client_secret_basic", "client_secret_post", "none"],
                "revocation_endpoint": "https://auth.example/tenant/revoke",
                "revocation_endpoint_auth_methods_supported":
                    ["client_secret_basic", "client_secret_post"],
            }),
        ),
    ] {
        let site = Site::new(|app| {
            app.service(metadata);
        });
        let site = site.await;
        // The path of the issuer follows the well-known part (RFC 8414, section 3.1).
        assert_eq!(get(&site, &format!("{SERVER}/tenant")).await, expected);
        assert_eq!(site.ask(TestRequest::with_uri(SERVER)).await.status, 404);
    }
}

#[actix_web::test]
async fn a_slash_at_the_end_of_a_path_is_removed() {
    let auth = of("https://auth.example/tenant/", AuthType::HS256);
    let server = auth.server_metadata().expect("a URL");
    let resource = auth.resource_metadata("https://auth.example/v1/");
    let resource = resource.expect("a URL");
    let site = Site::new(|app| {
        app.service(server).service(resource);
    });
    let site = site.await;
    let document = get(&site, &format!("{SERVER}/tenant")).await;
    assert_eq!(document["issuer"], "https://auth.example/tenant/");
    let slash = TestRequest::with_uri(&format!("{SERVER}/tenant/"));
    let slash = site.ask(slash).await;
    assert_eq!(slash.status, 404);
    // RFC 9728 names the slash behind the host only, so some clients keep this one.
    for path in ["/v1", "/v1/"] {
        let document = get(&site, &format!("{RESOURCE}{path}")).await;
        assert_eq!(document["resource"], "https://auth.example/v1/");
    }
}

#[test]
fn a_name_that_is_no_address_has_no_metadata() {
    for issuer in [
        "shop",
        "http://auth.example",
        "https://auth.example?x",
        "urn:auth",
    ] {
        let error = of(issuer, AuthType::HS256)
            .server_metadata()
            .expect_err(issuer);
        assert_eq!(error.key(), "JWT_ISSUER");
        assert!(
            error.to_string().contains("the server's address"),
            "{error}"
        );
    }
    assert!(
        of("http://127.0.0.1:8080", AuthType::HS256)
            .server_metadata()
            .is_ok()
    );
    let auth = of("shop", AuthType::HS256);
    let error = auth.resource_metadata("api.example").expect_err("no URL");
    assert_eq!(error.key(), "resource");
}

#[actix_web::test]
async fn a_resource_names_its_authorization_servers() {
    let config = |issuer| Config::new(issuer, AuthType::HS256, SECRET);
    let places = [
        TokenLocation::DefaultCookie,
        TokenLocation::Query("access_token".into()),
        TokenLocation::Header,
    ];
    let own = manager(config("https://auth.example"));
    let named = manager(config("shop").locations(places));
    for (metadata, path, expected) in [
        (
            own.resource_metadata("https://api.example"),
            "",
            json!({
                "resource": "https://api.example",
                "authorization_servers": ["https://auth.example"],
                "bearer_methods_supported": ["header"],
            }),
        ),
        (
            own.resource_metadata("https://api.example/v1").map(|it| {
                it.authorization_server("https://accounts.example")
                    .authorization_server("https://auth.example")
                    .scopes(["read", "write"])
                    .member("resource_name", "The API")
                    .member("resource", "https://mallory.example")
            }),
            "/v1",
            json!({
                "resource": "https://api.example/v1",
                "authorization_servers": ["https://accounts.example", "https://auth.example"],
                "bearer_methods_supported": ["header"],
                "scopes_supported": ["read", "write"],
                "resource_name": "The API",
            }),
        ),
        (
            named.resource_metadata("https://api.example/"),
            "",
            json!({
                "resource": "https://api.example/",
                "bearer_methods_supported": ["query", "header"],
            }),
        ),
    ] {
        let metadata = metadata.expect("a URL");
        let mut expected = expected;
        expected["dpop_signing_alg_values_supported"] = json!(PROOFS);
        let site = Site::new(|app| {
            app.service(metadata);
        });
        let document = get(&site.await, &format!("{RESOURCE}{path}")).await;
        assert_eq!(document, expected);
    }
}

#[actix_web::test]
async fn every_bearer_challenge_names_the_document() {
    let url = format!("https://api.example{RESOURCE}");
    let auth = manager(support::hs256().resource_metadata(&url));
    let site = Site::new(guarded(&auth)).await;
    let none = site.ask(TestRequest::get().uri("/")).await;
    let expected = format!(
        "Bearer realm=\"{}\", resource_metadata=\"{url}\"",
        support::ISSUER
    );
    assert_eq!(none.field("www-authenticate"), expected);
    let refresh = auth.refresh_token("alice").sign().expect("minted");
    for token in ["garbage", refresh.signed()] {
        let reply = site.get("/", token).await;
        let challenge = reply.field("www-authenticate");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        let end = format!(", resource_metadata=\"{url}\"");
        assert!(challenge.ends_with(&end), "{challenge}");
    }
    for wrong in [
        "",
        "/x",
        "https://api.example/\"",
        "https://a.example#x",
        "http://a.example",
    ] {
        let error = AuthManager::new(support::hs256().resource_metadata(wrong));
        assert_eq!(error.expect_err(wrong).key(), "resource_metadata");
    }
}
