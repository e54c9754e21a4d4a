//! Where a request's token is, and what counts as one.

use actix_web::{HttpRequest, http::header::COOKIE};

use super::{
    Rejection,
    bearer::{bearer, named},
    query, websocket,
};
use crate::{config::Cookies, rules::TokenLocation, token::TokenType};

/// A token as it stands in a request, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) signed: &'a str,
    pub(super) source: Source,
}

/// Where a token was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Header,
    /// Browsers send it unasked.
    Cookie,
    Query,
    WebSocket,
}

/// The name of the cookie in which a token of this type is unless a route names another.
pub(super) fn default_cookie(cookies: &Cookies, token_type: TokenType) -> &str {
    match token_type {
        TokenType::Auth => &cookies.auth_name,
        TokenType::Refresh => &cookies.refresh_name,
    }
}

/// The one token of a request in the places that its route looks at, if there is one.
///
/// ```text
/// Authorization: Bearer eyJhbGciOi…       a token
/// Authorization: Basic YWxpY2U6…          no credentials
/// Authorization: Bearer  eyJhbGciOi…      malformed: two blanks
/// ```
pub(super) fn find<'a>(
    locations: &[TokenLocation],
    default_cookie: &str,
    request: &'a HttpRequest,
) -> Result<Option<Found<'a>>, Rejection> {
    let mut token = None;
    for location in locations {
        let (found, source) = match location {
            TokenLocation::Header => (bearer(request)?, Source::Header),
            TokenLocation::NamedHeader(name) => (named(name, request)?, Source::Header),
            TokenLocation::DefaultCookie => (cookie(default_cookie, request)?, Source::Cookie),
            TokenLocation::Cookie(name) => (cookie(name, request)?, Source::Cookie),
            TokenLocation::Query(name) => (query::token(name, request)?, Source::Query),
            TokenLocation::WebSocket => (websocket::token(request)?, Source::WebSocket),
        };
        let found = found.map(|signed| Found { signed, source });
        if found.is_some() && token.is_some() {
            return Err(Rejection::SeveralPlaces);
        }
        token = token.or(found);
    }
    Ok(token)
}

/// How often the same cookie may be sent.
const MOST_ALIKE: u32 = 32;

/// The value of the cookie of this name as it stands there (RFC 6265, section 4.2.1), without
/// percent-decoding.
///
/// Cookies of other names are passed over, however broken. An empty value is none: it is what
/// remains of a cookie that was cleared. The same value several times is one: a browser sends it so
/// where it has the cookie for two paths or domains, of which there are less than [`MOST_ALIKE`].
pub(super) fn cookie<'a>(
    name: &str,
    request: &'a HttpRequest,
) -> Result<Option<&'a str>, Rejection> {
    let (mut found, mut alike) = (None, 0);
    let name = name.as_bytes();
    for field in request.headers().get_all(COOKIE) {
        let field = field.as_bytes();
        let mut rest = 0;
        // Looking for the name's first byte passes over thousands of other cookies at little cost.
        let next = |rest: usize| {
            let mut bytes = field[rest..].iter();
            bytes.position(|byte| name.first() == Some(byte))
        };
        while let Some(distance) = next(rest) {
            let at = rest + distance;
            rest = at + 1;
            let Some(value) = value_at(field, at, name) else {
                continue;
            };
            alike += 1;
            if alike > MOST_ALIKE || found.is_some_and(|found| found != value) {
                return Err(Rejection::SeveralCookies);
            }
            found = Some(value);
        }
    }
    let value = std::str::from_utf8(found.unwrap_or_default())
        .map_err(|_| Rejection::MalformedCredentials)?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// The value of a cookie, where what stands at this place of a field is its whole name.
#[inline]
fn value_at<'a>(field: &'a [u8], at: usize, name: &[u8]) -> Option<&'a [u8]> {
    let mut after = field.get(at + name.len()..)?;
    // What most often tells that this is no such cookie comes first.
    while let [b' ' | b'\t', rest @ ..] = after {
        after = rest;
    }
    let [b'=', value @ ..] = after else {
        return None;
    };
    let before = field[..at].trim_ascii_end();
    if !matches!(before.last(), None | Some(b';')) || !field[at..].starts_with(name) {
        return None;
    }
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    Some(value[..end].trim_ascii())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::web::bearer::tests::random_texts;

    /// The judge splits a field at its semicolons.
    #[test]
    fn cookies_are_found_as_by_splitting_the_field() {
        let parts = [
            ";", ";", "=", "=", " ", "t", "t", "tt", "a", "t=a", "t=a;", ";t=", "\t",
        ];
        for field in random_texts(&parts, 50_000) {
            let request = TestRequest::default().append_header((COOKIE, &*field));
            let request = request.to_http_request();
            for name in ["t", "tt", "tat"] {
                let pairs = field.split(';').filter_map(|pair| pair.split_once('='));
                let mut own = pairs.filter(|(own, _)| own.trim() == name);
                let first = own.next().map(|(_, value)| value.trim());
                let expected = if own.all(|(_, value)| Some(value.trim()) == first) {
                    Ok(first.filter(|value| !value.is_empty()))
                } else {
                    Err(Rejection::SeveralCookies)
                };
                assert_eq!(cookie(name, &request), expected, "{name} in {field}");
            }
        }
    }

    #[test]
    fn a_cookie_is_the_same_one_at_most_32_times() {
        for (count, expected) in [(32, Ok(Some("a"))), (33, Err(Rejection::SeveralCookies))] {
            let field = "t=a; ".repeat(count);
            let request = TestRequest::default().append_header((COOKIE, &*field));
            assert_eq!(cookie("t", &request.to_http_request()), expected, "{count}");
        }
    }

    #[test]
    fn cookies_are_taken_as_they_are() {
        for (fields, expected) in [
            (vec!["t=a.b.c"], Ok(Some("a.b.c"))),
            (vec!["x=1; t=a.b.c ;y=2"], Ok(Some("a.b.c"))),
            (vec!["x=1", "t=a.b.c"], Ok(Some("a.b.c"))),
            (
                vec!["=broken; ; x; \"; t=a.b.c; =; %ZZ=%"],
                Ok(Some("a.b.c")),
            ),
            (vec!["t=a%2Eb"], Ok(Some("a%2Eb"))),
            (vec!["T=a.b.c; tt=a.b.c"], Ok(None)),
            (vec!["t="], Ok(None)),
            (vec!["t"], Ok(None)),
            (vec!["t=a; t=b"], Err(Rejection::SeveralCookies)),
            (vec!["t=a; t=a", "t = a", "x"], Ok(Some("a"))),
            (vec!["t=a; t=a; t=b"], Err(Rejection::SeveralCookies)),
            (vec!["t=; t="], Ok(None)),
            (vec!["t=a", "t=b"], Err(Rejection::SeveralCookies)),
            (vec!["t=; t=a"], Err(Rejection::SeveralCookies)),
        ] {
            let mut request = TestRequest::default();
            for field in &fields {
                request = request.append_header((COOKIE, *field));
            }
            let request = request.to_http_request();
            let found = cookie("t", &request);
            assert_eq!(found, expected, "{fields:?}");
        }
        let broken = [b"x=\xff; t=a.b.c".as_slice(), b"\xfe"]
            .map(|bytes| actix_web::http::header::HeaderValue::from_bytes(bytes).expect("a field"));
        let mut request = TestRequest::default();
        for field in broken {
            request = request.append_header((COOKIE, field));
        }
        assert_eq!(cookie("t", &request.to_http_request()), Ok(Some("a.b.c")));
    }
}
