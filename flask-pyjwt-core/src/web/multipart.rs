//! Reads the first part of a `multipart/form-data` body (RFC 7578) before the handler reads the body.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, dev::Payload, error::PayloadError, http::header::CONTENT_TYPE, web::Bytes,
};
use futures_core::Stream;

use super::Rejection;

/// The longest first part in bytes, without the two boundaries around it.
const MAX_PART: usize = 1_024;
/// The longest boundary in bytes (RFC 2046, section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The boundary in the `Content-Type` of a `multipart/form-data` request.
pub(super) fn boundary(request: &HttpRequest) -> Option<String> {
    let mut fields = request.headers().get_all(CONTENT_TYPE);
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let (media_type, parameters) = parameters(field.to_str().ok()?)?;
    if !media_type.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let is_boundary = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    sole(&parameters, "boundary")
        .filter(|boundary| (1..=MAX_BOUNDARY).contains(&boundary.len()))
        .filter(|boundary| boundary.bytes().all(is_boundary) && !boundary.ends_with(' '))
        .map(str::to_owned)
}

/// Reads the first part of a body. Returns its text, and a payload with the whole body.
///
/// It reads no more than the first part needs. The rest is read when the handler asks for it.
pub(super) async fn first_part(
    mut body: Payload,
    boundary: &str,
    name: &str,
) -> Result<(String, Payload), Rejection> {
    let limit = MAX_PART + 2 * (boundary.len() + "\r\n--".len());
    let mut chunks = VecDeque::new();
    let mut head = Vec::new();
    loop {
        match part_in(&head, boundary, name) {
            Part::Complete(text) => {
                let payload: BoxedStream = Box::pin(Replayed { chunks, body });
                return Ok((text, Payload::Stream { payload }));
            }
            Part::Other => return Err(Rejection::CsrfProofNotFirst),
            Part::Incomplete if head.len() == limit => return Err(Rejection::CsrfProofWrong),
            Part::Incomplete => {}
        }
        let chunk = poll_fn(|context| Pin::new(&mut body).poll_next(context)).await;
        let Some(Ok(chunk)) = chunk else {
            return Err(Rejection::CsrfProofMissing);
        };
        let room = chunk.len().min(limit - head.len());
        head.extend_from_slice(&chunk[..room]);
        if !chunk.is_empty() {
            chunks.push_back(chunk);
        }
    }
}

type BoxedStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// A body: first the chunks that were read from it, then the rest.
struct Replayed {
    chunks: VecDeque<Bytes>,
    body: Payload,
}

impl Stream for Replayed {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.chunks.pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None => Pin::new(&mut self.body).poll_next(context),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// The part is complete, and is the wanted field.
    Complete(String),
    /// More of the part has to be read.
    Incomplete,
    /// The part is another field or malformed.
    Other,
}

/// Parses the first part of a body from the bytes that were read so far.
fn part_in(head: &[u8], boundary: &str, name: &str) -> Part {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter has no line end before it, because the body begins with it.
    let first = format!("{}\r\n", &delimiter[2..]);
    let Some(part) = head.strip_prefix(first.as_bytes()) else {
        return if first.as_bytes().starts_with(head) {
            Part::Incomplete
        } else {
            Part::Other
        };
    };
    let Some(end) = memchr::memmem::find(part, b"\r\n\r\n") else {
        return Part::Incomplete;
    };
    if !is_field(&part[..end], name) {
        return Part::Other;
    }
    let content = &part[end + 4..];
    match memchr::memmem::find(content, delimiter.as_bytes()) {
        None => Part::Incomplete,
        Some(length) => match std::str::from_utf8(&content[..length]) {
            Ok(text) => Part::Complete(text.to_owned()),
            Err(_) => Part::Other,
        },
    }
}

/// Whether these header lines belong to a field of this name that is not a file.
fn is_field(lines: &[u8], name: &str) -> bool {
    let Ok(lines) = std::str::from_utf8(lines) else {
        return false;
    };
    let mut dispositions = lines.split("\r\n").filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    });
    let (Some(disposition), None) = (dispositions.next(), dispositions.next()) else {
        return false;
    };
    parameters(disposition).is_some_and(|(kind, parameters)| {
        let is_file = |(parameter, _): &(&str, &str)| {
            ["filename", "filename*"]
                .iter()
                .any(|name| parameter.eq_ignore_ascii_case(name))
        };
        kind.eq_ignore_ascii_case("form-data")
            && sole(&parameters, "name") == Some(name)
            && !parameters.iter().any(is_file)
    })
}

type Parameters<'a> = Vec<(&'a str, &'a str)>;

