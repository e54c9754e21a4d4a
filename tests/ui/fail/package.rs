//! A package that does not exist.

use actix_web::{HttpResponse, get};
use flask_pyjwt::require_token;

#[require_token(crate = no_such_package)]
#[get("/b")]
async fn without_package() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
