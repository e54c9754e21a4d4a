//! From where the keys of an issuer are fetched, and what is asked.

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

/// How long the last good set is used while its source is down, unless configured otherwise.
const DEFAULT_KEEP: Duration = Duration::hours(24);

/// Where keys are fetched from.
#[derive(Debug, Clone)]
pub(super) enum From {
    Keys(String),
    Discovery(Option<String>),
}

/// What is configured of an issuer whose keys are fetched.
#[derive(Clone)]
pub(super) struct RemoteOptions {
    pub(super) from: Option<From>,
    pub(super) loopback: bool,
    /// The server that may be asked by plain http.
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
    /// Whether the keys are found by the issuer's own name.
    pub(super) fn is_at_own_name(&self) -> bool {
        matches!(self.from, Some(From::Discovery(None)))
    }

    /// What is set although nothing is fetched, if there is any.
    pub(super) fn without_address(&self) -> Option<&'static str> {
        [
            (self.connections.roots.is_some(), "root certificates"),
            (self.connections.proxy != ProxyChoice::None, "a proxy"),
            (self.insecure.is_some(), "a server for plain http"),
            (!self.fields.is_empty(), "request headers"),
            (self.token_file.is_some(), "a file with a token"),
        ]
        .into_iter()
        .find_map(|(is_set, name)| is_set.then_some(name))
    }

    /// What is asked, or what is wrong with it, as the end of a sentence about the keys.
    pub(super) fn request(&self, from: &From, issuer: &str) -> Result<Request, Problem> {
        let server = match self.insecure.as_deref().map(HttpServer::parse) {
            Some(None) => {
                return Err(Problem::new(
                    "comes by `allow_insecure_http` from what is no server: write `http://host:port`",
                ));
            }
            Some(server) => server,
            None => None,
        };
        let plain_http = PlainHttp {
            loopback: self.loopback,
            server,
        };
        let address = match from {
            From::Keys(url) | From::Discovery(Some(url)) => Address::parse(url, &plain_http),
            From::Discovery(None) => Address::discovery(issuer, &plain_http),
        };
        let address = address
            .map_err(|problem| Problem::new(format!("comes from an address that {problem}")))?;
        let place = match from {
            From::Discovery(_) => Place::Discovery(address),
            From::Keys(_) => Place::Keys(address),
        };
        Ok(Request {
            place,
            plain_http,
            fields: self.header_map()?,
            token_file: self.token_file.clone(),
            any_content_type: self.any_content_type,
        })
    }

    /// The fields that are sent. An error names a field, and never its value.
    fn header_map(&self) -> Result<HeaderMap, Problem> {
        let mut fields = HeaderMap::new();
        for (name, value) in &self.fields {
            let told = || name.escape_default().take(64).collect::<String>();
            let field = HeaderName::try_from(name).map_err(|_| {
                let field = told();
                Problem::new(format!(
                    "is asked for with `{field}`, which is no field's name"
                ))
            })?;
            if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&field) {
                return Err(Problem::new(format!(
                    "is asked for with `{field}`, which the connection sets"
                )));
            }
            let mut value = HeaderValue::try_from(value).map_err(|_| {
                Problem::new(format!(
                    "is asked for with a value of `{field}` that no field can have"
                ))
            })?;
            value.set_sensitive(true);
            fields.append(field, value);
        }
        if self.token_file.is_some() && fields.contains_key(AUTHORIZATION) {
            return Err(Problem::new(
                "is asked for with an `Authorization` and a file with a token: keep one",
            ));
        }
        Ok(fields)
    }
}
