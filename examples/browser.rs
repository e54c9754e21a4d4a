//! Sessions in a browser, on one page to try them on: `cargo run --example browser`.
//!
//! The tokens are in cookies that no script can read, what changes something needs a proof against
//! cross-site requests, and a token that has ended is renewed silently. The page is plain HTML, CSS and
//! JavaScript, in `examples/browser/`. `JWT_AUTHMAXAGE=20` lets you see tokens end; `PORT` overrides 8080.

use std::{
    collections::HashMap,
    env,
    error::Error,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder, get,
    http::header::{self, HeaderName},
    middleware::DefaultHeaders,
    post, rt, web,
};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream};
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, Cookies, CurrentToken, MemoryStore, Rejection,
    SilentRenewal, Token, require_token,
};
use futures_util::future::{Either, select};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

// --- The page -------------------------------------------------------------------------------------------

#[get("/")]
async fn index() -> impl Responder {
    web::Html::new(include_str!("browser/index.html"))
}

#[get("/style.css")]
async fn style() -> impl Responder {
    file("text/css; charset=utf-8", include_str!("browser/style.css"))
}

#[get("/app.js")]
async fn script() -> impl Responder {
    file(
        "text/javascript; charset=utf-8",
        include_str!("browser/app.js"),
    )
}

fn file(content_type: &str, content: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(content_type).body(content)
}

/// What every answer tells the browser: run this site's own scripts alone and none in the page's text,
/// put it into nobody's frame, guess no content types, keep nothing. A referrer policy of `no-referrer`
/// would take the `Origin` from the page's own forms.
fn security_headers() -> DefaultHeaders {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
        connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
        frame-ancestors 'none'";
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "same-origin"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ))
}

// --- Sessions -------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// Opens a session for the right password, and gives its tokens to the browser as cookies.
#[post("/login")]
async fn login(
    auth: AuthManager,
    request: HttpRequest,
    form: web::Form<Login>,
) -> Result<HttpResponse, Rejection> {
    // Without a token there is nothing to prove. But no other site may log its visitors in here.
    auth.check_origin(&request)?;
    // A real server looks the user up, and compares a password's hash.
    let is_right = matches!(
        (form.username.as_str(), form.password.as_str()),
        ("alice", "wonderland") | ("root", "correct-horse")
    );
    if !is_right {
        return Ok(HttpResponse::Unauthorized().json(json!({"error": "wrong_login"})));
    }
    let mut session = auth.login(&form.username).replacing(&request);
    if form.username == "root" {
        session = session.scope(json!({"admin": true})).claim("admin", true);
    }
    let agent = request.headers().get(header::USER_AGENT);
    if let Some(agent) = agent.and_then(|agent| agent.to_str().ok()) {
        session = session.label(agent);
    }
    let mut response = HttpResponse::NoContent();
    auth.set_cookies(&mut response, &session.await?)?;
    Ok(response.finish())
}

/// The next pair of tokens. `SilentRenewal` does this unasked; a page may ask for it as well.
#[require_token("refresh", "cookies")]
#[post("/renew")]
async fn renew(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    let mut response = HttpResponse::NoContent();
    auth.set_cookies(&mut response, &auth.refresh(&token).await?)?;
    Ok(response.finish())
}

/// Ends this session: its tokens are refused from now on, whoever has a copy of them.
#[require_token("auth", "cookies")]
#[post("/logout")]
async fn logout(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    auth.logout(&token).await?;
    Ok(signed_out(&auth))
}

/// Ends every session of whoever is asking.
#[require_token("auth", "cookies")]
#[post("/logout_everywhere")]
async fn logout_everywhere(
    auth: AuthManager,
    token: CurrentToken,
) -> Result<HttpResponse, Rejection> {
    auth.revoke_subject(token.sub()).await?;
    Ok(signed_out(&auth))
}

/// Ends one session of whoever is asking; nothing happens to one of somebody else.
#[require_token("auth", "cookies")]
#[post("/sessions/{id}/end")]
async fn end_session(
    auth: AuthManager,
    token: CurrentToken,
    id: web::Path<String>,
) -> Result<HttpResponse, Rejection> {
    let id = id.into_inner();
    let is_own = token.session_id() == Some(&id);
    auth.revoke_session(token.sub(), id).await?;
    Ok(if is_own {
        signed_out(&auth)
    } else {
        HttpResponse::NoContent().finish()
    })
}

fn signed_out(auth: &AuthManager) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    auth.clear_cookies(&mut response);
    response.finish()
}

/// Who is asking, and until when.
#[require_token("auth", "cookies")]
#[get("/me")]
async fn me(auth: AuthManager, token: CurrentToken) -> Result<impl Responder, Rejection> {
    let sessions = auth.sessions(token.sub()).await?.into_iter();
    let mut own = sessions.filter(|session| Some(session.id.as_str()) == token.session_id());
    Ok(web::Json(json!({
        "sub": token.sub(),
        "session": token.session_id(),
        "admin": token.claims().contains_key("admin"),
        "now": OffsetDateTime::now_utc().unix_timestamp(),
        "token_ends": token.exp().unix_timestamp(),
        "session_ends": own.next().map(|session| session.expires.unix_timestamp()),
    })))
}

