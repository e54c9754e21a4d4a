//! What users do with their own sessions, and administrators with those of anybody.
//!
//! The tokens come in `Authorization`, which no other site can send, so there is nothing to forge across sites.

use actix_web::{HttpResponse, Responder, get, http::header, post, web};
use flask_pyjwt::{AuthManager, CurrentToken, Rejection, Session, require_token};
use serde::Deserialize;
use serde_json::{Value, json};

/// How many sessions an administrator sees at a time.
const PAGE: usize = 10;

/// A session as JSON. `current` is the session of the caller's token.
pub(crate) fn shown(session: &Session, current: Option<&str>) -> Value {
    json!({
        "id": session.id,
        "opened": session.opened.unix_timestamp(),
        "refreshed": session.refreshed.unix_timestamp(),
        "expires": session.expires.unix_timestamp(),
        "label": session.label,
        "address": session.address,
        "user_agent": session.user_agent,
        "current": Some(session.id.as_str()) == current,
    })
}

/// Ends one session of the user. Sessions of other users stay open, whatever the ID is.
#[require_token]
#[post("/sessions/{id}/end")]
pub(crate) async fn end_own(
    auth: AuthManager,
    token: CurrentToken,
    id: web::Path<String>,
) -> Result<impl Responder, Rejection> {
    let ended = auth.revoke_session(token.sub(), id.into_inner()).await?;
    Ok(web::Json(json!({"ended": usize::from(ended)})))
}

/// Ends all sessions of the user except that of the token.
#[require_token]
#[post("/sessions/end_others")]
pub(crate) async fn end_others(
    auth: AuthManager,
    token: CurrentToken,
) -> Result<impl Responder, Rejection> {
    let mut ended = 0;
    for session in auth.sessions(token.sub()).await? {
        if Some(session.id.as_str()) != token.session_id() {
            ended += usize::from(auth.revoke_session(token.sub(), session.id).await?);
        }
    }
    Ok(web::Json(json!({"ended": ended})))
}

#[derive(Deserialize)]
struct Wanted {
    subject: String,
    after: Option<String>,
}

/// One page of the sessions of any user, and the place after which the next page begins.
#[require_token(admin = true)]
#[get("/admin/sessions")]
pub(crate) async fn list_any(
    auth: AuthManager,
    token: CurrentToken,
    wanted: web::Query<Wanted>,
) -> Result<impl Responder, Rejection> {
    let after = wanted.after.as_deref();
    let page = auth.session_page(&wanted.subject, after, PAGE).await?;
    let shown = page.sessions.iter().map(|it| shown(it, token.session_id()));
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({"sessions": shown.collect::<Vec<_>>(), "next": page.next})))
}

#[derive(Deserialize)]
struct Ended {
    subject: String,
    /// All of the subject, if there is none.
    session: Option<String>,
}

/// Ends one session of any user, or all of them with everything else that the user has.
#[require_token(admin = true)]
#[post("/admin/end")]
pub(crate) async fn end_any(
    auth: AuthManager,
    form: web::Form<Ended>,
) -> Result<impl Responder, Rejection> {
    let Ended { subject, session } = form.into_inner();
    let ended = match session {
        Some(session) => usize::from(auth.revoke_session(subject, session).await?),
        None => auth.revoke_subject(subject).await?,
    };
    Ok(web::Json(json!({"ended": ended})))
}
