//! Tokens in the query string (RFC 6750, section 2.3), for routes that allow it. A page cannot set a header field for a
//! link or an event stream.

use actix_web::{HttpRequest, http::Method};

use super::Rejection;

/// The value of the parameter of this name in the query of a `GET`. Two such parameters are refused.
///
/// The value is not decoded, because a token has no characters that need encoding. An empty value counts as no token.
pub(super) fn token<'a>(
    name: &str,
    request: &'a HttpRequest,
) -> Result<Option<&'a str>, Rejection> {
    if *request.method() != Method::GET {
        return Ok(None);
    }
    let query = request.query_string();
    let bytes = query.as_bytes();
    let Some(first) = name.bytes().next() else {
        return Ok(None);
    };
    let (mut found, mut rest) = (None, bytes);
    loop {
        if may_begin_with(rest, first)
            && let Some(value) = value_of(rest, name)
        {
            let begin = query.len() - value.len();
            let length = memchr::memchr(b'&', value).unwrap_or(value.len());
            if found.replace(&query[begin..begin + length]).is_some() {
                return Err(Rejection::SeveralParameters);
            }
        }
        let Some(end) = rest.iter().position(|byte| *byte == b'&') else {
            break;
        };
        rest = &rest[end + 1..];
    }
    Ok(found.filter(|value| !value.is_empty()))
}

/// Whether the first character of a parameter may decode to this byte. A quick check before [`value_of`].
#[inline]
fn may_begin_with(pair: &[u8], byte: u8) -> bool {
    match pair {
        // A percent sign that encodes nothing stands for itself.
        [b'%', high, low, ..] if byte != b'%' => {
            digit(*high) == Some(byte >> 4) && digit(*low) == Some(byte & 0xF)
        }
        [b'+', ..] => byte == b' ',
        [first, ..] => *first == byte,
        [] => false,
    }
}

/// The rest of the query after the name of the first parameter and its `=`, if that name, decoded as in a form, is this
/// one. It does not allocate, because there may be thousands of other parameters.
#[inline]
fn value_of<'a>(query: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = query;
    for expected in name.bytes() {
        let (byte, length) = match rest {
            [b'=' | b'&', ..] | [] => return None,
            [b'%', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => (b'%', 1),
            },
            [b'+', ..] => (b' ', 1),
            [byte, ..] => (*byte, 1),
        };
        if byte != expected {
            return None;
        }
        rest = &rest[length..];
    }
    match rest {
        [b'=', value @ ..] => Some(value),
        [b'&', ..] | [] => Some(rest),
        _ => None,
    }
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_hexdigit()
        .then(|| (byte & 0xF) + 9 * (byte >> 6))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// The reference implementation splits the query and decodes each parameter.
    #[test]
    fn parameters_are_found_like_by_the_reference() {
        let reference = |name: &str, query: &str| {
            let pairs = query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let same: Vec<_> = pairs
                .filter(|(other, _)| {
                    let other = other.replace('+', " ");
                    percent_encoding::percent_decode_str(&other).eq(name.bytes())
                })
                .collect();
            match same[..] {
                [] => Ok(None),
                [(_, value)] => Ok(Some(value).filter(|value| !value.is_empty())),
                _ => Err(Rejection::SeveralParameters),
            }
            .map(|value: Option<&str>| value.map(str::to_owned))
        };
        let parts = [
            "&", "&", "=", "t", "%74", "%7", "%", "+", "%20", "a", "%26", "%3d", "7", "4", "tt",
        ];
        let mut state = 1_u32;
        for _ in 0..30_000 {
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as usize
            };
            let count = random() % 12;
            let query: String = (0..count).map(|_| parts[random() % parts.len()]).collect();
            let request = TestRequest::get()
                .uri(&format!("/?{query}"))
                .to_http_request();
            for name in ["t", "tt", "t t", "%", "t=", "a&"] {
                let found = token(name, &request).map(|value| value.map(str::to_owned));
                assert_eq!(found, reference(name, &query), "{name} in {query}");
            }
        }
    }

    #[test]
    fn threat_30_a_parameter_is_read_once_and_only_with_get() {
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
