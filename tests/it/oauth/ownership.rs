//! Who may refresh a token.

use flask_pyjwt::{MemoryStore, OAuthClients};
use serde_json::json;

use support::{SECRET, hs256, manager, site::Site};

use super::{BASIC, DEMO, Server, is_refused, request};

fn other() -> (&'static str, &'static str) {
    ("other", std::str::from_utf8(SECRET).expect("UTF-8"))
}

#[actix_web::test]
async fn a_login_of_a_client_is_refreshed_by_that_client_alone() {
    let server = Server::new().await;
    let demo = server.login_of("demo").await.refresh;
    let spa = server.login_of("spa").await.refresh;
    for (basic, token) in [(Some(other()), &demo), (BASIC, &spa)] {
        let reply = server.refresh(basic, token.signed()).await;
        is_refused(&reply, 400, "invalid_grant", &format!("{basic:?}"));
    }
    // Naming itself is not enough for a client with a secret.
    let named = |id| {
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", demo.signed()),
            ("client_id", id),
        ]
    };
    let reply = server.post("/token", None, &named("demo")).await;
    is_refused(&reply, 401, "invalid_client", "without its secret");

    // Nothing was rotated, and the successors belong to the same client.
    let next = server.refresh(BASIC, demo.signed()).await;
    assert_eq!(next.status, 200);
    let next = next.json()["refresh_token"]
        .as_str()
        .expect("text")
        .to_owned();
    let reply = server.refresh(Some(other()), &next).await;
    is_refused(&reply, 400, "invalid_grant", "its successor");
    assert_eq!(server.refresh(BASIC, &next).await.status, 200);
}

#[actix_web::test]
async fn threat_64_without_credentials_no_token_is_refreshed_and_none_is_told_from_another() {
    let server = Server::new().await;
    let free = server.login().await.refresh;
    let demo = server.login_of("demo").await.refresh;
    let spa = server.login_of("spa").await.refresh;
    let rotated = server.login().await.refresh;
    server.auth.refresh(&rotated).await.expect("rotated");
    let mut replies = Vec::new();
    for token in [&free, &demo, &spa, &rotated] {
        for text in [token.signed(), "garbage", ""] {
            let token = ("refresh_token", text);
            for form in [
                vec![("grant_type", "refresh_token"), token],
                vec![("grant_type", "refresh_token"), token, ("client_id", "spa")],
                vec![("grant_type", "password"), token],
                vec![token],
            ] {
                let reply = server.post("/token", None, &form).await;
                is_refused(&reply, 401, "invalid_client", &format!("{form:?}"));
                replies.push((reply.body, format!("{:?}", reply.headers)));
            }
        }
    }
    replies.dedup();
    assert_eq!(replies.len(), 1, "{replies:?}");
    // Nothing was rotated.
    for token in [&free, &demo] {
        assert_eq!(server.refresh(BASIC, token.signed()).await.status, 200);
    }
}

#[actix_web::test]
async fn without_any_client_a_token_belongs_to_its_holder() {
    let auth = manager(hs256().session_store(MemoryStore::default()));
    let nobody = OAuthClients::new([]).expect("valid clients");
    let site = Site::new(|app| {
        app.service(auth.token_endpoint(&nobody));
    });
    let site = site.await;
    let refresh = |token: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        site.ask(request("/token", None, &form))
    };
    let free = auth.login("alice").await.expect("logged in").refresh;
    assert_eq!(refresh(free.signed()).await.status, 200);
    let demo = auth.login("alice").client_id("demo").await;
    let demo = demo.expect("logged in").refresh;
    let reply = refresh(demo.signed()).await;
    is_refused(&reply, 400, "invalid_grant", "of a client");
}

#[actix_web::test]
async fn a_claim_that_names_no_client_is_refreshed_by_nobody() {
    let server = Server::new().await;
    for claim in [json!(7), json!(null), json!(["demo"]), json!("")] {
        let login = server.auth.login("alice").claim("client_id", claim.clone());
        let token = login.await.expect("logged in").refresh;
        let reply = server.refresh(BASIC, token.signed()).await;
        is_refused(&reply, 400, "invalid_grant", &claim.to_string());
    }
}

#[actix_web::test]
async fn credentials_have_to_be_right_even_if_none_are_needed() {
    let server = Server::new().await;
    let token = server.login().await.refresh;
    for basic in [("demo", "wrong"), ("nobody", DEMO)] {
        let reply = server.refresh(Some(basic), token.signed()).await;
        is_refused(&reply, 401, "invalid_client", basic.0);
    }
    assert_eq!(server.refresh(BASIC, token.signed()).await.status, 200);
}

#[actix_web::test]
async fn a_login_by_the_profile_belongs_to_the_profiles_client() {
    let server = Server::with(|config| {
        config
            .session_store(MemoryStore::default())
            .audience("our-api")
            .access_token_profile("demo")
    })
    .await;
    let pair = server.auth.login("alice").await.expect("logged in");
    assert_eq!(pair.refresh.claims()["client_id"], "demo");
    let reply = server.refresh(Some(other()), pair.refresh.signed()).await;
    is_refused(&reply, 400, "invalid_grant", "another client");
    let next = server.refresh(BASIC, pair.refresh.signed()).await.json();
    let next = next["refresh_token"].as_str().expect("text");
    let reply = server.refresh(Some(other()), next).await;
    is_refused(&reply, 400, "invalid_grant", "another client");
    let named = server.auth.login("alice").client_id("other").await;
    let named = named.expect("logged in").refresh;
    assert_eq!(named.claims()["client_id"], "other");
    assert_eq!(
        server.refresh(Some(other()), named.signed()).await.status,
        200
    );
}

#[actix_web::test]
async fn unbound_tokens_are_not_refreshed_if_tokens_have_to_be_bound() {
    let server = Server::with(|config| {
        let config = config.session_store(MemoryStore::default());
        config.require_bound(true)
    })
    .await;
    let pair = server.login().await;
    let reply = server.refresh(BASIC, pair.refresh.signed()).await;
    is_refused(&reply, 400, "invalid_grant", "unbound");
    for token in [&pair.auth, &pair.refresh] {
        let reply = server.introspect(token.signed()).await;
        assert_eq!(reply.text(), r#"{"active":false}"#);
    }
    // It can still be revoked.
    assert_eq!(server.revoke(pair.refresh.signed()).await.status, 200);
    let open = server.auth.sessions("alice").await.expect("listed");
    assert!(open.is_empty());
}
