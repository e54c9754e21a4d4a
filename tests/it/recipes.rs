//! The recipes of the guide's pages about issuers, with tokens and key sets in the shapes that the providers
//! publish. The code that is tested is the code of the pages.

pub(crate) mod page;
mod providers;

use crate::remote_keys::server;
use std::collections::BTreeSet;

use aws_lc_rs::signature;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::{AuthManager, Config, Issuer, TokenError, testing::FrozenClock};
use serde_json::{Value, json};
use time::Duration;

use self::{
    page::{headings_of, recipes_of},
    providers::{Expect, Provider, Signs, providers},
    server::{Answer, BadServer},
};
use support::{
    NOW, at,
    forge::{self, Key},
    keys,
};

/// A provider's server with its current key set.
struct Source {
    server: BadServer,
}

impl Source {
    fn start() -> Self {
        Self {
            server: BadServer::start(),
        }
    }

    fn publish(&self, keys: &[Value]) {
        let set = json!({"keys": keys});
        self.server.answers("/keys", Answer::json(set));
    }

    /// The recipe, with the keys of this server in place of the provider's keys.
    fn serve(&self, signs: Signs, issuer: Issuer) -> Issuer {
        if signs == Signs::Hs256 {
            return issuer;
        }
        issuer
            .jwks_url(self.server.url("/keys"))
            .allow_http_on_loopback(true)
    }
}

/// A public key as the provider publishes it.
fn jwk(signs: Signs, which: Which, extra: &Value) -> Value {
    use signature::KeyPair as _;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut jwk = match signs {
        Signs::Rs256 => {
            let pair = match which {
                Which::First => &*keys::RSA,
                Which::Next => &*keys::OTHER_RSA,
            };
            let public = pair.public_key();
            let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
            let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
            json!({"kty": "RSA", "n": encode(&modulus), "e": encode(&exponent)})
        }
        Signs::Es256 => {
            let pair = match which {
                Which::First => &*keys::P256,
                Which::Next => &*keys::OTHER_P256,
            };
            let point = pair.public_key().as_ref();
            json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
        }
        Signs::Hs256 => unreachable!("a secret is not published"),
    };
    let members = jwk.as_object_mut().expect("an object");
    members.insert("kid".to_owned(), which.kid().into());
    for (name, value) in extra.as_object().expect("an object") {
        members.insert(name.clone(), value.clone());
    }
    jwk
}

#[derive(Clone, Copy, PartialEq)]
enum Which {
    First,
    Next,
}

impl Which {
    fn kid(self) -> &'static str {
        match self {
            Self::First => "first-key",
            Self::Next => "next-key",
        }
    }
}

fn sign(provider: &Provider, header: &Value, claims: &Value, which: Which) -> String {
    let secret = match which {
        Which::First => providers::client_secret(),
        Which::Next => "another secret of 32 bytes, at least".to_owned(),
    };
    let key = match (provider.signs, which) {
        (Signs::Hs256, _) => Key::Hs256(secret.as_bytes()),
        (Signs::Rs256, Which::First) => Key::Rsa(&keys::RSA, &signature::RSA_PKCS1_SHA256),
        (Signs::Rs256, Which::Next) => Key::Rsa(&keys::OTHER_RSA, &signature::RSA_PKCS1_SHA256),
        (Signs::Es256, Which::First) => Key::Ecdsa(&keys::P256),
        (Signs::Es256, Which::Next) => Key::Ecdsa(&keys::OTHER_P256),
    };
    let mut header = header.clone();
    if header.get("kid").is_some() {
        header["kid"] = which.kid().into();
    }
    forge::forge(header.to_string(), claims.to_string(), &key)
}

fn keys_of(provider: &Provider, which: &[Which]) -> Vec<Value> {
    let mut keys: Vec<_> = which
        .iter()
        .map(|which| jwk(provider.signs, *which, &provider.jwk))
        .collect();
    keys.extend(provider.other_keys.iter().cloned());
    keys
}

