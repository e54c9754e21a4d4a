//! Key rotation: an issuer that publishes its public keys, and rotates them while requests go on.
//!
//! ```text
//! PORT=8081 cargo run --example issuer
//! ```
//!
//! It prints `curl` lines: `/login` answers with a token, `/.well-known/jwks.json` with the public keys, `/rotate` with the
//! ID of the key that signs from now on. `examples/resource.rs` is a server that accepts its tokens.
//!
//! `AUTHTYPE` selects the algorithm, by default EdDSA. The keys are made for this run. A real issuer keeps them in the
//! folder that `JWT_KEYS_DIR` names, and all its processes read them there.

use std::{
    collections::VecDeque,
    error::Error,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, post, rt, web};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    },
};
use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError, Key, Rejection};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// Answers with an auth token if the password is right.
#[post("/login")]
async fn login(auth: AuthManager, login: web::Form<Login>) -> Result<HttpResponse, Rejection> {
    let is_right = matches!(
        (login.username.as_str(), login.password.as_str()),
        ("alice", "wonderland") | ("root", "correct-horse")
    );
    if !is_right {
        return Ok(HttpResponse::Unauthorized().body("wrong username or password"));
    }
    let token = auth.auth_token(&login.username).scope("read").sign()?;
    Ok(HttpResponse::Ok().json(json!({ "auth_token": token.signed() })))
}

/// Keys that are published and do not sign yet. The next one comes first, with the moment of its publication.
#[derive(Default)]
struct Published(Mutex<VecDeque<(Key, Option<Instant>)>>);

/// How many keys are published ahead.
const AHEAD: usize = 3;
/// Verifiers fetch the keys again for an unknown key ID, but only once in ten seconds. After this time each verifier
/// knows a new key, or can fetch it.
const WAIT: Duration = Duration::from_secs(11);

impl Published {
    /// Publishes one more key. The keys of the start need no moment, because no verifier has fetched any before.
    fn add(&self, auth: &AuthManager, since: Option<Instant>) -> Result<(), ConfigError> {
        let key = generate(auth.auth_type());
        auth.prepublish(key.clone())?;
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.push_back((key, since));
        Ok(())
    }

    fn next(&self) -> Option<(Key, Option<Instant>)> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.pop_front()
    }
}

/// Signs with the next key from now on, and publishes one more. It answers at once, unless there were more than three
/// rotations in a few seconds.
#[post("/rotate")]
async fn rotate(
    request: HttpRequest,
    auth: AuthManager,
    published: web::Data<Published>,
) -> Result<HttpResponse, Box<dyn Error>> {
    // The peer of the connection: fields such as `X-Forwarded-For` do not count.
    let peer = request.peer_addr();
    if !peer.is_some_and(|peer| peer.ip().is_loopback()) {
        return Ok(HttpResponse::Forbidden().body("only from this machine"));
    }
    published.add(&auth, Some(Instant::now()))?;
    let (key, since) = published.next().ok_or("no key is published")?;
    if let Some(since) = since {
        rt::time::sleep_until((since + WAIT).into()).await;
    }
    let id = auth.rotate(key)?;
    Ok(HttpResponse::Ok().json(json!({ "kid": id })))
}

/// Makes a key: a secret for HMAC, a private key in PEM for the others.
fn generate(auth_type: AuthType) -> Key {
    Key::new(auth_type, generate_secret(auth_type))
}

fn generate_secret(auth_type: AuthType) -> Vec<u8> {
    const MADE: &str = "the system has randomness";
    let pem = |der: &[u8]| pem::encode(&pem::Pem::new("PRIVATE KEY", der)).into_bytes();
    match auth_type {
        AuthType::HS256 | AuthType::HS384 | AuthType::HS512 => {
            let mut secret = vec![0; 64];
            getrandom::fill(&mut secret).expect(MADE);
            secret
        }
        AuthType::ES256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect(MADE);
            pem(pair.to_pkcs8v1().expect(MADE).as_ref())
        }
        AuthType::ES384 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect(MADE);
            pem(pair.to_pkcs8v1().expect(MADE).as_ref())
        }
        AuthType::ES512 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).expect(MADE);
            pem(pair.to_pkcs8v1().expect(MADE).as_ref())
        }
        AuthType::EdDSA => {
            let pair = Ed25519KeyPair::generate().expect(MADE);
            pem(pair.to_pkcs8v1().expect(MADE).as_ref())
        }
        _ => {
            let pair = rsa::KeyPair::generate(KeySize::Rsa2048).expect(MADE);
            let der: Pkcs8V1Der<'_> = pair.as_der().expect(MADE);
            pem(der.as_ref())
        }
    }
}

fn routes(app: &mut web::ServiceConfig, auth: &AuthManager) {
    app.service(login)
        .service(rotate)
        .service(auth.jwks())
        .service(auth.metadata(format!("{}/.well-known/jwks.json", auth.issuer())));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8081), |port| port.parse())?;
    let auth_type = std::env::var("AUTHTYPE").map_or(Ok(AuthType::EdDSA), |name| name.parse())?;

    // The name of the issuer is its address, so the port is bound first.
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| format!("port {port}: {error}. Choose another one with `PORT=8090`"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let config = Config::new(&url, auth_type, generate_secret(auth_type)).audience("example-api");
    let auth = AuthManager::new(config.always_key_id(true))?;
    let published = web::Data::new(Published::default());
    for _ in 0..AHEAD {
        published.add(&auth, None)?;
    }
    println!(
        "\
Listening on {url}. In other terminals of the same machine:

ISSUER_URL={url} PORT=8082 cargo run --example resource
curl -s {url}/.well-known/jwks.json                        # the public keys
TOKEN=$(curl -s -d 'username=alice&password=wonderland' {url}/login | sed 's/.*\"auth_token\":\"\\([^\"]*\\)\".*/\\1/')
curl -i -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8082/protected  # 200: names the key of the token
curl -s -X POST {url}/rotate                               # the key that signs from now on

Ctrl-C ends it."
    );
    HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .app_data(published.clone())
            .configure(|app| routes(app, &auth))
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

    /// `audit/issuer.txt` says who may enter: a change of it is a change of who may do what.
    #[actix_web::test]
    async fn every_route_refuses_what_it_has_to() {
        let auth = TestAuth::new();
        let open = [
            "ANY /.well-known/jwks.json",
            "ANY /.well-known/oauth-authorization-server",
            "ANY /.well-known/openid-configuration",
            "POST /login",
            "POST /rotate",
        ];
        let report = audit(|| {
            let app = App::new().app_data(auth.manager());
            app.app_data(web::Data::new(Published::default()))
                .configure(|app| routes(app, &auth.manager()))
        });
        let report = report.public(&open).await;
        report.assert_public(&open);
        assert_eq!(report.to_string(), include_str!("audit/issuer.txt"));
    }
}
