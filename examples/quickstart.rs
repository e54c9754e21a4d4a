//! Login, guarded routes and refresh without a session store: the routes of Flask_PyJWT's Quickstart.
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! It prints `curl` lines for each route, with the status that comes back: 200, 401 without a good token, 403 for
//! the wrong user or scope. `PORT` overrides 8080. Without `JWT_SECRET` it makes a random secret for this run.

use actix_web::{App, HttpResponse, HttpServer, Responder, get, post, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, CurrentToken, MintError, Rejection, Token,
    require_token,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// Answers with an auth token and a refresh token if the password is right.
#[post("/login")]
async fn login(auth: AuthManager, form: web::Form<Login>) -> Result<HttpResponse, Rejection> {
    // A real server looks the user up, and compares the hash of the password.
    let is_right = matches!(
        (form.username.as_str(), form.password.as_str()),
        ("alice", "wonderland") | ("root", "correct-horse")
    );
    if !is_right {
        return Ok(HttpResponse::Unauthorized().json(json!({"error": "wrong_login"})));
    }
    let auth_token = mint(&auth, &form.username)?;
    let refresh_token = auth.refresh_token(&form.username).sign()?;
    Ok(HttpResponse::Ok().json(json!({
        "auth_token": auth_token.signed(),
        "refresh_token": refresh_token.signed(),
    })))
}

/// Makes an auth token that says what this user may do.
fn mint(auth: &AuthManager, username: &str) -> Result<Token, MintError> {
    let token = auth.auth_token(username);
    match username {
        "root" => token.scope(json!({"admin": true})).claim("admin", true),
        _ => token,
    }
    .sign()
}

/// Requires any valid auth token.
#[get("/protected_route")]
#[require_token]
async fn protected_route() -> impl Responder {
    web::Json(json!({"message": "you are allowed in"}))
}

/// Requires a token of the user whose name is in the path.
#[require_token(sub = "username")]
#[get("/user_specific_route/{username}")]
async fn user_specific_route(username: web::Path<String>) -> impl Responder {
    web::Json(json!({"message": format!("hello, {username}")}))
}

/// Requires a scope.
#[require_token(scope = {"admin": true})]
#[get("/admin_dashboard")]
async fn admin_dashboard() -> impl Responder {
    web::Json(json!({"message": "the dashboard"}))
}

/// Requires a claim with this value.
#[require_token(admin = true)]
#[get("/custom_claim_route")]
async fn custom_claim_route() -> impl Responder {
    web::Json(json!({"message": "the claim is there"}))
}

/// Requires a token of the user whose name is in the path, or of anyone with the claim `admin`.
#[require_token(sub = "username", override = {"admin": true})]
#[get("/overridable_route/{username}")]
async fn overridable_route(username: web::Path<String>, token: CurrentToken) -> impl Responder {
    web::Json(json!({"page_of": *username, "read_by": token.sub()}))
}

/// Shows what the token says.
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

/// Exchanges a refresh token for a new auth token.
#[require_token("refresh")]
#[post("/refresh")]
async fn refresh(auth: AuthManager, token: CurrentToken) -> Result<impl Responder, Rejection> {
    let auth_token = mint(&auth, token.sub())?;
    Ok(web::Json(json!({"auth_token": auth_token.signed()})))
}

fn routes(app: &mut web::ServiceConfig) {
    app.service(login)
        .service(protected_route)
        .service(user_specific_route)
        .service(admin_dashboard)
        .service(custom_claim_route)
        .service(overridable_route)
        .service(token_info)
        .service(refresh);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let auth = manager()?;
    let port = std::env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes))
        .workers(2)
        .bind(("127.0.0.1", port))
        .map_err(|error| format!("port {port}: {error}. Choose another one with `PORT=8090`"))?;
    // With `PORT=0` the system chooses a free port.
    for address in server.addrs() {
        explain(&format!("http://{address}"));
    }
    server.run().await?;
    println!("stopped");
    Ok(())
}

/// Makes a manager from the environment and `.env`. What is missing there gets a value for this run.
fn manager() -> Result<AuthManager, ConfigError> {
    let mut config = Config::from_env()?;
    loop {
        config = match AuthManager::new(config.clone()) {
            Err(ConfigError::Missing { key: "JWT_ISSUER" }) => config.issuer("quickstart"),
            Err(ConfigError::Missing {
                key: "JWT_AUTHTYPE",
            }) => config.auth_type(AuthType::HS256),
            Err(ConfigError::Missing { key: "JWT_SECRET" }) => {
                println!("JWT_SECRET is not set: this run uses a random secret.");
                let mut secret = [0; 64];
                getrandom::fill(&mut secret).expect("the system has randomness");
                config.secret(secret)
            }
            result => return result,
        }
    }
}

fn explain(url: &str) {
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
curl -i -H "Authorization: Bearer $TOKEN" {url}/custom_claim_route         # 403: no such claim
curl -i -H "Authorization: Bearer $ROOT" {url}/custom_claim_route          # 200
curl -i -H "Authorization: Bearer $ROOT" {url}/overridable_route/alice     # 200: overridden
curl -i -H "Authorization: Bearer $TOKEN" {url}/overridable_route/root     # 403
curl -i -H "Authorization: Bearer $TOKEN" {url}/token/info                 # 200: what the token says
curl -i -X POST -H "Authorization: Bearer $REFRESH" {url}/refresh          # 200: a new auth token

Ctrl-C ends it.
"#
    );
}

#[cfg(test)]
mod tests {
    use flask_pyjwt::testing::{TestAuth, audit};

    use super::*;

    /// `audit/quickstart.txt` says who may enter: a change of it is a change of who may do what.
    #[actix_web::test]
    async fn every_route_refuses_what_it_has_to() {
        let auth = TestAuth::new();
        let open = ["POST /login"];
        let report = audit(|| App::new().app_data(auth.manager()).configure(routes));
        let report = report.public(&open).await;
        report.assert_public(&open);
        assert_eq!(report.to_string(), include_str!("audit/quickstart.txt"));
    }
}
