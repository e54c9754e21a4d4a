//! The page: HTML, CSS and JavaScript from this folder.

use actix_web::{
    HttpResponse, Responder, get,
    http::header::{self, HeaderName},
    middleware::DefaultHeaders,
    web,
};

#[get("/")]
pub(crate) async fn index() -> impl Responder {
    web::Html::new(include_str!("index.html"))
}

#[get("/style.css")]
pub(crate) async fn style() -> impl Responder {
    file("text/css; charset=utf-8", include_str!("style.css"))
}

#[get("/app.js")]
pub(crate) async fn script() -> impl Responder {
    file("text/javascript; charset=utf-8", include_str!("app.js"))
}

#[get("/bound.js")]
pub(crate) async fn bound_script() -> impl Responder {
    file("text/javascript; charset=utf-8", include_str!("bound.js"))
}

fn file(content_type: &str, content: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(content_type).body(content)
}

/// Headers of every answer. The browser runs no scripts but those of this site, shows the page in no frame, guesses no
/// content types and keeps nothing. `no-referrer` would be too strict: the page's forms would lose their `Origin`.
pub(crate) fn security_headers() -> DefaultHeaders {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
        connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
        frame-ancestors 'none'";
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "same-origin"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ))
}
