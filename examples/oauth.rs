//! OAuth's own endpoints: a server whose tokens standard OAuth clients refresh, introspect and revoke.
//!
//! ```text
//! PORT=8083 cargo run --example oauth
//! ```
//!
//! It prints `curl` lines: `/login` answers with two tokens, `/protected` accepts the first one, `/token` exchanges the
//! second one for the next pair, `/introspect` says what a token is worth, `/revoke` ends the session. A client finds all
//! of them in `/.well-known/oauth-authorization-server`.
//!
//! A login with a DPoP proof (RFC 9449) gets tokens that are bound to the client's key: `/bound` accepts only those, and
//! without their proof they are refused everywhere. With it, `/token` refreshes them also for a client without a secret.
//! `DPOP_NONCE=1` demands a nonce in each proof.
//!
//! `CLIENT_SECRET` is the secret of the client `demo`; without it, one is made for this run. The signing key is made for
//! this run, too, and sessions end with it.

use std::error::Error;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, get, post, web};
use aws_lc_rs::signature::Ed25519KeyPair;
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, CurrentToken, MemoryStore, OAuthClient,
    OAuthClients, OAuthMetadata, Rejection, ResourceMetadata, require_token,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// Opens a session if the password is right. With a field `DPoP`, its tokens are bound to the key of the proof.
#[post("/login")]
async fn login(
    auth: AuthManager,
    request: HttpRequest,
    login: web::Form<Login>,
) -> Result<HttpResponse, Rejection> {
    if (login.username.as_str(), login.password.as_str()) != ("alice", "wonderland") {
        return Ok(HttpResponse::Unauthorized().body("wrong username or password"));
    }
    let proof = auth.dpop_proof(&request).await?;
    // The tokens name no client: `demo` refreshes them with its secret, and whoever has the key refreshes bound ones.
    // `.client_id("demo")` would leave that to `demo` alone.
    let session = auth.login(&login.username).scope("read write");
    let pair = session.bind(&proof).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .json(json!({
            "auth_token": pair.auth.signed(),
            "refresh_token": pair.refresh.signed(),
        })))
}

#[require_token]
#[get("/protected")]
async fn protected(token: CurrentToken) -> impl Responder {
    web::Json(json!({ "sub": token.sub(), "scope": token.scope() }))
}

/// For tokens that are bound to a key of the client, who proves it with this request.
#[require_token(bound)]
#[get("/bound")]
async fn bound(token: CurrentToken) -> impl Responder {
    web::Json(json!({ "sub": token.sub(), "key": token.claims()["cnf"]["jkt"] }))
}

/// The documents that name the endpoints. They are made before the server starts, since a name can be wrong.
#[derive(Clone)]
struct Documents {
    server: OAuthMetadata,
    resource: ResourceMetadata,
}

impl Documents {
    fn new(auth: &AuthManager, clients: &OAuthClients) -> Result<Self, ConfigError> {
        let server = auth
            .server_metadata()?
            .token_endpoint(&auth.token_endpoint(clients))
            .introspection(&auth.introspection(clients))
            .revocation(&auth.revocation(clients))
            .jwks(&auth.jwks());
        let resource = auth.resource_metadata(auth.issuer())?;
        let resource = resource.scopes(["read", "write"]);
        Ok(Self { server, resource })
    }
}

fn routes(app: &mut web::ServiceConfig, auth: &AuthManager, clients: &OAuthClients) {
    app.service(login)
        .service(protected)
        .service(bound)
        .service(auth.token_endpoint(clients))
        .service(auth.introspection(clients))
        .service(auth.revocation(clients))
        .service(auth.jwks());
}

fn documents(app: &mut web::ServiceConfig, documents: Documents) {
    app.service(documents.server).service(documents.resource);
}

/// A private key in PEM.
fn generate_key() -> Result<String, Box<dyn Error>> {
    let pair = Ed25519KeyPair::generate()?;
    let der = pair.to_pkcs8v1()?;
    Ok(pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref())))
}

