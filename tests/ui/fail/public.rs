//! `#[public]` says where it goes.

use actix_web::get;
use flask_pyjwt::{public, require_token};

#[get("/above")]
#[public]
async fn below_the_route() -> &'static str {
    ""
}

#[public]
async fn without_a_route() -> &'static str {
    ""
}

#[public("/path")]
#[get("/arguments")]
async fn with_arguments() -> &'static str {
    ""
}

#[public]
#[require_token]
#[get("/both")]
async fn both() -> &'static str {
    ""
}

#[require_token]
#[public]
#[get("/both")]
async fn both_the_other_way() -> &'static str {
    ""
}

#[public]
struct NoFunction;

fn main() {}
