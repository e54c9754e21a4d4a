//! `assert_refused!` and `assert_accepted!` say what came back, and why.

use std::panic::AssertUnwindSafe;

use actix_web::test::TestRequest;
use flask_pyjwt::testing::{TestAuth, TestRequestExt as _, assert_accepted, assert_refused};
use futures_util::FutureExt as _;

use super::app;

/// The text of a panic.
async fn failure(assertion: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(assertion).catch_unwind().await;
    let panic = panic.expect_err("the assertion has to fail");
    panic.downcast_ref::<String>().expect("a text").clone()
}

#[actix_web::test]
async fn a_failure_shows_the_answer_and_the_reason_of_the_log() {
    let auth = TestAuth::new();
    let app = app!(auth);
    let expired = || TestRequest::with_uri("/auth").bearer(auth.token("alice").expired());

    let text = failure(async { assert_accepted!(app, expired()) }).await;
    for part in [
        "not accepted: GET /auth",
        "answer: 401",
        "invalid_token",
        "reason: token_expired: ",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let text = failure(async { assert_refused!(app, expired(), 403) }).await;
    assert!(
        text.contains("wanted: 403") && text.contains("reason: token_expired: "),
        "{text}"
    );
    let text = failure(async { assert_refused!(app, expired(), 401, "token_revoked") }).await;
    assert!(text.contains("wanted: 401 token_revoked"), "{text}");

    let good = || TestRequest::with_uri("/auth").bearer(auth.token("alice"));
    let text = failure(async { assert_refused!(app, good(), 401) }).await;
    assert!(
        text.contains("answer: 200") && text.contains("no guard has refused it"),
        "{text}"
    );
    // A status that is no refusal is never one.
    let text = failure(async { assert_refused!(app, good(), 200) }).await;
    assert!(text.contains("wanted: 200"), "{text}");
    // Nor is a route that does not exist refused by a guard.
    let text = failure(async {
        assert_refused!(app, TestRequest::with_uri("/nowhere"), 404, "token_expired");
    })
    .await;
    assert!(text.contains("answer: 404"), "{text}");
}

#[actix_web::test]
async fn a_finished_request_and_a_status_code_will_do() {
    let auth = TestAuth::new();
    let app = app!(auth);
    let request = TestRequest::with_uri("/auth").to_request();
    assert_refused!(
        app,
        request,
        actix_web::http::StatusCode::UNAUTHORIZED,
        "unauthorized"
    );
    assert_accepted!(
        &app,
        TestRequest::with_uri("/auth")
            .bearer(auth.token("alice"))
            .to_request()
    );
}

/// Refusals that do not look like one, and an accepted request whose body never ends.
#[actix_web::test]
async fn a_redirect_is_a_refusal_and_a_stream_is_accepted() {
    let config = flask_pyjwt::Config::new("service", flask_pyjwt::AuthType::HS256, [7; 32]);
    let auth = TestAuth::around(
        config.on_rejection(|_, _, _| actix_web::HttpResponse::SeeOther().finish()),
    );
    let app = app!(auth);
    let get = || TestRequest::with_uri("/auth");
    assert_refused!(app, get(), 303, "missing_credentials");
    let text = failure(async { assert_accepted!(app, get()) }).await;
    assert!(text.contains("reason: missing_credentials"), "{text}");

    let endless = || async {
        let parts =
            futures_util::stream::pending::<Result<actix_web::web::Bytes, std::io::Error>>();
        actix_web::HttpResponse::Ok().streaming(parts)
    };
    let app = actix_web::App::new().route("/", actix_web::web::get().to(endless));
    let app = actix_web::test::init_service(app).await;
    assert_accepted!(app, TestRequest::with_uri("/"));
}

/// A handler that returns the refusal with `?`.
#[actix_web::test]
async fn the_refusal_of_a_handler_has_its_reason() {
    async fn refresh(
        auth: flask_pyjwt::AuthManager,
    ) -> Result<actix_web::HttpResponse, flask_pyjwt::Rejection> {
        auth.check_origin(
            &TestRequest::default()
                .insert_header(("sec-fetch-site", "cross-site"))
                .to_http_request(),
        )?;
        Ok(actix_web::HttpResponse::Ok().finish())
    }
    let auth = TestAuth::new();
    let app = actix_web::App::new()
        .app_data(auth.manager())
        .route("/", actix_web::web::get().to(refresh));
    let app = actix_web::test::init_service(app).await;
    assert_refused!(app, TestRequest::with_uri("/"), 403, "cross_site");
}

#[test]
#[should_panic(expected = "a bad token has one flaw, and this one has two: Expired and Tampered")]
fn two_flaws_are_a_panic() {
    let _ = TestAuth::new().token("alice").expired().tampered();
}