/// Splits a header value such as `a/b; name="value"; other=value` into the part before the first semicolon and its
/// parameters. Returns `None` for another form, and for a backslash in a value.
fn parameters(field: &str) -> Option<(&str, Parameters<'_>)> {
    let (kind, mut rest) = field.split_once(';').unwrap_or((field, ""));
    let mut parameters = Vec::new();
    rest = rest.trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if value.contains('\\') {
            return None;
        }
        parameters.push((name.trim(), value));
        let after = after.trim_start();
        rest = match after.strip_prefix(';') {
            Some(rest) => rest.trim_start(),
            None if after.is_empty() => "",
            None => return None,
        };
    }
    Some((kind.trim(), parameters))
}

/// The value of the parameter of this name. `None` if there are several.
fn sole<'a>(parameters: &Parameters<'a>, name: &str) -> Option<&'a str> {
    let mut values = parameters
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_boundary_is_quoted_or_plain_and_at_most_70_characters() {
        let long = "b".repeat(70);
        for (field, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data;charset=x;BOUNDARY=\"a b\"",
                Some("a b"),
            ),
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryx1",
                Some("----WebKitFormBoundaryx1"),
            ),
            (
                &format!("multipart/form-data; boundary={long}"),
                Some(&*long),
            ),
            (&format!("multipart/form-data; boundary={long}b"), None),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=\"a \"", None),
            ("multipart/form-data; boundary=\"a\\b\"", None),
            ("multipart/form-data; boundary=\"a\"b", None),
            ("multipart/form-data; boundary=a; boundary=a", None),
            ("multipart/form-data; boundary=a\u{7f}", None),
            ("multipart/mixed; boundary=a", None),
            ("multipart/form-data, boundary=a", None),
        ] {
            let Ok(field) = actix_web::http::header::HeaderValue::from_bytes(field.as_bytes())
            else {
                continue;
            };
            let request = TestRequest::default().insert_header((CONTENT_TYPE, field.clone()));
            assert_eq!(
                boundary(&request.to_http_request()).as_deref(),
                expected,
                "{field:?}"
            );
        }
        let twice = TestRequest::default()
            .append_header((CONTENT_TYPE, "multipart/form-data; boundary=a"))
            .append_header((CONTENT_TYPE, "multipart/form-data; boundary=b"));
        assert_eq!(boundary(&twice.to_http_request()), None);
    }

    #[test]
    fn the_first_part_is_complete_incomplete_or_another_field() {
        let field = "Content-Disposition: form-data; name=\"csrf_token\"";
        let complete = |text: &str| Part::Complete(text.to_owned());
        for (body, expected) in [
            (
                format!("--b\r\n{field}\r\n\r\na.b\r\n--b--\r\n"),
                complete("a.b"),
            ),
            (format!("--b\r\n{field}\r\n\r\n\r\n--b\r\n"), complete("")),
            (
                format!("--b\r\nX: y\r\n{field}\r\nContent-Type: text/plain\r\n\r\na\r\n--b"),
                complete("a"),
            ),
            (
                "--b\r\ncontent-DISPOSITION:Form-Data;Name=csrf_token\r\n\r\na\r\n--b".to_owned(),
                complete("a"),
            ),
            (
                format!("--b\r\n{field}\r\n\r\na\r\n-b\r\n--c\r\n--b"),
                complete("a\r\n-b\r\n--c"),
            ),
            (String::new(), Part::Incomplete),
            ("--b\r".to_owned(), Part::Incomplete),
            (format!("--b\r\n{field}\r\n\r"), Part::Incomplete),
            (format!("--b\r\n{field}\r\n\r\na.b\r\n--"), Part::Incomplete),
            ("--c\r\n".to_owned(), Part::Other),
            ("\r\n--b\r\n".to_owned(), Part::Other),
            (
                format!("preamble\r\n--b\r\n{field}\r\n\r\na\r\n--b"),
                Part::Other,
            ),
            (format!("--b\n{field}\n\na\n--b"), Part::Other),
            ("--b--\r\n".to_owned(), Part::Other),
            ("--b\r\n\r\na\r\n--b".to_owned(), Part::Incomplete),
            (
                format!("--b\r\n{field}\r\n{field}\r\n\r\na\r\n--b"),
                Part::Other,
            ),
            (
                format!("--b\r\n{field}; filename=\"x\"\r\n\r\na\r\n--b"),
                Part::Other,
            ),
            (
                format!("--b\r\n{field}; name=\"csrf_token\"\r\n\r\na\r\n--b"),
                Part::Other,
            ),
            (
                "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\na\r\n--b".to_owned(),
                Part::Other,
            ),
            (
                "--b\r\nContent-Disposition: attachment; name=\"csrf_token\"\r\n\r\na\r\n--b"
                    .to_owned(),
                Part::Other,
            ),
        ] {
            assert_eq!(
                part_in(body.as_bytes(), "b", "csrf_token"),
                expected,
                "{body:?}"
            );
        }
    }
}
