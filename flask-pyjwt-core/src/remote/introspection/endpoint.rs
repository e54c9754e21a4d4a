//! One question to an introspection endpoint (RFC 7662, section 2).

use std::{fmt::Write as _, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Client, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};

use super::super::{
    Address,
    fetch::{FetchError, TIMEOUT, failed, read},
};
use crate::json::{Document, Kind};

/// The maximum size of an answer in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Where and how an issuer is asked about its tokens.
pub(crate) struct Endpoint {
    /// The name of the issuer.
    pub(crate) issuer: String,
    pub(crate) address: Address,
    pub(crate) client: Arc<Client>,
    /// The client authentication.
    pub(crate) authorization: HeaderValue,
    pub(crate) any_content_type: bool,
}

/// What an issuer says about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The claims of an active token, as the text of a JSON object with `iss`.
    Active(Arc<str>),
    Inactive,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(
        "the endpoint responded with {0}: it refuses this server's client, so check the ID and the secret of \
         `Issuer::introspection`"
    )]
    Client(StatusCode),
    #[error("the response is not a strict JSON object whose `active` is `true` or `false`")]
    Answer,
}

impl Endpoint {
    /// Asks about a token, with a limit of 5 seconds.
    pub(super) async fn ask(&self, token: &str) -> Result<Answer, AskError> {
        let ask = async {
            let body = format!(
                "token={}&token_type_hint=access_token",
                form(token.as_bytes())
            );
            let request = self
                .client
                .post(self.address.url())
                .header(ACCEPT, "application/json")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(AUTHORIZATION, self.authorization.clone())
                .body(body);
            let response = request.send().await.map_err(failed)?;
            let status = response.status();
            if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return Err(AskError::Client(status));
            }
            let read = read(response, &self.address, self.any_content_type, MAX_BYTES);
            self.answer(read.await?)
        };
        let asked = tokio::time::timeout(TIMEOUT, ask).await;
        asked.unwrap_or(Err(FetchError::Timeout.into()))
    }

    /// Reads an answer (RFC 7662, section 2.2). `iss` is optional there: it is added, so that the claims are those of a
    /// token of this issuer.
    fn answer(&self, json: String) -> Result<Answer, AskError> {
        let document = Document::object(json).map_err(|_| AskError::Answer)?;
        let active = document.root().member("active").ok_or(AskError::Answer)?;
        match active.kind() {
            Kind::True => {}
            Kind::False => return Ok(Answer::Inactive),
            _ => return Err(AskError::Answer),
        }
        let text = document.text();
        if document.root().member("iss").is_some() {
            return Ok(Answer::Active(text.into()));
        }
        let (_, members) = text.split_once('{').ok_or(AskError::Answer)?;
        let issuer = serde_json::Value::from(self.issuer.as_str());
        Ok(Answer::Active(
            format!("{{\"iss\":{issuer},{members}").into(),
        ))
    }
}

/// The client authentication `client_secret_basic`: both parts are encoded as in a form (RFC 6749, section 2.3.1).
///
/// The value is marked as sensitive, so that it is not logged.
pub(crate) fn basic(id: &str, secret: &[u8]) -> Option<HeaderValue> {
    let pair = format!("{}:{}", form(id.as_bytes()), form(secret));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Encodes a value for `application/x-www-form-urlencoded`.
fn form(value: &[u8]) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                encoded.push(char::from(*byte));
            }
            b' ' => encoded.push('+'),
            // Writing to a text never fails.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_check() {
        let refused = AskError::Client(StatusCode::UNAUTHORIZED).to_string();
        assert!(
            refused.contains("401 Unauthorized")
                && refused.contains("refuses this server's client")
        );
        let redirected = AskError::from(FetchError::Redirect(
            StatusCode::FOUND,
            "https://x.example/".to_owned(),
        ));
        assert!(
            redirected
                .to_string()
                .contains("redirects to https://x.example/")
        );
    }

    #[test]
    fn id_and_secret_are_encoded_as_in_a_form_before_base64() {
        for (id, secret, expected) in [
            ("client", "secret", "client:secret"),
            ("a:b", "c d", "a%3Ab:c+d"),
            (
                "https://rs.example/",
                "100%&=+~",
                "https%3A%2F%2Frs.example%2F:100%25%26%3D%2B%7E",
            ),
            ("\u{fc}", "\n", "%C3%BC:%0A"),
        ] {
            let value = basic(id, secret.as_bytes()).expect("a header field");
            assert!(value.is_sensitive());
            let text = value.to_str().expect("text");
            assert_eq!(text, format!("Basic {}", STANDARD.encode(expected)));
        }
    }
}
