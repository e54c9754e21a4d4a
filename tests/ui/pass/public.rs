//! `#[public]` and `#[require_token]` beside other attributes, and where the package has another name.
#![deny(warnings)]
#![allow(clippy::unused_async, clippy::trivially_copy_pass_by_ref)]

extern crate flask_pyjwt as jwt;

use actix_web::{App, get, routes, web};
use jwt::{protected, public, require_token};

/// With a documentation.
#[public]
#[get("/health")]
async fn health() -> &'static str {
    "ok"
}

#[public]
#[routes]
#[get("/a")]
#[post("/b")]
pub async fn several() -> &'static str {
    ""
}

#[public(crate = jwt)]
#[actix_web::get("/renamed")]
async fn renamed() -> &'static str {
    ""
}

#[cfg(unix)]
#[public]
#[get("/unix")]
async fn on_unix() -> &'static str {
    ""
}

#[require_token]
#[cfg(windows)]
#[get("/windows")]
async fn on_windows() -> &'static str {
    ""
}

#[require_token]
#[get("/r#type")]
async fn r#type() -> &'static str {
    ""
}

#[require_token]
async fn plain(_: web::Bytes) -> &'static str {
    ""
}

fn main() {
    #[require_token]
    #[get("/inside")]
    async fn inside() -> &'static str {
        ""
    }

    let area = protected("/api")
        .service(health)
        .service(several)
        .service(renamed)
        .service(r#type)
        .service(inside)
        .guarded("/plain", web::get(), plain);
    #[cfg(unix)]
    let area = area.service(on_unix);
    let _ = App::new().service(area);
}
