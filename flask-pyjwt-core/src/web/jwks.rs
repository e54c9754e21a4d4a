//! Services that publish this server's public keys.

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    dev::{AppService, HttpServiceFactory},
    http::{
        Method,
        header::{self, HeaderMap},
    },
    web,
};
use serde_json::{Map, Value, json};
use time::Duration;

use crate::manager::AuthManager;

/// How long clients may cache an answer by default.
pub(crate) const DOCUMENT_MAX_AGE: Duration = Duration::seconds(300);

impl AuthManager {
    /// Makes a service that publishes the public keys at `/.well-known/jwks.json`, for servers that verify tokens of this
    /// manager. Register it with `.service(auth.jwks())`.
    #[doc(alias = "jwks.json")]
    pub fn jwks(&self) -> Jwks {
        Jwks::of(self.clone())
    }

    /// Makes a service that publishes the metadata documents of `OpenID` Connect Discovery and RFC 8414, for clients that
    /// look up the key set there. `jwks_uri` is the full URL of the key set.
    #[doc(alias = "openid-configuration")]
    pub fn metadata(&self, jwks_uri: impl Into<String>) -> ServerMetadata {
        ServerMetadata::of(self.clone(), jwks_uri.into())
    }
}

/// A service that publishes the public keys of a manager as a JWK set (RFC 7517): the result of [`AuthManager::jwks`].
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, http::StatusCode, test};
/// use flask_pyjwt::{AuthManager, AuthType, Config};
/// # const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
/// # MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
/// # -----END PRIVATE KEY-----";
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthManager::new(Config::new("example", AuthType::EdDSA, PRIVATE_KEY))?;
/// let app = test::init_service(App::new().service(auth.jwks())).await;
///
/// let request = test::TestRequest::with_uri("/.well-known/jwks.json");
/// let set: serde_json::Value = test::call_and_read_body_json(&app, request.to_request()).await;
/// assert_eq!(set["keys"][0]["alg"], "EdDSA");
/// assert_eq!(set["keys"][0].get("d"), None); // never the private part
///
/// let request = test::TestRequest::post().uri("/.well-known/jwks.json");
/// let answer = test::call_service(&app, request.to_request()).await;
/// assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
/// # Ok(())
/// # }
/// ```
///
/// The set has every public key in use: the signing key, [prepublished](AuthManager::prepublish) keys, and previous keys
/// whose tokens can still be valid. HMAC secrets are never in it.
#[doc(alias = ".well-known")]
#[doc(alias = "jwks.json")]
#[must_use = "register it with `.service(…)`"]
pub struct Jwks {
    manager: AuthManager,
    path: String,
    max_age: Duration,
}

impl Jwks {
    pub(crate) fn of(manager: AuthManager) -> Self {
        Self {
            manager,
            path: "/.well-known/jwks.json".to_owned(),
            max_age: DOCUMENT_MAX_AGE,
        }
    }

    /// Sets the path. The default is `/.well-known/jwks.json`. Inside a scope, the path is relative to the scope.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    #[cfg(feature = "oauth")]
    pub(crate) fn served_at(&self) -> &str {
        &self.path
    }

    /// Sets how long clients may cache an answer, in whole seconds. The default is 300. A negative value counts as zero.
    ///
    /// [Prepublish](AuthManager::prepublish) a new key for longer than that before it signs.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }
}

