//! This server's public keys as a document for other verifiers of its tokens (RFC 7517).

use actix_web::test::TestRequest;
use flask_pyjwt::{AuthManager, AuthType, Config, Key, testing::FrozenClock};
use serde_json::{Value, json};
use time::Duration;

use support::{
    ISSUER, NOW, SECRET, at, keys, manager,
    site::{Reply, Site},
};

const PATH: &str = "/.well-known/jwks.json";

fn frozen(auth_type: AuthType) -> (AuthManager, FrozenClock) {
    let clock = FrozenClock::new(at(NOW));
    let config = Config::new(ISSUER, auth_type, keys::secret(auth_type)).clock(clock.clone());
    (manager(config), clock)
}

async fn site(auth: &AuthManager) -> Site {
    let (set, metadata) = (
        auth.jwks(),
        auth.metadata(format!("https://a.example{PATH}")),
    );
    let metadata = metadata
        .member("token_endpoint", "https://a.example/login")
        .member("issuer", "https://mallory.example");
    Site::new(|app| {
        app.service(set).service(metadata);
    })
    .await
}

async fn get(site: &Site, field: Option<(&str, &str)>) -> Reply {
    let request = TestRequest::get().uri(PATH);
    let request = field.into_iter().fold(request, TestRequest::insert_header);
    site.ask(request).await
}

/// Describes the keys of the set, and checks that each of them is complete and public.
fn described(reply: &Reply) -> Vec<(String, String)> {
    let set = reply.json();
    let keys = set["keys"].as_array().expect("an array").iter();
    keys.map(|key| {
        assert_eq!(key["use"], "sig");
        let members: Vec<_> = key.as_object().expect("an object").keys().collect();
        let expected = match key["kty"].as_str() {
            Some("RSA") => vec!["alg", "e", "kid", "kty", "n", "use"],
            Some("EC") => vec!["alg", "crv", "kid", "kty", "use", "x", "y"],
            _ => vec!["alg", "crv", "kid", "kty", "use", "x"],
        };
        assert_eq!(members, expected);
        let text = |name: &str| key[name].as_str().expect("text").to_owned();
        (text("kid"), text("alg"))
    })
    .collect()
}

/// `jsonwebtoken` reads the set, and verifies our tokens with what it reads.
#[actix_web::test]
async fn another_library_verifies_tokens_with_the_published_set() {
    for auth_type in AuthType::ALL {
        let (auth, _) = frozen(auth_type);
        let reply = get(&site(&auth).await, None).await;
        assert_eq!(reply.status, 200);
        let described = described(&reply);
        if keys::public(auth_type).is_none() {
            assert_eq!(described, [], "{auth_type}: no secret is published");
            continue;
        }
        let id = auth.keys()[0].id().to_owned();
        assert_eq!(described, [(id.clone(), auth_type.to_string())]);

        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(reply.json()).expect("a set");
        let key = set.find(&id).expect("it exists");
        // The thumbprint of RFC 7638, computed by the other library.
        let thumbprint = key.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256);
        assert_eq!(thumbprint.ok().as_ref(), Some(&id), "{auth_type}");
        let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a key");
        let token = auth.auth_token("alice").sign().expect("minted");
        if auth_type == AuthType::ES512 {
            continue; // The other library reads such keys, but cannot verify with them.
        }
        let algorithm = auth_type.name().parse().expect("it is known there");
        let mut rules = jsonwebtoken::Validation::new(algorithm);
        rules.validate_exp = false;
        let read = jsonwebtoken::decode::<Value>(token.signed(), &key, &rules);
        assert_eq!(read.expect("it verifies").claims["sub"], "alice");
    }
}

