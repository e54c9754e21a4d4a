//! Lint levels reach the function that they are about, and generated code breaks none.
#![deny(
    warnings,
    missing_docs,
    unused,
    unreachable_pub,
    unfulfilled_lint_expectations
)]
#![deny(
    nonstandard_style,
    unsafe_code,
    unused_qualifications,
    unused_lifetimes
)]
#![deny(
    explicit_outlives_requirements,
    elided_lifetimes_in_paths,
    single_use_lifetimes
)]

use actix_web::{App, get, web};
use flask_pyjwt::require_token;

#[require_token]
#[expect(dead_code, reason = "nothing registers it")]
async fn unused_handler() -> &'static str {
    ""
}

#[require_token]
#[expect(unused_variables)]
async fn unused_argument(body: web::Bytes) -> &'static str {
    ""
}

#[require_token]
#[expect(non_snake_case)]
async fn unusualName() -> &'static str {
    ""
}

#[expect(unused_variables)]
#[require_token]
async fn expected_above(body: web::Bytes) -> &'static str {
    ""
}

#[require_token]
#[deny(unused_must_use)]
#[allow(unused_mut)]
#[get("/b")]
async fn allowed(mut body: web::Bytes) -> &'static str {
    drop(body);
    ""
}

fn main() {
    let _ = App::new()
        .route("/a", web::get().to(unused_argument))
        .route("/c", web::get().to(unusualName))
        .route("/d", web::get().to(expected_above))
        .service(allowed);
}
