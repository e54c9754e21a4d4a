//! OAuth's endpoints: who may ask, and what they answer. `docs/threats.md` 64.

mod assertions;
mod authentication;
mod clients;
mod dpop;
#[cfg(feature = "aws-lc-rs")]
mod failing_stores;
mod hostile_bodies;
mod introspection;
mod metadata;
mod ownership;
mod refresh;
mod revocation;

use actix_web::{http::header, test::TestRequest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Key, MemoryStore, OAuthClient, OAuthClients, TokenPair,
    testing::FrozenClock,
};
use serde_json::json;

use support::{
    ISSUER, NOW, SECRET, at, guarded, keys, manager,
    site::{Reply, Site},
};

/// The secret of the client `demo`: it has characters that Basic credentials have to encode.
const DEMO: &str = "a secret with: %, + and enough bytes & more";
const BASIC: Option<(&str, &str)> = Some(("demo", DEMO));

/// The clients: `demo` and `other` with a secret, `service` with a key, `spa` without anything.
fn clients() -> OAuthClients {
    let key = keys::public(AuthType::ES256).expect("a public key");
    OAuthClients::new([
        OAuthClient::with_secret("demo", DEMO),
        OAuthClient::with_secret("other", SECRET),
        OAuthClient::with_key("service", Key::verify_only(AuthType::ES256, key)),
        OAuthClient::public("spa"),
    ])
    .expect("valid clients")
}

/// A server with all endpoints.
struct Server {
    auth: AuthManager,
    clock: FrozenClock,
    site: Site,
}

impl Server {
    async fn new() -> Self {
        Self::with(|config| config.session_store(MemoryStore::default())).await
    }

    async fn with(configure: impl FnOnce(Config) -> Config) -> Self {
        let clock = FrozenClock::new(at(NOW));
        let config = Config::new(ISSUER, AuthType::HS256, SECRET).clock(clock.clone());
        let auth = manager(configure(config));
        let (clients, guarded) = (clients(), guarded(&auth));
        let site = Site::new(|app| {
            app.service(auth.token_endpoint(&clients))
                .service(auth.introspection(&clients))
                .service(auth.revocation(&clients))
                .configure(guarded);
        });
        let site = site.await;
        Self { auth, clock, site }
    }

    async fn login(&self) -> TokenPair {
        let login = self.auth.login("alice").scope("read write");
        login.await.expect("logged in")
    }

    /// A login that belongs to a client.
    async fn login_of(&self, client: &str) -> TokenPair {
        let login = self.auth.login("alice").claim("client_id", client);
        login.await.expect("logged in")
    }

    async fn post(&self, path: &str, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Reply {
        self.site.ask(request(path, basic, form)).await
    }

    async fn refresh(&self, basic: Option<(&str, &str)>, token: &str) -> Reply {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/token", basic, &form).await
    }

    async fn introspect(&self, token: &str) -> Reply {
        self.post("/introspect", BASIC, &[("token", token)]).await
    }

    async fn revoke(&self, token: &str) -> Reply {
        self.post("/revoke", BASIC, &[("token", token)]).await
    }

    /// Whether a guard accepts an auth token.
    async fn is_accepted(&self, token: &str) -> bool {
        self.site.get("/", token).await.status == 200
    }
}

fn request(path: &str, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> TestRequest {
    let request = TestRequest::post().uri(path).set_form(form);
    match basic {
        Some((id, secret)) => request.insert_header((header::AUTHORIZATION, basic_of(id, secret))),
        None => request,
    }
}

/// Basic credentials of OAuth: both parts are form-encoded (RFC 6749, section 2.3.1).
fn basic_of(id: &str, secret: &str) -> String {
    let encoded = |text: &str| {
        let bytes = text.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            b' ' => "+".to_owned(),
            byte => format!("%{byte:02X}"),
        });
        bytes.collect::<String>()
    };
    let both = format!("{}:{}", encoded(id), encoded(secret));
    format!("Basic {}", STANDARD.encode(both))
}

/// Asserts an error of RFC 6749, section 5.2, and what every answer has.
#[track_caller]
fn is_refused(reply: &Reply, status: u16, error: &str, what: &str) {
    let answer = reply.json();
    assert_eq!(
        (reply.status, &answer["error"]),
        (status, &json!(error)),
        "{what}"
    );
    assert!(answer["error_description"].is_string(), "{what}");
    assert_eq!(reply.field("content-type"), "application/json", "{what}");
    assert_eq!(reply.field("cache-control"), "no-store", "{what}");
    let challenge = format!("Basic realm=\"{ISSUER}\"");
    let challenge = if status == 401 {
        challenge.as_str()
    } else {
        ""
    };
    assert_eq!(reply.field("www-authenticate"), challenge, "{what}");
}
