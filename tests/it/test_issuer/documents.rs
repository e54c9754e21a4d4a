//! The addresses and key sets are those of the providers.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use flask_pyjwt::testing::TestIssuer;
use serde_json::{Value, json};
use support::wire::send_to;

use super::Setting;

fn get(url: &str) -> (u16, Value) {
    let rest = url.strip_prefix("http://127.0.0.1:").expect("loopback");
    let (port, path) = rest.split_once('/').expect("a path");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    let reply = send_to(port.parse().expect("a port"), request.as_bytes());
    (reply.status, reply.json())
}

#[test]
fn discovery_names_the_issuer_and_its_key_set() {
    for issuer in TestIssuer::all() {
        let Some(address) = issuer.discovery_url() else {
            continue;
        };
        let (status, document) = get(&address);
        assert_eq!(status, 200, "{address}");
        // AD FS names the issuer of access tokens elsewhere.
        let name = document.get("access_token_issuer");
        let name = name.unwrap_or(&document["issuer"]);
        assert_eq!(name, &json!(issuer.url()), "{address}");
        assert_eq!(document["jwks_uri"], json!(issuer.jwks_url()), "{address}");
    }
}

#[test]
fn paths_are_those_of_the_providers() {
    for (issuer, name, keys) in [
        (
            TestIssuer::keycloak(),
            "/realms/test",
            "/realms/test/protocol/openid-connect/certs",
        ),
        (TestIssuer::auth0(), "/", "/.well-known/jwks.json"),
        (
            TestIssuer::okta(),
            "/oauth2/default",
            "/oauth2/default/v1/keys",
        ),
        (TestIssuer::google(), "", "/oauth2/v3/certs"),
        (TestIssuer::rauthy(), "/auth/v1/", "/auth/v1/oidc/certs"),
    ] {
        let path = |url: String| {
            url["http://127.0.0.1:".len()..]
                .split_once('/')
                .map_or(String::new(), |(_, path)| format!("/{path}"))
        };
        assert_eq!(path(issuer.url()), name);
        assert_eq!(path(issuer.jwks_url()), keys);
    }
}

#[test]
fn key_sets_have_the_members_that_the_providers_publish() {
    let members = |key: &Value| -> BTreeSet<String> {
        let members = key.as_object().expect("an object");
        members.keys().cloned().collect()
    };
    for (issuer, expected) in [
        (TestIssuer::okta(), "alg e kid kty n use"),
        (TestIssuer::keycloak(), "alg e kid kty n use x5c x5t"),
        (TestIssuer::entra(), "e issuer kid kty n use x5c x5t"),
        (
            TestIssuer::supabase(),
            "alg crv ext key_ops kid kty use x y",
        ),
    ] {
        let (_, set) = get(&issuer.jwks_url());
        let expected = expected.split(' ').map(str::to_owned).collect();
        assert_eq!(members(&set["keys"][0]), expected, "{issuer:?}");
    }
    let issuer = TestIssuer::keycloak();
    let (_, keycloak) = get(&issuer.jwks_url());
    assert_eq!(keycloak["keys"][1]["use"], "enc");
    let issuer = TestIssuer::entra();
    let (_, entra) = get(&issuer.jwks_url());
    assert_eq!(entra["keys"][0]["kid"], entra["keys"][0]["x5t"]);
}

/// `x5c` is a certificate of the key, and `x5t` its hash (RFC 7517, sections 4.7 and 4.8), before and after rotations.
#[test]
fn certificates_are_those_of_the_keys() {
    let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|it| it == part);
    let issuer = TestIssuer::keycloak();
    for _ in 0..4 {
        let (_, set) = get(&issuer.jwks_url());
        let keys = set["keys"].as_array().expect("an array");
        for key in keys {
            let text = |name: &str| key[name].as_str().expect("a text").to_owned();
            let certificate = key["x5c"][0].as_str().expect("a text");
            let certificate = STANDARD.decode(certificate).expect("base64");
            let modulus = URL_SAFE_NO_PAD.decode(text("n")).expect("base64url");
            assert!(contains(&certificate, &modulus));
            let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
            assert_eq!(text("x5t"), URL_SAFE_NO_PAD.encode(hash));
        }
        issuer.rotate();
    }
}

#[actix_web::test]
async fn requests_are_counted_for_each_path() {
    let here = Setting::of(TestIssuer::keycloak()).await;
    let requests = |path: &str| here.issuer.requests().get(path).copied();
    let document = "/realms/test/.well-known/openid-configuration";
    // The manager fetches when it is made, and `fetch_keys` again if that fetch has ended by then.
    let first = requests(document).expect("it was fetched");
    assert!((1..=2).contains(&first), "{first}");
    let keys = requests("/realms/test/protocol/openid-connect/certs");
    assert!(keys.is_some_and(|keys| (1..=first).contains(&keys)));
    assert_eq!(requests("/other"), None);
    here.auth.fetch_keys().await;
    assert_eq!(requests(document), Some(first + 1));
}

#[test]
fn other_paths_and_methods_are_refused() {
    let issuer = TestIssuer::oidc();
    assert_eq!(get(&format!("{}/other", issuer.url())).0, 404);
    let port = issuer.url().rsplit_once(':').expect("a port").1.parse();
    let port = port.expect("a port");
    let request = b"POST /jwks.json HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(send_to(port, request).status, 405);
}
