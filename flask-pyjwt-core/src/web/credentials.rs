//! Finds the token of a request in the places that its route looks at.

use actix_web::{HttpRequest, http::header::COOKIE};

use super::{
    Rejection,
    bearer::{Scheme, authorization, named},
    query, websocket,
};
use crate::{config::Cookies, rules::TokenLocation, token::TokenType};

/// The text of a token, and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) signed: &'a str,
    pub(super) source: Source,
}

/// The place of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Header,
    /// `Authorization: DPoP …`: a proof comes with the token.
    Dpop,
    /// Browsers send cookies with cross-site requests too. So a CSRF proof may be needed.
    Cookie,
    Query,
    WebSocket,
}

/// The name of the cookie for tokens of this type, unless a route names another.
pub(super) fn default_cookie(cookies: &Cookies, token_type: TokenType) -> &str {
    match token_type {
        TokenType::Auth => &cookies.auth_name,
        TokenType::Refresh => &cookies.refresh_name,
    }
}

/// The token of a request in these places, or `None`. Tokens in two places are refused.
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
            TokenLocation::Header => match authorization(request)? {
                Some((Scheme::Dpop, token)) => (Some(token), Source::Dpop),
                other => (other.map(|(_, token)| token), Source::Header),
            },
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

/// How often a request may repeat a cookie with the same value.
const MOST_REPEATS: u32 = 32;

/// The value of the cookie of this name (RFC 6265, section 4.2.1), without percent-decoding.
///
/// Cookies of other names are skipped, even malformed ones. An empty value counts as no cookie, because some clients
/// clear a cookie that way. The same value can occur up to [`MOST_REPEATS`] times: a browser that has the cookie for
/// several paths or domains sends it once for each. Different values are refused.
pub(super) fn cookie<'a>(
    name: &str,
    request: &'a HttpRequest,
) -> Result<Option<&'a str>, Rejection> {
    let (mut found, mut count) = (None, 0);
    let name = name.as_bytes();
    for field in request.headers().get_all(COOKIE) {
        let field = field.as_bytes();
        let mut rest = 0;
        // Looks for the name's first byte only, so that thousands of other cookies cost little.
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
            count += 1;
            if count > MOST_REPEATS || found.is_some_and(|found| found != value) {
                return Err(Rejection::SeveralCookies);
            }
            found = Some(value);
        }
    }
    let value = std::str::from_utf8(found.unwrap_or_default())
        .map_err(|_| Rejection::MalformedCredentials)?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// The value of the cookie whose name begins at this position of a field, or `None` if the name there is another.
#[inline]
fn value_at<'a>(field: &'a [u8], at: usize, name: &[u8]) -> Option<&'a [u8]> {
    let mut after = field.get(at + name.len()..)?;
    // The check that fails most often comes first.
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

    /// The reference implementation splits a field at its semicolons.
    #[test]
    fn cookies_are_found_like_by_the_reference() {
        let parts = [
            ";", ";", "=", "=", " ", "t", "t", "tt", "a", "t=a", "t=a;", ";t=", "\t",
        ];
        for field in random_texts(&parts, 50_000) {
            let request = TestRequest::default().append_header((COOKIE, &*field));
            let request = request.to_http_request();
            for name in ["t", "tt", "tat"] {
                let pairs = field.split(';').filter_map(|pair| pair.split_once('='));
                let mut same = pairs.filter(|(other, _)| other.trim() == name);
                let first = same.next().map(|(_, value)| value.trim());
                let expected = if same.all(|(_, value)| Some(value.trim()) == first) {
                    Ok(first.filter(|value| !value.is_empty()))
                } else {
                    Err(Rejection::SeveralCookies)
                };
                assert_eq!(cookie(name, &request), expected, "{name} in {field}");
            }
        }
    }

    #[test]
    fn a_cookie_can_be_repeated_at_most_32_times() {
        for (count, expected) in [(32, Ok(Some("a"))), (33, Err(Rejection::SeveralCookies))] {
            let field = "t=a; ".repeat(count);
            let request = TestRequest::default().append_header((COOKIE, &*field));
            assert_eq!(cookie("t", &request.to_http_request()), expected, "{count}");
        }
    }

    #[test]
    fn a_cookie_has_one_value_which_is_not_decoded() {
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
