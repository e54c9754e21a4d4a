//! `#[require_token]` over HTTP: it works the same in every position, and nothing runs before it.

use std::{cell::Cell, task::Poll};

use actix_web::{
    App, FromRequest, HttpRequest, HttpResponse, Responder,
    cookie::Cookie,
    dev::Payload,
    get,
    http::{Method, StatusCode, header},
    post, route, routes, test,
    web::{self, Bytes, Json, ServiceConfig},
};
use flask_pyjwt::{AuthManager, AuthType, Config, CurrentToken, require_token};
use futures_util::stream;
use serde_json::{Value, json};

thread_local! {
    static EXTRACTED: Cell<bool> = const { Cell::new(false) };
    static BODY_POLLED: Cell<bool> = const { Cell::new(false) };
    static RAN: Cell<bool> = const { Cell::new(false) };
}

/// Records that extraction has begun.
struct Witness;

impl FromRequest for Witness {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        EXTRACTED.set(true);
        std::future::ready(Ok(Self))
    }
}

fn auth() -> AuthManager {
    let config = Config::new(
        "issuer",
        AuthType::HS256,
        "a secret of at least 32 bytes, really!",
    );
    AuthManager::new(config).expect("a valid configuration")
}

/// An auth token of this subject with these claims.
fn token(subject: &str, claims: &Value) -> String {
    let auth = auth();
    let mut builder = auth.auth_token(subject);
    for (name, value) in claims.as_object().into_iter().flatten() {
        builder = if name == "scope" {
            builder.scope(value.clone())
        } else {
            builder.claim(name, value.clone())
        };
    }
    let token = builder.sign().expect("valid claims");
    token.signed().to_owned()
}

fn refresh_token(subject: &str) -> String {
    let token = auth().refresh_token(subject).sign();
    token.expect("a valid subject").signed().to_owned()
}

/// The status of the response to a request whose body records whether it was polled. (A macro, because the type
/// of the request has no public name.)
macro_rules! status {
    ($app:expr, $method:ident $uri:expr, $token:expr, $body:expr) => {{
        for seen in [&EXTRACTED, &BODY_POLLED, &RAN] {
            seen.set(false);
        }
        let mut request = test::TestRequest::with_uri($uri)
            .method(Method::$method)
            .insert_header((header::CONTENT_TYPE, "application/json"));
        let token: Option<&str> = $token;
        if let Some(token) = token {
            request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
        }
        let mut chunk = Some(Bytes::from_static($body.as_bytes()));
        let body = stream::poll_fn(move |_| {
            BODY_POLLED.set(true);
            Poll::Ready(chunk.take().map(Ok))
        });
        let body: Payload = Payload::Stream { payload: Box::pin(body) };
        let (request, _) = request.to_request().replace_payload(body);
        test::call_service($app, request).await.status()
    }};
    ($app:expr, $uri:expr, $token:expr) => {
        status!($app, GET $uri, Some($token), "")
    };
}

mod arguments;
mod openapi;