/// `docs/threats.md` 58.
#[actix_web::test]
async fn each_recipe_accepts_access_tokens_and_refuses_all_others() {
    for provider in providers() {
        let source = Source::start();
        if provider.signs != Signs::Hs256 {
            source.publish(&keys_of(&provider, &[Which::First]));
        }
        let clock = FrozenClock::new(at(NOW));
        let issuers = (provider.issuers)().into_iter();
        let config = Config::for_issuers(issuers.map(|it| source.serve(provider.signs, it)));
        let config = (provider.config)(config.clock(clock.clone()));
        let auth = AuthManager::new(config).expect(provider.name);
        auth.fetch_keys().await;
        for token in &provider.tokens {
            let signed = sign(&provider, &token.header, &token.claims, Which::First);
            let verified = auth.verify_token_async(&signed).await;
            let case = format!("{}: {}", provider.name, token.what);
            match (&token.expect, verified) {
                (Expect::Subject(subject), Ok(verified)) => {
                    assert_eq!(verified.sub(), *subject, "{case}");
                }
                (Expect::Refused, Err(error)) => {
                    let by_rule = !matches!(
                        error,
                        TokenError::KeysUnavailable { .. } | TokenError::Signature
                    );
                    assert!(by_rule, "{case}: {error:?}");
                }
                (_, verified) => panic!("{case}: {:?}", verified.map(|_| "accepted")),
            }
            // A token that is signed with another key is refused, whatever its claims are.
            let forged = sign(&provider, &token.header, &token.claims, Which::Next);
            assert!(auth.verify_token_async(&forged).await.is_err(), "{case}");
        }
    }
}

#[actix_web::test]
async fn each_recipe_accepts_the_providers_next_key() {
    let published = |provider: &Provider| provider.signs != Signs::Hs256;
    for provider in providers().into_iter().filter(published) {
        let source = Source::start();
        source.publish(&keys_of(&provider, &[Which::First]));
        let clock = FrozenClock::new(at(NOW));
        let issuers = (provider.issuers)().into_iter();
        let config = Config::for_issuers(issuers.map(|it| source.serve(provider.signs, it)));
        let config = (provider.config)(config.clock(clock.clone()));
        let auth = AuthManager::new(config).expect(provider.name);
        auth.fetch_keys().await;
        let accepted = provider
            .tokens
            .iter()
            .find(|token| matches!(token.expect, Expect::Subject(_)))
            .expect(provider.name);
        // Providers without `kid` in their tokens replace the key. The others publish both.
        let names_keys = accepted.header.get("kid").is_some();
        let published: &[Which] = if names_keys {
            &[Which::Next, Which::First]
        } else {
            &[Which::Next]
        };
        source.publish(&keys_of(&provider, published));
        clock.advance(Duration::seconds(60));
        if !names_keys {
            auth.fetch_keys().await;
        }
        let next = sign(&provider, &accepted.header, &accepted.claims, Which::Next);
        let verified = auth.verify_token_async(&next).await;
        assert!(verified.is_ok(), "{}: {verified:?}", provider.name);
        let first = sign(&provider, &accepted.header, &accepted.claims, Which::First);
        let verified = auth.verify_token_async(&first).await;
        assert_eq!(verified.is_ok(), names_keys, "{}", provider.name);
    }
}

/// The pages of the guide that have recipes.
pub(crate) const PAGES: [&str; 8] = [
    include_str!("../../docs/guide/issuers/keycloak.md"),
    include_str!("../../docs/guide/issuers/entra.md"),
    include_str!("../../docs/guide/issuers/auth0_okta.md"),
    include_str!("../../docs/guide/issuers/google.md"),
    include_str!("../../docs/guide/issuers/amazon.md"),
    include_str!("../../docs/guide/issuers/apple_supabase_shopify.md"),
    include_str!("../../docs/guide/issuers/self_hosted.md"),
    include_str!("../../docs/guide/issuers/workloads.md"),
];

/// The pages and the tests have the same recipes, compared token by token.
#[test]
fn the_tested_recipes_equal_those_of_the_pages() {
    let on_pages: BTreeSet<_> = PAGES.iter().flat_map(|page| recipes_of(page)).collect();
    let tested: BTreeSet<_> = providers()
        .into_iter()
        .flat_map(|provider| provider.code)
        .collect();
    assert_eq!(
        tested.difference(&on_pages).collect::<Vec<_>>(),
        [""; 0],
        "a tested recipe is on no page"
    );
    assert_eq!(
        on_pages.difference(&tested).collect::<Vec<_>>(),
        [""; 0],
        "a recipe of a page is not tested"
    );
}

#[test]
fn each_provider_has_a_section_on_a_page() {
    let headings: BTreeSet<_> = PAGES.iter().flat_map(|page| headings_of(page)).collect();
    for provider in providers() {
        assert!(headings.contains(provider.name), "{}", provider.name);
    }
}
