//! Refresh tokens that are bound to a key of the client, at the token endpoint (RFC 9449, section 5).

use serde_json::Value;

use super::*;
use support::{
    dpop::{Proof, jwk, thumbprint},
    forge::Key as Forger,
    keys::{OTHER_P256, P256},
};

const TOKEN: &str = "http://localhost:8080/token";

async fn bound_login(server: &Server) -> TokenPair {
    let login = server.auth.login("alice").scope("read write");
    login.bind_to(thumbprint(&P256)).await.expect("logged in")
}

async fn refresh(server: &Server, token: &str, proofs: &[&str]) -> Reply {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let mut request = request("/token", None, &form).insert_header(("host", "localhost:8080"));
    for proof in proofs {
        request = request.append_header(("dpop", *proof));
    }
    server.site.ask(request).await
}

#[track_caller]
fn is_error(reply: &Reply, error: &str) {
    assert_eq!((reply.status, &reply.json()["error"]), (400, &error.into()));
    assert_eq!(reply.field("cache-control"), "no-store");
}

#[actix_web::test]
async fn a_bound_refresh_token_is_rotated_with_its_proof_and_stays_bound() {
    let server = Server::new().await;
    let mut token = bound_login(&server).await.refresh.signed().to_owned();
    for _ in 0..3 {
        let reply = refresh(&server, &token, &[&Proof::new("POST", TOKEN).sign()]).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let pair: Value = reply.json();
        assert_eq!(pair["token_type"], "DPoP");
        for name in ["access_token", "refresh_token"] {
            let text = pair[name].as_str().expect("a token");
            let asked = server.introspect(text).await.json();
            assert_eq!(asked["active"], true, "{name}");
            assert_eq!(asked["cnf"]["jkt"], thumbprint(&P256), "{name}");
            assert_eq!(asked["token_type"], "DPoP", "{name}");
        }
        // As `Bearer`, nobody gets in with it.
        assert!(
            !server
                .is_accepted(pair["access_token"].as_str().expect("a token"))
                .await
        );
        token = pair["refresh_token"].as_str().expect("a token").to_owned();
    }
    assert_eq!(server.revoke(&token).await.status, 200);
    assert_eq!(
        server.introspect(&token).await.json(),
        json!({"active": false})
    );
}

#[actix_web::test]
async fn threat_63_a_stolen_refresh_token_is_of_no_use_and_the_session_lives_on() {
    let server = Server::new().await;
    let pair = bound_login(&server).await;
    let token = pair.refresh.signed();
    let thief = Proof::new("POST", TOKEN).member("jwk", jwk(&OTHER_P256));
    let thief = thief.sign_with(&Forger::Ecdsa(&OTHER_P256));
    let old = Proof::new("POST", TOKEN).claim("iat", NOW - 3_600).sign();
    let elsewhere = Proof::new("POST", "http://localhost:8080/other").sign();
    let one = Proof::new("POST", TOKEN).sign();
    for proofs in [
        &[][..],
        &[&*thief],
        &[&*old],
        &[&*elsewhere],
        &[&*one, &*one],
        &["no proof"],
        &[""],
    ] {
        is_error(&refresh(&server, token, proofs).await, "invalid_dpop_proof");
    }
    let reply = refresh(&server, token, &[&one]).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    // The same proof again, with the next token.
    let next = reply.json()["refresh_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    is_error(
        &refresh(&server, &next, &[&one]).await,
        "invalid_dpop_proof",
    );
}

#[actix_web::test]
async fn the_token_endpoint_demands_nonces_if_the_server_does() {
    let server = Server::with(|config| {
        config
            .session_store(MemoryStore::default())
            .dpop_nonce(true)
    })
    .await;
    let pair = bound_login(&server).await;
    let token = pair.refresh.signed();
    let proof = Proof::new("POST", TOKEN);
    let reply = refresh(&server, token, &[&proof.sign()]).await;
    is_error(&reply, "use_dpop_nonce");
    let proof = proof.claim("nonce", reply.field("dpop-nonce"));
    assert_eq!(refresh(&server, token, &[&proof.sign()]).await.status, 200);
}
