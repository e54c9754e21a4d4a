use actix_web::HttpResponse;
use flask_pyjwt::require_token;

#[require_token]
unsafe extern "C" fn variadic(_: u8, ...) -> HttpResponse {
    loop {}
}

fn main() {}
