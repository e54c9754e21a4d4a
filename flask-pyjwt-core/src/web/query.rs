//! A token in the query string, where a route asks for one: for links and event streams, whose requests
//! have neither a field nor a cookie of ours (RFC 6750, section 2.3).

use actix_web::{HttpRequest, http::Method};

use super::Rejection;

/// The value of the one parameter of this name, as it stands there: a token has no character that
/// would have to be encoded. Only of a `GET`. An empty value is none.
pub(super) fn token<'a>(
    name: &str,
    request: &'a HttpRequest,
) -> Result<Option<&'a str>, Rejection> {
    if *request.method() != Method::GET {
        return Ok(None);
    }
    let query = request.query_string();
    let (mut found, mut begin) = (None, 0);
    // The ends of all parameters, that of the last one, too.
    let ends = query.bytes().enumerate().filter(|(_, byte)| *byte == b'&');
    for end in ends.map(|(at, _)| at).chain([query.len()]) {
        let pair = &query[begin..end];
        begin = end + 1;
        if pair.len() < name.len() {
            continue;
        }
        let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
        if is_named(own, name) && found.replace(value).is_some() {
            return Err(Rejection::SeveralParameters);
        }
    }
    Ok(found.filter(|value| !value.is_empty()))
}

/// Whether a parameter's name, decoded as in a form, is this one. Nothing is allocated: there may be
/// thousands of others.
fn is_named(own: &str, name: &str) -> bool {
    let mut rest = own.as_bytes();
    let has_said = |expected: &u8| {
        let (byte, length) = match rest {
            [b'%', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [b'+', ..] => (b' ', 1),
            [byte, ..] => (*byte, 1),
            [] => return false,
        };
        rest = &rest[length..];
        byte == *expected
    };
    own.len() >= name.len() && name.as_bytes().iter().all(has_said) && rest.is_empty()
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn threat_30_a_parameter_counts_once_and_with_get() {
        for (query, expected) in [
            ("", Ok(None)),
            ("t=a.b.c", Ok(Some("a.b.c"))),
            ("x=1&t=a.b.c&y=2", Ok(Some("a.b.c"))),
            ("t=a%2Eb", Ok(Some("a%2Eb"))),
            ("t", Ok(None)),
            ("t=", Ok(None)),
            ("T=a&tt=b&at=c", Ok(None)),
            ("t=a&t=a", Err(Rejection::SeveralParameters)),
            ("t=&t=a", Err(Rejection::SeveralParameters)),
            ("t&t=a", Err(Rejection::SeveralParameters)),
            ("%74=a.b.c", Ok(Some("a.b.c"))),
            ("t=a&%74=b", Err(Rejection::SeveralParameters)),
            ("%2574=a", Ok(None)),
            ("t%3Da=b", Ok(None)),
            ("%ff=a&=b&&+t=c", Ok(None)),
        ] {
            let uri = format!("/?{query}");
            let request = TestRequest::get().uri(&uri).to_http_request();
            assert_eq!(token("t", &request), expected, "{query}");
            let request = TestRequest::post().uri(&uri).to_http_request();
            assert_eq!(token("t", &request), Ok(None), "{query}");
        }
    }
}
