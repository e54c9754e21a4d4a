//! The actix side: the same routes as in server.py, with the same `.env` file.

use std::{path::Path, sync::mpsc, thread};

use actix_web::{
    App, HttpServer, Responder,
    dev::ServerHandle,
    error::ErrorInternalServerError,
    get, post, rt,
    web::{self, Json},
};
use flask_pyjwt::{AuthManager, Config, CurrentToken, Token, require_token};
use serde_json::{Map, Value, json};

/// A running server, which stops when it is dropped.
pub(crate) struct Actix {
    pub(crate) port: u16,
    pub(crate) auth: AuthManager,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<std::io::Result<()>>>,
}

impl Actix {
    pub(crate) fn serve(dotenv: &Path) -> Self {
        let auth = Config::from_dotenv(dotenv)
            .and_then(AuthManager::new)
            .expect("a valid .env");
        let data = auth.clone();
        let (started, starts) = mpsc::channel();
        let thread = thread::spawn(move || {
            rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(web::Data::new(data.clone()))
                        .configure(routes)
                })
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))?;
                let port = server.addrs()[0].port();
                let server = server.run();
                started.send((port, server.handle())).ok();
                server.await
            })
        });
        let (port, handle) = starts.recv().expect("actix starts");
        Self {
            port,
            auth,
            handle,
            thread: Some(thread),
        }
    }
}

impl Drop for Actix {
    fn drop(&mut self) {
        // The call sends the command. The thread ends once the server has stopped.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn routes(app: &mut web::ServiceConfig) {
    app.service(mint_auth)
        .service(mint_refresh)
        .service(protected)
        .service(refresh)
        .service(cookie)
        .service(user)
        .service(admin)
        .service(overridable)
        .service(team);
}

fn properties(token: &Token) -> Json<Value> {
    Json(json!({
        "signed": token.signed(),
        "is_signed": token.is_signed(),
        "sub": token.sub(),
        "type": token.token_type().to_string(),
        "iss": token.iss(),
        "iat": token.iat().unix_timestamp(),
        "exp": token.exp().unix_timestamp(),
        "scope": token.scope(),
        "max_age": token.max_age().whole_seconds(),
        "alg": token.alg().to_string(),
        "typ": token.header()["typ"],
        "header": token.header(),
        "claims": token.claims(),
    }))
}

#[derive(serde::Deserialize)]
struct Wanted {
    sub: String,
    #[serde(default)]
    scope: Value,
    #[serde(default)]
    claims: Map<String, Value>,
}

#[post("/mint/auth")]
async fn mint_auth(auth: web::Data<AuthManager>, wanted: Json<Wanted>) -> impl Responder {
    let Wanted { sub, scope, claims } = wanted.into_inner();
    let token = auth.auth_token(sub).scope(scope);
    let token = claims
        .into_iter()
        .fold(token, |token, (name, value)| token.claim(name, value));
    token
        .sign()
        .map(|token| properties(&token))
        .map_err(ErrorInternalServerError)
}

#[post("/mint/refresh")]
async fn mint_refresh(auth: web::Data<AuthManager>, wanted: Json<Wanted>) -> impl Responder {
    let token = auth.refresh_token(&wanted.sub).sign();
    token
        .map(|token| properties(&token))
        .map_err(ErrorInternalServerError)
}

#[get("/protected")]
#[require_token]
async fn protected(token: CurrentToken) -> impl Responder {
    properties(&token)
}

#[get("/refresh")]
#[require_token("refresh")]
async fn refresh(token: CurrentToken) -> impl Responder {
    properties(&token)
}

#[get("/cookie")]
#[require_token("auth", "cookies", cookie_name = "auth_token")]
async fn cookie(token: CurrentToken) -> impl Responder {
    properties(&token)
}

#[get("/user/{username}")]
#[require_token(sub = "username")]
async fn user(username: web::Path<String>) -> impl Responder {
    Json(json!({"username": *username}))
}

#[get("/admin")]
#[require_token(scope = {"admin": true})]
async fn admin() -> impl Responder {
    Json(json!({}))
}

#[get("/overridable/{username}")]
#[require_token(sub = "username", override = {"admin": true})]
async fn overridable(username: web::Path<String>) -> impl Responder {
    Json(json!({"username": *username}))
}

#[get("/team")]
#[require_token(team = 7, perms = ["read"])]
async fn team() -> impl Responder {
    Json(json!({}))
}