impl HttpServiceFactory for Jwks {
    fn register(self, config: &mut AppService) {
        let (manager, max_age) = (self.manager, self.max_age);
        let answer = move |request: &HttpRequest| {
            let Some(published) = manager.published() else {
                // The clock is out of range, so it is unknown which keys are in use.
                return HttpResponse::ServiceUnavailable().finish();
            };
            document(request, &published.etag, max_age, || published.json.clone())
        };
        serve(&self.path, answer).register(config);
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("path", &self.path)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// A service that publishes where the key set of a manager is (`OpenID` Connect Discovery, RFC 8414): the result of
/// [`AuthManager::metadata`].
///
/// The document has `issuer`, `jwks_uri` and the algorithms in use. It is at `/.well-known/openid-configuration` and at
/// `/.well-known/oauth-authorization-server`. Add other members with [`member`](Self::member). A manager with
/// [`Config::for_issuers`](crate::Config::for_issuers) has no issuer, and the answer is 404.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, http::StatusCode, test};
/// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer};
/// # const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
/// # MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
/// # -----END PRIVATE KEY-----";
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let issuer = Config::new("https://auth.example", AuthType::EdDSA, PRIVATE_KEY);
/// let trusted = Issuer::new("https://accounts.example").jwk_set(keys).audience("our-api");
/// let verifier = Config::for_issuers([trusted]);
/// for (config, status) in [(issuer, StatusCode::OK), (verifier, StatusCode::NOT_FOUND)] {
///     let auth = AuthManager::new(config)?;
///     let metadata = auth.metadata("https://auth.example/.well-known/jwks.json");
///     let app = test::init_service(App::new().service(metadata)).await;
///     let request = test::TestRequest::with_uri("/.well-known/openid-configuration");
///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = ".well-known")]
#[doc(alias = "openid-configuration")]
#[must_use = "register it with `.service(…)`"]
pub struct ServerMetadata {
    manager: AuthManager,
    jwks_uri: String,
    members: Map<String, Value>,
}

impl ServerMetadata {
    pub(crate) fn of(manager: AuthManager, jwks_uri: String) -> Self {
        Self {
            manager,
            jwks_uri,
            members: Map::new(),
        }
    }

    /// Adds a member to the document, such as `token_endpoint`. It cannot replace `issuer` or `jwks_uri`.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    fn text(&self) -> String {
        let keys = self.manager.keys();
        let mut algorithms: Vec<_> = keys.iter().map(|key| key.auth_type().name()).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        let mut members = self.members.clone();
        members
            .entry("id_token_signing_alg_values_supported")
            .or_insert_with(|| algorithms.into());
        members.insert("issuer".to_owned(), self.manager.issuer().into());
        members.insert("jwks_uri".to_owned(), json!(self.jwks_uri));
        Value::Object(members).to_string()
    }
}

impl HttpServiceFactory for ServerMetadata {
    fn register(self, config: &mut AppService) {
        let this = std::rc::Rc::new(self);
        for path in [
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
        ] {
            let this = std::rc::Rc::clone(&this);
            let answer = move |request: &HttpRequest| {
                // A manager that only verifies has no metadata.
                if this.manager.issuer().is_empty() {
                    return HttpResponse::NotFound().finish();
                }
                let text = this.text();
                let etag = crate::keys::etag(&text);
                document(request, &etag, DOCUMENT_MAX_AGE, || text)
            };
            serve(path, answer).register(config);
        }
    }
}

impl fmt::Debug for ServerMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerMetadata")
            .field("jwks_uri", &self.jwks_uri)
            .finish_non_exhaustive()
    }
}

/// A resource that answers `GET` and `HEAD`. Other methods get 405.
pub(crate) fn serve(
    path: &str,
    answer: impl Fn(&HttpRequest) -> HttpResponse + Clone + 'static,
) -> Resource {
    let route = |method| {
        let answer = answer.clone();
        let handler = move |request: HttpRequest| std::future::ready(answer(&request));
        web::method(method).to(handler)
    };
    Resource::new(path)
        .route(route(Method::GET))
        .route(route(Method::HEAD))
}

/// A JSON document, or 304 if the client has the current one (RFC 9110, section 13.1.2).
pub(crate) fn document(
    request: &HttpRequest,
    etag: &str,
    max_age: Duration,
    text: impl FnOnce() -> String,
) -> HttpResponse {
    let mut response = if is_known(request.headers(), etag) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, etag))
        .insert_header((
            header::CACHE_CONTROL,
            format!("public, max-age={}", max_age.whole_seconds().max(0)),
        ))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if is_known(request.headers(), etag) {
        return response.finish();
    }
    response.content_type("application/json").body(text())
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}
