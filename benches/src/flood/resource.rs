//! The resource server that is flooded, and what it answers.

use actix_web::{
    HttpResponse, get,
    http::header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    web::ServiceConfig,
};
use flask_pyjwt::{AuthManager, AuthType, Config, CurrentToken, Issuer, require_token};
use serde::{Deserialize, Serialize};

use crate::server::Site;

/// The path that a token of the issuer opens.
pub(super) const GUARDED: &str = "/mine";
/// The path that nothing guards. It answers with what a refusal of the other one looks like.
pub(super) const UNGUARDED: &str = "/open";
/// The own issuer of the server.
const OWN_ISSUER: &str = "https://resource.example.com";

/// A server that trusts one other issuer, whose keys it fetches, and asks a function about a pattern of names.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub(super) issuer: String,
    pub(super) audience: String,
    /// Where the keys are.
    pub(super) keys: String,
}

impl Site for Resource {
    const MODE: &'static str = "serve-resource";

    /// The server has one worker, and so one manager is made.
    fn configure(&self, app: &mut ServiceConfig) {
        let secret = "a secret of 48 bytes, for nothing but measurement";
        let trusted = Issuer::new(&self.issuer)
            .audience(&self.audience)
            .jwks_url(&self.keys)
            .allow_http_on_loopback(true);
        let config = Config::new(OWN_ISSUER, AuthType::HS256, secret)
            .trust(trusted)
            // No name of the pattern is an issuer.
            .resolve_issuers("https://{tenant}.tenants.example.com", |_| async {
                Ok::<_, std::io::Error>(None)
            });
        let auth = AuthManager::new(config).expect("a good configuration");
        app.app_data(auth).service(mine).service(open);
    }
}

#[require_token]
#[get("/mine")]
async fn mine(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[get("/open")]
async fn open() -> HttpResponse {
    let challenge = format!(
        r#"Bearer realm="{OWN_ISSUER}", error="invalid_token", error_description="The token is not valid""#
    );
    HttpResponse::Unauthorized()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((WWW_AUTHENTICATE, challenge))
        .content_type("application/json")
        .body(r#"{"error":"invalid_token","error_description":"The token is not valid"}"#)
}
