//! `acr`: which kind of login a route requires, and the challenge for it (RFC 9470).

use std::panic::catch_unwind;

use actix_web::{HttpResponse, web};
use flask_pyjwt::{AuthManager, MintError, RequireToken, RuleOutcome, SessionError, require_token};
use serde_json::{Value, json};
use time::Duration;

use super::{clock, with_memory};
use support::site::{Reply, Site};

const MFA: &str = "urn:example:mfa";
const HARDWARE: &str = "urn:example:hwk";

#[require_token(acr = "urn:example:mfa")]
async fn one() -> &'static str {
    "in"
}

#[require_token(acr = any("urn:example:hwk", "urn:example:mfa"), override = {"admin": true})]
async fn any() -> &'static str {
    "in"
}

#[require_token(acr = literal("urn:example:mfa"), max_age = 300)]
async fn recent() -> &'static str {
    "in"
}

#[require_token(acr = "urn:example:mfa", fresh = true)]
async fn fresh() -> &'static str {
    "in"
}

#[require_token("acr" = "urn:example:mfa")]
async fn claim() -> &'static str {
    "in"
}

async fn site(auth: &AuthManager) -> Site {
    Site::new(|app| {
        let wrapped = |path, guard| web::resource(path).wrap(guard).to(HttpResponse::Ok);
        app.app_data(auth.clone())
            .route("/one", web::get().to(one))
            .route("/any", web::get().to(any))
            .route("/recent", web::get().to(recent))
            .route("/fresh", web::get().to(fresh))
            .route("/claim", web::get().to(claim))
            .service(wrapped("/wrapped/one", RequireToken::auth().acr([MFA])))
            .service(wrapped(
                "/wrapped/any",
                RequireToken::auth()
                    .acr([HARDWARE, MFA])
                    .override_claims(json!({"admin": true})),
            ))
            .service(wrapped(
                "/wrapped/recent",
                RequireToken::auth().acr([MFA.to_owned()]).max_age(300),
            ))
            .service(wrapped(
                "/wrapped/fresh",
                RequireToken::auth().fresh(true).acr([MFA]),
            ));
    })
    .await
}

/// The end of the challenge, after the description.
fn asked_for(reply: &Reply) -> String {
    let challenge = reply.field("www-authenticate");
    let (_, rest) = challenge.split_once("error_description=\"").expect("one");
    let (_, rest) = rest.split_once('"').expect("its end");
    rest.to_owned()
}

async fn is_refused(site: &Site, path: &str, token: &str, reason: &str, challenge: &str) {
    for prefix in ["", "/wrapped"] {
        let path = format!("{prefix}{path}");
        let reply = site.get(&path, token).await;
        reply.is_refused(401, "insufficient_user_authentication", reason, &path);
        assert_eq!(asked_for(&reply), challenge, "{path}");
    }
}