/// The secret of the client `demo`, and whether it was made here.
fn client_secret() -> Result<(String, bool), Box<dyn Error>> {
    if let Ok(secret) = std::env::var("CLIENT_SECRET") {
        return Ok((secret, false));
    }
    let mut secret = [0; 16];
    getrandom::fill(&mut secret)?;
    Ok((format!("{:032x}", u128::from_le_bytes(secret)), true))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8083), |port| port.parse())?;

    // The name of the issuer is its address, so the port is bound first.
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| format!("port {port}: {error}. Choose another one with `PORT=8090`"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let config = Config::new(&url, AuthType::EdDSA, generate_key()?)
        .session_store(MemoryStore::default())
        .dpop_nonce(std::env::var("DPOP_NONCE").is_ok_and(|demand| demand == "1"))
        .resource_metadata(format!("{url}/.well-known/oauth-protected-resource"));
    let auth = AuthManager::new(config)?;

    let (secret, is_made) = client_secret()?;
    // For trying it out. Where others reach the server, leave `allow_weak_secret` out.
    let demo = OAuthClient::with_secret("demo", &secret).allow_weak_secret(true);
    let clients = OAuthClients::new([demo])?;
    let found = Documents::new(&auth, &clients)?;
    let shown = if is_made {
        secret.as_str()
    } else {
        "$CLIENT_SECRET"
    };
    println!(
        "\
Listening on {url}. In another terminal:

CLIENT=\"demo:{shown}\"
PAIR=$(curl -s -d 'username=alice&password=wonderland' {url}/login)
TOKEN=$(echo \"$PAIR\" | sed 's/.*\"auth_token\":\"\\([^\"]*\\)\".*/\\1/')
REFRESH=$(echo \"$PAIR\" | sed 's/.*\"refresh_token\":\"\\([^\"]*\\)\".*/\\1/')
curl -s {url}/.well-known/oauth-authorization-server                              # 200: what the server has
curl -i -H \"Authorization: Bearer $TOKEN\" {url}/protected                         # 200
curl -i -H \"Authorization: Bearer $TOKEN\" {url}/bound                             # 401: bound to no key
curl -s -u \"$CLIENT\" -d \"token=$TOKEN\" {url}/introspect                           # 200: active
curl -i -d \"grant_type=refresh_token&refresh_token=$REFRESH\" {url}/token                # 401: no client
curl -s -u \"$CLIENT\" -d \"grant_type=refresh_token&refresh_token=$REFRESH\" {url}/token  # 200: the next pair
curl -i -u \"$CLIENT\" -d \"token=$REFRESH\" {url}/revoke                             # 200: the session has ended
curl -i -H \"Authorization: Bearer $TOKEN\" {url}/protected                         # 401

Ctrl-C ends it."
    );
    HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .configure(|app| routes(app, &auth, &clients))
            .configure(|app| documents(app, found.clone()))
    })
    .workers(2)
    .listen(listener)?
    .run()
    .await?;
    println!("stopped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use flask_pyjwt::testing::{TestAuth, audit};

    use super::*;

    /// `audit/oauth.txt` says who may enter: a change of it is a change of who may do what.
    #[actix_web::test]
    async fn every_route_refuses_what_it_has_to() {
        let auth = TestAuth::new();
        let secret = "change-me: at least 32 bytes of secret";
        let demo = OAuthClient::with_secret("demo", secret);
        let clients = OAuthClients::new([demo]).expect("valid clients");
        let open = [
            "ANY /.well-known/jwks.json",
            "POST /introspect",
            "POST /login",
            "POST /revoke",
            "POST /token",
        ];
        let report = audit(|| {
            let app = App::new().app_data(auth.manager());
            app.configure(|app| routes(app, &auth.manager(), &clients))
        });
        let report = report.public(&open).await;
        report.assert_public(&open);
        assert_eq!(report.to_string(), include_str!("audit/oauth.txt"));
    }
}
