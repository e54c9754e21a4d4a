//! Fetches a key set once, with limits on time and size.

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{
    Client, Response, StatusCode,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
    },
};

use super::{Address, Place, PlainHttp, freshness::lifetime};
use crate::{
    error::Problem,
    files,
    jose::TokenError,
    json::{Document, Json},
    keys::SetProblem,
};

/// The time limit for a whole fetch: discovery document and key set, including DNS.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum length of the reason for a failed connection, in characters.
const MAX_REASON: usize = 200;
/// The maximum size of a response in bytes.
const MAX_BYTES: usize = 512 * 1024;
/// The maximum size of a token file in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Why a key set cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the source did not respond within 5 seconds")]
    Timeout,
    #[error("the source cannot be reached: {0}")]
    Network(String),
    #[error("the source responded with {0}")]
    Status(StatusCode),
    #[error(
        "the source responded with {0} and redirects to {1}: redirects are not followed, configure that \
         address if it is correct"
    )]
    Redirect(StatusCode, String),
    #[error(
        "the `Content-Type` of the response is not JSON: if you trust the source, allow it with \
         `accept_any_content_type(true)`"
    )]
    ContentType,
    #[error("the response has a `Content-Encoding`, although the request accepts none")]
    Encoded,
    #[error("the file of `bearer_token_file` cannot be used: {0}")]
    TokenFile(Problem),
    #[error("the response is larger than {0} KiB")]
    TooLarge(usize),
    #[error("the discovery document is not a strict JSON object with `issuer` and `jwks_uri`")]
    Discovery,
    #[error("the `issuer` in the discovery document is not the configured name")]
    OtherIssuer,
    #[error("the `jwks_uri` {0}")]
    Address(Problem),
    #[error("the key set cannot be used: {0}")]
    Set(#[from] SetProblem),
    #[error(transparent)]
    Clock(#[from] TokenError),
}

/// A key set as it was received.
pub(super) struct Fetched {
    pub(super) json: String,
    /// The time in seconds after which to fetch it again.
    pub(super) lifetime: i64,
}

/// Describes how a key set is fetched.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) place: Place,
    pub(crate) plain_http: PlainHttp,
    /// Header fields for the server of `place` only. Their values can be secret.
    pub(crate) fields: HeaderMap,
    /// A file with a bearer token for the same server. It is read for each fetch, so that it can be renewed.
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) any_content_type: bool,
}

/// Fetches the key set of an issuer.
pub(super) async fn fetch(
    client: &Client,
    issuer: &str,
    request: &Request,
) -> Result<Fetched, FetchError> {
    let fetch = async {
        let fields = request.secret_fields()?;
        let address = match &request.place {
            Place::Keys(address) => address.clone(),
            Place::Discovery(address) => {
                let (document, _) = request.get(client, address, &fields).await?;
                jwks_uri(document, issuer, &request.plain_http)?
            }
        };
        let (json, lifetime) = request.get(client, &address, &fields).await?;
        Ok(Fetched { json, lifetime })
    };
    let result = tokio::time::timeout(TIMEOUT, fetch).await;
    result.unwrap_or(Err(FetchError::Timeout))
}

/// Returns the `jwks_uri` of a discovery document. Its `issuer` must equal the configured name exactly (`OpenID`
/// Connect Discovery 1.0, section 4.3).
fn jwks_uri(document: String, issuer: &str, plain_http: &PlainHttp) -> Result<Address, FetchError> {
    let document = Document::object(document).map_err(|_| FetchError::Discovery)?;
    let text = |name| {
        let member = document.root().member(name).and_then(Json::as_str);
        member.ok_or(FetchError::Discovery)
    };
    if text("issuer")? != issuer {
        return Err(FetchError::OtherIssuer);
    }
    Address::parse(&text("jwks_uri")?, plain_http).map_err(FetchError::Address)
}

impl Request {
    /// Returns the header fields that only the configured server may receive.
    fn secret_fields(&self) -> Result<HeaderMap, FetchError> {
        let mut fields = self.fields.clone();
        if let Some(path) = &self.token_file {
            let token = read_token(path).map_err(FetchError::TokenFile)?;
            fields.insert(AUTHORIZATION, token);
        }
        Ok(fields)
    }

    /// Requests a JSON document. Returns it with its lifetime in seconds.
    async fn get(
        &self,
        client: &Client,
        address: &Address,
        secret_fields: &HeaderMap,
    ) -> Result<(String, i64), FetchError> {
        let mut request = client
            .get(address.url())
            .header(ACCEPT, "application/json, application/jwk-set+json");
        if address.has_same_origin(self.place.address()) {
            request = request.headers(secret_fields.clone());
        }
        let response = request.send().await.map_err(failed)?;
        let lifetime = lifetime(response.headers());
        let json = read(response, address, self.any_content_type, MAX_BYTES).await?;
        Ok((json, lifetime))
    }
}

/// Reads the response of the server at an address: a JSON text of at most so many bytes.
pub(super) async fn read(
    mut response: Response,
    address: &Address,
    any_content_type: bool,
    max_bytes: usize,
) -> Result<String, FetchError> {
    if response.status().is_redirection()
        && let Some(location) = response.headers().get(LOCATION)
    {
        let to = location.to_str().ok();
        let to = to.and_then(|location| address.redirect_target(location));
        let to = to.unwrap_or_else(|| "an invalid address".to_owned());
        return Err(FetchError::Redirect(response.status(), printable(&to)));
    }
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    if !is_identity(&response) {
        return Err(FetchError::Encoded);
    }
    if !any_content_type && !is_json(&response) {
        return Err(FetchError::ContentType);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > max_bytes {
            return Err(FetchError::TooLarge(max_bytes / 1024));
        }
        bytes.extend_from_slice(&chunk);
    }
    // Some servers send a byte order mark. RFC 8259, section 8.1, allows parsers to ignore it.
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let json = std::str::from_utf8(json).map_err(|_| SetProblem::NoSet)?;
    Ok(json.to_owned())
}

/// Reads a token file and builds the value of its `Authorization` field. An error is the end of a sentence about the
/// file.
fn read_token(path: &Path) -> Result<HeaderValue, Problem> {
    let file = files::read(path, MAX_TOKEN_BYTES)
        .map_err(|_| "it cannot be read, is not a regular file, or is larger than 16 KiB")?;
    let token = std::str::from_utf8(&file.bytes).map_err(|_| "it is not UTF-8 text")?;
    let token = token.trim();
    if token.is_empty() {
        return Err(Problem::new("it is empty"));
    }
    let mut field = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| "it has characters that a header field cannot have")?;
    field.set_sensitive(true);
    Ok(field)
}

pub(super) fn failed(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        FetchError::Network(reason(&error.without_url()))
    }
}

/// Returns the innermost cause of an error, for example "connection refused" or a problem with a certificate.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    printable(&cause.to_string())
}

/// Shortens a text that a server can influence, and replaces its control characters.
fn printable(text: &str) -> String {
    let character = |it: char| if it.is_control() { '?' } else { it };
    text.chars().map(character).take(MAX_REASON).collect()
}

/// Returns whether the `Content-Type` is `application/json` or has the suffix `+json`.
fn is_json(response: &Response) -> bool {
    let headers = response.headers();
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|field| field.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    let kind = essence.strip_prefix("application/");
    kind.is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

fn is_identity(response: &Response) -> bool {
    let encoding = response.headers().get(CONTENT_ENCODING);
    encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}
