//! Sessions in a browser: cookies that no script can read, CSRF proofs, silent renewal, and a WebSocket. And a token that a
//! script can read, but that nobody can use without a key that never leaves the browser (DPoP, RFC 9449).
//!
//! ```text
//! cargo run --example browser
//! ```
//!
//! It prints an address. Open it in a browser, log in, and watch what the page shows. With `JWT_AUTHMAXAGE=20` tokens expire
//! after 20 seconds and are renewed silently. `DPOP_NONCE=1` demands a nonce in each proof of the key. `PORT` overrides 8080.
//!
//! This file has the sessions. `examples/browser/` has the page, the notes, the WebSocket and the bound token.

#[path = "browser/bound.rs"]
mod bound;
#[path = "browser/clock.rs"]
mod clock;
#[path = "browser/notes.rs"]
mod notes;
#[path = "browser/page.rs"]
mod page;

use std::{env, error::Error};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder, get, http::header, post, web,
};
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, Cookies, CurrentToken, MemoryStore, Rejection,
    SilentRenewal, require_token,
};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

impl Login {
    /// A real server looks the user up, and compares the hash of the password.
    fn is_right(&self) -> bool {
        matches!(
            (self.username.as_str(), self.password.as_str()),
            ("alice", "wonderland") | ("root", "correct-horse")
        )
    }
}

/// Opens a session if the password is right, and sets its tokens as cookies.
#[post("/login")]
async fn login(
    auth: AuthManager,
    request: HttpRequest,
    form: web::Form<Login>,
) -> Result<HttpResponse, Rejection> {
    // There is no token yet, and so no CSRF proof. But pages of other sites must not log their visitors in here.
    auth.check_origin(&request)?;
    if !form.is_right() {
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

/// Sets the next pair of tokens. `SilentRenewal` does this for every request; a page can also ask for it.
#[require_token("refresh", "cookies")]
#[post("/renew")]
async fn renew(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    let mut response = HttpResponse::NoContent();
    auth.set_cookies(&mut response, &auth.refresh(&token).await?)?;
    Ok(response.finish())
}

/// Ends this session. Every copy of its tokens is refused from now on.
#[require_token("auth", "cookies")]
#[post("/logout")]
async fn logout(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    auth.logout(&token).await?;
    Ok(signed_out(&auth))
}

/// Ends all sessions of the user.
#[require_token("auth", "cookies")]
#[post("/logout_everywhere")]
async fn logout_everywhere(
    auth: AuthManager,
    token: CurrentToken,
) -> Result<HttpResponse, Rejection> {
    auth.revoke_subject(token.sub()).await?;
    Ok(signed_out(&auth))
}

/// Ends one session of the user. Sessions of other users stay open.
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

/// Shows the user, and when token and session end.
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

/// Lists the open sessions of the user.
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

fn routes(app: &mut web::ServiceConfig) {
    app.service(page::index)
        .service(page::style)
        .service(page::script)
        .service(page::bound_script)
        .service(login)
        .service(renew)
        .service(logout)
        .service(logout_everywhere)
        .service(end_session)
        .service(me)
        .service(my_sessions)
        .service(notes::note)
        .service(notes::my_notes)
        .service(clock::clock)
        .service(bound::login)
        .service(bound::vault);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let auth = manager()?;
    let notes = web::Data::new(notes::Notes::default());
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .app_data(notes.clone())
            .wrap(SilentRenewal::new())
            .wrap(page::security_headers())
            .configure(routes)
    })
    .workers(2)
    .bind(("127.0.0.1", port))
    .map_err(|error| format!("port {port}: {error}. Choose another one with `PORT=8090`"))?;
    for address in server.addrs() {
        explain(&format!("http://{address}"));
    }
    server.run().await?;
    println!("stopped");
    Ok(())
}

/// Makes a manager from the environment and `.env`, with sessions in memory. What is missing there gets a value for this
/// run.
fn manager() -> Result<AuthManager, Box<dyn Error>> {
    let mut config = Config::from_env()?
        .session_store(MemoryStore::default())
        .cookies(Cookies::default())
        .dpop_nonce(env::var("DPOP_NONCE").is_ok_and(|demand| demand == "1"));
    loop {
        config = match AuthManager::new(config.clone()) {
            Err(ConfigError::Missing { key: "JWT_ISSUER" }) => config.issuer("browser"),
            Err(ConfigError::Missing {
                key: "JWT_AUTHTYPE",
            }) => config.auth_type(AuthType::HS256),
            Err(ConfigError::Missing { key: "JWT_SECRET" }) => {
                println!("JWT_SECRET is not set: this run uses a random secret.");
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

#[cfg(test)]
mod tests {
    use flask_pyjwt::testing::{TestAuth, audit};

    use super::*;

    /// `audit/browser.txt` says who may enter: a change of it is a change of who may do what.
    #[actix_web::test]
    async fn every_route_refuses_what_it_has_to() {
        let auth = TestAuth::new();
        let open = [
            "GET /",
            "GET /app.js",
            "GET /bound.js",
            "GET /style.css",
            "POST /bound/login",
            "POST /login",
        ];
        let report = audit(|| {
            let app = App::new().app_data(auth.manager()).configure(routes);
            app.app_data(web::Data::new(notes::Notes::default()))
                .wrap(SilentRenewal::new())
        });
        let report = report.public(&open).await;
        report.assert_public(&open);
        assert_eq!(report.to_string(), include_str!("audit/browser.txt"));
    }
}
