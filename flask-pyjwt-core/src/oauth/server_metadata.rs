//! The metadata of an authorization server (RFC 8414).

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse,
    dev::{AppService, HttpServiceFactory},
};
use serde_json::{Map, Value, json};

use super::{IntrospectionEndpoint, RevocationEndpoint, TokenEndpoint, endpoint::Endpoint};
use crate::{
    error::ConfigError,
    keys::{Family, etag},
    manager::AuthManager,
    public_url::PublicUrl,
    web::{DOCUMENT_MAX_AGE, Jwks, document, serve},
};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

impl AuthManager {
    /// Makes the metadata document of this server's OAuth endpoints (RFC 8414). Its `issuer` is `JWT_ISSUER`, which has to be
    /// the server's address. Add the endpoints that are served, then register it with `.service(…)`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the issuer is not a URL with `https` (or `http` on this machine), or has a query or fragment.
    pub fn server_metadata(&self) -> Result<OAuthMetadata, ConfigError> {
        let issuer = PublicUrl::parse(self.issuer());
        let issuer = issuer.map_err(|problem| {
            let reason =
                format!("{problem}, and OAuth's metadata needs the server's address there");
            ConfigError::invalid("JWT_ISSUER", reason)
        })?;
        Ok(OAuthMetadata {
            manager: self.clone(),
            issuer,
            jwks_uri: None,
            members: Map::new(),
        })
    }
}

/// The metadata document of an authorization server (RFC 8414): the result of [`AuthManager::server_metadata`].
///
/// It is at `/.well-known/oauth-authorization-server`. If the issuer has a path, that follows, without a `/` at its end
/// (section 3.1). The document
/// has what was added here, and nothing else: an endpoint is listed with its address and the authentication methods of
/// its clients. Do not register [`AuthManager::metadata`] as well, which serves the same address.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, test::{self, TestRequest}};
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore, OAuthClient, OAuthClients};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = "change-me: at least 32 bytes of secret";
/// let config = |issuer| {
///     Config::new(issuer, AuthType::HS256, secret).session_store(MemoryStore::default())
/// };
/// let auth = AuthManager::new(config("https://auth.example"))?;
/// let clients = OAuthClients::new([OAuthClient::with_secret("demo", secret)])?;
/// let token = auth.token_endpoint(&clients);
/// let metadata = auth.server_metadata()?.token_endpoint(&token);
/// let app = test::init_service(App::new().service(token).service(metadata)).await;
///
/// let request = TestRequest::with_uri("/.well-known/oauth-authorization-server").to_request();
/// let document: serde_json::Value = test::call_and_read_body_json(&app, request).await;
/// assert_eq!(document["token_endpoint"], "https://auth.example/token");
/// assert_eq!(document.get("revocation_endpoint"), None); // it is not served
///
/// // A name that is no address.
/// assert!(AuthManager::new(config("shop"))?.server_metadata().is_err());
/// # Ok(())
/// # }
/// ```
#[doc(alias = ".well-known")]
#[doc(alias = "RFC 8414")]
#[derive(Clone)]
#[must_use = "register it with `.service(…)`"]
pub struct OAuthMetadata {
    manager: AuthManager,
    issuer: PublicUrl,
    jwks_uri: Option<String>,
    members: Map<String, Value>,
}

impl OAuthMetadata {
    /// Lists the token endpoint, with its grant.
    pub fn token_endpoint(mut self, endpoint: &TokenEndpoint) -> Self {
        self.add("grant_types_supported", json!(["refresh_token"]));
        let algorithms = self.manager.parts().dpop.algorithms();
        let algorithms: Vec<_> = algorithms.split(' ').collect();
        self.add("dpop_signing_alg_values_supported", json!(algorithms));
        // Clients without credentials refresh bound tokens.
        self.endpoint("token", &endpoint.0, true)
    }

    /// Lists the introspection endpoint.
    pub fn introspection(self, endpoint: &IntrospectionEndpoint) -> Self {
        self.endpoint("introspection", &endpoint.0, false)
    }

    /// Lists the revocation endpoint.
    pub fn revocation(self, endpoint: &RevocationEndpoint) -> Self {
        let clients = &endpoint.0.clients;
        let accepts_public = clients.has_public() || clients.is_empty();
        self.endpoint("revocation", &endpoint.0, accepts_public)
    }

    /// Lists the address of the public keys, while there are any: HMAC keys are never published.
    pub fn jwks(mut self, jwks: &Jwks) -> Self {
        self.jwks_uri = Some(self.issuer.join(jwks.served_at()));
        self
    }

    /// Adds a member, such as `service_documentation`, or replaces one of the above. `issuer` stays.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    fn endpoint(mut self, name: &str, endpoint: &Endpoint, accepts_public: bool) -> Self {
        let address = endpoint.address(&self.issuer);
        self.add(&format!("{name}_endpoint"), address.into());
        let mut methods = endpoint.clients.methods();
        if accepts_public {
            methods.push("none");
        }
        self.add(
            &format!("{name}_endpoint_auth_methods_supported"),
            methods.into(),
        );
        let algorithms = endpoint.clients.algorithms();
        if !algorithms.is_empty() {
            let member = format!("{name}_endpoint_auth_signing_alg_values_supported");
            self.add(&member, algorithms.into());
        }
        self
    }

    fn add(&mut self, name: &str, value: Value) {
        self.members.insert(name.to_owned(), value);
    }

    fn text(&self) -> String {
        let mut document = self.members.clone();
        document.insert("issuer".to_owned(), self.issuer.as_str().into());
        for required in ["response_types_supported", "grant_types_supported"] {
            document.entry(required).or_insert_with(|| json!([]));
        }
        if let Some(jwks_uri) = &self.jwks_uri {
            let keys = self.manager.keys();
            let is_public = |family| family != Family::Hmac;
            if keys.iter().any(|key| is_public(key.auth_type().family())) {
                let jwks_uri = json!(jwks_uri);
                document.entry("jwks_uri").or_insert(jwks_uri);
            }
        }
        Value::Object(document).to_string()
    }
}

impl HttpServiceFactory for OAuthMetadata {
    fn register(self, config: &mut AppService) {
        let path = [WELL_KNOWN, without_slash(self.issuer.path())].concat();
        let this = std::rc::Rc::new(self);
        let answer = move |request: &HttpRequest| -> HttpResponse {
            let text = this.text();
            document(request, &etag(&text), DOCUMENT_MAX_AGE, || text)
        };
        serve(&path, answer).register(config);
    }
}

/// A path without the `/` at its end (RFC 8414, section 3.1).
pub(super) fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

impl fmt::Debug for OAuthMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthMetadata")
            .field("issuer", &self.issuer.as_str())
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}
