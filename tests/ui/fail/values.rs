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
    too_large(level = 18446744073709551616)
    too_small(level = -9223372036854775809)
    suffixes(a = 5u8, b = 1.5f64, c = 1f64)
    infinite(level = 1e999)
    other_literals(a = b"x", b = b'x', c = 'x', d = c"x")
    negative(a = -"x", b = -true)
    python(a = None, b = True, c = [False])
    word(role = editor)
    constant(role = Role::Editor)
    computed(level = 1 + 1)
    equals_in_braces(org = {role = "owner"})
    bad_key(org = {1: 2})
    no_colon(org = {"role" "owner"})
    claim_twice(role = "a", level = 1, role = "b")
    quoted_twice(role = "a", "role" = "b")
    member_twice(org = {role: 1, "role": 2})
    nested_member_twice(scope = [{a: {b: 1, b: 1}}])
    in_scope(scope = path("id"))
    in_array(ids = [path("id")])
    in_object(org = {id: outer_path("id"), name: literal("x")})
    unknown_call(role = variable("id"))
    misspelt_call(role = pth("id"))
    call_of_word(role = path(id))
    call_of_two(role = path("a", "b"))
    call_of_none(role = path())
    nameless(role = path(""))
    empty_subject(sub = "")
    deep(x =
        [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
        ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]])
}

fn main() {}
