//! https: keys are only fetched from servers with a certificate of a trusted authority.

use std::{path::Path, sync::Arc};
use support::folder::Folder;

use flask_pyjwt::{AuthManager, AuthType, Issuer};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::json;

use super::{
    PATH, is_unavailable, jwk,
    server::{Answer, BadServer},
    set, token,
};
use support::{
    SECRET,
    certificates::{make_authority, make_certificate, read},
    config, frozen, keys, manager,
};

/// A server with a certificate of the authority `ca` for `localhost` only. The folder also contains another
/// authority.
pub(super) fn server(folder: &Path) -> BadServer {
    make_authority(folder, "ca");
    make_authority(folder, "other");
    make_certificate(folder, "ca", "server", "DNS:localhost");
    let certificate = CertificateDer::from_pem_slice(&read(folder, "server.crt"));
    let key = PrivateKeyDer::from_pem_slice(&read(folder, "server.key"));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        );
    let server = BadServer::start_with_tls(config.expect("they match"));
    server.answers(PATH, set(&[jwk(&keys::ED25519, "a")]));
    server
}

fn trusting(issuers: impl IntoIterator<Item = Issuer>) -> AuthManager {
    let config = config(AuthType::HS256, SECRET).clock(frozen());
    let trust = |config: flask_pyjwt::Config, issuer: Issuer| config.trust(issuer.audience("api"));
    manager(issuers.into_iter().fold(config, trust))
}

#[actix_web::test]
async fn threat_9_keys_are_fetched_only_from_servers_with_a_trusted_certificate() {
    let folder = Folder::new("jwks-tls");
    let server = server(folder.path());
    let (ca, other) = (
        read(folder.path(), "ca.crt"),
        read(folder.path(), "other.crt"),
    );
    let issuer = |number: u8, host: &str| {
        Issuer::new(format!("https://issuer{number}.example"))
            .jwks_url(server.https_url(host, PATH))
    };
    // All in one manager: root certificates of one issuer do not apply to the others.
    let refused = [
        (issuer(1, "localhost"), "invalid peer certificate"),
        (
            issuer(2, "localhost").root_certificates(&other),
            "invalid peer certificate",
        ),
        (
            issuer(3, "127.0.0.1").root_certificates(&ca),
            "not valid for name",
        ),
    ];
    let auth = trusting(refused.iter().map(|(issuer, _)| issuer.clone()));
    let states = auth.fetch_keys().await;
    for (state, (_, reason)) in states.iter().zip(&refused) {
        let error = state.error().expect("refused");
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("cannot be reached"), "{error}");
        assert!(!state.is_usable());
        let token = token(state.issuer(), &keys::ED25519, "a");
        let outcome = auth.verify_token_async(&token).await.map(drop);
        assert!(is_unavailable(outcome), "{}", state.issuer());
    }
    assert_eq!(server.requests(), 0, "no request was sent");

    let both = [other, ca.clone()].concat();
    let accepted = [
        issuer(4, "localhost").root_certificates(ca),
        issuer(5, "LOCALHOST").root_certificates(both),
    ];
    let auth = trusting(accepted.into_iter().chain([issuer(6, "localhost")]));
    let states = auth.fetch_keys().await;
    for state in &states[..2] {
        assert_eq!(state.error(), None, "{}", state.issuer());
        let known = token(state.issuer(), &keys::ED25519, "a");
        assert!(auth.verify_token(&known).is_ok(), "{}", state.issuer());
    }
    assert!(!states[2].is_usable());
    let token = token(states[2].issuer(), &keys::ED25519, "a");
    assert!(is_unavailable(auth.verify_token(&token).map(drop)));
}

#[actix_web::test]
async fn discovery_documents_and_their_keys_need_a_trusted_certificate() {
    let folder = Folder::new("jwks-tls");
    let server = server(folder.path());
    let name = server.https_url("localhost", "/issuer");
    let issuer = || {
        let issuer = Issuer::new(&name).discovery();
        issuer.root_certificates(read(folder.path(), "ca.crt"))
    };
    let document = |host: &str| {
        Answer::json(json!({ "issuer": name, "jwks_uri": server.https_url(host, PATH) }))
    };
    let place = "/issuer/.well-known/openid-configuration";
    // The document must not lead to a server without a trusted certificate.
    server.answers(place, document("127.0.0.1"));
    let auth = trusting([issuer()]);
    let states = auth.fetch_keys().await;
    let error = states[0].error().expect("refused");
    assert!(error.contains("not valid for name"), "{error}");

    server.answers(place, document("localhost"));
    let auth = trusting([issuer()]);
    assert_eq!(auth.fetch_keys().await[0].key_ids(), ["a"]);
    let token = token(&name, &keys::ED25519, "a");
    assert!(auth.verify_token(&token).is_ok());
}
