use actix_web::HttpResponse;
use flask_pyjwt::require_token;

#[require_token]
async fn no_output() {}

#[require_token]
async fn impl_argument(_: impl ToString, _: impl Sized) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
async unsafe fn unsafe_handler() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
extern "C" fn foreign() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
const fn constant() -> HttpResponse {
    loop {}
}

#[require_token]
async fn many(
    _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (), _: (),
    _seventeenth: (),
) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(sub = "id")]
#[require_token(role = "editor")]
async fn twice() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(sub = "id")]
#[actix_web::get("/{id}")]
#[flask_pyjwt::require_token(role = "editor")]
async fn twice_around() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
fn not_async() -> impl actix_web::Responder {
    ""
}

struct Api;

impl Api {
    #[require_token]
    async fn method(&self) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
}

trait Abstract {
    #[require_token]
    async fn without_body() -> HttpResponse;
}

#[require_token]
struct NotAFunction;

#[require_token]
const NOT_A_FUNCTION: u8 = 1;

#[require_token]
mod not_a_function {}

fn main() {}
