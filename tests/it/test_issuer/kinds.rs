//! Good tokens are accepted, and each kind of bad one is refused for its own reason.

use flask_pyjwt::testing::{IssuerToken, TestIssuer};
use time::Duration;

use super::{Setting, is_adfs};

type Kind = fn(IssuerToken) -> IssuerToken;

const BAD: &[(Kind, &str)] = &[
    (IssuerToken::expired, "token_expired"),
    (IssuerToken::not_yet_valid, "token_not_yet_valid"),
    (IssuerToken::of_other_key, "token_signature"),
    (IssuerToken::of_other_issuer, "token_issuer"),
    (IssuerToken::for_other_audience, "token_audience"),
    (IssuerToken::alg_none, "token_form"),
    (IssuerToken::tampered, "token_signature"),
];

#[actix_web::test]
async fn each_provider_has_good_tokens_and_bad_ones_of_each_kind() {
    for issuer in TestIssuer::all() {
        let here = Setting::of(issuer).await;
        let what = format!("{:?}", here.issuer);
        here.site
            .accepts(&here.issuer.token("alice").sign(), &what)
            .await;
        for (number, (kind, reason)) in BAD.iter().enumerate() {
            let token = kind(here.issuer.token("alice")).sign();
            let what = format!("{what}, kind {number}");
            // AD FS names no key that could be the wrong one.
            let names_no_key = *reason == "token_signature" && is_adfs(&here.issuer);
            let reason = if names_no_key {
                "token_unknown_key"
            } else {
                reason
            };
            here.site.refuses(&token, reason, &what).await;
        }
        let old = here.issuer.token("alice").age(Duration::days(30)).sign();
        here.site.refuses(&old, "token_expired", &what).await;
        let without = here.issuer.token("alice").without_claim("exp").sign();
        here.site
            .refuses(&without, "token_missing_claim", &what)
            .await;
    }
}

#[actix_web::test]
async fn routes_see_the_subject_and_the_claims_that_the_test_names() {
    for issuer in TestIssuer::all() {
        let here = Setting::of(issuer).await;
        let token = here.issuer.token("alice").claim("color", "blue").sign();
        let token = here.auth.verify_token_async(&token).await.expect("good");
        assert_eq!(token.sub(), "alice", "{:?}", here.issuer);
        assert_eq!(token.iss(), here.issuer.url());
        assert_eq!(token.claims()["color"], "blue");
    }
}

#[actix_web::test]
async fn the_scope_is_written_where_each_provider_writes_it() {
    for (issuer, claim, expected) in [
        (TestIssuer::oidc(), "scope", "\"read write\""),
        (TestIssuer::keycloak(), "scope", "\"read write\""),
        (TestIssuer::auth0(), "scope", "\"read write\""),
        (TestIssuer::cognito(), "scope", "\"read write\""),
        (TestIssuer::entra(), "scp", "\"read write\""),
        (TestIssuer::okta(), "scp", "[\"read\",\"write\"]"),
        (TestIssuer::hydra(), "scp", "[\"read\",\"write\"]"),
        (TestIssuer::duende(), "scope", "[\"read\",\"write\"]"),
    ] {
        let here = Setting::of(issuer).await;
        let what = format!("{:?}", here.issuer);
        let token = here.issuer.token("alice").scope("read write").sign();
        assert_eq!(
            here.site.get("/scope", &token).await.outcome(),
            (200, ""),
            "{what}"
        );
        let verified = here.auth.verify_token_async(&token).await.expect("good");
        assert_eq!(verified.claims()[claim].to_string(), expected, "{what}");
        let other = here.issuer.token("alice").scope("readers").sign();
        assert_eq!(here.site.get("/scope", &other).await.status, 403, "{what}");
    }
}

#[test]
#[should_panic(expected = "tokens of Google have no scope")]
fn a_scope_for_a_provider_without_scopes_is_a_mistake_of_the_test() {
    let _ = TestIssuer::google().token("alice").scope("read");
}

#[test]
fn debug_output_shows_no_token_and_no_claim() {
    let issuer = TestIssuer::oidc();
    let builder = issuer.token("alice").claim("password", "hunter2");
    let token = builder.sign();
    assert!(!format!("{builder:?}").contains("hunter2"));
    assert_eq!(format!("{token:?}"), "SignedToken { .. }");
    assert_eq!(token.signed(), token.to_string());
}
