//! Whatever cannot be protected does not compile.

use actix_web::{App, HttpResponse, get, get as fetch};
use flask_pyjwt::require_token;

// A route attribute under a name that nobody can know stays on the function.
#[require_token]
#[fetch("/a")]
async fn renamed_route() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
#[get("/{")]
async fn malformed_path() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {
    let _ = App::new().service(renamed_route);
}
