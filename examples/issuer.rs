//! An issuer: it mints tokens at the login, publishes its public keys, and rotates them while it serves.
//! `examples/resource.rs` is a server that accepts its tokens.
//!
//! ```text
//! PORT=8081 cargo run --example issuer
//! ```
//!
//! `AUTHTYPE` is the algorithm, by default EdDSA. The keys are made for this run. (A real issuer keeps its
//! keys: in a folder named by `JWT_KEYS_DIR`, which all its processes read.)

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    App, Error, HttpRequest, HttpServer, Responder,
    error::{ErrorForbidden, ErrorInternalServerError, ErrorUnauthorized},
    post, web,
};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    },
};
use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError, Key};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// An auth token for a user with the right password.
#[post("/login")]
async fn login(
    auth: web::Data<AuthManager>,
    login: web::Form<Login>,
) -> Result<impl Responder, Error> {
    let is_right = matches!(
        (login.username.as_str(), login.password.as_str()),
        ("alice", "wonderland") | ("root", "correct-horse")
    );
    if !is_right {
        return Err(ErrorUnauthorized("wrong username or password"));
    }
    let token = auth.auth_token(&login.username).scope("read").sign();
    let token = token.map_err(ErrorInternalServerError)?;
    Ok(web::Json(json!({ "auth_token": token.signed() })))
}

/// Keys that are shown already and do not sign yet, the next one first, with the moment since when.
#[derive(Default)]
struct Shown(Mutex<VecDeque<(Key, Option<Instant>)>>);

/// So many keys are shown ahead.
const AHEAD: usize = 3;
/// A verifier asks for an unknown key once in ten seconds. A key that was shown for longer than that is
/// known everywhere, or will be asked for.
const SHOWN_FOR: Duration = Duration::from_secs(11);

impl Shown {
    /// Shows one more key. Those of the start need no time: nobody has fetched anything before.
    fn show(&self, auth: &AuthManager, since: Option<Instant>) -> Result<(), ConfigError> {
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

/// Signs with the next key, and shows one more. Answers when tokens are signed with it: at once, unless
/// there were more than three rotations in a few seconds.
#[post("/rotate")]
async fn rotate(
    request: HttpRequest,
    auth: web::Data<AuthManager>,
    shown: web::Data<Shown>,
) -> Result<impl Responder, Error> {
    // The peer of the connection, whatever a field says of somebody else.
    if !request
        .peer_addr()
        .is_some_and(|peer| peer.ip().is_loopback())
    {
        return Err(ErrorForbidden("only from this machine"));
    }
    shown
        .show(&auth, Some(Instant::now()))
        .map_err(ErrorInternalServerError)?;
    let (key, since) = shown
        .next()
        .ok_or_else(|| ErrorInternalServerError("no key is shown"))?;
    if let Some(since) = since {
        actix_web::rt::time::sleep_until((since + SHOWN_FOR).into()).await;
    }
    let id = auth.rotate(key).map_err(ErrorInternalServerError)?;
    Ok(web::Json(json!({ "kid": id })))
}

/// A new key: a secret for HMAC, else a private key in PEM.
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

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8081), |port| port.parse())?;
    let auth_type = std::env::var("AUTHTYPE").map_or(Ok(AuthType::EdDSA), |name| name.parse())?;

    // The issuer's name is its address, which has to be known before: `PORT=0` asks for any that is free.
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    let url = format!("http://{}", listener.local_addr()?);
    let config = Config::new(&url, auth_type, generate_secret(auth_type)).audience("example-api");
    let auth = AuthManager::new(config.always_key_id(true))?;
    let shown = web::Data::new(Shown::default());
    for _ in 0..AHEAD {
        shown.show(&auth, None)?;
    }
    println!(
        "\
Listening on {url}. In other terminals of the same machine:

ISSUER_URL={url} PORT=8082 cargo run --example resource --features jwks
curl -s {url}/.well-known/jwks.json
TOKEN=$(curl -s -d 'username=alice&password=wonderland' {url}/login | sed 's/.*\"auth_token\":\"\\([^\"]*\\)\".*/\\1/')
curl -i -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8082/protected
curl -s -X POST {url}/rotate

Ctrl-C ends it."
    );
    HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(auth.clone()))
            .app_data(shown.clone())
            .service(login)
            .service(rotate)
            .service(auth.jwks())
            .service(auth.metadata(format!("{}/.well-known/jwks.json", auth.issuer())))
    })
    .workers(2)
    .listen(listener)?
    .run()
    .await?;
    println!("stopped");
    Ok(())
}
