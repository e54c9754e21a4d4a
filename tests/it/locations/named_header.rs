//! A token in a header of another name, as authenticating proxies send it.

use actix_web::{
    cookie::Cookie,
    http::{StatusCode, header::SET_COOKIE},
    test,
};
use flask_pyjwt::SilentRenewal;
use time::Duration;

use super::*;
use support::{NOW, at};

#[require_token(location = "header", header_name = "X-Goog-IAP-JWT-Assertion")]
async fn behind_iap(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token("auth", "header", header_name = "AUTHORIZATION")]
async fn usual(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(location = "header", header_name = "x-token", optional)]
async fn optional(token: Option<CurrentToken>) -> String {
    token.map_or_else(String::new, |token| token.sub().to_owned())
}

const NAME: &str = "x-goog-iap-jwt-assertion";

#[actix_web::test]
async fn threats_28_and_29_a_named_header_holds_one_token_and_others_are_ignored() {
    let auth = with(|config| config.locations([TokenLocation::NamedHeader(NAME.to_uppercase())]));
    let pair = login(&auth, "alice").await;
    let token = pair.auth.signed();
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/attribute", web::to(behind_iap))
            .route("/configured", web::to(by_attribute))
            .service(
                web::resource("/wrapped")
                    .wrap(RequireToken::auth().header("X-Goog-Iap-Jwt-Assertion"))
                    .to(by_hand),
            );
    })
    .await;
    let with_scheme = format!("Bearer {token}");
    let joined = format!("{token}, {token}");
    let joined_with_scheme = format!("Bearer {token}, Bearer {token}");
    let forged = format!("{token}x");
    for path in ["/attribute", "/configured", "/wrapped"] {
        for (fields, expected) in [
            (vec![(NAME, token)], (200, "")),
            (vec![("X-GOOG-IAP-JWT-ASSERTION", token)], (200, "")),
            (vec![(NAME, &with_scheme)], (200, "")),
            (
                vec![(NAME, token), ("authorization", &with_scheme)],
                (200, ""),
            ),
            (
                vec![(NAME, token), ("authorization", "Basic YTpi")],
                (200, ""),
            ),
            (vec![], (401, "missing_credentials")),
            (vec![(NAME, "")], (401, "missing_credentials")),
            (
                vec![("authorization", &*with_scheme)],
                (401, "missing_credentials"),
            ),
            (vec![(NAME, "Basic YTpi")], (401, "malformed_credentials")),
            (vec![(NAME, "Bearer")], (401, "malformed_credentials")),
            (
                vec![(NAME, token), (NAME, token)],
                (400, "several_authorizations"),
            ),
            (vec![(NAME, &*joined)], (400, "several_authorizations")),
            (
                vec![(NAME, &*joined_with_scheme)],
                (400, "several_authorizations"),
            ),
        ] {
            // Browsers do not send this header by themselves, so that no CSRF proof is needed.
            let mut request = TestRequest::post().uri(path);
            for field in &fields {
                request = request.append_header(*field);
            }
            let reply = site.ask(request).await;
            assert_eq!(reply.outcome(), expected, "{path} {fields:?}");
        }
        let request = TestRequest::get().uri(path).insert_header((NAME, &*forged));
        let reply = site.ask(request).await;
        assert_eq!(reply.status, 401, "{path}");
        let challenge = reply.field("www-authenticate");
        assert!(challenge.starts_with("Bearer realm="), "{path} {challenge}");
    }
}

#[actix_web::test]
async fn authorization_as_a_named_header_works_as_the_default() {
    let auth = with(|config| config);
    let pair = login(&auth, "alice").await;
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/", web::to(usual))
            .route("/optional", web::to(optional));
    })
    .await;
    assert_eq!(site.get("/", pair.auth.signed()).await.text(), "alice");
    // Without the scheme it is not a Bearer token.
    let bare = TestRequest::get().insert_header(("authorization", pair.auth.signed()));
    assert_eq!(site.ask(bare).await.status, 401);

    let ask = |fields: Vec<(&'static str, String)>| {
        let mut request = TestRequest::get().uri("/optional");
        for field in fields {
            request = request.append_header(field);
        }
        site.ask(request)
    };
    assert_eq!(ask(vec![]).await.outcome(), (200, ""));
    let field = ("x-token", pair.auth.signed().to_owned());
    assert_eq!(ask(vec![field.clone()]).await.text(), "alice");
    assert_eq!(ask(vec![field.clone(), field]).await.status, 400);
    let garbage = ask(vec![("x-token", "garbage".to_owned())]).await;
    assert_eq!(
        garbage.status, 401,
        "an optional guard refuses bad credentials"
    );
}

#[actix_web::test]
async fn credentials_in_a_named_header_and_a_cookie_are_refused() {
    let either = [
        TokenLocation::NamedHeader("x-token".to_owned()),
        TokenLocation::DefaultCookie,
    ];
    let auth = with(|config| config.locations(either));
    let pair = login(&auth, "alice").await;
    let site = Site::new(|app| {
        app.app_data(auth.clone()).route("/", web::to(by_attribute));
    })
    .await;
    let request = in_cookie(Method::GET, "/", &pair);
    assert_eq!(site.ask(request).await.outcome(), (200, ""));
    let request = in_cookie(Method::GET, "/", &pair).insert_header(("x-token", pair.auth.signed()));
    let reply = site.ask(request).await;
    reply.is_refused(400, "invalid_request", "several_places", "two places");
}

#[actix_web::test]
async fn requests_with_a_token_in_the_configured_header_are_not_renewed() {
    let clock = flask_pyjwt::testing::FrozenClock::new(at(NOW));
    let either = [
        TokenLocation::NamedHeader("x-token".to_owned()),
        TokenLocation::DefaultCookie,
    ];
    let auth = with(|config| config.clock(clock.clone()).locations(either));
    let pair = login(&auth, "alice").await;
    let proof = auth.csrf_proof(&pair.refresh).expect("made");
    clock.advance(Duration::hours(2));
    let other = auth.auth_token("machine").sign().expect("minted");
    let app = actix_web::App::new()
        .wrap(SilentRenewal::new())
        .app_data(auth.clone())
        .route("/", web::get().to(by_attribute));
    let app = test::init_service(app).await;
    for (field, renewed) in [(None, true), (Some(other.signed()), false)] {
        let mut request = TestRequest::get()
            .cookie(Cookie::new("__Secure-refresh", pair.refresh.signed()))
            .cookie(Cookie::new("__Host-csrf", &*proof));
        if let Some(token) = field {
            request = request.insert_header(("x-token", token));
        }
        let answer = test::call_service(&app, request.to_request()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers().contains_key(SET_COOKIE), renewed);
    }
}
