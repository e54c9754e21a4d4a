use actix_web::{HttpResponse, Responder, get, web};
use flask_pyjwt::require_token;

struct NotAnExtractor;

#[get("/a/{id}")]
#[require_token(sub = "id")]
async fn bad_argument(id: web::Path<u32>, extra: NotAnExtractor) -> HttpResponse {
    let _ = (id, extra);
    HttpResponse::Ok().finish()
}

#[require_token]
async fn reference(name: &str) -> HttpResponse {
    let _ = name;
    HttpResponse::Ok().finish()
}

#[require_token]
async fn bad_output() -> u32 {
    1
}

#[require_token]
fn not_async() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
async fn bad_body(id: web::Path<u32>) -> impl Responder {
    let text: &str = *id;
    text.to_owned()
}

fn main() {
    actix_web::App::new().service(bad_argument);
}
