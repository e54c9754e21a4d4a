//! A package that depends on this one under another name, or gets it from a third.
#![deny(warnings)]

extern crate flask_pyjwt as jwt;

use actix_web::{App, get, web};
use jwt::require_token;

#[require_token(crate = jwt)]
async fn by_name(_: web::Bytes) -> &'static str {
    ""
}

#[require_token(sub = "id", crate = ::flask_pyjwt)]
#[get("/{id}")]
async fn absolute() -> &'static str {
    ""
}

mod framework {
    pub(crate) mod auth {
        pub(crate) use flask_pyjwt::__private;
    }
}

#[require_token(crate = crate::framework::auth, sub = "id", role = ["x"])]
async fn by_path(_: web::Bytes) -> &'static str {
    ""
}

mod inner {
    use flask_pyjwt::require_token;

    #[require_token(crate = super::framework::auth)]
    pub(super) async fn relative() -> &'static str {
        ""
    }
}

fn main() {
    let _ = App::new()
        .service(absolute)
        .route("/a", web::get().to(by_name))
        .route("/b", web::get().to(by_path))
        .route("/c", web::get().to(inner::relative));
}
