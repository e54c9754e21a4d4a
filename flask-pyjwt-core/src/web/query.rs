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
    let mut values = request.query_string().split('&').filter_map(|pair| {
        let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
        is_named(own, name).then_some(value)
    });
    let value = values.next();
    if values.next().is_some() {
        return Err(Rejection::SeveralParameters);
    }
    Ok(value.filter(|value| !value.is_empty()))
}

/// Whether a parameter's name, decoded as in a form, is this one.
fn is_named(own: &str, name: &str) -> bool {
    let mut pairs = form_urlencoded::parse(own.as_bytes());
    pairs.next().is_some_and(|(own, _)| own == name)
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
