//! What an explanation says.

use flask_pyjwt::{
    AuthManager, AuthType, Config, ExpectedClaim, Explanation, Issuer, Key, RequireToken,
    RuleOutcome, testing::TestAuth,
};
use serde_json::json;

/// The rules with an outcome, as `name: text`.
fn of(explanation: &Explanation, outcome: RuleOutcome) -> Vec<String> {
    let rules = explanation.rules().iter();
    let rules = rules.filter(|rule| rule.outcome() == outcome);
    rules
        .map(|rule| format!("{}: {}", rule.name(), rule.text()))
        .collect()
}

#[actix_web::test]
async fn each_rule_says_what_is_required_and_what_kind_of_value_there_is() {
    let auth = TestAuth::new();
    let manager = auth.manager();
    let token = auth
        .token("hidden")
        .claim("role", "hidden")
        .claim("level", 1_234_567)
        .claim("groups", json!(["hidden", "a"]))
        .scope("hidden read")
        .sign()
        .to_string();
    let guard = RequireToken::auth()
        .sub_from_path("name")
        .claim("role", "editor")
        .claim("level", "7")
        .claim("team", json!({"id": 7}))
        .expect_claim("role", ExpectedClaim::Absent)
        .expect_claim("groups", ExpectedClaim::all(["a", "b", "c"]))
        .expect_scope(ExpectedClaim::any(["write", "admin"]))
        .fresh(true);
    let explained = manager.explain(&token, &guard).path("name", "bob").await;
    assert_eq!(
        of(&explained, RuleOutcome::Fails),
        [
            "login: the route requires `fresh`, and the token is of a refresh or has no `auth_time`",
            "claim:sub: the route requires the claim `sub` to equal the route's variable `name`, and the token belongs \
             to another subject",
            "claim:role: the route requires the claim `role` to be `\"editor\"`, and the token has a string, but not \
             the right one",
            "claim:level: the route requires the claim `level` to be `\"7\"`, and the token has a number",
            "claim:team: the route requires the claim `team` to have all of `{\"id\":7}`, and the token does not have it",
            "claim:role: the route requires the claim `role` not to be there, and the token has a string there",
            "claim:groups: the route requires the claim `groups` to contain `a`, `b`, `c`, and the token has an array, \
             but not the right one: it lacks `b`, `c`",
            "scope: the route requires the claim `scope` to contain one of `write`, `admin`, and the token has a \
             string, but not the right one: it lacks `write`",
        ],
        "{explained}"
    );
    let texts = format!("{explained}\n{}", json!(explained));
    for hidden in ["hidden", "1234567", "bob", &token] {
        assert!(!texts.contains(hidden), "{texts}");
    }
    assert_eq!(texts.lines().count(), explained.rules().len() + 1);
}

#[actix_web::test]
async fn override_makes_claims_and_scope_unnecessary() {
    let auth = TestAuth::new();
    let guard = RequireToken::auth()
        .claim("team", 7)
        .scope("x")
        .override_claims(json!({"admin": true}));
    let manager = auth.manager();
    let admin = auth.token("a").claim("admin", true).sign().to_string();
    let explained = manager.explain(&admin, &guard).await;
    let skipped = of(&explained, RuleOutcome::Skipped);
    assert!(explained.is_accepted());
    assert_eq!(
        skipped[skipped.len() - 2..],
        [
            "claim:team: not needed: the route requires the claim `team` to be `7`, or the claims of `override`",
            "scope: not needed: the route requires the claim `scope` to be `\"x\"`, or the claims of `override`",
        ]
    );
    let other = auth.token("a").claim("team", 7).scope("x").sign();
    let explained = manager.explain(other.as_ref(), &guard).await;
    assert!(explained.is_accepted());
    assert!(
        of(&explained, RuleOutcome::Skipped)
            .iter()
            .any(|rule| rule.starts_with("override: the token does not have the claims")),
        "{explained}"
    );
}

/// The outcomes of the first five rules, by their first letters, and the text of the one that fails.
async fn verification(manager: &AuthManager, token: &str) -> (String, String) {
    let explained = manager.explain(token, &RequireToken::auth()).await;
    let letters = explained.rules()[..5].iter();
    let letters = letters.map(|rule| &rule.outcome().to_string()[..1] == "h");
    let letters = letters.map(|holds| if holds { 'h' } else { '-' }).collect();
    let failed = of(&explained, RuleOutcome::Fails);
    assert_eq!(failed.len(), 1, "{explained}");
    let rest = &explained.rules()[5..];
    let skipped = rest.iter().all(|it| it.outcome() == RuleOutcome::Skipped);
    assert!(skipped, "{explained}");
    (letters, failed.concat())
}

#[actix_web::test]
async fn a_token_that_is_not_valid_breaks_one_rule() {
    let secret = "a secret of 32 bytes, at the least";
    let config = || Config::new("test", AuthType::HS256, secret);
    let alone = TestAuth::around(config());
    let key = Key::new(AuthType::HS256, "another secret of 32 bytes, at the least");
    let issuer = Issuer::new("https://other.example").audience("x").key(key);
    let trusting = TestAuth::around(config().trust(issuer));
    for (auth, has_others) in [(alone, false), (trusting, true)] {
        let manager = auth.manager();
        let token = || auth.token("a");
        let issuer = if has_others { "-----" } else { "hh---" };
        for (token, letters, text) in [
            (token().expired(), "h----", "times: the token has expired"),
            (
                token().not_yet_valid(),
                "h----",
                "times: the token is not valid yet",
            ),
            (
                token().without_claim("exp"),
                "h----",
                "times: the required claim `exp` is missing",
            ),
            (
                token().of_other_key(),
                "-----",
                "signature: the signature does not verify",
            ),
            (
                token().tampered(),
                "-----",
                "signature: the signature does not verify",
            ),
            (
                token().of_other_issuer(),
                issuer,
                "issuer: the token is from another issuer",
            ),
            (
                token().without_claim("iss"),
                issuer,
                "issuer: the required claim `iss` is missing",
            ),
            (
                token().claim("aud", "x"),
                "hhh--",
                "audience: the token is for another audience",
            ),
            (
                token().without_claim("sub"),
                "hhhh-",
                "registered: the required claim `sub` is missing",
            ),
            (
                token().claim("type", "x"),
                "hhhh-",
                "registered: the claim `type` has a value of the wrong type or out of range",
            ),
        ] {
            let found = verification(&manager, token.sign().as_ref()).await;
            assert_eq!(found, (letters.to_owned(), text.to_owned()));
        }
        let (letters, text) = verification(&manager, "no token").await;
        assert_eq!(letters, "-----");
        assert_eq!(
            text,
            "signature: the token is not of the form header.payload.signature"
        );
    }
}

#[actix_web::test]
async fn the_json_form_has_every_rule() {
    let auth = TestAuth::new();
    let manager = auth.manager();
    let token = auth.token("a").sign().to_string();
    let explained = manager.explain(&token, &RequireToken::refresh()).await;
    let json = json!(explained);
    assert_eq!(json["accepted"], false);
    assert_eq!(
        json["rules"][5],
        json!({
            "rule": "type",
            "outcome": "fails",
            "text": "a token of type `refresh` is required, and this one has the type `auth`",
        })
    );
    assert_eq!(json["rules"][6]["outcome"], "skipped");
}
