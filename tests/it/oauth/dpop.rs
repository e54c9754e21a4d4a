//! Refresh tokens that are bound to a key of the client, at the token endpoint (RFC 9449, section 5).

use flask_pyjwt::ClientCertificate;
use serde_json::Value;
use time::Duration;

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

/// A refresh without client credentials.
async fn refresh(server: &Server, token: &str, proofs: &[&str]) -> Reply {
    refresh_as(server, None, "", token, proofs).await
}

async fn refresh_as(
    server: &Server,
    basic: Option<(&str, &str)>,
    client_id: &str,
    token: &str,
    proofs: &[&str],
) -> Reply {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client_id),
    ];
    let mut request = request("/token", basic, &form).insert_header(("host", "localhost:8080"));
    for proof in proofs {
        request = request.append_header(("dpop", *proof));
    }
    server.site.ask(request).await
}

fn proof() -> String {
    Proof::new("POST", TOKEN).sign()
}

/// A proof of another key.
fn proof_of_thief() -> String {
    let thief = Proof::new("POST", TOKEN).member("jwk", jwk(&OTHER_P256));
    thief.sign_with(&Forger::Ecdsa(&OTHER_P256))
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
    // Without client credentials, by a public client that it does not name, and by a client with a secret.
    for (basic, client_id) in [(None, ""), (None, "spa"), (BASIC, "")] {
        let reply = refresh_as(&server, basic, client_id, &token, &[&proof()]).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let pair: Value = reply.json();
        assert_eq!(pair["token_type"], "DPoP");
        for (name, token_type) in [
            ("access_token", json!("DPoP")),
            ("refresh_token", Value::Null),
        ] {
            let text = pair[name].as_str().expect("a token");
            let asked = server.introspect(text).await.json();
            assert_eq!(asked["active"], true, "{name}");
            assert_eq!(asked["cnf"]["jkt"], thumbprint(&P256), "{name}");
            assert_eq!(asked["token_type"], token_type, "{name}");
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
    // Its client may know that its session has ended.
    is_error(
        &refresh(&server, &token, &[&proof()]).await,
        "invalid_grant",
    );
}

#[actix_web::test]
async fn a_public_client_refreshes_its_own_bound_tokens_with_their_proof() {
    let server = Server::new().await;
    let login = |client: &'static str| {
        let login = server.auth.login("alice").client_id(client);
        let login = login.bind_to(thumbprint(&P256));
        async move { login.await.expect("logged in").refresh }
    };
    let (spa, demo) = (login("spa").await, login("demo").await);
    for (client_id, token) in [("", &spa), ("", &demo), ("spa", &demo)] {
        let reply = refresh_as(&server, None, client_id, token.signed(), &[&proof()]).await;
        is_refused(&reply, 401, "invalid_client", client_id);
    }
    let reply = refresh_as(&server, None, "spa", spa.signed(), &[&proof_of_thief()]).await;
    is_refused(&reply, 401, "invalid_client", "another key");
    let reply = refresh_as(&server, None, "spa", spa.signed(), &[&proof()]).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    // The proof of the key does not replace the credentials of a client that has some.
    let reply = refresh_as(&server, None, "demo", demo.signed(), &[&proof()]).await;
    is_refused(&reply, 401, "invalid_client", "no secret");
    let reply = refresh_as(&server, BASIC, "", demo.signed(), &[&proof()]).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[actix_web::test]
async fn threat_63_a_stolen_refresh_token_is_of_no_use_and_the_session_lives_on() {
    let server = Server::new().await;
    let pair = bound_login(&server).await;
    let token = pair.refresh.signed();
    let thief = proof_of_thief();
    let old = Proof::new("POST", TOKEN).claim("iat", NOW - 3_600).sign();
    let elsewhere = Proof::new("POST", "http://localhost:8080/other").sign();
    let one = proof();
    for proofs in [
        &[][..],
        &[&*thief],
        &[&*old],
        &[&*elsewhere],
        &[&*one, &*one],
        &["no proof"],
        &[""],
    ] {
        let reply = refresh_as(&server, BASIC, "", token, proofs).await;
        is_error(&reply, "invalid_dpop_proof");
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

/// A stranger can make a proof of a key of its own. It tells nothing about a token.
#[actix_web::test]
async fn threat_64_a_proof_of_another_key_tells_nothing_about_a_token() {
    let server = Server::new().await;
    let bound = bound_login(&server).await;
    let free = server.login().await;
    let demo = server.login_of("demo").await;
    let mut replies = Vec::new();
    for token in [
        bound.refresh.signed(),
        bound.auth.signed(),
        free.refresh.signed(),
        demo.refresh.signed(),
        "garbage",
    ] {
        for client_id in ["", "spa"] {
            let proof = proof_of_thief();
            let reply = refresh_as(&server, None, client_id, token, &[&proof]).await;
            is_refused(&reply, 401, "invalid_client", token);
            replies.push((reply.body, format!("{:?}", reply.headers)));
        }
        // A bad proof is refused as such, whatever the token is.
        is_error(
            &refresh(&server, token, &["no proof"]).await,
            "invalid_dpop_proof",
        );
    }
    // After the token has expired, its own client is told so.
    server.clock.advance(Duration::days(8));
    let expired = |proof: Proof| {
        let claims = proof.claim("iat", NOW + 8 * 24 * 3_600);
        claims.sign()
    };
    let own = expired(Proof::new("POST", TOKEN));
    let reply = refresh(&server, bound.refresh.signed(), &[&own]).await;
    is_error(&reply, "invalid_grant");
    let own = expired(Proof::new("POST", TOKEN));
    let reply = refresh(&server, free.refresh.signed(), &[&own]).await;
    is_refused(&reply, 401, "invalid_client", "expired, and not bound");
    replies.push((reply.body, format!("{:?}", reply.headers)));
    replies.dedup();
    assert_eq!(replies.len(), 1, "{replies:?}");
}

/// RFC 9449, section 5: a bad proof is an error, and a good one binds nothing here.
#[actix_web::test]
async fn a_proof_is_checked_also_if_the_token_is_not_bound() {
    let server = Server::new().await;
    let pair = server.login().await;
    let token = pair.refresh.signed();
    let one = proof();
    let elsewhere = Proof::new("POST", "http://localhost:8080/other").sign();
    for proofs in [&["garbage"][..], &[""], &[&*one, &*one], &[&*elsewhere]] {
        let reply = refresh_as(&server, BASIC, "", token, proofs).await;
        is_error(&reply, "invalid_dpop_proof");
    }
    let reply = refresh_as(&server, BASIC, "", token, &[&one]).await;
    assert_eq!(reply.json()["token_type"], "Bearer", "{}", reply.text());
    let next = reply.json()["refresh_token"].clone();
    let next = next.as_str().expect("a token");
    let reply = refresh_as(&server, BASIC, "", next, &[&one]).await;
    is_error(&reply, "invalid_dpop_proof");
    assert_eq!(server.refresh(BASIC, next).await.status, 200);
}

/// Behind a proxy that changes the path, the metadata and the proofs have the address of `.url(…)`.
#[actix_web::test]
async fn a_proof_may_name_the_configured_address_of_the_endpoint() {
    let server = Server::new().await;
    let url = "https://auth.example/oauth/token";
    let clients = clients();
    let site = Site::new(|app| {
        app.service(server.auth.token_endpoint(&clients).url(url));
    });
    let site = site.await;
    for (address, status) in [
        (url, 200),
        ("https://auth.example/token", 400),
        ("https://auth.example/oauth/revoke", 400),
        (TOKEN, 200),
    ] {
        let pair = bound_login(&server).await;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", pair.refresh.signed()),
        ];
        let proof = Proof::new("POST", address).sign();
        let request = request("/token", None, &form)
            .insert_header(("host", "localhost:8080"))
            .insert_header(("dpop", proof));
        assert_eq!(site.ask(request).await.status, status, "{address}");
    }
}

/// RFC 8705, section 4.
#[actix_web::test]
async fn a_token_that_is_bound_to_a_certificate_needs_no_client() {
    let server = Server::with(|config| {
        config
            .session_store(MemoryStore::default())
            .client_certificate_proxies(["10.0.0.0/8"])
    })
    .await;
    let certificates: [&[u8]; 2] = [&[0x30, 1, 1], &[0x30, 1, 2]];
    let [own, other] = certificates.map(|it| format!(":{}:", STANDARD.encode(it)));
    let certificate = ClientCertificate::from_der(certificates[0]);
    let login = server.auth.login("alice").bind_to_certificate(&certificate);
    let token = login.await.expect("logged in").refresh;
    let free = server.login().await.refresh;
    for (token, field, status) in [
        (&token, "", 401),
        (&token, &*other, 401),
        (&free, &*own, 401),
        (&token, &*own, 200),
    ] {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.signed()),
        ];
        let request = request("/token", None, &form)
            .peer_addr("10.1.2.3:1".parse().expect("an address"))
            .insert_header(("client-cert", field));
        let reply = server.site.ask(request).await;
        assert_eq!(reply.status, status, "{field} {}", reply.text());
        if status == 401 {
            is_refused(&reply, 401, "invalid_client", field);
        }
    }
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
