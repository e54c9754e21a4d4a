//! The key set of this package, read by PyJWT's `PyJWKClient` in a Flask server that verifies tokens with it.

use std::{sync::mpsc, thread};

use actix_web::{App, HttpServer, dev::ServerHandle, rt};
use flask_pyjwt::{AuthManager, AuthType, Config, Key};

use super::{
    http,
    python::{Packages, Python},
};
use support::keys;

const ISSUER: &str = "https://issuer.example";

/// An actix server with the key set, which stops when it is dropped.
struct KeySet {
    port: u16,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<std::io::Result<()>>>,
}

impl KeySet {
    fn serve(auth: &AuthManager) -> Self {
        let auth = auth.clone();
        let (started, starts) = mpsc::channel();
        let thread = thread::spawn(move || {
            rt::System::new().block_on(async move {
                let server = HttpServer::new(move || App::new().service(auth.jwks()))
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
            handle,
            thread: Some(thread),
        }
    }
}

impl Drop for KeySet {
    fn drop(&mut self) {
        // The call sends the command. The thread ends once the server has stopped.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// One set with keys of every type. Tokens of each key are accepted before and after a rotation.
pub(crate) fn is_read_by_py_jwk_client(packages: Packages) {
    let Some(python) = Python::with(packages) else {
        return;
    };
    let key = |auth_type: AuthType| {
        let key = Key::new(auth_type, keys::secret(auth_type));
        key.id(auth_type.name())
    };
    let config = Config::new(ISSUER, AuthType::EdDSA, keys::secret(AuthType::EdDSA))
        .key_id("first")
        .audience("api");
    let auth = AuthManager::new(config).expect("a valid configuration");
    let public = [
        AuthType::RS256,
        AuthType::PS384,
        AuthType::ES256,
        AuthType::ES384,
        AuthType::ES512,
    ];
    for auth_type in public {
        auth.prepublish(key(auth_type)).expect("a valid key");
    }
    let set = KeySet::serve(&auth);
    let url = format!("http://127.0.0.1:{}/.well-known/jwks.json", set.port);
    let flask = python.serve_script("jwks_server.py", &[&url, ISSUER, "api"]);
    let ask = |token: &str| {
        let field = format!("Authorization: Bearer {token}\r\n");
        http::get(flask.port, "/protected", &field)
    };
    let mut tokens = vec![auth.auth_token("alice").sign().expect("minted")];
    for auth_type in public {
        auth.rotate(key(auth_type)).expect("a valid key");
        tokens.push(auth.auth_token("alice").sign().expect("minted"));
    }
    for token in &tokens {
        let answer = ask(token.signed());
        assert_eq!(answer.status, 200, "{:?} {:?}", token.header(), answer.body);
        assert_eq!(answer.body["sub"], "alice");
        assert_eq!(answer.body["kid"], token.header()["kid"]);
        let forged = token.signed().replace('.', ".e30.");
        assert_eq!(ask(&forged).status, 401);
    }
    // A removed key is not in the set any more. Without its cache, the client refuses the token.
    auth.remove_key("first").expect("it exists");
    let other = AuthManager::new(
        Config::new(ISSUER, AuthType::EdDSA, keys::secret(AuthType::EdDSA))
            .key_id("first")
            .audience("api"),
    );
    let of_dropped = other
        .expect("a valid configuration")
        .auth_token("alice")
        .sign();
    let flask = python.serve_script("jwks_server.py", &[&url, ISSUER, "api"]);
    let field = format!(
        "Authorization: Bearer {}\r\n",
        of_dropped.expect("minted").signed()
    );
    let answer = wait_for_refusal(&|| http::get(flask.port, "/protected", &field));
    assert!(
        answer.body["error"]
            .to_string()
            .contains("Unable to find a signing key"),
        "{answer:?}"
    );
}

/// The set is rebuilt at most once per second.
fn wait_for_refusal(ask: &dyn Fn() -> http::Answer) -> http::Answer {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let answer = ask();
        if answer.status == 401 {
            return answer;
        }
        assert!(
            std::time::Instant::now() < patience,
            "the key stays in the set"
        );
    }
}