async fn is_accepted(site: &Site, path: &str, token: &str) {
    for prefix in ["", "/wrapped"] {
        let path = format!("{prefix}{path}");
        assert_eq!(site.get(&path, token).await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn threat_27_only_a_string_that_is_one_of_the_values_is_accepted() {
    let auth = with_memory(&clock());
    let site = site(&auth).await;
    for (acr, is_one, is_any) in [
        (json!(MFA), true, true),
        (json!(HARDWARE), false, true),
        (json!("urn:example:mf"), false, false),
        (json!("urn:example:mfa2"), false, false),
        (json!("URN:EXAMPLE:MFA"), false, false),
        (json!("urn:example:hwk urn:example:mfa"), false, false),
        (json!(""), false, false),
        (json!([MFA]), false, false),
        (json!({ MFA: true }), false, false),
        (json!({ "value": MFA }), false, false),
        (json!(2), false, false),
        (json!(true), false, false),
        (Value::Null, false, false),
    ] {
        let token = auth.auth_token("alice").claim("acr", &acr).sign();
        let token = token.expect("minted");
        for (path, is_accepted_there, challenge) in [
            ("/one", is_one, r#", acr_values="urn:example:mfa""#),
            (
                "/any",
                is_any,
                r#", acr_values="urn:example:hwk urn:example:mfa""#,
            ),
        ] {
            if is_accepted_there {
                is_accepted(&site, path, token.signed()).await;
            } else {
                is_refused(&site, path, token.signed(), "acr_not_met", challenge).await;
            }
        }
    }
    // `override` does not lift it, and a name in quotes is a claim like any other.
    let token = auth.auth_token("alice").claim("admin", true).sign();
    let token = token.expect("minted");
    let challenge = r#", acr_values="urn:example:hwk urn:example:mfa""#;
    is_refused(&site, "/any", token.signed(), "acr_not_met", challenge).await;
    let reply = site.get("/claim", token.signed()).await;
    reply.is_refused(403, "insufficient_scope", "claim_not_met", "/claim");
    let token = auth.auth_token("alice").acr(MFA).sign().expect("minted");
    assert_eq!(site.get("/claim", token.signed()).await.status, 200);
}

#[actix_web::test]
async fn one_challenge_has_all_that_the_login_has_to_be() {
    let clock = clock();
    let auth = with_memory(&clock);
    let site = site(&auth).await;
    let both = r#", acr_values="urn:example:mfa", max_age="300""#;
    let newest = r#", acr_values="urn:example:mfa", max_age="0""#;
    let weak = auth.login("alice").await.expect("opened");
    let strong = auth.login("alice").acr(MFA).await.expect("opened");
    is_refused(&site, "/recent", weak.auth.signed(), "acr_not_met", both).await;
    is_refused(&site, "/fresh", weak.auth.signed(), "acr_not_met", newest).await;
    is_accepted(&site, "/recent", strong.auth.signed()).await;
    is_accepted(&site, "/fresh", strong.auth.signed()).await;

    clock.advance(Duration::seconds(301));
    let next = auth.refresh(&strong.refresh).await.expect("rotated");
    // The login is of the right kind, and too long ago.
    is_refused(&site, "/recent", next.auth.signed(), "login_too_old", both).await;
    is_refused(&site, "/fresh", next.auth.signed(), "login_too_old", newest).await;
    is_accepted(&site, "/one", next.auth.signed()).await;
    // A token without a session has no time of a login.
    let token = auth.auth_token("alice").acr(MFA).sign().expect("minted");
    is_refused(&site, "/recent", token.signed(), "login_too_old", both).await;
}

#[actix_web::test]
async fn refreshes_keep_the_acr_of_the_login() {
    let auth = with_memory(&clock());
    let pair = auth.login("alice").acr(MFA).claim("team", 7).await;
    let pair = pair.expect("opened");
    assert_eq!(pair.auth.claims()["acr"], MFA);
    assert!(!pair.refresh.claims().contains_key("acr"));
    let same = auth.refresh(&pair.refresh).await.expect("rotated");
    assert_eq!(same.auth.claims()["acr"], MFA);

    // New claims replace all others, and not the kind of login.
    let other = auth.refresh(&same.refresh).claim("team", 8).await;
    let other = other.expect("rotated");
    assert_eq!(other.auth.claims()["acr"], MFA);
    assert_eq!(other.auth.claims()["team"], 8);
    let other = auth.refresh(&other.refresh).scope("read").await;
    let other = other.expect("rotated");
    assert_eq!(other.auth.claims()["acr"], MFA);
    assert!(!other.auth.claims().contains_key("team"));
    let changed = auth.refresh(&other.refresh).claim("acr", HARDWARE).await;
    assert_eq!(changed.expect("rotated").auth.claims()["acr"], HARDWARE);

    let weak = auth.login("bob").await.expect("opened");
    let weak = auth.refresh(&weak.refresh).claim("team", 8).await;
    assert!(!weak.expect("rotated").auth.claims().contains_key("acr"));
    let renewed = auth.login("bob").acr(HARDWARE).await.expect("opened");
    assert_eq!(renewed.auth.claims()["acr"], HARDWARE);
}

#[actix_web::test]
async fn a_value_that_no_challenge_can_name_is_neither_minted_nor_required() {
    let auth = with_memory(&clock());
    for value in [
        "", "a b", "a\"b", "a\\b", "a\n", "\u{e9}", "\u{7f}", "a\tb", " a",
    ] {
        let minted = auth.auth_token("alice").acr(value).sign();
        assert!(
            matches!(minted, Err(MintError::Characters { claim: "acr", .. })),
            "{value:?}"
        );
        let opened = auth.login("alice").acr(value).await;
        assert!(matches!(opened, Err(SessionError::Mint(_))), "{value:?}");
        let required = catch_unwind(|| RequireToken::auth().acr([MFA, value]));
        assert!(required.is_err(), "{value:?}");
    }
    assert!(catch_unwind(|| RequireToken::auth().acr(Vec::<String>::new())).is_err());
    assert_eq!(auth.sessions("alice").await.map(|all| all.len()), Ok(0));
}

#[actix_web::test]
async fn an_explanation_has_the_rule() {
    let auth = with_memory(&clock());
    let guard = RequireToken::auth().acr([HARDWARE, MFA]).max_age(60);
    let pair = auth.login("alice").acr("urn:pwd").await.expect("opened");
    let explained = auth.explain(pair.auth.signed(), &guard).await;
    let outcome = |name: &str| {
        let rule = explained.rules().iter().find(|rule| rule.name() == name);
        rule.map(|rule| (rule.outcome(), rule.text().to_owned()))
    };
    let text = "the route requires the claim `acr` to be one of `urn:example:hwk`, `urn:example:mfa`, and the token's \
                is another or missing";
    assert_eq!(outcome("acr"), Some((RuleOutcome::Fails, text.to_owned())));
    assert_eq!(outcome("login").expect("a rule").0, RuleOutcome::Holds);
    let reason = explained.rejection().map(flask_pyjwt::Rejection::reason);
    assert_eq!(reason, Some("acr_not_met"));

    let pair = auth.login("alice").acr(HARDWARE).await.expect("opened");
    assert!(auth.explain(pair.auth.signed(), &guard).await.is_accepted());
    let refused = auth.explain("a.b.c", &guard).await;
    let rule = refused.rules().iter().find(|rule| rule.name() == "acr");
    let outcome = rule.map(flask_pyjwt::ExplainedRule::outcome);
    assert_eq!(outcome, Some(RuleOutcome::Skipped));
}
