//! An issuer that does not answer.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
};

use flask_pyjwt::{AuthType, testing::TestIssuer};
use support::{SECRET, config, frozen, manager};

use super::{Setting, site};

#[actix_web::test]
async fn while_the_issuer_fails_known_keys_are_used_and_unknown_ones_are_503() {
    let here = Setting::of(TestIssuer::keycloak()).await;
    let known = here.issuer.token("alice").sign();
    here.issuer.fail(500);
    here.issuer.rotate();
    here.auth.fetch_keys().await;
    let error = here.auth.key_sources()[0].error().map(str::to_owned);
    let error = error.expect("the issuer fails");
    assert!(error.contains("500"), "{error}");
    let unknown = here.issuer.token("alice").sign();
    here.site.accepts(&known, "a known key").await;
    let reply = here.site.get("/", &unknown).await;
    assert_eq!(reply.outcome(), (503, "unavailable"));
    here.issuer.recover();
    here.auth.fetch_keys().await;
    here.site.accepts(&unknown, "after the outage").await;
}

#[actix_web::test]
async fn an_issuer_that_never_answered_is_503() {
    let clock = frozen();
    let issuer = TestIssuer::entra().clock(clock.clone());
    issuer.fail(503);
    let config = config(AuthType::HS256, SECRET).clock(clock);
    let auth = manager(config.trust(issuer.issuer()));
    auth.fetch_keys().await;
    let reply = site(auth)
        .await
        .get("/", &issuer.token("alice").sign())
        .await;
    assert_eq!(reply.status, 503);
}

/// The request is answered with the status that was set while it waited.
#[test]
fn a_hanging_issuer_takes_requests_and_answers_them_later() {
    let issuer = TestIssuer::oidc();
    issuer.hang();
    let address = issuer.url()["http://".len()..].to_owned();
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream
            .write_all(b"GET /jwks.json HTTP/1.1\r\nHost: a\r\n\r\n")
            .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    while issuer.requests().is_empty() {
        thread::yield_now();
    }
    issuer.fail(418);
    let answer = client.join().expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 418 "), "{answer}");
}

#[test]
fn dropping_the_last_clone_stops_the_server() {
    let issuer = TestIssuer::oidc();
    let address = issuer.url()["http://".len()..].to_owned();
    let clone = issuer.clone();
    drop(issuer);
    assert!(TcpStream::connect(&address).is_ok());
    drop(clone);
    let refused = TcpStream::connect(&address).map_err(|error| error.kind());
    assert_eq!(
        refused.map(drop),
        Err(std::io::ErrorKind::ConnectionRefused)
    );
}
