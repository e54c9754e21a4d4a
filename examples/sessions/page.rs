//! The page to operate sessions: HTML and JavaScript from this folder, and the style of the browser example.

use actix_web::{
    HttpResponse, Responder, get,
    http::header::{self, ContentType},
};

/// The browser runs no scripts but the page's own, sends nothing elsewhere, and shows the page in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

#[get("/")]
pub(crate) async fn index() -> impl Responder {
    file(ContentType::html(), include_str!("index.html"))
}

#[get("/style.css")]
pub(crate) async fn style() -> impl Responder {
    let css = include_str!("../browser/style.css");
    file("text/css; charset=utf-8", css)
}

#[get("/app.js")]
pub(crate) async fn script() -> impl Responder {
    let script = include_str!("app.js");
    file("text/javascript; charset=utf-8", script)
}

fn file(content_type: impl header::TryIntoHeaderValue, content: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(content)
}
