//! Row 26: route variables.

use actix_web::{test::TestRequest, web};
use flask_pyjwt::{AuthManager, RequireToken, require_token};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{token_of, token_with};
use support::{hs256, manager, site::Site};

#[require_token(sub = "name")]
async fn by_subject(name: web::Path<String>) -> String {
    name.into_inner()
}

#[require_token(team = path("name"))]
async fn by_team(name: web::Path<String>) -> String {
    name.into_inner()
}

async fn echo(name: web::Path<String>) -> String {
    name.into_inner()
}

async fn by_variables(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(|app| {
        let by_team = || web::get().to(by_team);
        let wrapped = RequireToken::auth().sub_from_path("name");
        app.app_data(auth)
            .route("/open/{name}", web::get().to(echo))
            .route("/sub/{name}", web::get().to(by_subject))
            .route("/team/{name}", by_team())
            .route("/tail/{name:.*}", by_team())
            .route("/digits/{name:[0-9]+}/x", by_team())
            .service(web::resource("/wrapped/{name}").wrap(wrapped).to(echo));
    })
    .await
}

#[actix_web::test]
async fn threat_26_a_variable_is_compared_as_the_handler_sees_it() {
    let auth = manager(hs256());
    let site = by_variables(&auth).await;
    for (segment, subject, passes) in [
        ("alice", "alice", true),
        ("%61lice", "alice", true),
        ("%61%6C%69%63%65", "alice", true),
        ("Alice", "alice", false),
        ("alice", "Alice", false),
        ("alic", "alice", false),
        ("alicee", "alice", false),
        ("alice%20", "alice", false),
        ("alice%00", "alice", false),
        ("%00", "0", false),
        ("alice.", "alice", false),
        ("alice;x=y", "alice", false),
        ("alice%3F", "alice", false),
        ("alice%23", "alice", false),
        ("*", "alice", false),
        ("%2A", "*", true),
        // An encoded slash is part of the segment. Encoded twice, it is text with a `%`.
        ("a%2Fb", "a/b", true),
        ("a%2fb", "a/b", true),
        ("a%2Fb", "a%2Fb", false),
        ("a%252Fb", "a/b", false),
        ("a%252Fb", "a%2Fb", true),
        ("a%25252Fb", "a%252Fb", true),
        ("a%25252Fb", "a%2Fb", false),
        ("..%2Falice", "alice", false),
        ("root%2F..%2Falice", "alice", false),
        ("a%5Cb", "a\\b", true),
        // Paths are not form-encoded: a plus is a plus.
        ("a+b", "a+b", true),
        ("a+b", "a b", false),
        ("a%2Bb", "a+b", true),
        ("a%20b", "a b", true),
        ("a%2Bb", "a b", false),
        // The same characters in another encoding.
        ("caf%C3%A9", "caf\u{e9}", true),
        ("cafe%CC%81", "caf\u{e9}", false),
        ("caf%C3%A9", "cafe\u{301}", false),
        ("cafe%CC%81", "cafe\u{301}", true),
        ("%D0%B0lice", "alice", false),
        ("%EF%BB%BFalice", "alice", false),
        ("%E2%84%AA", "K", false),
        // Bytes that are not UTF-8 match nothing, not even the replacement character.
        ("%FF", "\u{fffd}", false),
        ("alice%FF", "alice", false),
        ("alice%FF", "alice\u{fffd}", false),
        ("%E9", "\u{e9}", false),
        ("%C0%AFalice", "/alice", false),
        ("%ED%A0%80", "\u{fffd}", false),
        ("%EF%BF%BD", "\u{fffd}", true),
        ("%25FF", "%FF", true),
        ("%25FF", "\u{fffd}", false),
        ("%", "%", true),
        ("%zz", "%zz", true),
        ("%4", "%4", true),
        ("42", "42", true),
        ("042", "42", false),
    ] {
        let token = token_of(&auth, subject);
        for path in ["sub", "wrapped"] {
            let reply = site.get(&format!("/{path}/{segment}"), &token).await;
            let what = format!("{path} {segment} {subject}");
            if passes {
                assert_eq!(
                    (reply.outcome(), reply.text()),
                    ((200, ""), subject),
                    "{what}"
                );
            } else {
                reply.is_refused(403, "insufficient_scope", "claim_not_met", &what);
            }
        }
    }
}

