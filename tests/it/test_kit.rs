//! The test kit: its good tokens are accepted by real guards, and each bad one is refused for its own reason.

mod handlers;
mod outcomes;
mod sessions;
mod tokens;

use actix_web::{HttpResponse, web};
use flask_pyjwt::{AuthType, Config, RequireToken, TokenLocation, testing::TestAuth};
use support::keys;

/// A kit for each kind of key.
fn kits() -> Vec<TestAuth> {
    let types = [
        AuthType::HS256,
        AuthType::HS512,
        AuthType::RS256,
        AuthType::PS256,
        AuthType::ES256,
        AuthType::ES384,
        AuthType::ES512,
        AuthType::EdDSA,
    ];
    let around = types.map(|auth_type| {
        let config = Config::new("the service", auth_type, keys::secret(auth_type));
        TestAuth::around(config.session_store(flask_pyjwt::MemoryStore::default()))
    });
    around.into_iter().chain([TestAuth::new()]).collect()
}

/// Routes for each type and place of a token.
fn routes(app: &mut web::ServiceConfig) {
    let ok = || web::to(HttpResponse::Ok);
    let on = |path: &str, guard: RequireToken| web::resource(path).wrap(guard).route(ok());
    app.service(on("/auth", RequireToken::auth()))
        .service(on("/refresh", RequireToken::refresh()))
        .service(on(
            "/scope",
            RequireToken::auth().scope(serde_json::json!({"admin": true})),
        ))
        .service(on("/cookies", RequireToken::auth().cookies()))
        .service(on("/refresh-cookies", RequireToken::refresh().cookies()))
        .service(on("/recent", RequireToken::auth().max_age(60)))
        .service(on(
            "/socket",
            RequireToken::auth().locations([TokenLocation::WebSocket]),
        ));
}

macro_rules! app {
    ($auth:expr) => {
        actix_web::test::init_service(
            actix_web::App::new()
                .app_data($auth.manager())
                .configure(crate::test_kit::routes),
        )
        .await
    };
}
use app;
