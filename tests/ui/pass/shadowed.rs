//! Names of the user's own in place of everything that generated code could have meant.
#![allow(dead_code, unused_macros, non_camel_case_types)]

use ::actix_web::web as w;
use ::flask_pyjwt::require_token;

struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct String;
struct Vec;
struct Box;
struct Send;
struct Default;
struct LazyLock;
struct HttpRequest;
struct Payload;
struct HttpResponse;
struct Requirement;
struct ExpectedClaim;
struct u64;
struct i64;
struct f64;
struct bool;
struct str;
mod core {}
mod std {}
mod alloc {}
mod actix_web {}
mod flask_pyjwt {}
mod flask_pyjwt_core {}
mod serde_json {}
mod json {}
mod __private {}
trait Into {}
trait Future {}
static REQUIREMENT: u64 = u64;
fn protect() {}
fn incoming() {}
fn request() {}
fn payload() {}
fn assert_extractor() {}

macro_rules! vec {
    ($($tokens:tt)*) => {
        compile_error!("not this one")
    };
}

#[require_token(
    "refresh",
    location = ["header", "cookies"],
    cookie_name = "c",
    sub = "id",
    a = 1,
    b = -1,
    c = 1.5,
    d = [true, null],
    e = literal("x"),
    scope = {"admin": true},
    override = {"admin": true},
    optional
)]
async fn handler(_: w::Bytes, _: w::Query<()>) -> &'static ::core::primitive::str {
    ""
}

fn main() {
    let _ = ::actix_web::App::new().route("/{id}", w::get().to(handler));
}