#[actix_web::test]
async fn threat_26_a_numeric_variable_matches_only_that_number() {
    let auth = manager(hs256());
    let site = by_variables(&auth).await;
    for (path, claim, passes) in [
        ("/team/42", json!(42), true),
        ("/team/%34%32", json!(42), true),
        ("/team/42", json!("42"), true),
        ("/team/-7", json!(-7), true),
        ("/team/18446744073709551615", json!(u64::MAX), true),
        (
            "/team/9007199254740993",
            json!(9_007_199_254_740_993_u64),
            true,
        ),
        (
            "/team/9007199254740993",
            json!(9_007_199_254_740_992_u64),
            false,
        ),
        ("/team/1.5", json!(1.5), true),
        ("/team/042", json!(42), false),
        ("/team/+42", json!(42), false),
        ("/team/%2B42", json!(42), false),
        ("/team/42%20", json!(42), false),
        ("/team/42.0", json!(42), false),
        ("/team/4.2e1", json!(42), false),
        ("/team/42", json!(42.0), false),
        ("/team/0x2a", json!(42), false),
        ("/team/%D9%A4%D9%A2", json!(42), false),
        ("/team/-0", json!(0), false),
        ("/team/true", json!(true), false),
        ("/team/1", json!(true), false),
        ("/team/null", Value::Null, false),
        ("/team/42", json!([42]), false),
        ("/team/42", json!(["42"]), false),
        ("/team/42", json!({"42": 42}), false),
        ("/team/%5B%5D", json!([]), false),
        ("/tail/a/b", json!("a/b"), true),
        ("/tail/a%2Fb", json!("a/b"), true),
        ("/tail/a//b", json!("a/b"), false),
        ("/tail/a/../b", json!("b"), false),
        ("/tail/a/../b", json!("a/../b"), true),
        ("/tail/", json!(""), true),
        ("/tail/a/", json!("a"), false),
        ("/digits/7/x", json!(7), true),
        ("/digits/7/x", json!(8), false),
    ] {
        let token = token_with(&auth, &json!({"team": claim}));
        let reply = site.get(path, &token).await;
        let what = format!("{path} {claim}");
        if passes {
            assert_eq!(reply.outcome(), (200, ""), "{what}");
        } else {
            reply.is_refused(403, "insufficient_scope", "claim_not_met", &what);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// For any path, the guard compares what `web::Path` gives the handler.
    #[test]
    fn threat_26_guard_and_handler_see_the_same_variable(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "%", "%2", "%25", "%2F", "%2f", "%2B", "%25FF", "%FF", "%C3", "%A9", "%C3%A9", "+", "a", "F", "4",
                "1", "%41", "%00", "%EF%BF%BD", "%7F", "~", ".", "%2E", "%20", "%25%32%46", "2F", "%c3%a9",
            ]),
            1..6,
        ),
    ) {
        let segment = parts.concat();
        prop_assume!(segment != "." && segment != "..");
        actix_web::rt::System::new().block_on(async {
            let auth = manager(hs256());
            let site = by_variables(&auth).await;
            let open = site.ask(TestRequest::get().uri(&format!("/open/{segment}"))).await;
            prop_assert_eq!(open.status, 200);
            let seen = open.text().to_owned();
            let reply = site
                .get(&format!("/team/{segment}"), &token_with(&auth, &json!({"team": seen})))
                .await;
            if reply.status == 200 {
                prop_assert_eq!(reply.text(), &seen);
            } else {
                prop_assert_eq!(reply.outcome(), (403, "claim_not_met"));
                prop_assert!(seen.contains('\u{fffd}'), "{seen:?}");
            }
            let others = [segment.clone(), segment.replace("%25", "%"), seen.replace('%', ""), seen.to_lowercase()];
            for other in others.into_iter().filter(|other| *other != seen) {
                let token = token_with(&auth, &json!({"team": other}));
                let reply = site.get(&format!("/team/{segment}"), &token).await;
                prop_assert_eq!(reply.outcome(), (403, "claim_not_met"), "{}", other);
            }
            Ok(())
        })?;
    }
}
