//! The description of the interface at `GET /openapi.json`, for pages that show it and for generated clients.
//!
//! Each handler describes itself by `#[utoipa::path]`. What its guard requires and answers is added by
//! `#[require_token]`.

use actix_web::{HttpResponse, web};
use flask_pyjwt::{AuthManager, Protected, openapi::SecurityAddon};
use utoipa::{Modify as _, OpenApi, ToSchema};

use crate::{app, notes, sessions, users};

#[derive(OpenApi)]
#[openapi(
    info(title = "Notes", description = "Notes of several users."),
    paths(
        app::health,
        sessions::register,
        sessions::login,
        sessions::refresh,
        sessions::logout,
        notes::list,
        notes::add,
        notes::show,
        notes::remove,
        users::me,
        users::notes_of,
        users::list,
    )
)]
struct Api;

/// The body of every error.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Problem {
    /// A short name that does not change.
    error: String,
    /// What is wrong, for people.
    error_description: String,
}

pub(crate) fn routes(app: Protected, auth: &AuthManager) -> Protected {
    let mut document = Api::openapi();
    SecurityAddon::new(auth).modify(&mut document);
    let document = web::Bytes::from(document.to_json().expect("it has no type that is no JSON"));
    let get = move || {
        let document = document.clone();
        async move {
            HttpResponse::Ok()
                .content_type("application/json")
                .body(document)
        }
    };
    app.public(web::resource("/openapi.json").route(web::get().to(get)))
}
