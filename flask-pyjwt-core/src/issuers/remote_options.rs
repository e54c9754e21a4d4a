//! The options that describe how an issuer's keys are fetched.

use std::path::PathBuf;

use reqwest::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};
use time::Duration;

use crate::{
    error::Problem,
    remote::{Address, Connections, HttpServer, Place, PlainHttp, ProxyChoice, Request},
};

/// The default for how long the last good set is used while its source is down.
const DEFAULT_KEEP: Duration = Duration::hours(24);

/// Where keys are fetched from.
#[derive(Debug, Clone)]
pub(super) enum FetchFrom {
    /// The URL of a key set.
    Keys(String),
    /// The URL of a discovery document, or `None` for the usual place below the issuer's name.
    Discovery(Option<String>),
}

/// The options of an issuer whose keys are fetched.
#[derive(Clone)]
pub(super) struct RemoteOptions {
    pub(super) from: Option<FetchFrom>,
    pub(super) loopback: bool,
    /// The server for which plain http is allowed.
    pub(super) insecure: Option<String>,
    pub(super) connections: Connections,
    pub(super) fields: Vec<(String, String)>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) any_content_type: bool,
    pub(super) keep: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            from: None,
            loopback: false,
            insecure: None,
            connections: Connections::default(),
            fields: Vec::new(),
            token_file: None,
            any_content_type: false,
            keep: DEFAULT_KEEP,
        }
    }
}

impl RemoteOptions {
    /// Returns whether the discovery document is found by the issuer's name.
    pub(super) fn is_found_by_name(&self) -> bool {
        matches!(self.from, Some(FetchFrom::Discovery(None)))
    }

    /// Returns an option that is set although no address to fetch from is given.
    pub(super) fn unused_option(&self, is_asked: bool) -> Option<&'static str> {
        [
            (
                !is_asked && self.connections.roots.is_some(),
                "`root_certificates`",
            ),
            (
                !is_asked && self.connections.proxy != ProxyChoice::None,
                "a proxy",
            ),
            (
                !is_asked && self.insecure.is_some(),
                "`allow_insecure_http`",
            ),
            (!self.fields.is_empty(), "`request_header`"),
            (self.token_file.is_some(), "`bearer_token_file`"),
        ]
        .into_iter()
        .find_map(|(is_set, name)| is_set.then_some(name))
    }

    /// Builds the request for the keys. An error is the end of a sentence about the issuer.
    pub(super) fn request(&self, from: &FetchFrom, issuer: &str) -> Result<Request, Problem> {
        let plain_http = self.plain_http()?;
        let address = match from {
            FetchFrom::Keys(url) | FetchFrom::Discovery(Some(url)) => {
                Address::parse(url, &plain_http)
            }
            FetchFrom::Discovery(None) => Address::discovery(issuer, &plain_http),
        };
        let address =
            address.map_err(|problem| Problem::new(format!("has a key address that {problem}")))?;
        let place = match from {
            FetchFrom::Discovery(_) => Place::Discovery(address),
            FetchFrom::Keys(_) => Place::Keys(address),
        };
        Ok(Request {
            place,
            plain_http,
            fields: self.header_map()?,
            token_file: self.token_file.clone(),
            any_content_type: self.any_content_type,
        })
    }

    /// Returns the servers that may be reached over plain http.
    pub(super) fn plain_http(&self) -> Result<PlainHttp, Problem> {
        let server = match self.insecure.as_deref().map(HttpServer::parse) {
            Some(None) => {
                return Err(Problem::new(
                    "has an `allow_insecure_http` that is not of the form `http://host:port`",
                ));
            }
            Some(server) => server,
            None => None,
        };
        Ok(PlainHttp {
            loopback: self.loopback,
            server,
        })
    }

    /// Builds the header fields. Errors contain the name of a field but never its value.
    fn header_map(&self) -> Result<HeaderMap, Problem> {
        let mut fields = HeaderMap::new();
        for (name, value) in &self.fields {
            let field = HeaderName::try_from(name).map_err(|_| {
                let shown: String = name.escape_default().take(64).collect();
                Problem::new(format!(
                    "has a `request_header` with the invalid name `{shown}`"
                ))
            })?;
            if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&field) {
                return Err(Problem::new(format!(
                    "has a `request_header` for `{field}`, which the HTTP client sets"
                )));
            }
            let mut value = HeaderValue::try_from(value).map_err(|_| {
                Problem::new(format!(
                    "has a `request_header` for `{field}` whose value has forbidden characters"
                ))
            })?;
            value.set_sensitive(true);
            fields.append(field, value);
        }
        if self.token_file.is_some() && fields.contains_key(AUTHORIZATION) {
            return Err(Problem::new(
                "has a `bearer_token_file` and a `request_header` for `Authorization`: keep one of them",
            ));
        }
        Ok(fields)
    }
}
