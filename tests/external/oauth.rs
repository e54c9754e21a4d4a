//! OAuth's endpoints with the certified `openid-client` of the npm registry, run with Node.js: against the example, and
//! with each method of client authentication against a server of this test.

mod dpop;

use std::{net::TcpListener, sync::mpsc, thread};

use actix_web::{App, HttpServer, Responder, dev::ServerHandle, get, rt::System};
use flask_pyjwt::{
    AuthManager, AuthType, Config, CurrentToken, Key, MemoryStore, OAuthClient, OAuthClients,
    require_token,
};
use serde_json::Value;

use support::{dpop::thumbprint, example::Example, keys, manager, wire};

use crate::npm::check;

const SECRET: &str = "a secret with: %, + and enough bytes & more";

/// An example that listens, and its address.
fn example(name: &str, variables: &[(&str, &str)]) -> (Example, String) {
    let example = Example::start(name, variables);
    let output = example.process.read_until("Listening on http://");
    let address = output.rsplit("Listening on ").next().unwrap_or_default();
    let address = address.split(". ").next().unwrap_or_default().to_owned();
    (example, address)
}

#[test]
fn openid_client_refreshes_introspects_and_revokes_at_the_example() {
    let secret = "0123456789abcdef0123456789abcdef";
    let (_example, address) = example("oauth", &[("CLIENT_SECRET", secret)]);
    let port = address
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    let port: u16 = port.unwrap_or_else(|| panic!("no port in {address}"));
    let login = || {
        let form = "username=alice&password=wonderland";
        let request = format!(
            "POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            form.len()
        );
        let pair: Value = wire::send_to(port, request.as_bytes()).json();
        pair["refresh_token"].as_str().expect("a token").to_owned()
    };
    for method in ["client_secret_basic", "client_secret_post"] {
        let variables = [("CREDENTIAL", secret), ("REFRESH_TOKEN", &login())];
        check("client.mjs", &[&address, method, "demo"], &variables);
    }
}

#[require_token]
#[get("/protected")]
async fn protected(token: CurrentToken) -> impl Responder {
    token.sub().to_owned()
}

/// A server with a client for each method. It stops when it is dropped.
struct Server {
    auth: AuthManager,
    issuer: String,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("bound"));
        let config = Config::new(&issuer, AuthType::EdDSA, keys::secret(AuthType::EdDSA))
            .session_store(MemoryStore::default())
            .resource_metadata(format!("{issuer}/.well-known/oauth-protected-resource"));
        let auth = manager(config);
        let key = keys::public(AuthType::ES256).expect("a public key");
        let clients = OAuthClients::new([
            OAuthClient::with_secret("demo", SECRET),
            OAuthClient::with_key("service", Key::verify_only(AuthType::ES256, key)),
            OAuthClient::public("spa"),
        ])
        .expect("valid clients");
        let (started, starts) = mpsc::channel();
        let shared = auth.clone();
        let thread = thread::spawn(move || {
            System::new().block_on(serve(shared, clients, listener, started));
        });
        let handle = starts.recv().expect("the server starts");
        Self {
            auth,
            issuer,
            handle,
            thread: Some(thread),
        }
    }

    /// Logs in for a client. The tokens of the public one are bound to a key.
    fn login(&self, client: &str) -> String {
        let login = self.auth.login("alice").scope("read write");
        let login = login.client_id(client);
        let login = match client {
            "spa" => login.bind_to(thumbprint(&keys::P256)),
            _ => login,
        };
        let pair = System::new().block_on(login);
        pair.expect("logged in").refresh.signed().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        System::new().block_on(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

async fn serve(
    auth: AuthManager,
    clients: OAuthClients,
    listener: TcpListener,
    started: mpsc::Sender<ServerHandle>,
) {
    let token = auth.token_endpoint(&clients);
    let introspection = auth.introspection(&clients);
    let revocation = auth.revocation(&clients);
    let metadata = auth.server_metadata().expect("a URL");
    let metadata = metadata
        .token_endpoint(&token)
        .introspection(&introspection)
        .revocation(&revocation)
        .jwks(&auth.jwks());
    let resource = auth.resource_metadata(auth.issuer()).expect("a URL");
    let server = HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .service((token.clone(), introspection.clone(), revocation.clone()))
            .service((metadata.clone(), resource.clone(), auth.jwks(), protected))
    });
    let server = server.workers(1).disable_signals().listen(listener);
    let server = server.expect("it listens").run();
    started.send(server.handle()).expect("awaited");
    server.await.expect("no failure");
}

#[test]
fn openid_client_authenticates_by_each_method_and_owns_its_logins() {
    let server = Server::start();
    let private_key = String::from_utf8(keys::secret(AuthType::ES256)).expect("PEM");
    for (method, client, credential) in [
        ("client_secret_basic", "demo", SECRET),
        ("client_secret_post", "demo", SECRET),
        ("private_key_jwt", "service", &*private_key),
        ("none", "spa", &private_key),
    ] {
        let other = server.login(if client == "demo" { "spa" } else { "demo" });
        let variables = [
            ("CREDENTIAL", credential),
            ("REFRESH_TOKEN", &server.login(client)),
            ("OTHER_REFRESH_TOKEN", &other),
        ];
        check("client.mjs", &[&server.issuer, method, client], &variables);
    }
}
