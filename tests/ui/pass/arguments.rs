//! The whole grammar of the arguments.
#![deny(warnings)]

use actix_web::{App, Responder, get, web};
use flask_pyjwt::require_token;

macro_rules! handlers {
    ($($name:ident($($arguments:tt)*))*) => {
        $(
            #[require_token($($arguments)*)]
            async fn $name() -> impl Responder { "" }
        )*

        fn app() {
            let _ = App::new()$(.route("/{id}", web::get().to($name)))*;
        }
    };
}

handlers! {
    empty()
    auth("auth")
    refresh("refresh")
    header("auth", "header")
    cookies("auth", "cookies", cookie_name = "auth_token")
    named(token_type = "refresh", location = "cookies", cookie_name = "__Host-rt")
    both(location = ["header", "cookies"], cookie_name = "c",)
    text(role = "editor", name = r"raw\", escaped = "\u{e9}\n")
    numbers(a = 5, b = -5, c = 1.0, d = -0.5, e = 1e3, f = 0x10, g = 1_000)
    limits(a = 18446744073709551615, b = -9223372036854775808, c = 1.7976931348623157e308)
    words(a = true, b = false, c = null)
    array(perms = ["read", 1, [], {}, null,])
    object(org = {"role": "owner", bare: {type: 1,}})
    any_name("https://example.com/role" = "editor", "" = 1)
    keywords(type = 1, r#match = 2, as = 3, self = 4)
    quoted_options("scope" = 1, "override" = {}, "optional" = true, "crate" = "x", "issuer" = "y")
    reserved_claims(iss = "x", exp = 5)
    scope_object(scope = {"admin": true})
    scope_anything(scope = null)
    overridden(sub = "id", override = {"admin": true})
    bound(sub = path("id"), role = literal("id"), team = outer_path("team"), same = "id")
    subject_text(sub = literal("root"))
    subject_value(sub = 5)
    relaxed(optional)
    relaxed_refresh("refresh", optional)
    relaxed_first(optional, "refresh", x = "")
    short_names(score = 1, "scopes" = [], "locations" = [])
}

#[require_token(sub = "größe", role = "grosse", literal = "x", path = path("größe"))]
#[get("/{größe}")]
async fn visible() -> impl Responder {
    ""
}

fn main() {
    app();
    let _ = App::new().service(visible);
}
