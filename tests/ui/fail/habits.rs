//! Options of other libraries are no claims.

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
    refresh(refresh = true)
    locations(locations = ["headers", "cookies"])
    locations_with_name(locations = ["cookies"], cookie_name = "c")
    fresh_only(fresh_only = true)
    fresh_word(fresh)
    verify_type(verify_type = false)
    skip_revocation_check(skip_revocation_check = true)
    roles_required(roles_required = ["admin"])
    roles_accepted(roles_accepted("admin"))
    required_permissions(required_permissions = ["read"])
    has_any_role(has_any_role = ["admin", "owner"])
    scopes(scopes = ["read", "write"])
    required_scopes(required_scopes = ["read"])
    optional_is_a_word(optional = true)
    required(required = false)
    token_type(token = "refresh")
    cookies(cookies = true, csrf_protect = false)
    cookie(cookie = "auth_token")
    header(header = "X-Token")
    query(query = "t")
    audience(audience = "api")
    subject(subject = "id")
    issuers(issuers = ["a", "b"])
    claims(claims = {"role": "editor"})
    algorithms(algorithms = ["HS256"])
    verify_exp(verify_exp = false)
    max_age(maxage = 300)
    overrides(overrides = {"admin": true})
    no_header(header_name = "x-token")
    empty_header_name(location = "header", header_name = "")
    bad_header_name(location = "header", header_name = "x token")
    cookie_header(location = "header", header_name = "Cookie")
    header_name_of_cookies(location = "cookies", header_name = "x-token")
    misspelt_header_name(location = "header", header_nmae = "x-token")
}

fn main() {}
