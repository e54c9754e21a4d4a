//! Handlers written by macros, whose fragments arrive in invisible groups.
#![deny(warnings)]

use actix_web::{App, get, web};
use flask_pyjwt::require_token;

macro_rules! handler {
    (
        $(#[$meta:meta])* $vis:vis $name:ident($argument:ident: $type:ty) -> $output:ty, $path:literal, $kind:literal,
        $variable:literal, $claim:ident = $value:literal, $list:expr, $body:block
    ) => {
        $(#[$meta])*
        #[require_token(
            $kind,
            sub = $variable,
            other = path($variable),
            $claim = $value,
            list = $list,
            same = [$value, {$variable: $value}],
            override = {$claim: $value}
        )]
        #[get($path)]
        $vis async fn $name($argument: $type) -> $output $body
    };
}

handler! {
    /// Documented.
    #[deny(missing_docs)]
    pub text(id: web::Path<String>) -> String, "/a/{id}", "auth", "id", role = "editor", ["x"], { id.to_string() }
}
handler! {
    number(id: web::Path<String>) -> &'static str, r"/b/{id:\d{4}}", "refresh", "id", level = -5, -1.5, {
        drop(id);
        ""
    }
}

macro_rules! protected {
    ($handler:item) => {
        #[require_token(sub = "id")]
        $handler
    };
}

protected! {
    /// Documented.
    #[get("/c/{id}")]
    async fn item() -> &'static str { "" }
}

macro_rules! attribute {
    ($($name:ident $attribute:meta)*) => {
        $(
            #[$attribute]
            #[get("/d/{id}")]
            async fn $name() -> &'static str { "" }
        )*
    };
}

attribute! {
    with_meta require_token(sub = "id", scope = {"admin": true})
    without_arguments require_token
}

macro_rules! renamed {
    ($name:ident) => {
        #[require_token(crate = $crate::reexport)]
        async fn $name() -> &'static str {
            ""
        }
    };
}

mod reexport {
    pub(crate) use flask_pyjwt::*;
}

renamed!(dollar_crate);

fn main() {
    let _ = App::new()
        .service(text)
        .service(number)
        .service(item)
        .service(with_meta)
        .service(without_arguments)
        .route("/e", web::get().to(dollar_crate));
}
