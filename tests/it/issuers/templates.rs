//! Issuers that cannot be listed: templates of their names.

use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, ExpectedClaim, Issuer, Key, TokenError,
};
use serde_json::json;

use super::{OTHER, other, outcome, public, token};
use support::{NOW, hs256, manager};

const TENANTS: &str = "https://login.example/{tenant}/v2.0";

fn tenants() -> Issuer {
    Issuer::template(TENANTS)
        .key(Key::verify_only(AuthType::ES256, public(AuthType::ES256)).id("e"))
        .audience("api")
        .claim_from_issuer("tid", "tenant")
}

fn of_tenant(tenant: &str, tid: &str) -> String {
    let issuer = format!("https://login.example/{tenant}/v2.0");
    token(json!({ "iss": issuer, "tid": tid }))
}

#[test]
fn a_token_of_any_tenant_is_accepted_with_its_own_issuer_name() {
    let auth = manager(hs256().trust(tenants()));
    for tenant in [
        "a",
        "b-2",
        "c_3",
        "D",
        "9188040d-6c67-4c5b-b112-36a304b66dad",
    ] {
        let token = of_tenant(tenant, tenant);
        // Again from the table of verified tokens.
        for _ in 0..3 {
            let issuer = format!("https://login.example/{tenant}/v2.0");
            assert_eq!(outcome(&auth, &token), Ok(issuer));
        }
    }
}

#[test]
fn an_issuer_with_json_escapes_is_decoded_before_the_comparison() {
    let auth = manager(hs256().trust(tenants()));
    let plain = support::claims_with(json!({
        "iss": "ISS", "aud": "api", "type": null, "tid": "TID",
    }));
    let escaped = plain
        .replace("ISS", r"https:\/\/login.example\/\u0061cme\/v2.0")
        .replace("TID", r"acm\u0065");
    let header = r#"{"alg":"ES256","kid":"e","typ":"JWT"}"#;
    let key = super::keys::key(AuthType::ES256);
    let token = super::forge(header, escaped, &key);
    let issuer = "https://login.example/acme/v2.0".to_owned();
    assert_eq!(outcome(&auth, &token), Ok(issuer));
}

#[test]
fn the_claim_must_be_exactly_the_text_of_the_placeholder() {
    let auth = manager(hs256().trust(tenants()));
    let issuer = "https://login.example/acme/v2.0";
    for tid in [
        json!("umbrella"),
        json!("Acme"),
        json!("acme "),
        json!(""),
        json!("acme/v2.0"),
        json!("{tenant}"),
        json!(null),
        json!(["acme"]),
        json!({ "acme": true }),
        json!(7),
    ] {
        let token = token(json!({ "iss": issuer, "tid": tid }));
        assert_eq!(
            outcome(&auth, &token),
            Err(TokenError::IssuerClaim),
            "{tid}"
        );
    }
    // A number is not equal to the text of its digits.
    let token = token(json!({ "iss": "https://login.example/7/v2.0", "tid": 7 }));
    assert_eq!(outcome(&auth, &token), Err(TokenError::IssuerClaim));
}

#[test]
fn names_that_are_similar_to_a_template_are_refused() {
    let auth = manager(hs256().trust(tenants()));
    let long = "a".repeat(256);
    let longer = "a".repeat(2_000);
    for tenant in [
        "",
        "a/b",
        "../a",
        "a%2Fb",
        "%61",
        "{tenant}",
        "a.b",
        "a b",
        "a\u{0}",
        "a\n",
        "\u{e4}",
        "\u{ff41}",
        "a?",
        "a#",
        "a@b",
        "a/v2.0/b",
        long.as_str(),
        &longer,
    ] {
        let token = of_tenant(tenant, tenant);
        assert_eq!(
            outcome(&auth, &token),
            Err(TokenError::Issuer),
            "{tenant:?}"
        );
    }
    for issuer in [
        "https://login.example/a/v2.0/",
        "https://login.example/a/v2.0 ",
        " https://login.example/a/v2.0",
        "https://login.example/a/V2.0",
        "https://login.example/a/v2.00",
        "https://login.example/a/v2",
        "https://login.example./a/v2.0",
        "https://login.example:443/a/v2.0",
        "https://LOGIN.example/a/v2.0",
        "HTTPS://login.example/a/v2.0",
        "http://login.example/a/v2.0",
        "https://login.example//a/v2.0",
        "https://login.example.evil.example/a/v2.0",
        "https://evil.example/https://login.example/a/v2.0",
        TENANTS,
    ] {
        let token = token(json!({ "iss": issuer, "tid": "a" }));
        assert_eq!(
            outcome(&auth, &token),
            Err(TokenError::Issuer),
            "{issuer:?}"
        );
    }
}

