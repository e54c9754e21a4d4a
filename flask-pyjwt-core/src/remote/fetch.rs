//! One fetch of a key set, with every limit there is.

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

/// The time for everything: discovery and key set, from the first look-up to the last byte.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The longest explanation of a failed connection in characters.
const LONGEST_REASON: usize = 200;
/// The longest answer in bytes.
const MOST_BYTES: usize = 512 * 1024;
/// The longest token that is shown to a source.
const MOST_TOKEN_BYTES: usize = 16 * 1024;

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the source does not answer within 5 seconds")]
    Timeout,
    #[error("the source cannot be reached: {0}")]
    Network(String),
    #[error("the source answers with {0}")]
    Status(StatusCode),
    #[error(
        "the source answers with {0} and redirects to {1}: redirects are not followed, configure that \
         address if it is right"
    )]
    Redirect(StatusCode, String),
    #[error(
        "the answer is no JSON by its `Content-Type`: for a source that you know, \
         `accept_any_content_type(true)` lets it pass"
    )]
    ContentType,
    #[error("the answer is encoded, although nothing but `identity` was accepted")]
    Encoded,
    #[error("the file of `bearer_token_file` cannot be used: {0}")]
    TokenFile(Problem),
    #[error("the answer is longer than 512 KiB")]
    TooLarge,
    #[error("the discovery document is no strict JSON object with `issuer` and `jwks_uri`")]
    Discovery,
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    #[error("the `jwks_uri` {0}")]
    Address(Problem),
    #[error("the key set cannot be used: {0}")]
    Set(#[from] SetProblem),
    #[error(transparent)]
    Clock(#[from] TokenError),
}

/// A key set as it was answered.
pub(super) struct Fetched {
    pub(super) json: String,
    /// Seconds after which to ask again.
    pub(super) lifetime: i64,
}

/// What is asked for a key set.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) place: Place,
    pub(crate) plain_http: PlainHttp,
    /// Fields for the server of `place`, and for no other. Their values may be secret.
    pub(crate) fields: HeaderMap,
    /// A file with a token for the same server, read for each fetch, since it may have changed.
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) any_content_type: bool,
}

/// Fetches the key set of an issuer.
pub(super) async fn fetch(
    client: &Client,
    issuer: &str,
    request: &Request,
) -> Result<Fetched, FetchError> {
    let everything = async {
        let fields = request.own_fields()?;
        let address = match &request.place {
            Place::Keys(address) => address.clone(),
            Place::Discovery(address) => {
                let (document, _) = request.get(client, address, &fields).await?;
                discovered(document, issuer, &request.plain_http)?
            }
        };
        let (json, lifetime) = request.get(client, &address, &fields).await?;
        Ok(Fetched { json, lifetime })
    };
    let result = tokio::time::timeout(PATIENCE, everything).await;
    result.unwrap_or(Err(FetchError::Timeout))
}

/// The `jwks_uri` of a discovery document, whose `issuer` has to be exactly the one that is trusted
/// (`OpenID` Connect Discovery 1.0, section 4.3).
fn discovered(
    document: String,
    issuer: &str,
    plain_http: &PlainHttp,
) -> Result<Address, FetchError> {
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
    /// What is said to the configured server, and to no other.
    fn own_fields(&self) -> Result<HeaderMap, FetchError> {
        let mut fields = self.fields.clone();
        if let Some(path) = &self.token_file {
            let token = read_token(path).map_err(FetchError::TokenFile)?;
            fields.insert(AUTHORIZATION, token);
        }
        Ok(fields)
    }

    /// A whole JSON answer, and for how long it is fresh.
    async fn get(
        &self,
        client: &Client,
        address: &Address,
        own_fields: &HeaderMap,
    ) -> Result<(String, i64), FetchError> {
        let mut request = client
            .get(address.url())
            .header(ACCEPT, "application/json, application/jwk-set+json");
        if address.is_of_server(self.place.address()) {
            request = request.headers(own_fields.clone());
        }
        let mut response = request.send().await.map_err(failed)?;
        if response.status().is_redirection()
            && let Some(location) = response.headers().get(LOCATION)
        {
            let to = location.to_str().ok();
            let to = to.and_then(|location| address.redirected(location));
            let to = to.unwrap_or_else(|| "no address".to_owned());
            return Err(FetchError::Redirect(response.status(), short(&to)));
        }
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        if !is_identity(&response) {
            return Err(FetchError::Encoded);
        }
        if !self.any_content_type && !is_json(&response) {
            return Err(FetchError::ContentType);
        }
        let lifetime = lifetime(response.headers());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > MOST_BYTES {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        // Some servers write a byte order mark, which means nothing here (RFC 8259, section 8.1).
        let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let json = std::str::from_utf8(json).map_err(|_| SetProblem::NoSet)?;
        Ok((json.to_owned(), lifetime))
    }
}

/// The field that shows the token in this file.
fn read_token(path: &Path) -> Result<HeaderValue, Problem> {
    let file = files::read(path, MOST_TOKEN_BYTES)
        .map_err(|_| "it cannot be read, is no regular file or is longer than 16 KiB")?;
    let token = std::str::from_utf8(&file.bytes).map_err(|_| "it is no text")?;
    let token = token.trim();
    if token.is_empty() {
        return Err(Problem::new("it is empty"));
    }
    let mut field = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| "it has characters that no token has")?;
    field.set_sensitive(true);
    Ok(field)
}

fn failed(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        FetchError::Network(reason(&error.without_url()))
    }
}

/// What is at the bottom of an error: that a connection was refused, or what is wrong with a certificate.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    short(&cause.to_string())
}

/// What a server may have a say in, short and without control characters.
fn short(text: &str) -> String {
    let character = |it: char| if it.is_control() { '?' } else { it };
    text.chars().map(character).take(LONGEST_REASON).collect()
}

/// `application/json`, `application/jwk-set+json` and their like, as they are.
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
