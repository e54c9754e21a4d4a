//! The parameters of a request: a form in its body. The query string is not looked at.

use std::{collections::HashMap, future::poll_fn, pin::pin};

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
    web::BytesMut,
};
use futures_core::Stream as _;

use super::refusal::Refusal;

const MEDIA_TYPE: &[u8] = b"application/x-www-form-urlencoded";
/// How many bytes a form may have beside the longest token.
const REST: usize = 16 * 1024;

/// May be given repeatedly (RFC 8707, section 2). No endpoint here looks at it.
const IGNORED: &str = "resource";

/// Each parameter has one value (RFC 6749, section 3.2). A parameter without a value counts as absent.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// Reads the body, if it is a form that is not too long.
    pub(super) async fn read(
        request: &HttpRequest,
        body: Payload,
        longest_token: usize,
    ) -> Result<Self, Refusal> {
        let headers = request.headers();
        let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let media_type = media_type.and_then(|value| value.split(|byte| *byte == b';').next());
        let is_form = media_type.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(MEDIA_TYPE));
        if !is_form || headers.contains_key(CONTENT_ENCODING) {
            return Err(Refusal::Request("The body has to be a URL-encoded form"));
        }
        let limit = longest_token + REST;
        let length = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
        if length.is_some_and(|length| length.parse().is_ok_and(|it: usize| it > limit)) {
            return Err(Refusal::TooLarge);
        }
        let mut body = pin!(body);
        let mut text = BytesMut::new();
        while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
            let chunk = chunk.map_err(|_| Refusal::Request("The body is incomplete"))?;
            if text.len() + chunk.len() > limit {
                return Err(Refusal::TooLarge);
            }
            text.extend_from_slice(&chunk);
        }
        Self::parse(&text)
    }

    fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let mut parameters = HashMap::new();
        let pairs = text.split(|byte| *byte == b'&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = pair.split_at(equals.unwrap_or(pair.len()));
            let value = value.strip_prefix(b"=").unwrap_or_default();
            let decoded = decode(name).zip(decode(value));
            let (name, value) = decoded.ok_or(Refusal::Request("The form is malformed"))?;
            if name != IGNORED && parameters.insert(name, value).is_some() {
                return Err(Refusal::Request("A parameter is given twice"));
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Decodes a name or value of a form. `None` if it is not UTF-8, or if a `%` begins no escape.
pub(super) fn decode(text: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_each_parameter_once_and_in_utf8() {
        let form = Form::parse(b"a=1&b=x%20y+z&&empty=&bare&c=%C3%A9=").expect("a form");
        assert_eq!(form.get("a"), Some("1"));
        assert_eq!(form.get("b"), Some("x y z"));
        assert_eq!(form.get("c"), Some("é="));
        assert_eq!(
            (form.get("empty"), form.get("bare"), form.get("d")),
            (None, None, None)
        );
        let form = Form::parse(b"resource=x&a=1&resource=y").expect("a form");
        assert_eq!((form.get("a"), form.get("resource")), (Some("1"), None));
        for bad in [
            &b"a=1&a=1"[..],
            b"a=1&%61=2",
            b"a=&a=1",
            b"a&a",
            b"a=%",
            b"a=%4",
            b"a=%zz",
            b"a=%+1",
            b"a=%FF",
            b"a=\xff",
            b"%FF=a",
        ] {
            assert!(Form::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
