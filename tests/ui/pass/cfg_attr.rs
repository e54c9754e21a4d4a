//! Attributes that stand under a condition.
#![deny(warnings)]

use actix_web::{App, get, web};
use flask_pyjwt::require_token;

#[cfg_attr(all(), require_token(sub = "id"))]
#[get("/a/{id}")]
async fn ours_above() -> &'static str {
    ""
}

#[get("/b/{id}")]
#[cfg_attr(all(), require_token(sub = "id"))]
async fn ours_below() -> &'static str {
    ""
}

#[require_token(sub = "id")]
#[cfg_attr(all(), get("/c/{id}"), allow(clippy::unused_async), inline)]
async fn theirs() -> &'static str {
    ""
}

#[require_token(sub = "id")]
#[cfg_attr(any(), get("/never"))]
#[cfg_attr(all(), cfg_attr(all(), doc = "Documented.", inline))]
async fn not_theirs() -> &'static str {
    ""
}

#[require_token]
#[cfg(any())]
async fn absent() -> NoSuchType {}

#[require_token]
#[cfg(all())]
#[get("/d")]
async fn present(#[cfg(any())] absent: NoSuchType, #[cfg(all())] _: web::Bytes) -> &'static str {
    ""
}

fn main() {
    let _ = App::new()
        .service(ours_above)
        .service(ours_below)
        .service(theirs)
        .service(present)
        .route("/e/{id}", web::get().to(not_theirs));
}
