//! The certified `oidc-provider` of the npm registry, run with Node.js: discovery, its key set, JWT access
//! tokens, bound tokens, opaque tokens, and key rotation.

mod bound;
mod opaque;
mod provider;

use actix_web::{HttpResponse, get, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Issuer, TokenError, require_token, testing::FrozenClock,
};
use time::{Duration, OffsetDateTime};

use self::provider::Provider;
use support::{SECRET, manager, site::Site};

#[require_token(scope = contains("read"))]
#[get("/read")]
async fn read() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(scope = all("read", "write"))]
#[get("/write")]
async fn write() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn trusting(provider: &Provider, audience: &str) -> (AuthManager, FrozenClock) {
    let clock = FrozenClock::new(OffsetDateTime::now_utc() + Duration::SECOND);
    let issuer = Issuer::new(provider.issuer())
        .discovery()
        .allow_http_on_loopback(true)
        .types(["at+jwt"])
        .audience(audience);
    let config = Config::new("own", AuthType::HS256, SECRET);
    let config = config.clock(clock.clone()).trust(issuer);
    (manager(config), clock)
}

#[actix_web::test]
async fn its_access_tokens_are_accepted_across_key_rotations() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let Some(mut provider) = Provider::start(&[algorithm]) else {
            return;
        };
        let (auth, clock) = trusting(&provider, "https://api.example");
        let states = auth.fetch_keys().await;
        assert_eq!(states[0].error(), None, "{algorithm}");

        let token = provider.token("read");
        let verified = auth.verify_token_async(&token).await.expect(algorithm);
        assert_eq!(verified.alg().name(), algorithm);
        assert_eq!(verified.iss(), provider.issuer());
        assert_eq!(verified.header()["typ"], "at+jwt");
        assert_eq!(verified.scope(), Some(&"read".into()));
        assert_eq!(verified.claims()["client_id"], "service");

        let data = auth.clone();
        let site = Site::new(|app| {
            app.app_data(web::Data::new(data))
                .service(read)
                .service(write);
        })
        .await;
        let both = provider.token("read%20write");
        for (path, token, status) in [
            ("/read", &token, 200),
            ("/write", &token, 403),
            ("/read", &both, 200),
            ("/write", &both, 200),
        ] {
            assert_eq!(
                site.get(path, token).await.status,
                status,
                "{algorithm} {path}"
            );
        }
        let challenge = site.get("/write", &token).await;
        assert!(
            challenge
                .field("www-authenticate")
                .ends_with(r#"scope="write""#)
        );

        // The first token of the new, unknown key causes a fetch.
        clock.advance(Duration::seconds(10));
        let id = provider.command("rotate");
        let next = provider.token("read");
        let verified = auth.verify_token_async(&next).await.expect(algorithm);
        assert_eq!(verified.header()["kid"], *id);
        assert_eq!(site.get("/read", &token).await.status, 200, "{algorithm}");

        // The old key is dropped: its tokens are refused once that is known.
        provider.command("drop");
        assert_eq!(auth.fetch_keys().await[0].key_ids(), [id]);
        let refused = auth.verify_token_async(&token).await.map(drop);
        assert_eq!(refused, Err(TokenError::UnknownKey), "{algorithm}");
        assert_eq!(site.get("/read", &next).await.status, 200, "{algorithm}");

        let (other, _) = trusting(&provider, "https://another.example");
        let refused = other.verify_token_async(&next).await.map(drop);
        assert_eq!(refused, Err(TokenError::Audience), "{algorithm}");
    }
}
