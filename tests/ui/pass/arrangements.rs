//! Above the route attributes and below them, with one path and with several.
#![deny(warnings, missing_docs, unused, unreachable_pub)]

use actix_web::{App, Responder, get, post, route, routes, web};
use flask_pyjwt::require_token;

/// Documented.
#[require_token(sub = "id")]
#[get(
    "/a/{id}",
    name = "a",
    wrap = "actix_web::middleware::NormalizePath::trim()"
)]
async fn above(id: web::Path<u32>) -> impl Responder {
    id.to_string()
}

/// Documented.
#[post("/b/{id}")]
#[require_token(sub = "id")]
async fn below(id: web::Path<u32>) -> impl Responder {
    id.to_string()
}

#[routes]
#[get("/c/{id}")]
#[put("/d/{id}")]
#[require_token(sub = "id")]
async fn routes_above() -> &'static str {
    ""
}

#[require_token(sub = "id", tail = path("tail"), role = "editor")]
#[routes]
#[delete(r"/e/{id:\d{4}}/{tail:.*}")]
#[patch("/f/{id}/{tail}*")]
async fn routes_below() -> &'static str {
    ""
}

#[routes]
#[require_token(sub = "id")]
#[get("/g/{id}")]
#[head("/h/{id}")]
async fn routes_around() -> &'static str {
    ""
}

#[require_token(sub = "id")]
#[route("/i/{id}", method = "GET", method = "POST", method = "QUERY")]
async fn route_below() -> &'static str {
    ""
}

#[route("/j/{id}", method = "GET")]
#[require_token(sub = "id")]
async fn route_above() -> &'static str {
    ""
}

#[require_token(sub = "id")]
#[actix_web::get("/k/{id}")]
async fn qualified() -> &'static str {
    ""
}

/// Of a module with a path: actix-web puts the two together before we look.
#[actix_web::scope("/teams/{team}")]
mod teams {
    use actix_web::get;
    use flask_pyjwt::require_token;

    #[require_token(sub = "id", team = path("team"))]
    #[get("/l/{id}")]
    pub(super) async fn member() -> &'static str {
        ""
    }
}

/// Public, and documented where the documentation looks.
pub mod public {
    use actix_web::get;
    use flask_pyjwt::require_token;

    /// Its page says this.
    #[require_token]
    #[get("/m")]
    #[must_use]
    pub async fn documented() -> &'static str {
        ""
    }

    /// Its page says that.
    #[require_token]
    pub async fn function() -> &'static str {
        ""
    }
}

fn main() {
    let _ = App::new()
        .service(above)
        .service(below)
        .service(routes_above)
        .service(routes_below)
        .service(routes_around)
        .service(route_below)
        .service(route_above)
        .service(qualified)
        .service(teams::member)
        .service(public::documented)
        .route("/n", web::get().to(public::function));
}
