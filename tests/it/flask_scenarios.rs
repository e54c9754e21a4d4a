//! The sixteen scenarios of Flask_PyJWT's own tests, for each of its four configurations.

use actix_web::{App, HttpResponse, Responder, get, http::StatusCode, test as actix_test, web};
use aws_lc_rs::{encoding::AsDer as _, rsa};
use flask_pyjwt::{
    AuthManager, AuthType, Config, CurrentToken, Token, TokenType, UnverifiedToken, require_token,
};
use serde_json::{Value, json};

#[require_token]
#[get("/auth")]
async fn auth_in_header(token: CurrentToken) -> impl Responder {
    token.sub().to_owned()
}

#[require_token("refresh")]
#[get("/refresh")]
async fn refresh_in_header() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token("auth", "cookies", cookie_name = "auth_token")]
#[get("/auth_cookie")]
async fn auth_in_cookie() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token("refresh", "cookies", cookie_name = "refresh_token")]
#[get("/refresh_cookie")]
async fn refresh_in_cookie() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token(scope = {"admin": true, "groups": {"staff": 1}})]
#[get("/scope")]
async fn scope() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token(custom_claim = "Arbitrary Required Value", level = 3)]
#[get("/claims")]
async fn claims() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token(sub = "user")]
#[get("/route/{user}")]
async fn route(user: web::Path<String>) -> impl Responder {
    user.into_inner()
}

#[require_token(scope = {"read": true}, override = {"admin": true})]
#[get("/override")]
async fn overridable() -> impl Responder {
    HttpResponse::Ok()
}

/// Flask_PyJWT's four configurations, with a generated RSA key.
fn managers() -> Vec<AuthManager> {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).expect("a key");
    let der = pair.as_der().expect("PKCS#8");
    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
    let secret = "seed".repeat(16);
    [
        AuthType::HS256,
        AuthType::HS512,
        AuthType::RS256,
        AuthType::RS512,
    ]
    .into_iter()
    .map(|auth_type| {
        let is_hmac = matches!(auth_type, AuthType::HS256 | AuthType::HS512);
        let secret = if is_hmac { &secret } else { &pem };
        AuthManager::new(Config::new("Flask_PyJWT", auth_type, secret))
            .expect("a valid configuration")
    })
    .collect()
}

