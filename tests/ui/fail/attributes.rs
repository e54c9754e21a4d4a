//! Attributes that cannot stand on a protected handler say where they go.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::HttpResponse;
use flask_pyjwt::require_token;

#[require_token]
#[api_operation(summary = "Shows")]
async fn of_apistos() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
#[api_v2_operation]
async fn of_paperclip() -> HttpResponse {
    HttpResponse::Ok().finish()
}

trait PathItemDefinition {}

struct Described;

impl PathItemDefinition for Described {}

impl Future for Described {
    type Output = HttpResponse;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<HttpResponse> {
        Poll::Ready(HttpResponse::Ok().finish())
    }
}

// What apistos makes of the handler where its attribute stands above.
#[require_token]
fn rewritten_by_apistos() -> impl Future<Output = HttpResponse> + PathItemDefinition {
    Described
}

#[require_token]
#[async_trait::async_trait]
async fn in_a_trait() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
#[actix_web::main]
async fn starts_the_program() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
