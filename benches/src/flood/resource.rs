//! The resource server that is flooded, and its responses.

use actix_web::{
    HttpResponse, get,
    http::header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    web::ServiceConfig,
};
use flask_pyjwt::{AuthManager, AuthType, Config, CurrentToken, Issuer, require_token};
use serde::{Deserialize, Serialize};

use crate::server::Site;

/// The path that requires a token of the issuer.
pub(super) const GUARDED: &str = "/mine";
/// The path without a guard. Its response looks like a refusal of the other one.
pub(super) const UNGUARDED: &str = "/open";
/// The server's own issuer.
const OWN_ISSUER: &str = "https://resource.example.com";

/// A server that trusts one other issuer, whose keys it fetches, and resolves names of a pattern with a
/// function.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub(super) issuer: String,
    pub(super) audience: String,
    /// The address of the keys.
    pub(super) keys: String,
}

impl Site for Resource {
    const MODE: &'static str = "serve-resource";

    /// The server has one worker, so that one manager is made.
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
        let auth = AuthManager::new(config).expect("a valid configuration");
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
