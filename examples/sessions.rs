//! Sessions: refresh tokens work once, theft is detected, and a logout takes effect at once.
//!
//! ```text
//! cargo run --example sessions
//! ```
//!
//! It prints the address of a page to operate sessions, and `curl` lines with the status that comes back: 200 until the
//! logout, 401 after it. `STORE` selects the session store: `memory` (the default), `file:PATH`, `redis://HOST:PORT` or
//! `postgres://USER@HOST/DATABASE`. The last two can end with `?near_cache=1`: answers are then kept in this process,
//! and the server says when they change. `JWT_REFRESHGRACE` sets the grace window in seconds. `PORT` overrides 8080.

#[path = "sessions/operate.rs"]
mod operate;
#[path = "sessions/page.rs"]
mod page;
#[path = "sessions/store.rs"]
mod store;

use std::{env, error::Error};

use actix_web::{App, HttpResponse, HttpServer, Responder, get, http::header, post, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, CurrentToken, Rejection, TokenPair, require_token,
};
use serde::Deserialize;
use serde_json::json;

use self::store::with_store;

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// Opens a session if the password is right.
#[post("/login")]
async fn login(
    auth: AuthManager,
    form: web::Form<Login>,
    request: actix_web::HttpRequest,
) -> Result<HttpResponse, Rejection> {
    // A real server looks the user up, and compares the hash of the password.
    let is_right = matches!(
        (form.username.as_str(), form.password.as_str()),
        ("alice", "wonderland") | ("root", "correct-horse")
    );
    if !is_right {
        return Ok(HttpResponse::Unauthorized().json(json!({"error": "wrong_login"})));
    }
    // Behind a proxy, also call `.address(…)` with what the proxy reports.
    let mut session = auth.login(&form.username).seen_from(&request);
    if form.username == "root" {
        session = session.scope(json!({"admin": true})).claim("admin", true);
    }
    let agent = request.headers().get(header::USER_AGENT);
    if let Some(agent) = agent.and_then(|agent| agent.to_str().ok()) {
        session = session.label(agent);
    }
    Ok(tokens(&session.await?))
}

/// Exchanges a refresh token for the next pair of tokens. Each refresh token works once.
#[require_token("refresh")]
#[post("/refresh")]
async fn refresh(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    Ok(tokens(&auth.refresh(&token).await?))
}

fn tokens(pair: &TokenPair) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({
            "auth_token": pair.auth.signed(),
            "refresh_token": pair.refresh.signed(),
        }))
}

/// Shows the user and the session of the token.
#[require_token]
#[get("/me")]
async fn me(token: CurrentToken) -> impl Responder {
    let is_admin = token.claim("admin").is_some();
    web::Json(json!({"sub": token.sub(), "session": token.session_id(), "admin": is_admin}))
}

/// Lists the open sessions of the user.
#[require_token]
#[get("/sessions")]
async fn sessions(auth: AuthManager, token: CurrentToken) -> Result<impl Responder, Rejection> {
    let own = token.session_id();
    let sessions = auth.sessions(token.sub()).await?;
    let shown = sessions.iter().map(|it| operate::shown(it, own));
    Ok(web::Json(shown.collect::<Vec<_>>()))
}

/// Ends this session. All its tokens are refused from now on.
#[require_token]
#[post("/logout")]
async fn logout(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    auth.logout(&token).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all sessions of the user.
#[require_token]
#[post("/logout_everywhere")]
async fn logout_everywhere(
    auth: AuthManager,
    token: CurrentToken,
) -> Result<HttpResponse, Rejection> {
    auth.revoke_subject(token.sub()).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn routes(app: &mut web::ServiceConfig) {
    app.service(login)
        .service(refresh)
        .service(me)
        .service(sessions)
        .service(logout)
        .service(logout_everywhere)
        .service((page::index, page::style, page::script))
        .service((operate::end_others, operate::end_own))
        .service((operate::list_any, operate::end_any));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let auth = manager(&env::var("STORE").unwrap_or_else(|_| "memory".to_owned())).await?;
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes))
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

/// Makes a manager from the environment and `.env`, with this session store. What is missing there gets a value
/// for this run.
async fn manager(store: &str) -> Result<AuthManager, Box<dyn Error>> {
    let mut config = with_store(Config::from_env()?, store).await?;
    loop {
        config = match AuthManager::new(config.clone()) {
            Err(ConfigError::Missing { key: "JWT_ISSUER" }) => config.issuer("sessions"),
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
        r#"
Listening on {url}. Open it in a browser to see and end sessions. Or in another terminal of the same machine, line by
line:

PAIR=$(curl -s -d 'username=alice&password=wonderland' {url}/login)
TOKEN=$(echo "$PAIR" | sed 's/.*"auth_token":"\([^"]*\)".*/\1/')
REFRESH=$(echo "$PAIR" | sed 's/.*"refresh_token":"\([^"]*\)".*/\1/')

curl -i -H "Authorization: Bearer $TOKEN" {url}/me                          # 200
curl -i -H "Authorization: Bearer $TOKEN" {url}/sessions                    # 200: one session
curl -i -X POST -H "Authorization: Bearer $REFRESH" {url}/refresh           # 200: the next pair
curl -i -X POST -H "Authorization: Bearer $REFRESH" {url}/refresh           # 200: the same pair again, for 10 s
curl -i -X POST -H "Authorization: Bearer $TOKEN" {url}/logout              # 204
curl -i -H "Authorization: Bearer $TOKEN" {url}/me                          # 401: the session has ended
curl -i -X POST -H "Authorization: Bearer $REFRESH" {url}/refresh           # 401

Ctrl-C ends it.
"#
    );
}

#[cfg(test)]
mod tests {
    use flask_pyjwt::testing::{TestAuth, audit};

    use super::*;

    /// `audit/sessions.txt` says who may enter: a change of it is a change of who may do what.
    #[actix_web::test]
    async fn every_route_refuses_what_it_has_to() {
        let auth = TestAuth::new();
        let open = ["GET /", "GET /app.js", "GET /style.css", "POST /login"];
        let report = audit(|| App::new().app_data(auth.manager()).configure(routes));
        let report = report.public(&open).await;
        report.assert_public(&open);
        assert_eq!(report.to_string(), include_str!("audit/sessions.txt"));
    }
}
