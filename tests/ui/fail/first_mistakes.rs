//! What people get wrong first: the message says what to write.

use std::pin::Pin;

use actix_web::{HttpResponse, get, web};
use flask_pyjwt::{AuthManager, CurrentToken, Rejection, require_token};

#[require_token]
fn not_async(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[get("/utoipa")]
#[require_token]
#[utoipa::path(responses((status = 200)))]
async fn described_below_the_route() -> HttpResponse {
    HttpResponse::Ok().finish()
}

// What `#[async_trait]` on the trait makes of its method.
#[require_token]
fn in_a_trait<'async_trait>() -> Pin<Box<dyn Future<Output = HttpResponse> + 'async_trait>> {
    Box::pin(async { HttpResponse::Ok().finish() })
}

#[require_token]
async fn takes_a_number(id: u32) -> String {
    id.to_string()
}

#[require_token]
async fn guarded(token: CurrentToken, id: web::Path<u32>) -> String {
    format!("{} {id}", token.sub())
}

async fn calls_it_by_hand(token: CurrentToken, id: web::Path<u32>) {
    guarded(token, id).await;
}

async fn forgets_await(auth: AuthManager, token: CurrentToken) -> Result<(), Rejection> {
    auth.login("alice").label("Firefox")?;
    auth.refresh(&token)?;
    auth.logout(&token)?;
    Ok(())
}

#[require_token(scopes = {"admin": true})]
async fn misspelt() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
