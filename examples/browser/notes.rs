//! Requests that change something, and so need a proof against cross-site request forgery (CSRF).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use actix_web::{HttpRequest, HttpResponse, Responder, get, http::header, post, web};
use flask_pyjwt::{CurrentToken, require_token};
use serde::Deserialize;

/// The last notes of each user. A real server has a database.
#[derive(Default)]
pub(crate) struct Notes(Mutex<HashMap<String, Vec<String>>>);

#[derive(Deserialize)]
struct Note {
    text: String,
}

/// Keeps a note. The CSRF proof is in the form field `csrf_token` or in the header `X-CSRF-Token`. A request without it is
/// refused before this function is called.
#[require_token("auth", "cookies")]
#[post("/note")]
pub(crate) async fn note(
    token: CurrentToken,
    notes: web::Data<Notes>,
    request: HttpRequest,
    form: web::Form<Note>,
) -> impl Responder {
    let text = form.into_inner().text.chars().take(280).collect();
    let mut notes = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
    let own = notes.entry(token.sub().to_owned()).or_default();
    own.insert(0, text);
    own.truncate(5);
    let accepted = request.headers().get(header::ACCEPT);
    let is_form = accepted.is_some_and(|accepted| accepted.as_bytes().starts_with(b"text/html"));
    if is_form {
        let kept = (header::LOCATION, "/#note-kept");
        HttpResponse::SeeOther().insert_header(kept).finish()
    } else {
        HttpResponse::NoContent().finish()
    }
}

/// Lists the last notes of the user, the newest first.
#[require_token("auth", "cookies")]
#[get("/notes")]
pub(crate) async fn my_notes(token: CurrentToken, notes: web::Data<Notes>) -> impl Responder {
    let notes = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
    web::Json(notes.get(token.sub()).cloned().unwrap_or_default())
}
