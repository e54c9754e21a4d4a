//! The metadata of a protected resource (RFC 9728).

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse,
    dev::{AppService, HttpServiceFactory},
};
use serde_json::{Map, Value, json};

use super::server_metadata::without_slash;
use crate::{
    error::ConfigError,
    keys::etag,
    manager::AuthManager,
    public_url::PublicUrl,
    rules::TokenLocation,
    web::{DOCUMENT_MAX_AGE, document, serve},
};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl AuthManager {
    /// Makes the metadata document of a protected resource (RFC 9728): clients learn from it which server issues tokens.
    /// `resource` is the address of this server's routes. Register it with `.service(…)`.
    ///
    /// Name its address in challenges with [`Config::resource_metadata`](crate::Config::resource_metadata).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `resource` is not a URL with `https` (or `http` on this machine), or has a query or fragment.
    pub fn resource_metadata(
        &self,
        resource: impl Into<String>,
    ) -> Result<ResourceMetadata, ConfigError> {
        let resource = PublicUrl::parse(resource);
        let resource = resource.map_err(|problem| ConfigError::invalid("resource", problem))?;
        let mut members = Map::new();
        members.insert("resource".to_owned(), resource.as_str().into());
        let methods = bearer_methods(&self.parts().locations);
        members.insert("bearer_methods_supported".to_owned(), methods.into());
        let algorithms = self.parts().dpop.algorithms();
        let algorithms: Vec<_> = algorithms.split(' ').collect();
        let name = "dpop_signing_alg_values_supported".to_owned();
        members.insert(name, algorithms.into());
        if self.parts().require_bound {
            let name = "dpop_bound_access_tokens_required".to_owned();
            members.insert(name, true.into());
        }
        Ok(ResourceMetadata {
            manager: self.clone(),
            resource,
            servers: Vec::new(),
            members,
        })
    }
}

/// The metadata document of a protected resource (RFC 9728): the result of [`AuthManager::resource_metadata`].
///
/// It is at `/.well-known/oauth-protected-resource`. If the resource has a path, that follows (section 3.1). If that ends with
/// `/`, the document is there both with and without it, since clients differ.
/// `bearer_methods_supported` has those of [`Config::locations`](crate::Config::locations) that clients of OAuth know:
/// `header` and `query`.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, test::{self, TestRequest}};
/// use flask_pyjwt::{AuthManager, AuthType, Config};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = "change-me: at least 32 bytes of secret";
/// let auth = AuthManager::new(Config::new("https://auth.example", AuthType::HS256, secret))?;
/// let metadata = auth.resource_metadata("https://api.example")?.scopes(["read", "write"]);
/// let app = test::init_service(App::new().service(metadata)).await;
///
/// let request = TestRequest::with_uri("/.well-known/oauth-protected-resource").to_request();
/// let document: serde_json::Value = test::call_and_read_body_json(&app, request).await;
/// assert_eq!(document["authorization_servers"][0], "https://auth.example");
///
/// assert!(auth.resource_metadata("api.example").is_err()); // not an address
/// # Ok(())
/// # }
/// ```
#[doc(alias = ".well-known")]
#[doc(alias = "RFC 9728")]
#[derive(Clone)]
#[must_use = "register it with `.service(…)`"]
pub struct ResourceMetadata {
    manager: AuthManager,
    resource: PublicUrl,
    servers: Vec<String>,
    members: Map<String, Value>,
}

impl ResourceMetadata {
    /// Adds the issuer of a server whose tokens this resource accepts. Can be called repeatedly. The default is this
    /// server's own issuer, if that is a URL.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.servers.push(issuer.into());
        self
    }

    /// Sets the scopes that tokens for this resource can have.
    pub fn scopes<T: Into<String>>(self, scopes: impl IntoIterator<Item = T>) -> Self {
        let scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        self.member("scopes_supported", scopes)
    }

    /// Adds a member, such as `resource_name`, or replaces one. `resource` stays.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let name = name.into();
        if name != "resource" {
            self.members.insert(name, value.into());
        }
        self
    }

    fn text(&self) -> String {
        let mut document = self.members.clone();
        let own = self.manager.issuer();
        let servers = match &self.servers[..] {
            [] if PublicUrl::parse(own).is_ok() => vec![own.to_owned()],
            servers => servers.to_vec(),
        };
        if !servers.is_empty() {
            let servers = json!(servers);
            document.entry("authorization_servers").or_insert(servers);
        }
        Value::Object(document).to_string()
    }
}

/// The methods of RFC 6750 among the places in which guards look for tokens.
fn bearer_methods(locations: &[TokenLocation]) -> Vec<&'static str> {
    let mut methods: Vec<_> = locations
        .iter()
        .filter_map(|location| match location {
            TokenLocation::Header => Some("header"),
            TokenLocation::Query(_) => Some("query"),
            _ => None,
        })
        .collect();
    methods.dedup();
    methods
}

impl HttpServiceFactory for ResourceMetadata {
    fn register(self, config: &mut AppService) {
        let path = [WELL_KNOWN, self.resource.path()].concat();
        let text = self.text();
        let etag = etag(&text);
        let answer = move |request: &HttpRequest| -> HttpResponse {
            document(request, &etag, DOCUMENT_MAX_AGE, || text.clone())
        };
        let short = without_slash(&path);
        if short != path {
            serve(&path, answer.clone()).register(config);
        }
        serve(short, answer).register(config);
    }
}

impl fmt::Debug for ResourceMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceMetadata")
            .field("resource", &self.resource.as_str())
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}
