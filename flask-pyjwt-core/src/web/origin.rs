//! From which page a browser says that a request comes.

use actix_web::{
    HttpRequest,
    http::header::{HOST, HeaderName, HeaderValue, ORIGIN},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of the server's own origin, or of one that is allowed, has sent the request, or no
/// browser has, as far as its head tells.
///
/// `Sec-Fetch-Site` (Fetch Metadata Request Headers, section 2.3) decides where the browser sends it: no
/// page can. Else `Origin` (RFC 6454, section 7) has to name the host that was asked.
pub(super) fn is_own_page(request: &HttpRequest, allowed: &[String]) -> bool {
    let mut sites = request.headers().get_all(SEC_FETCH_SITE);
    match (sites.next().map(HeaderValue::as_bytes), sites.next()) {
        (_, Some(_)) => false,
        (Some(b"same-origin" | b"none"), None) => true,
        (Some(_), None) => matches!(origin(request), Origin::Of(own) if is_allowed(own, allowed)),
        (None, None) => match origin(request) {
            Origin::Missing => true,
            Origin::Unclear => false,
            Origin::Of(own) => is_allowed(own, allowed) || is_asked_host(own, request),
        },
    }
}

/// The same for a handshake of a WebSocket, with which every browser sends `Origin` (RFC 6455, section
/// 4.1, item 8), and no check by CORS protects the server: a handshake without it is refused.
/// Where `Sec-Fetch-Site` says that the page is another, so it is: of another scheme, for instance.
pub(super) fn may_open_socket(request: &HttpRequest, allowed: &[String]) -> bool {
    match origin(request) {
        Origin::Of(own) => {
            let mut sites = request.headers().get_all(SEC_FETCH_SITE);
            let is_elsewhere = sites.any(|site| site.as_bytes() != b"same-origin");
            is_allowed(own, allowed) || (!is_elsewhere && is_asked_host(own, request))
        }
        Origin::Missing | Origin::Unclear => false,
    }
}

/// What the field `Origin` says.
enum Origin<'a> {
    Missing,
    /// There are two fields, or one that names no origin, such as `null`.
    Unclear,
    Of(&'a str),
}

fn origin(request: &HttpRequest) -> Origin<'_> {
    let mut fields = request.headers().get_all(ORIGIN);
    match (fields.next(), fields.next()) {
        (None, _) => Origin::Missing,
        (Some(field), None) => match field.to_str() {
            Ok(origin) if origin.contains("://") => Origin::Of(origin),
            _ => Origin::Unclear,
        },
        (Some(_), Some(_)) => Origin::Unclear,
    }
}

fn is_allowed(origin: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|own| own.eq_ignore_ascii_case(origin))
}

/// Whether an origin has the host and port that the request was sent to: as the client said it, or as
/// a proxy before the server did.
fn is_asked_host(origin: &str, request: &HttpRequest) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else {
        return false;
    };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let is_same = |asked: &str| {
        !asked.is_empty()
            && asked
                .strip_suffix(default_port)
                .unwrap_or(asked)
                .eq_ignore_ascii_case(host)
    };
    let asked = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok()),
    };
    asked.is_some_and(is_same) || is_same(request.connection_info().host())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// (`Sec-Fetch-Site`, `Origin`, whether the page is trusted, whether it may open a socket)
    type Case<'a> = (Option<&'a str>, Option<&'a str>, bool, bool);

    #[test]
    fn threat_31_a_page_of_another_site_is_told_from_our_own() {
        let allowed = ["https://app.example.com".to_owned()];
        let cases: [Case<'_>; 17] = [
            (None, None, true, false),
            (Some("same-origin"), None, true, false),
            (Some("none"), None, true, false),
            (Some("same-site"), None, false, false),
            (Some("cross-site"), None, false, false),
            (Some("anything"), None, false, false),
            (
                Some("cross-site"),
                Some("https://app.example.com"),
                true,
                true,
            ),
            (
                Some("cross-site"),
                Some("https://evil.example"),
                false,
                false,
            ),
            // Of another scheme than the page's.
            (
                Some("cross-site"),
                Some("http://api.example.com"),
                false,
                false,
            ),
            (None, Some("https://api.example.com"), true, true),
            (None, Some("https://API.example.com"), true, true),
            (None, Some("https://app.example.com"), true, true),
            (None, Some("https://app.example.com:8443"), false, false),
            (None, Some("https://evil.example"), false, false),
            (
                None,
                Some("https://api.example.com.evil.example"),
                false,
                false,
            ),
            (None, Some("null"), false, false),
            (None, Some("file://api.example.com"), false, false),
        ];
        for (site, origin, trusted, socket) in cases {
            let mut request = TestRequest::default().insert_header(("host", "api.example.com"));
            if let Some(site) = site {
                request = request.insert_header(("sec-fetch-site", site));
            }
            if let Some(origin) = origin {
                request = request.insert_header(("origin", origin));
            }
            let request = request.to_http_request();
            let what = format!("{site:?} {origin:?}");
            assert_eq!(is_own_page(&request, &allowed), trusted, "{what}");
            assert_eq!(may_open_socket(&request, &allowed), socket, "{what}");
        }
        let twice = TestRequest::default()
            .insert_header(("host", "a.example"))
            .append_header(("origin", "https://a.example"))
            .append_header(("origin", "https://evil.example"))
            .to_http_request();
        assert!(!is_own_page(&twice, &[]) && !may_open_socket(&twice, &[]));
    }
}