/// The open sessions of whoever is asking.
#[require_token("auth", "cookies")]
#[get("/sessions")]
async fn my_sessions(auth: AuthManager, token: CurrentToken) -> Result<impl Responder, Rejection> {
    let own = token.session_id();
    let sessions = auth.sessions(token.sub()).await?.into_iter();
    let shown = sessions.map(|session| {
        json!({
            "id": session.id,
            "opened": session.opened.unix_timestamp(),
            "refreshed": session.refreshed.unix_timestamp(),
            "expires": session.expires.unix_timestamp(),
            "label": session.label,
            "current": Some(session.id.as_str()) == own,
        })
    });
    Ok(web::Json(shown.collect::<Vec<_>>()))
}

// --- Notes: what needs a proof against cross-site requests ---------------------------------------------

/// The last notes of every user. A real server has a database.
#[derive(Default)]
struct Notes(Mutex<HashMap<String, Vec<String>>>);

#[derive(Deserialize)]
struct Note {
    text: String,
}

/// Keeps a note. The proof is in the form field `csrf_token` or in the header `X-CSRF-Token`; without
/// it the request does not come this far.
#[require_token("auth", "cookies")]
#[post("/note")]
async fn note(
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

/// The last notes of whoever is asking, the newest first.
#[require_token("auth", "cookies")]
#[get("/notes")]
async fn my_notes(token: CurrentToken, notes: web::Data<Notes>) -> impl Responder {
    let notes = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
    web::Json(notes.get(token.sub()).cloned().unwrap_or_default())
}

// --- A WebSocket that lives no longer than its token ---------------------------------------------------

/// The server's time, every second. Only this site's own page can open it.
#[require_token("auth", "cookies")]
#[get("/ws")]
async fn clock(
    auth: AuthManager,
    token: CurrentToken,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    rt::spawn(tell_the_time(auth, token.into_token(), session, messages));
    Ok(response)
}

/// Asks before each message whether the token is still good: when it has expired or is revoked, the
/// server closes the socket, and says why.
async fn tell_the_time(
    auth: AuthManager,
    token: Token,
    mut session: actix_ws::Session,
    mut messages: MessageStream,
) {
    let mut seconds = rt::time::interval(Duration::from_secs(1));
    loop {
        let sent = match select(pin!(seconds.tick()), pin!(messages.recv())).await {
            Either::Left(_) => {
                if let Err(error) = auth.check_revocation(&token).await {
                    // A client that is gone already needs no reason.
                    let reason = close_reason(&error.into());
                    session.close(Some(reason)).await.ok();
                    return;
                }
                let now = OffsetDateTime::now_utc().unix_timestamp();
                session.text(now.to_string()).await
            }
            Either::Right((Some(Ok(Message::Ping(bytes))), _)) => session.pong(&bytes).await,
            Either::Right((Some(Ok(Message::Close(reason))), _)) => {
                session.close(reason).await.ok();
                return;
            }
            Either::Right((Some(Ok(_)), _)) => Ok(()),
            Either::Right((Some(Err(_)) | None, _)) => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

fn close_reason(rejection: &Rejection) -> CloseReason {
    let code = match rejection {
        Rejection::Unavailable { .. } => CloseCode::Again,
        _ => CloseCode::Policy,
    };
    CloseReason {
        code,
        description: Some(rejection.reason().to_owned()),
    }
}

// --- The server -----------------------------------------------------------------------------------------

fn configure(app: &mut web::ServiceConfig) {
    app.service(index)
        .service(style)
        .service(script)
        .service(login)
        .service(renew)
        .service(logout)
        .service(logout_everywhere)
        .service(end_session)
        .service(me)
        .service(my_sessions)
        .service(note)
        .service(my_notes)
        .service(clock);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let auth = manager()?;
    let notes = web::Data::new(Notes::default());
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .app_data(notes.clone())
            .wrap(SilentRenewal::new())
            .wrap(security_headers())
            .configure(configure)
    })
    .workers(2)
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        explain(&format!("http://{address}"));
    }
    server.run().await?;
    println!("stopped");
    Ok(())
}

/// A manager of the environment and `.env`, whose sessions are kept in memory. Without `JWT_SECRET` it
/// makes a random secret for this run.
fn manager() -> Result<AuthManager, Box<dyn Error>> {
    let mut config = Config::from_env()?
        .session_store(MemoryStore::default())
        .cookies(Cookies::default());
    loop {
        config = match AuthManager::new(config.clone()) {
            Err(ConfigError::Missing { key: "JWT_ISSUER" }) => config.issuer("browser"),
            Err(ConfigError::Missing {
                key: "JWT_AUTHTYPE",
            }) => config.auth_type(AuthType::HS256),
            Err(ConfigError::Missing { key: "JWT_SECRET" }) => {
                println!("JWT_SECRET is not set: a random secret serves, and ends with this run.");
                let mut secret = [0; 64];
                getrandom::fill(&mut secret)?;
                config.secret(secret)
            }
            result => return Ok(result?),
        }
    }
}

fn explain(url: &str) {
    println!(
        "
Listening on {url}. Open it in a browser; alice's password is wonderland, root's is correct-horse.

To see tokens end and be renewed: JWT_AUTHMAXAGE=20 cargo run --example browser

Ctrl-C ends it."
    );
}
