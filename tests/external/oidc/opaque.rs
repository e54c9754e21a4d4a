//! Opaque access tokens of the provider, about which it is asked (RFC 7662), and their revocation by `openid-client`
//! (RFC 7009).

use actix_web::{HttpResponse, get, http::header};
use flask_pyjwt::{Config, CurrentToken, TokenError, require_token, testing::FrozenClock};
use time::{Duration, OffsetDateTime};

use super::provider::{CLIENT_SECRET, OPAQUE, Provider};
use crate::npm::client;
use support::{manager, site::Site};

#[require_token(scope = contains("read"))]
#[get("/read")]
async fn read(token: CurrentToken) -> HttpResponse {
    HttpResponse::Ok().body(token.sub().to_owned())
}

#[require_token(scope = contains("write"))]
#[get("/write")]
async fn write() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// How `openid-client` gets and revokes tokens of the provider.
fn openid_client(provider: &Provider, arguments: &[&str], token: &str) -> Option<String> {
    let issuer = provider.issuer();
    let arguments = [&[&*issuer], arguments].concat();
    let variables = [("CREDENTIAL", CLIENT_SECRET), ("TOKEN", token)];
    client("opaque.mjs", &arguments, &variables)
}

#[actix_web::test]
async fn an_opaque_token_counts_until_it_is_revoked_and_the_cache_has_ended() {
    let Some(provider) = Provider::start(&["ES256"]) else {
        return;
    };
    let get = |scope| openid_client(&provider, &["get", OPAQUE, scope], "");
    let (Some(token), Some(both)) = (get("read"), get("read write")) else {
        return;
    };
    assert!(!token.contains('.'), "it is opaque");

    let clock = FrozenClock::new(OffsetDateTime::now_utc() + Duration::SECOND);
    let issuer = provider.asked(OPAQUE).introspection_cache(Duration::MINUTE);
    let auth = manager(Config::for_issuers([issuer]).clock(clock.clone()));
    let data = auth.clone();
    let site = Site::new(|app| {
        app.app_data(data).service(read).service(write);
    })
    .await;

    let reply = site.get("/read", &token).await;
    assert_eq!((reply.status, reply.text()), (200, "service"));
    let reply = site.get("/write", &token).await;
    assert_eq!(reply.status, 403);
    assert_eq!(reply.json()["error"], "insufficient_scope");
    for path in ["/read", "/write"] {
        assert_eq!(site.get(path, &both).await.status, 200, "{path}");
    }
    // Another server asks for each request.
    let issuer = provider.asked(OPAQUE).introspection_cache(Duration::ZERO);
    let always = manager(Config::for_issuers([issuer]).clock(clock.clone()));
    assert!(always.verify_token_async(&token).await.is_ok());
    // A token for another resource server, and garbage.
    let other = provider.asked("https://another.example");
    let other = manager(Config::for_issuers([other]).clock(clock.clone()));
    let refused = other.verify_token_async(&token).await.map(drop);
    assert_eq!(refused, Err(TokenError::Audience));
    for garbage in ["garbage", &token[1..], &format!("{token}a")] {
        let refused = auth.verify_token_async(garbage).await.map(drop);
        assert_eq!(refused, Err(TokenError::Inactive), "{garbage}");
        assert_eq!(site.get("/read", garbage).await.status, 401, "{garbage}");
    }

    let revoked = openid_client(&provider, &["revoke"], &token);
    assert_eq!(revoked.as_deref(), Some("done"));
    let refused = always.verify_token_async(&token).await.map(drop);
    assert_eq!(refused, Err(TokenError::Inactive));
    let status = site.get("/read", &token).await.status;
    assert_eq!(status, 200, "the answer is cached");
    clock.advance(Duration::MINUTE);
    let reply = site.get("/read", &token).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["error"], "invalid_token");
    let refused = auth.verify_token_async(&token).await.map(drop);
    assert_eq!(refused, Err(TokenError::Inactive));
    assert_eq!(site.get("/read", &both).await.status, 200);

    // The provider ends.
    drop(provider);
    clock.advance(Duration::MINUTE);
    for token in [&*both, "never-seen"] {
        let reply = site.get("/read", token).await;
        assert_eq!(reply.status, 503, "{token}");
        assert_ne!(reply.field(header::RETRY_AFTER.as_str()), "", "{token}");
    }
}