enum Place {
    Header,
    Cookie(&'static str),
}

async fn status(auth: &AuthManager, path: &str, place: Place, token: &Token) -> StatusCode {
    let app = App::new()
        .app_data(auth.clone())
        .service(auth_in_header)
        .service(refresh_in_header)
        .service(auth_in_cookie)
        .service(refresh_in_cookie)
        .service(scope)
        .service(claims)
        .service(route)
        .service(overridable);
    let app = actix_test::init_service(app).await;
    let request = actix_test::TestRequest::with_uri(path);
    let request = match place {
        Place::Header => {
            request.insert_header(("Authorization", format!("Bearer {}", token.signed())))
        }
        Place::Cookie(name) => {
            request.insert_header(("Cookie", format!("{name}={}", token.signed())))
        }
    };
    actix_test::call_service(&app, request.to_request())
        .await
        .status()
}

const OK: StatusCode = StatusCode::OK;
const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;

#[actix_web::test]
async fn the_manager_creates_valid_tokens_of_both_types() {
    for auth in managers() {
        let minted = [
            auth.auth_token("alice")
                .scope(json!({"a": 1}))
                .claim("x", "y")
                .sign(),
            auth.refresh_token("alice").sign(),
        ];
        let types = [(TokenType::Auth, 3_600), (TokenType::Refresh, 604_800)];
        for (token, (token_type, age)) in minted.into_iter().zip(types) {
            let token = token.expect("minted");
            let verified = auth.verify_token(token.signed()).expect("valid");
            assert!(verified.is_signed());
            assert_eq!(verified.sub(), "alice");
            assert_eq!(verified.iss(), "Flask_PyJWT");
            assert_eq!(verified.alg(), auth.auth_type());
            assert_eq!(verified.token_type(), token_type);
            assert_eq!(verified.max_age().whole_seconds(), age);
            assert_eq!(verified.claims(), token.claims());
            let header = json!({"typ": "JWT", "alg": auth.auth_type().name()});
            assert_eq!(json!(verified.header()), header);
            let unverified = UnverifiedToken::decode(token.signed()).expect("a token");
            assert_eq!(unverified.claims(), token.claims());
            let is_refresh = token_type == TokenType::Refresh;
            assert_eq!(verified.claim("rid").is_some(), is_refresh);
            assert_eq!(verified.scope().is_some(), !is_refresh);
        }
    }
}

#[actix_web::test]
async fn headers_and_cookies_are_checked_for_the_right_type() {
    for auth in managers() {
        let alice = auth.auth_token("alice").sign().expect("minted");
        let refresh = auth.refresh_token("alice").sign().expect("minted");
        for (path, cookie, good, bad) in [
            ("/auth", None, &alice, &refresh),
            ("/refresh", None, &refresh, &alice),
            ("/auth_cookie", Some("auth_token"), &alice, &refresh),
            ("/refresh_cookie", Some("refresh_token"), &refresh, &alice),
        ] {
            let place = || cookie.map_or(Place::Header, Place::Cookie);
            assert_eq!(status(&auth, path, place(), good).await, OK, "{path}");
            assert_eq!(
                status(&auth, path, place(), bad).await,
                UNAUTHORIZED,
                "{path}"
            );
            let elsewhere = match cookie {
                Some(_) => Place::Header,
                None => Place::Cookie("auth_token"),
            };
            assert_eq!(
                status(&auth, path, elsewhere, good).await,
                UNAUTHORIZED,
                "{path}"
            );
            if cookie.is_some() {
                let other = Place::Cookie("other");
                assert_eq!(
                    status(&auth, path, other, good).await,
                    UNAUTHORIZED,
                    "{path}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn requests_with_scope_claims_route_or_override_are_accepted_and_refused_without() {
    for auth in managers() {
        let scoped = |wanted: Value| auth.auth_token("alice").scope(wanted).sign();
        let claimed = |name: &str, level: i32| {
            let token = auth.auth_token("alice").claim("custom_claim", name);
            token.claim("level", level).sign()
        };
        let overriding = |admin: bool, read: bool| {
            let token = auth.auth_token("alice").claim("admin", admin);
            token.scope(json!({"read": read})).sign()
        };
        for (path, token, expected) in [
            (
                "/scope",
                scoped(json!({"admin": true, "groups": {"staff": 1}, "x": 1})),
                OK,
            ),
            ("/scope", scoped(json!({"admin": true})), FORBIDDEN),
            (
                "/scope",
                scoped(json!({"admin": true, "groups": {"staff": 2}})),
                FORBIDDEN,
            ),
            ("/scope", auth.auth_token("alice").sign(), FORBIDDEN),
            ("/claims", claimed("Arbitrary Required Value", 3), OK),
            ("/claims", claimed("Arbitrary Required Value", 2), FORBIDDEN),
            ("/claims", auth.auth_token("alice").sign(), FORBIDDEN),
            ("/route/alice", auth.auth_token("alice").sign(), OK),
            ("/route/bob", auth.auth_token("alice").sign(), FORBIDDEN),
            ("/route/42", auth.auth_token(42).sign(), OK),
            ("/override", overriding(false, true), OK),
            ("/override", overriding(true, false), OK),
            ("/override", overriding(true, true), OK),
            ("/override", overriding(false, false), FORBIDDEN),
        ] {
            let token = token.expect("minted");
            let found = status(&auth, path, Place::Header, &token).await;
            assert_eq!(found, expected, "{path} {:?}", token.claims());
        }
    }
}