#[actix_web::test]
async fn a_set_has_the_next_key_and_the_last_one_until_it_is_dropped() {
    let (auth, clock) = frozen(AuthType::EdDSA);
    let site = site(&auth).await;
    let ids = |reply: &Reply| {
        described(reply)
            .into_iter()
            .map(|(id, _)| id)
            .collect::<Vec<_>>()
    };
    let first = ids(&get(&site, None).await);
    let next = || Key::new(AuthType::ES384, keys::secret(AuthType::ES384)).id("next");
    auth.prepublish(next()).expect("a valid key");
    auth.prepublish(Key::new(AuthType::HS256, SECRET))
        .expect("a valid key");
    clock.advance(Duration::SECOND);
    let both = vec![first[0].clone(), "next".to_owned()];
    assert_eq!(ids(&get(&site, None).await), both);
    auth.rotate(next()).expect("a valid key");
    clock.advance(Duration::SECOND);
    let both = vec!["next".to_owned(), first[0].clone()];
    assert_eq!(ids(&get(&site, None).await), both);
    clock.advance(Duration::seconds(604_799));
    assert_eq!(ids(&get(&site, None).await), ["next"]);
}

#[actix_web::test]
async fn responses_can_be_cached_and_revalidated() {
    let (auth, _) = frozen(AuthType::ES256);
    let site = site(&auth).await;
    let first = get(&site, None).await;
    let etag = first.field("etag").to_owned();
    assert_eq!(first.field("content-type"), "application/json");
    assert_eq!(first.field("cache-control"), "public, max-age=300");
    assert!(
        etag.starts_with('"') && etag.ends_with('"') && etag.len() > 20,
        "{etag}"
    );
    for (field, known) in [
        (etag.clone(), true),
        (format!("W/{etag}"), true),
        (format!("\"x\", {etag}"), true),
        ("*".to_owned(), true),
        ("\"x\"".to_owned(), false),
        (etag.replace('"', ""), false),
    ] {
        let reply = get(&site, Some(("if-none-match", &field))).await;
        assert_eq!(reply.status, if known { 304 } else { 200 }, "{field}");
        assert_eq!(reply.body.is_empty(), known, "{field}");
        assert_eq!(reply.field("etag"), etag);
        assert_eq!(reply.field("cache-control"), "public, max-age=300");
    }
    let reply = site
        .ask(
            TestRequest::default()
                .method(actix_web::http::Method::HEAD)
                .uri(PATH),
        )
        .await;
    assert_eq!((reply.status, reply.field("etag")), (200, &*etag));
    let reply = site.ask(TestRequest::post().uri(PATH)).await;
    assert_eq!(reply.status, 405);
}

#[actix_web::test]
async fn path_and_max_age_can_be_configured() {
    let (auth, _) = frozen(AuthType::ES256);
    let set = auth
        .jwks()
        .path("/keys")
        .max_age(time::Duration::seconds(60));
    let site = Site::new(|app| {
        app.service(set);
    })
    .await;
    let reply = site.ask(TestRequest::get().uri("/keys")).await;
    assert_eq!(reply.field("cache-control"), "public, max-age=60");
    assert_eq!(get(&site, None).await.status, 404);
}

#[actix_web::test]
async fn the_metadata_name_the_address_of_the_set() {
    let (auth, _) = frozen(AuthType::ES256);
    auth.prepublish(Key::new(AuthType::EdDSA, keys::secret(AuthType::EdDSA)))
        .expect("a valid key");
    let site = site(&auth).await;
    for path in ["openid-configuration", "oauth-authorization-server"] {
        let reply = site
            .ask(TestRequest::get().uri(&format!("/.well-known/{path}")))
            .await;
        let expected = json!({
            "issuer": ISSUER,
            "jwks_uri": "https://a.example/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["ES256", "EdDSA"],
            "token_endpoint": "https://a.example/login",
        });
        assert_eq!((reply.status, reply.json()), (200, expected), "{path}");
    }
}

/// RFC 7517, appendix A.1, shows a set with the same members and forms.
#[actix_web::test]
async fn threat_33_nothing_private_is_in_a_set() {
    for auth_type in AuthType::ALL {
        let (auth, _) = frozen(auth_type);
        let reply = get(&site(&auth).await, None).await;
        let set = reply.json();
        for key in set["keys"].as_array().expect("an array") {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert_eq!(key.get(private), None, "{auth_type}");
            }
        }
        let text = format!("{:?}{:?}", auth.jwks(), auth.keys());
        assert!(!text.contains("PRIVATE"), "{text}");
    }
}
