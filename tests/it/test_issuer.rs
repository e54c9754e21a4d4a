//! Test issuers: each provider's tokens are judged by a real guard with keys that were fetched over HTTP.

mod documents;
mod guide_settings;
mod kinds;
mod outage;
mod rotation;
mod several;

use actix_web::{HttpResponse, get, web};
use flask_pyjwt::{
    AuthManager, AuthType, RequireToken, require_token,
    testing::{FrozenClock, TestIssuer},
};
use support::{SECRET, config, frozen, manager, site::Site};

/// A server that trusts a test issuer. Both have the same clock.
struct Setting {
    issuer: TestIssuer,
    auth: AuthManager,
    clock: FrozenClock,
    site: Site,
}

impl Setting {
    async fn of(issuer: TestIssuer) -> Self {
        let clock = frozen();
        let issuer = issuer.clock(clock.clone());
        let config = config(AuthType::HS256, SECRET).clock(clock.clone());
        let auth = manager(config.trust(issuer.issuer()));
        auth.fetch_keys().await;
        let site = site(auth.clone()).await;
        Self {
            issuer,
            auth,
            clock,
            site,
        }
    }
}

/// For tokens with `read` in their scope.
#[require_token(scope = contains("read"))]
#[get("/scope")]
async fn scope() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// A guarded `/`, and `/scope`.
async fn site(auth: AuthManager) -> Site {
    Site::new(|app| {
        let plain = web::resource("/").wrap(RequireToken::auth());
        app.app_data(auth)
            .service(scope)
            .service(plain.to(HttpResponse::Ok));
    })
    .await
}

/// AD FS, whose tokens have no `kid`.
fn is_adfs(issuer: &TestIssuer) -> bool {
    issuer.url().contains("/adfs/")
}