#[post("/below/{user}")]
#[require_token(sub = "user")]
async fn below(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

#[require_token(sub = "user")]
#[post("/above/{user}")]
async fn above(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

#[routes]
#[post("/routes_below/{user}")]
#[post("/routes_below_too/{user}")]
#[require_token(sub = "user")]
async fn routes_below(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

#[require_token(sub = "user")]
#[routes]
#[post("/routes_above/{user}")]
#[post("/routes_above_too/{user}")]
async fn routes_above(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

#[require_token(sub = "user")]
#[route("/route_above/{user}", method = "POST", method = "PUT")]
async fn route_above(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

#[route("/route_below/{user}", method = "POST", method = "PUT")]
#[require_token(sub = "user")]
async fn route_below(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

#[require_token(sub = "user")]
async fn bare(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

use flask_pyjwt::require_token as guard;

#[guard(sub = "user")]
#[guard(team = "blue")]
async fn twice(_: Witness, body: Json<u32>) -> impl Responder {
    RAN.set(true);
    body.to_string()
}

fn arrangements(app: &mut ServiceConfig) {
    app.app_data(auth())
        .service(below)
        .service(above)
        .service(routes_below)
        .service(routes_above)
        .service(route_above)
        .service(route_below)
        .route("/bare/{user}", web::post().to(bare))
        .route("/twice/{user}", web::post().to(twice));
}

#[actix_web::test]
async fn nothing_is_extracted_read_or_run_before_the_token_is_accepted() {
    let app = test::init_service(App::new().configure(arrangements)).await;
    let [ann, bob] = ["ann", "bob"].map(|subject| token(subject, &json!({"team": "blue"})));
    let forged = format!("{}x", &ann[..ann.len() - 1]);
    let refresh = refresh_token("ann");
    for path in [
        "/below/ann",
        "/above/ann",
        "/routes_below/ann",
        "/routes_below_too/ann",
        "/routes_above/ann",
        "/routes_above_too/ann",
        "/route_above/ann",
        "/route_below/ann",
        "/bare/ann",
        "/twice/ann",
    ] {
        for (name, token, body, status, accepted, ran) in [
            ("none", None, "1", 401, false, false),
            ("none", None, "not json", 401, false, false),
            ("forged", Some(&forged), "1", 401, false, false),
            ("refresh", Some(&refresh), "1", 401, false, false),
            ("bob's", Some(&bob), "1", 403, false, false),
            ("bob's", Some(&bob), "not json", 403, false, false),
            ("ann's", Some(&ann), "not json", 400, true, false),
            ("ann's", Some(&ann), "1", 200, true, true),
        ] {
            let answer = status!(&app, POST path, token.map(String::as_str), body);
            let case = format!("{path} {name} {body}");
            assert_eq!(answer.as_u16(), status, "{case}");
            assert_eq!(EXTRACTED.get(), accepted, "{case}: extraction");
            assert_eq!(BODY_POLLED.get(), accepted, "{case}: body");
            assert_eq!(RAN.get(), ran, "{case}: handler");
        }
    }
}

#[actix_web::test]
async fn two_attributes_on_one_handler_both_protect() {
    let app = test::init_service(App::new().configure(arrangements)).await;
    for (subject, team, status) in [
        ("ann", "blue", 200),
        ("ann", "red", 403),
        ("bob", "blue", 403),
    ] {
        let token = token(subject, &json!({"team": team}));
        let answer = status!(&app, POST "/twice/ann", Some(token.as_str()), "1");
        assert_eq!(answer.as_u16(), status, "{subject} {team}");
    }
}

#[get("/no_variable/{id}")]
#[require_token(sub = "user")]
async fn no_variable() -> impl Responder {
    RAN.set(true);
    ""
}

#[get("/misspelt/{team}")]
#[require_token(team = "tema")]
async fn misspelt() -> impl Responder {
    RAN.set(true);
    ""
}

#[require_token(sub = path("user"))]
async fn nowhere() -> impl Responder {
    RAN.set(true);
    ""
}

#[actix_web::test]
async fn a_mistake_that_the_compiler_cannot_find_is_a_500() {
    let app = test::init_service(
        App::new()
            .app_data(auth())
            .service(no_variable)
            .service(misspelt)
            .route("/nowhere", web::get().to(nowhere)),
    )
    .await;
    for uri in ["/no_variable/user", "/misspelt/tema", "/nowhere"] {
        for subject in ["user", "tema", "ann"] {
            let token = token(subject, &json!({"team": "tema"}));
            let answer = status!(&app, uri, &token);
            assert_eq!(answer, StatusCode::INTERNAL_SERVER_ERROR, "{uri} {subject}");
            assert!(!RAN.get(), "{uri} {subject}");
        }
    }
}

#[require_token("refresh")]
#[get("/refresh")]
async fn refreshing(token: CurrentToken) -> impl Responder {
    token.sub().to_owned()
}

#[require_token("auth", "cookies", cookie_name = "auth_token")]
#[get("/cookie")]
async fn in_cookie(token: CurrentToken) -> impl Responder {
    token.sub().to_owned()
}

#[require_token(location = ["header", "cookies"], cookie_name = "auth_token")]
#[get("/either")]
async fn anywhere(token: CurrentToken) -> impl Responder {
    token.sub().to_owned()
}

#[actix_web::test]
async fn the_attribute_sets_the_token_type_and_the_locations() {
    let app = test::init_service(
        App::new()
            .app_data(auth())
            .service(refreshing)
            .service(in_cookie)
            .service(anywhere),
    )
    .await;
    let (auth, refresh) = (token("ann", &json!({})), refresh_token("ann"));
    for (uri, header, cookie, status) in [
        ("/refresh", Some(&refresh), None, 200),
        ("/refresh", Some(&auth), None, 401),
        ("/cookie", None, Some(("auth_token", &auth)), 200),
        ("/cookie", None, Some(("auth_token", &refresh)), 401),
        ("/cookie", None, Some(("other", &auth)), 401),
        ("/cookie", Some(&auth), None, 401),
        ("/either", None, Some(("auth_token", &auth)), 200),
        ("/either", Some(&auth), None, 200),
        ("/either", Some(&auth), Some(("auth_token", &auth)), 400),
    ] {
        let mut request = test::TestRequest::with_uri(uri);
        if let Some(token) = header {
            request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
        }
        if let Some((name, token)) = cookie {
            request = request.cookie(Cookie::new(name, token.clone()));
        }
        let response = test::call_service(&app, request.to_request()).await;
        let case = format!("{uri} {} {}", header.is_some(), cookie.is_some());
        assert_eq!(response.status().as_u16(), status, "{case}");
        if status == 200 {
            assert_eq!(test::read_body(response).await, "ann", "{case}");
        }
    }
}

mod elsewhere {
    /// A package that re-exports this one could have such a module. The expansion must use its path.
    pub(super) mod __private {
        pub(in super::super) use flask_pyjwt::__private::{
            ForActixOnlySeeTestingUnguarded, HttpResponse, LazyLock, Requirement, SaysWhoMayEnter,
            TokenType, assert_extractor, openapi,
        };

        pub(in super::super) fn protect<H>(
            _: &'static Requirement,
            _: ForActixOnlySeeTestingUnguarded,
            _: H,
        ) -> std::future::Ready<HttpResponse> {
            std::future::ready(HttpResponse::ImATeapot().finish())
        }
    }
}

#[require_token(crate = crate::attribute::elsewhere)]
#[get("/renamed")]
async fn renamed(_: Bytes) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn the_expansion_uses_the_crate_that_the_argument_names() {
    let app = test::init_service(App::new().app_data(auth()).service(renamed)).await;
    let answer = status!(&app, GET "/renamed", None, "");
    assert_eq!(answer, StatusCode::IM_A_TEAPOT);
}
