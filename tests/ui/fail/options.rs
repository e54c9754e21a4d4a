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
    bare_word(refresh)
    other_bare_words(cookies, admin, optionl)
    word_as_value(token_type = refresh)
    unknown_type("access")
    misspelt_type("refesh")
    location_first("cookies")
    unknown_location("auth", "cookie")
    no_locations(location = [])
    location_twice(location = ["header", "header"])
    third("auth", "cookies", "auth_token")
    after_a_name(scope = {"admin": true}, "refresh")
    type_twice("auth", token_type = "refresh")
    not_a_string(token_type = 5)
    no_query_name("auth", "query")
    no_query(query_name = "t")
    empty_query_name(location = "query", query_name = "")
    csrf_is_a_truth("auth", "cookies", csrf = 0)
    no_cookie(cookie_name = "c")
    empty_cookie_name(location = "cookies", cookie_name = "")
    bad_cookie_name(location = "cookies", cookie_name = "my cookie")
    empty_override(sub = "id", override = {})
    not_an_object(override = true)
    valued(optional = true)
    optional_twice(optional, optional)
    text_as_crate(crate = "jwt")
    fresh_is_a_word(fresh)
    fresh_is_a_truth(fresh = "true")
    no_seconds(max_age = "5m", fresh = true)
    negative_seconds(max_age = -1)
    too_many_seconds(max_age = 4294967296)
    misspelt(overide = {"admin": true}, tokentype = "refresh")
    colon(scope: {"admin": true})
    no_value(role)
    no_value_either(role =)
    no_comma(a = 1 b = 2)
    two_commas(a = 1,, b = 2)
}

fn main() {}
