//! Whoever takes `Token` as an argument is told of `CurrentToken`.

use actix_web::{App, HttpResponse, web};
use flask_pyjwt::{Token, require_token};

type Alias = Token;

#[require_token]
async fn protected(token: Token, id: web::Path<u32>) -> HttpResponse {
    HttpResponse::Ok().body(format!("{id} {}", token.sub()))
}

#[require_token]
async fn by_another_name(token: Alias) -> HttpResponse {
    HttpResponse::Ok().body(token.sub().to_owned())
}

async fn behind_a_guard(token: Token) -> HttpResponse {
    HttpResponse::Ok().body(token.sub().to_owned())
}

fn main() {
    let _ = App::new().route("/", web::get().to(behind_a_guard));
}
