//! The explanation of a refusal in the development log.

use actix_web::{App, HttpResponse, test as actix_test, web};
use flask_pyjwt::{Explanation, RequireToken, testing::TestAuth};
use serde_json::json;
use support::log::{Line, capture};

/// What a request with this token logs.
async fn logged(auth: &TestAuth, guard: RequireToken, token: &str) -> Vec<Line> {
    let resource = web::resource("/{name}")
        .wrap(guard)
        .route(web::get().to(HttpResponse::Ok));
    let app = App::new().app_data(auth.manager()).service(resource);
    let app = actix_test::init_service(app).await;
    let log = capture();
    let request = actix_test::TestRequest::with_uri("/bob")
        .insert_header(("Authorization", format!("Bearer {token}")));
    actix_test::call_service(&app, request.to_request()).await;
    log.take_explained()
}

#[actix_web::test]
async fn a_refusal_by_the_rules_of_the_route_is_explained_in_one_event() {
    let auth = TestAuth::new();
    let session = auth.session("alice").claim("role", "hidden").await;
    let token = session.auth().signed();
    for (guard, reason, expected) in [
        (
            RequireToken::auth()
                .sub_from_path("name")
                .claim("role", "hidden"),
            "claim_not_met",
            "`type` holds: the route requires a token of type `auth`, and this is one; `claim:sub` fails: the route \
             requires the claim `sub` to equal the route's variable `name`, and the token belongs to another subject; \
             `claim:role` holds: the route requires the claim `role` to be `\"hidden\"`, and the token meets this",
        ),
        (
            RequireToken::auth().scope(json!({"admin": true})),
            "scope_not_met",
            "`scope` fails: the route requires the claim `scope` to have all of `{\"admin\":true}`, and the token \
             does not have it",
        ),
    ] {
        let lines = logged(&auth, guard, token).await;
        let [line] = &lines[..] else {
            panic!("{lines:?}")
        };
        assert_eq!(line.target, Explanation::EVENT_TARGET);
        assert_eq!(
            (&*line.level, line.reason.as_deref()),
            ("DEBUG", Some(reason))
        );
        assert!(line.text.contains(expected), "{}", line.text);
        assert!(!line.text.contains("alice") && !line.text.contains("bob"));
        assert!(
            !line.text.contains("`session`"),
            "the store is not asked again"
        );
    }
    let login = RequireToken::auth().fresh(true);
    let lines = logged(&auth, login, auth.token("a").sign().to_string().as_str()).await;
    assert!(
        lines[0]
            .text
            .contains("`login` fails: the route requires `fresh`"),
        "{lines:?}"
    );
}

#[actix_web::test]
async fn other_refusals_are_not_explained() {
    let auth = TestAuth::new();
    let good = auth.token("alice").sign().to_string();
    let expired = auth.token("alice").expired().sign().to_string();
    for (guard, token) in [
        (RequireToken::auth(), &*good),
        (RequireToken::auth(), &*expired),
        (RequireToken::refresh(), &*good),
        (RequireToken::auth().claim_from_path("a", "none"), &*good),
        (RequireToken::auth(), "no token"),
    ] {
        let lines = logged(&auth, guard, token).await;
        assert!(lines.is_empty(), "{lines:?}");
    }
}
