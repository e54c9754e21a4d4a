//! A crate without any name in scope.
#![no_implicit_prelude]

use ::actix_web::{self, get};
use ::flask_pyjwt::require_token;

#[require_token(
    "auth",
    "cookies",
    cookie_name = "c",
    sub = "id",
    role = "editor",
    level = 5,
    ratio = -1.5,
    perms = ["read"],
    org = {"role": null},
    scope = {"admin": true},
    override = {"admin": true},
    optional
)]
async fn handler(_: ::actix_web::web::Bytes) -> &'static str {
    ""
}

#[require_token(sub = "id", role = "editor")]
#[get("/a/{id}")]
async fn above() -> &'static str {
    ""
}

fn main() {
    let _ = ::actix_web::App::new()
        .route("/{id}", ::actix_web::web::get().to(handler))
        .service(above);
}
