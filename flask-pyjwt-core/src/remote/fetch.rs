//! One fetch of a key set, with every limit there is.

use std::{error::Error, time::Duration};

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{Address, Place, freshness::lifetime};
use crate::{
    keys::SetProblem,
    token::{Document, Json},
};

/// The time for everything: discovery and key set, from the first look-up to the last byte.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The longest explanation of a failed connection in characters.
const LONGEST_REASON: usize = 200;
/// The longest answer in bytes.
const MOST_BYTES: usize = 512 * 1024;

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the source does not answer within 5 seconds")]
    Timeout,
    #[error("the source cannot be reached: {0}")]
    Network(String),
    #[error("the source answers with {0}")]
    Status(StatusCode),
    #[error("the answer is no JSON by its `Content-Type`, or is encoded")]
    ContentType,
    #[error("the answer is longer than 512 KiB")]
    TooLarge,
    #[error("the discovery document is no strict JSON object with `issuer` and `jwks_uri`")]
    Discovery,
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    #[error("the `jwks_uri` {0}")]
    Address(&'static str),
    #[error("the key set cannot be used: {0}")]
    Set(#[from] SetProblem),
}

/// A key set as it was answered.
pub(super) struct Fetched {
    pub(super) json: String,
    /// Seconds after which to ask again.
    pub(super) lifetime: i64,
}

/// Fetches the key set of an issuer.
pub(super) async fn fetch(
    client: &Client,
    issuer: &str,
    place: &Place,
    loopback: bool,
) -> Result<Fetched, FetchError> {
    let everything = async {
        let address = match place {
            Place::Keys(address) => address.clone(),
            Place::Discovery(address) => {
                let (document, _) = get(client, address.url()).await?;
                discovered(document, issuer, loopback)?
            }
        };
        let (json, lifetime) = get(client, address.url()).await?;
        Ok(Fetched { json, lifetime })
    };
    let result = tokio::time::timeout(PATIENCE, everything).await;
    result.unwrap_or(Err(FetchError::Timeout))
}

/// The `jwks_uri` of a discovery document, whose `issuer` has to be exactly the one that is trusted
/// (`OpenID` Connect Discovery 1.0, section 4.3).
fn discovered(document: String, issuer: &str, loopback: bool) -> Result<Address, FetchError> {
    let document = Document::object(document).map_err(|_| FetchError::Discovery)?;
    let text = |name| {
        let member = document.root().member(name).and_then(Json::as_str);
        member.ok_or(FetchError::Discovery)
    };
    if text("issuer")? != issuer {
        return Err(FetchError::OtherIssuer);
    }
    Address::parse(&text("jwks_uri")?, loopback).map_err(FetchError::Address)
}

/// A whole JSON answer, and for how long it is fresh.
async fn get(client: &Client, url: Url) -> Result<(String, i64), FetchError> {
    let request = client
        .get(url)
        .header(ACCEPT, "application/json, application/jwk-set+json");
    let mut response = request.send().await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    if !is_json(&response) {
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
    let json = String::from_utf8(bytes).map_err(|_| SetProblem::NoSet)?;
    Ok((json, lifetime))
}

fn failed(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        FetchError::Network(reason(&error.without_url()))
    }
}

/// What is at the bottom of an error: that a connection was refused, or what is wrong with a certificate.
/// The server can have a say in it, so it is short and has no control characters.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
        .to_string()
        .chars()
        .map(|character| {
            if character.is_control() {
                '?'
            } else {
                character
            }
        })
        .take(LONGEST_REASON)
        .collect()
}

/// `application/json`, `application/jwk-set+json` and their like, as they are.
fn is_json(response: &Response) -> bool {
    let headers = response.headers();
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|field| field.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    let is_identity = headers
        .get(CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let kind = essence.strip_prefix("application/");
    is_identity && kind.is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}
