//! Sessions: refresh tokens work once, theft is detected, and a logout takes effect at once.
//!
//! ```text
//! cargo run --example sessions
//! ```
//!
//! It prints `curl` lines with the status that comes back: 200 until the logout, 401 after it. `STORE` selects the
//! session store: `memory` (the default), `file:PATH` or `redis://HOST:PORT`. `JWT_REFRESHGRACE` sets the grace window
//! in seconds. `PORT` overrides 8080.

use std::{env, error::Error};

use actix_web::{App, HttpResponse, HttpServer, Responder, get, http::header, post, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, CurrentToken, FileStore, MemoryStore, RedisStore,
    Rejection, TokenPair, require_token,
};
use serde::Deserialize;
use serde_json::json;

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
    let mut session = auth.login(&form.username);
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
    web::Json(json!({"sub": token.sub(), "session": token.session_id()}))
}

/// Lists the open sessions of the user.
#[require_token]
#[get("/sessions")]
async fn sessions(auth: AuthManager, token: CurrentToken) -> Result<impl Responder, Rejection> {
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

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let auth = manager(&env::var("STORE").unwrap_or_else(|_| "memory".to_owned())).await?;
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .service(login)
            .service(refresh)
            .service(me)
            .service(sessions)
            .service(logout)
            .service(logout_everywhere)
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

async fn with_store(config: Config, store: &str) -> Result<Config, Box<dyn Error>> {
    println!(
        "Sessions are kept in: {}",
        store.split(':').next().unwrap_or_default()
    );
    match store.split_once(':') {
        None if store == "memory" => Ok(config.session_store(MemoryStore::default())),
        Some(("file", path)) => Ok(config.session_store(FileStore::open(path)?)),
        Some(("redis", _)) => Ok(config.session_store(RedisStore::connect(store).await?)),
        _ => Err("STORE is `memory`, `file:PATH` or `redis://HOST:PORT`".into()),
    }
}

fn explain(url: &str) {
    println!(
        r#"
Listening on {url}. In another terminal of the same machine, line by line:

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
