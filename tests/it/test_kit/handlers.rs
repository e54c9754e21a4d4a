//! Guarded handlers, called as functions.

use actix_web::{HttpResponse, Responder, get, post, routes, web};
use flask_pyjwt::{
    CurrentToken, require_token,
    testing::{TestAuth, unguarded},
};

#[require_token(sub = "name")]
#[get("/users/{name}")]
async fn show(name: web::Path<String>, token: CurrentToken) -> String {
    format!("page of {name}, read by {}", token.sub())
}

/// A variable has the name of the handler.
#[require_token]
#[get("/notes")]
async fn notes(token: CurrentToken) -> usize_response::Length {
    let notes = [token.sub().len()];
    usize_response::Length(notes[0])
}

mod usize_response {
    pub(super) struct Length(pub(super) usize);

    impl actix_web::Responder for Length {
        type Body = actix_web::body::BoxBody;

        fn respond_to(self, _: &actix_web::HttpRequest) -> actix_web::HttpResponse {
            actix_web::HttpResponse::Ok().body(self.0.to_string())
        }
    }
}

#[require_token]
#[routes]
#[get("/a")]
#[delete("/b")]
async fn several(number: web::Path<u32>) -> impl Responder {
    number.to_string()
}

#[require_token]
#[post("/generic")]
async fn r#type(body: String) -> Result<HttpResponse, actix_web::Error> {
    Ok(HttpResponse::Created().body(body))
}

#[get("/below")]
#[require_token]
async fn below() -> &'static str {
    "below"
}

#[require_token(sub = "name")]
async fn plain(name: web::Path<String>, token: CurrentToken) -> impl Responder {
    format!("{name} {}", token.sub())
}

#[require_token]
async fn one<T: ToString + serde::de::DeserializeOwned + 'static>(value: web::Path<T>) -> String {
    value.to_string()
}

/// A name that the module has for something else.
#[require_token]
async fn actix_web() -> &'static str {
    "named as a crate"
}

async fn text(response: HttpResponse) -> String {
    let body = actix_web::body::to_bytes(response.into_body()).await;
    String::from_utf8(body.expect("a body").to_vec()).expect("UTF-8")
}

#[actix_web::test]
async fn a_handler_with_a_route_attribute_is_called_by_its_name() {
    let auth = TestAuth::new();
    let token = || auth.token("alice").current();
    let name = web::Path::from("bob".to_owned());
    assert_eq!(
        show::unguarded(name, token()).await,
        "page of bob, read by alice"
    );
    assert_eq!(notes::unguarded(token()).await.0, 5);
    let request = actix_web::test::TestRequest::default().to_http_request();
    let response = several::unguarded(7.into()).await.respond_to(&request);
    assert_eq!(text(response.map_into_boxed_body()).await, "7");
    let response = r#type::unguarded("x".to_owned()).await.expect("created");
    assert_eq!(response.status(), 201);
}

#[actix_web::test]
async fn any_other_handler_is_called_with_its_arguments() {
    let auth = TestAuth::new();
    let name = web::Path::from("bob".to_owned());
    let response = unguarded(plain, (name, auth.token("alice").current())).await;
    assert_eq!(text(response).await, "bob alice");
    let response = unguarded(one::<u32>, (web::Path::from(7_u32),)).await;
    assert_eq!(text(response).await, "7");
    assert_eq!(
        text(unguarded(actix_web, ()).await).await,
        "named as a crate"
    );
    let _ = below;
}

#[actix_web::test]
#[should_panic(expected = "the handler takes the arguments (")]
async fn other_arguments_are_a_panic_that_names_the_right_ones() {
    let _ = unguarded(plain, (1, 2)).await;
}

/// A request never calls a handler without its guard.
#[actix_web::test]
async fn requests_go_through_the_guard() {
    let auth = TestAuth::new();
    let app = actix_web::App::new()
        .app_data(auth.manager())
        .service(show)
        .service(below);
    let app = actix_web::test::init_service(app).await;
    for path in ["/users/bob", "/below"] {
        let request = actix_web::test::TestRequest::with_uri(path);
        flask_pyjwt::assert_refused!(app, request, 401, "missing_credentials");
    }
}
