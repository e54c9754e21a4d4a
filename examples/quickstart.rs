//! Flask_PyJWT's Quickstart, all of it, on actix-web: `cargo run --example quickstart`.
//!
//! It needs no set-up. Without `JWT_SECRET` it makes a random secret for this run. `PORT` overrides
//! 8080.

use actix_web::{
    App, Error, HttpResponse, HttpServer, Responder, error::ErrorInternalServerError, get, post,
    web,
};
use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError, CurrentToken, Token, require_token};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// Hands out an auth and a refresh token for the right password.
#[post("/login")]
async fn login(auth: web::Data<AuthManager>, form: web::Form<Login>) -> impl Responder {
    // A real server looks the user up, and compares a password's hash.
    let is_right = matches!(
        (form.username.as_str(), form.password.as_str()),
        ("alice", "wonderland") | ("root", "correct-horse")
    );
    if !is_right {
        return Ok(HttpResponse::Unauthorized().json(json!({"error": "wrong_login"})));
    }
    let auth_token = mint(&auth, &form.username)?;
    let refresh_token = auth
        .refresh_token(&form.username)
        .sign()
        .map_err(ErrorInternalServerError)?;
    Ok::<_, Error>(HttpResponse::Ok().json(json!({
        "auth_token": auth_token.signed(),
        "refresh_token": refresh_token.signed(),
    })))
}

/// An auth token with what this user may do.
fn mint(auth: &AuthManager, username: &str) -> Result<Token, Error> {
    let token = auth.auth_token(username);
    let token = match username {
        "root" => token.scope(json!({"admin": true})).claim("admin", true),
        _ => token,
    };
    token.sign().map_err(ErrorInternalServerError)
}

/// Any valid auth token.
#[get("/protected_route")]
#[require_token]
async fn protected_route() -> impl Responder {
    web::Json(json!({"message": "you are allowed in"}))
}

/// Only the user whose name is in the path.
#[require_token(sub = "username")]
#[get("/user_specific_route/{username}")]
async fn user_specific_route(username: web::Path<String>) -> impl Responder {
    web::Json(json!({"message": format!("hello, {username}")}))
}

/// Only tokens whose scope says so.
#[require_token(scope = {"admin": true})]
#[get("/admin_dashboard")]
async fn admin_dashboard() -> impl Responder {
    web::Json(json!({"message": "the dashboard"}))
}

/// Only tokens with a claim of that value, which is no scope.
#[require_token(admin = true)]
#[get("/custom_claim_route")]
async fn custom_claim_route() -> impl Responder {
    web::Json(json!({"message": "the claim is there"}))
}

/// The user whose name is in the path, or anybody with the claim `admin`.
#[require_token(sub = "username", override = {"admin": true})]
#[get("/overridable_route/{username}")]
async fn overridable_route(username: web::Path<String>, token: CurrentToken) -> impl Responder {
    web::Json(json!({"page_of": *username, "read_by": token.sub()}))
}

/// What the token says.
#[require_token]
#[get("/token/info")]
async fn token_info(token: CurrentToken) -> impl Responder {
    web::Json(json!({
        "token_type": token.token_type().to_string(),
        "subject": token.sub(),
        "scope": token.scope(),
        "claims": token.claims(),
        "iss": token.iss(),
        "iat": token.iat().unix_timestamp(),
        "exp": token.exp().unix_timestamp(),
        "max_age": token.max_age().whole_seconds(),
        "alg": token.alg().to_string(),
        "is_signed": token.is_signed(),
        "signed_token": token.signed(),
    }))
}

/// A refresh token for a new auth token.
#[require_token("refresh")]
#[post("/refresh")]
async fn refresh(auth: web::Data<AuthManager>, token: CurrentToken) -> impl Responder {
    let auth_token = mint(&auth, token.sub())?;
    Ok::<_, Error>(web::Json(json!({"auth_token": auth_token.signed()})))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let auth = manager()?;
    let port = std::env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(auth.clone()))
            .service(login)
            .service(protected_route)
            .service(user_specific_route)
            .service(admin_dashboard)
            .service(custom_claim_route)
            .service(overridable_route)
            .service(token_info)
            .service(refresh)
    })
    .workers(2)
    .bind(("127.0.0.1", port))?;
    // The port that was bound: `PORT=0` asks for any that is free.
    explain(
        server
            .addrs()
            .first()
            .map_or(port, std::net::SocketAddr::port),
    );
    server.run().await?;
    println!("stopped");
    Ok(())
}

/// A manager of the environment and `.env`. What they leave out gets a value for this run.
fn manager() -> Result<AuthManager, ConfigError> {
    let mut config = Config::from_env()?;
    loop {
        config = match AuthManager::new(config.clone()) {
            Err(ConfigError::Missing { key: "JWT_ISSUER" }) => config.issuer("quickstart"),
            Err(ConfigError::Missing {
                key: "JWT_AUTHTYPE",
            }) => config.auth_type(AuthType::HS256),
            Err(ConfigError::Missing { key: "JWT_SECRET" }) => {
                println!("JWT_SECRET is not set: a random secret serves, and ends with this run.");
                let mut secret = [0; 64];
                getrandom::fill(&mut secret).expect("the system has randomness");
                config.secret(secret)
            }
            result => return result,
        }
    }
}

fn explain(port: u16) {
    let url = format!("http://127.0.0.1:{port}");
    println!(
        r#"
Listening on {url}. In another terminal of the same machine, line by line:

TOKEN=$(curl -s -d 'username=alice&password=wonderland' {url}/login | sed 's/.*"auth_token":"\([^"]*\)".*/\1/')
REFRESH=$(curl -s -d 'username=alice&password=wonderland' {url}/login | sed 's/.*"refresh_token":"\([^"]*\)".*/\1/')
ROOT=$(curl -s -d 'username=root&password=correct-horse' {url}/login | sed 's/.*"auth_token":"\([^"]*\)".*/\1/')

curl -i {url}/protected_route                                              # 401: no token
curl -i -H "Authorization: Bearer $TOKEN" {url}/protected_route            # 200
curl -i -H "Authorization: Bearer $REFRESH" {url}/protected_route          # 401: of the wrong type
curl -i -H "Authorization: Bearer $TOKEN" {url}/user_specific_route/alice  # 200
curl -i -H "Authorization: Bearer $TOKEN" {url}/user_specific_route/root   # 403: another subject
curl -i -H "Authorization: Bearer $TOKEN" {url}/admin_dashboard            # 403: no such scope
curl -i -H "Authorization: Bearer $ROOT" {url}/admin_dashboard             # 200
curl -i -H "Authorization: Bearer $TOKEN" {url}/custom_claim_route               # 403: no such claim
curl -i -H "Authorization: Bearer $ROOT" {url}/custom_claim_route                # 200
curl -i -H "Authorization: Bearer $ROOT" {url}/overridable_route/alice     # 200: overridden
curl -i -H "Authorization: Bearer $TOKEN" {url}/overridable_route/root     # 403
curl -i -H "Authorization: Bearer $TOKEN" {url}/token/info                 # 200: what the token says
curl -i -X POST -H "Authorization: Bearer $REFRESH" {url}/refresh          # 200: a new auth token

Ctrl-C ends it.
"#
    );
}
