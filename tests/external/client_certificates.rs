//! Tokens that are bound to the client certificate of a TLS connection (RFC 8705): a server with rustls, and `curl` as the
//! client.

use std::{net::Ipv4Addr, path::Path, process::Command, slice, sync::Arc};

use actix_web::{App, HttpRequest, HttpServer, web};
use flask_pyjwt::{AuthManager, CurrentToken, keep_client_certificate, require_token};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

use support::{
    certificates::{make_authority, make_certificate, read},
    folder::Folder,
    hs256, manager,
};

async fn login(auth: AuthManager, request: HttpRequest) -> Result<String, flask_pyjwt::Rejection> {
    let certificate = auth.client_certificate(&request);
    let token = auth.auth_token("alice").bind_to_certificate(&certificate);
    Ok(token.sign()?.signed().to_owned())
}

#[require_token]
async fn any(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(bound)]
async fn bound(token: CurrentToken) -> String {
    token.sub().to_owned()
}

/// Accepts clients with a certificate of the authority, and clients without one.
fn tls(folder: &Path) -> ServerConfig {
    let certificate =
        |name: &str| CertificateDer::from_pem_slice(&read(folder, name)).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca.crt")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .expect("a verifier");
    let key = PrivateKeyDer::from_pem_slice(&read(folder, "server.key")).expect("a key");
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate("server.crt")], key)
        .expect("a pair")
}

/// The body and the status of an answer to `curl`, which shows this certificate.
fn curl(folder: &Path, port: u16, path: &str, client: Option<&str>, fields: &[String]) -> String {
    let mut command = Command::new("curl");
    command
        .current_dir(folder)
        .args(["-s", "--cacert", "ca.crt", "-w", " %{http_code}"])
        .arg(format!("https://localhost:{port}{path}"));
    if let Some(client) = client {
        command.args([
            "--cert",
            &format!("{client}.crt"),
            "--key",
            &format!("{client}.key"),
        ]);
    }
    for field in fields {
        command.args(["-H", field]);
    }
    let output = command.output().expect("curl is installed");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[actix_web::test]
async fn a_bound_token_is_accepted_over_connections_with_its_certificate_only() {
    let folder = Folder::new("client-certificates");
    let path = folder.path().to_owned();
    make_authority(&path, "ca");
    make_certificate(&path, "ca", "server", "DNS:localhost,IP:127.0.0.1");
    for client in ["alice", "mallory"] {
        make_certificate(&path, "ca", client, "DNS:client");
    }
    let auth = manager(hs256());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(auth.clone())
            .route("/login", web::get().to(login))
            .route("/any", web::get().to(any))
            .route("/bound", web::get().to(bound))
    })
    .workers(1)
    .disable_signals()
    .on_connect(keep_client_certificate)
    .bind_rustls_0_23((Ipv4Addr::LOCALHOST, 0), tls(&path))
    .expect("bound");
    let port = server.addrs()[0].port();
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);

    let asked = web::block(move || {
        let ask = |at: &str, client, fields: &[String]| curl(&path, port, at, client, fields);
        let login = |client| {
            let answer = ask("/login", client, &[]);
            let token = answer.strip_suffix(" 200").expect("minted").to_owned();
            format!("Authorization: Bearer {token}")
        };
        let (own, unbound) = (login(Some("alice")), login(None));
        for route in ["/any", "/bound"] {
            let accepted = ask(route, Some("alice"), slice::from_ref(&own));
            assert_eq!(accepted, "alice 200", "{route}");
            for client in [Some("mallory"), None] {
                let refused = ask(route, client, slice::from_ref(&own));
                assert!(refused.ends_with(" 401"), "{route} {client:?}: {refused}");
            }
        }
        // Nobody on this connection is a proxy.
        let certificate = String::from_utf8(read(&path, "alice.crt")).expect("PEM");
        let base64: String = certificate
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let forged = format!("Client-Cert: :{base64}:");
        assert!(ask("/bound", Some("mallory"), &[own, forged]).ends_with(" 401"));

        assert_eq!(
            ask("/any", Some("alice"), slice::from_ref(&unbound)),
            "alice 200"
        );
        assert!(ask("/bound", Some("alice"), &[unbound]).ends_with(" 401"));
    });
    let asked = asked.await;
    handle.stop(true).await;
    asked.expect("as expected");
}
