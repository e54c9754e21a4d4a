use actix_web::HttpResponse;
use flask_pyjwt::require_token;

macro_rules! handlers {
    ($($name:ident($($arguments:tt)*))*) => {
        $(
            #[require_token($($arguments)*)]
            async fn $name() -> HttpResponse { HttpResponse::Ok().finish() }
        )*
    };
}

handlers! {
    issuer(isuer = "https://issuer.example")
    scope(scop = contains("read"))
    fresh(fres = true)
    csrf("auth", "cookies", csfr = false)
    max_age(maxage = 60, max_agee = 60)
    renamed(crat = flask_pyjwt)
    location(locaton = "cookies")
    claims("isuer" = "x", "scop" = "y", scp = contains("read"), score = 1, rate = 2, create = true)
}

fn main() {}
