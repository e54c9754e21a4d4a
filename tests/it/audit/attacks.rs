//! What the audit says when it cannot prove anything.

use actix_web::{App, HttpResponse, Responder, get};
use flask_pyjwt::{
    AuthType, Config, TokenCheckError, require_token,
    testing::{TestAuth, audit},
};
use support::keys;

use super::failure;

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token(issuer = "https://another.example")]
#[get("/foreign")]
async fn foreign() -> impl Responder {
    HttpResponse::Ok()
}

#[actix_web::test]
async fn a_manager_without_a_key_that_signs_is_named() {
    let key = keys::public(AuthType::ES256).expect("a public key");
    let auth = TestAuth::around(Config::verify_only("service", AuthType::ES256, key));
    let report = audit(|| App::new().app_data(auth.manager()).service(me)).await;
    let text = failure(&report, &[]);
    assert!(
        text.contains("GET /me was not attacked with good tokens: no token was minted"),
        "{text}"
    );
}

#[actix_web::test]
async fn an_application_without_a_manager_is_named() {
    let report = audit(|| App::new().service(me)).await;
    let text = failure(&report, &[]);
    assert!(
        text.contains("has no `AuthManager` in its app data"),
        "{text}"
    );
}

#[actix_web::test]
async fn a_subject_that_the_application_knows_can_be_given() {
    let config = Config::new("service", AuthType::HS256, [7; 32]).token_check(|token| async move {
        match token.sub() {
            "alice" => Ok(()),
            _ => Err(TokenCheckError::Revoked),
        }
    });
    let auth = TestAuth::around(config);
    let app = || App::new().app_data(auth.manager()).service(me);
    let text = failure(&audit(app).await, &[]);
    assert!(
        text.contains("a token that has all it requires is refused: token_revoked"),
        "{text}"
    );
    audit(app).subject("alice").await.assert_public(&[]);
}

#[actix_web::test]
async fn a_route_for_another_issuer_is_named() {
    let auth = TestAuth::new();
    let report = audit(|| App::new().app_data(auth.manager()).service(foreign)).await;
    let text = failure(&report, &[]);
    assert!(
        text.contains("only tokens of other issuers are accepted"),
        "{text}"
    );
}