#[test]
fn exact_names_come_before_templates_and_templates_are_tried_in_order() {
    let exact = "https://login.example/acme/v2.0";
    let special = Issuer::new(exact)
        .key(Key::verify_only(AuthType::ES256, public(AuthType::ES256)).id("e"))
        .audience("acme-api");
    let own = || Config::new(exact, AuthType::HS256, super::SECRET).clock(support::frozen());
    for trusted in [
        hs256().trust(tenants()).trust(special.clone()),
        hs256().trust(special.clone()).trust(tenants()),
    ] {
        let auth = manager(trusted);
        let acme = of_tenant("acme", "acme");
        assert_eq!(outcome(&auth, &acme), Err(TokenError::Audience));
        let umbrella = of_tenant("umbrella", "umbrella");
        assert!(outcome(&auth, &umbrella).is_ok());
    }
    // This server's own name also takes precedence: a template's key cannot sign for it.
    let auth = manager(own().trust(tenants()));
    let forged = of_tenant("acme", "acme");
    assert_eq!(outcome(&auth, &forged), Err(TokenError::Algorithm));
    let minted = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(outcome(&auth, minted.signed()), Ok(exact.to_owned()));
    // The first template decides, also where the second one would accept the token.
    let wider = Issuer::template("https://login.example/{tenant}/v2.{minor}")
        .key(Key::verify_only(AuthType::ES256, public(AuthType::ES256)).id("e"))
        .audience("api");
    let strict = tenants().require_claim("nonce", ExpectedClaim::Present);
    for (first, second, expected) in [
        (&strict, &wider, Err(TokenError::IssuerClaim)),
        (&wider, &strict, Ok(())),
    ] {
        let auth = manager(hs256().trust(first.clone()).trust(second.clone()));
        let token = of_tenant("acme", "acme");
        assert_eq!(outcome(&auth, &token).map(drop), expected);
    }
}

#[test]
fn every_rule_applies_to_tokens_of_a_template() {
    let auth = manager(hs256().trust(tenants().require_claim("ver", "2.0")));
    let good = json!({ "iss": "https://login.example/a/v2.0", "tid": "a", "ver": "2.0" });
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({ "aud": "another" }), Err(TokenError::Audience)),
        (json!({ "exp": NOW - 6 }), Err(TokenError::Expired)),
        (json!({ "ver": "1.0" }), Err(TokenError::IssuerClaim)),
        (json!({ "cnf": {} }), Err(TokenError::UnknownBinding)),
        (json!({ "sub": "" }), Err(TokenError::MistypedClaim("sub"))),
    ] {
        let mut claims = good.clone();
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        assert_eq!(
            outcome(&auth, &token(claims)).map(drop),
            expected,
            "{changes}"
        );
    }
}

#[test]
fn memory_does_not_grow_with_a_hundred_thousand_names() {
    let auth = manager(hs256().trust(tenants()).trust(other()));
    let known = token(json!({}));
    let payload = |number: usize| {
        let iss = format!("https://login.example/t{number}/v2.0");
        super::encode(json!({ "iss": iss, "aud": "api" }).to_string())
    };
    let header = super::encode(r#"{"alg":"ES256","kid":"x","typ":"JWT"}"#);
    for number in 0..100_000 {
        // The key ID is unknown: no signature is verified, and no key set is fetched.
        let token = format!("{header}.{}.AAAA", payload(number));
        assert_eq!(outcome(&auth, &token), Err(TokenError::UnknownKey));
    }
    assert_eq!(outcome(&auth, &known), Ok(OTHER.to_owned()));
}

#[test]
fn templates_that_cannot_work_are_refused_at_startup() {
    let key = || Key::verify_only(AuthType::ES256, public(AuthType::ES256));
    let of = |text: &str| Issuer::template(text).key(key()).audience("api");
    for (issuer, reason) in [
        (of("https://a.example"), "has no placeholder"),
        (of("{issuer}"), "begins with a placeholder"),
        (of("https://{a}{b}.example"), "its end is ambiguous"),
        (of("https://{a.example"), "without a `}`"),
        (of(""), "has no name"),
        (
            tenants().claim_from_issuer("x", "shop"),
            "`shop`, which is not in the template",
        ),
        (
            other().claim_from_issuer("x", "shop"),
            "not made with `Issuer::template`",
        ),
        (
            Issuer::template(TENANTS).audience("api"),
            "has no key: set one",
        ),
        (
            of("https://b.example/{a}").any_audience(true),
            "keep one of them",
        ),
    ] {
        let error = AuthManager::new(hs256().trust(issuer)).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(
            matches!(error, ConfigError::Invalid { key: "trust", .. }),
            "{error:?}"
        );
    }
    let renamed = of("https://login.example/{other-name}/v2.0");
    for config in [
        hs256().trust(tenants()).trust(tenants()),
        hs256().trust(tenants()).trust(renamed),
        hs256()
            .trust(Issuer::new(TENANTS).key(key()).audience("api"))
            .trust(tenants()),
        hs256()
            .trust(tenants())
            .trust(Issuer::new(TENANTS).key(key()).audience("api")),
        Config::new(TENANTS, AuthType::HS256, super::SECRET).trust(tenants()),
    ] {
        let error = AuthManager::new(config).expect_err("twice");
        assert!(error.to_string().contains("twice"), "{error}");
    }
    // Braces have no meaning in a plain name.
    let plain = Issuer::new("https://{a}.example")
        .key(key())
        .audience("api");
    assert_eq!(
        outcome(
            &manager(hs256().trust(plain)),
            &token(json!({ "iss": "https://b.example" }))
        ),
        Err(TokenError::Issuer)
    );
}

#[test]
fn the_keys_of_a_template_come_from_one_address() {
    let of = || Issuer::template(TENANTS).audience("api");
    let error = AuthManager::new(hs256().trust(of().discovery())).expect_err("no address");
    assert!(
        error.to_string().contains("an address in each token"),
        "{error}"
    );
}
