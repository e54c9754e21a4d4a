//! `contains(…)`, `all(…)` and `any(…)`: rules for scopes that are lists of words (RFC 6749, section 3.3), on
//! routes and on whole scopes, and the challenges for refused clients.

use actix_web::{HttpResponse, get, web};
use flask_pyjwt::{ExpectedClaim, RequireToken, require_token};
use serde_json::{Value, json};

use support::{claims_with, forge, hs256, manager, site::Site};

#[require_token(scope = contains("read"))]
#[get("/contains")]
async fn contains() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[get("/all")]
#[require_token(scope = all("read", "write"))]
async fn all() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(scope = any("admin", "owner"))]
#[get("/any")]
async fn any() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(roles = any("admin", "owner"), "https://a.example/groups" = contains("Team Lead"))]
#[get("/claims")]
async fn other_claims() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(scope = contains("read"), override = {"admin": true})]
#[get("/override")]
async fn overridden() -> HttpResponse {
    HttpResponse::Ok().finish()
}

async fn site() -> Site {
    let auth = manager(hs256());
    Site::new(|app| {
        app.app_data(auth)
            .service(contains)
            .service(all)
            .service(any)
            .service(other_claims)
            .service(overridden)
            .service(
                web::scope("/wrapped")
                    .wrap(
                        RequireToken::auth()
                            .expect_scope(ExpectedClaim::all(["read", "write"]))
                            .expect_claim("roles", ExpectedClaim::any(["admin"])),
                    )
                    .route("", web::get().to(HttpResponse::Ok)),
            )
            .service(
                web::scope("/odd")
                    .wrap(RequireToken::auth().expect_scope(ExpectedClaim::contains("a\"b\r\n")))
                    .route("", web::get().to(HttpResponse::Ok)),
            )
            .service(
                web::scope("/none")
                    .wrap(RequireToken::auth().expect_scope(ExpectedClaim::all::<String>([])))
                    .route("", web::get().to(HttpResponse::Ok)),
            );
    })
    .await
}

fn token(changes: Value) -> String {
    let key = forge::Key::Hs256(support::SECRET);
    forge::forge(r#"{"alg":"HS256","typ":"JWT"}"#, claims_with(changes), &key)
}

#[actix_web::test]
async fn items_match_exactly_and_the_challenge_names_the_missing_ones() {
    let site = site().await;
    for (path, scope, missing) in [
        ("/contains", json!("read"), None),
        ("/contains", json!("openid read write"), None),
        ("/contains", json!(["read"]), None),
        ("/contains", json!("readonly"), Some("read")),
        ("/contains", json!({ "read": true }), Some("read")),
        ("/contains", json!(null), Some("read")),
        ("/all", json!("write read"), None),
        ("/all", json!(["write", "read", 1]), None),
        ("/all", json!("read"), Some("write")),
        ("/all", json!(["read write"]), Some("read write")),
        ("/all", json!(""), Some("read write")),
        ("/any", json!("owner"), None),
        ("/any", json!(["admin"]), None),
        ("/any", json!("nonadmin"), Some("admin")),
        ("/any", json!(true), Some("admin")),
    ] {
        let reply = site.get(path, &token(json!({ "scope": scope }))).await;
        let what = format!("{path} {scope}");
        match missing {
            None => assert_eq!(reply.outcome(), (200, ""), "{what}"),
            Some(missing) => {
                reply.is_refused(403, "insufficient_scope", "scope_not_met", &what);
                let challenge = reply.field("www-authenticate");
                let scope = format!(r#", scope="{missing}""#);
                assert!(challenge.ends_with(&scope), "{what}: {challenge}");
            }
        }
    }
}

#[actix_web::test]
async fn other_claims_have_the_same_rules_and_are_not_named_in_the_challenge() {
    let site = site().await;
    let groups = "https://a.example/groups";
    for (claims, reason) in [
        (json!({ "roles": "owner x", groups: ["Team Lead"] }), None),
        (
            json!({ "roles": ["admin"], groups: ["a", "Team Lead"] }),
            None,
        ),
        (
            json!({ "roles": ["admin"], groups: "Team Lead" }),
            Some("claim_not_met"),
        ),
        (
            json!({ "roles": "x", groups: ["Team Lead"] }),
            Some("claim_not_met"),
        ),
        (json!({ groups: ["Team Lead"] }), Some("claim_not_met")),
    ] {
        let reply = site.get("/claims", &token(claims.clone())).await;
        match reason {
            None => assert_eq!(reply.outcome(), (200, ""), "{claims}"),
            Some(reason) => {
                reply.is_refused(403, "insufficient_scope", reason, &claims.to_string());
                assert!(!reply.field("www-authenticate").contains("scope=\""));
            }
        }
    }
}

#[actix_web::test]
async fn the_middleware_has_the_same_rules() {
    let site = site().await;
    for (claims, outcome) in [
        (
            json!({ "scope": "read write", "roles": "admin" }),
            (200, ""),
        ),
        (
            json!({ "scope": "read", "roles": "admin" }),
            (403, "scope_not_met"),
        ),
        (json!({ "scope": "read write" }), (403, "claim_not_met")),
    ] {
        let reply = site.get("/wrapped", &token(claims.clone())).await;
        assert_eq!(reply.outcome(), outcome, "{claims}");
    }
    for claims in [json!({ "admin": true }), json!({ "scope": "read" })] {
        let reply = site.get("/override", &token(claims)).await;
        assert_eq!(reply.status, 200);
    }
    // An empty list never satisfies a rule.
    for scope in [json!("read"), json!([]), json!("")] {
        let reply = site.get("/none", &token(json!({ "scope": scope }))).await;
        reply.is_refused(403, "insufficient_scope", "scope_not_met", "none");
    }
}

#[actix_web::test]
async fn threat_32_values_that_are_no_scope_are_not_in_the_challenge() {
    let reply = site()
        .await
        .get("/odd", &token(json!({ "scope": "x" })))
        .await;
    reply.is_refused(403, "insufficient_scope", "scope_not_met", "odd");
    assert!(!reply.field("www-authenticate").contains("scope=\""));
}
