use actix_web::{HttpResponse, get, route, routes};
use flask_pyjwt::require_token;

#[require_token(sub = "usrname")]
#[get("/user/{username}")]
async fn misspelt_subject() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(sub = "admin")]
#[get("/admin")]
async fn constant_subject() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(sub = path("user"), team = path("tema"))]
#[route("/teams/{team}", method = "GET", method = "POST")]
async fn no_variable() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(team = "tema")]
#[get("/teams/{team}")]
async fn nearly_a_variable() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(sub = "id", role = "id", team = path("id"))]
#[routes]
#[get("/a/{id}")]
#[post("/b")]
async fn not_everywhere() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(sub = "x", role = "it", team = path("x"))]
#[routes]
#[get("/a/{id}")]
#[post(r"/b/{id:\d{4}}")]
async fn nowhere() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn main() {}
