use actix_web::{HttpResponse, get};
use flask_pyjwt::require_token;

#[get("/a")]
#[require_token(refesh, sub = user, scope = {admin = true, level: 99999999999999999999}, overide = {admin: true})]
async fn arguments() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token("acess", "cookies", sub = "nmae", role = path("id"))]
#[get("/{name}")]
async fn arguments_and_signature(_: impl ToString) -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {
    actix_web::App::new().service(arguments);
}
