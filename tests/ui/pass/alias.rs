//! The attribute under another name, alone and twice.
#![deny(warnings)]

use actix_web::{App, get, web};
use flask_pyjwt::require_token as guard;
use flask_pyjwt::require_token as second;

#[guard(sub = "id")]
#[get("/a/{id}")]
async fn above() -> &'static str {
    ""
}

#[get("/b/{id}")]
#[guard(sub = "id")]
async fn below() -> &'static str {
    ""
}

// Two that do not know of each other: both protect.
#[guard(sub = "id")]
#[second(role = "editor")]
async fn both(_: web::Bytes) -> &'static str {
    ""
}

#[flask_pyjwt::require_token]
async fn qualified() -> &'static str {
    ""
}

fn main() {
    let _ = App::new()
        .service(above)
        .service(below)
        .route("/c/{id}", web::get().to(both))
        .route("/d", web::get().to(qualified));
}
