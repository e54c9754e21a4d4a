//! From which page a browser says that a request comes.

use actix_web::{
    HttpRequest,
    http::header::{HOST, HeaderName, HeaderValue, ORIGIN},
};

use super::shown::shown;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// What a browser does with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    /// A handshake of a WebSocket: every browser sends `Origin` with it (RFC 6455, section 4.1, item 8),
    /// and CORS protects no server from it.
    WebSocket,
}

/// Whether a page of the server's own origin, or of one that is allowed, has sent the request, or no
/// browser has, as far as its head tells. One rule for requests and WebSockets.
///
/// | `Sec-Fetch-Site` | the page is our own |
/// | --- | --- |
/// | `same-origin`, or `none` (typed by the user; no WebSocket) | yes |
/// | anything else, or twice | where `Origin` is allowed |
/// | not sent | where `Origin` is allowed, or names the host that was asked |
/// | not sent, and no `Origin` | no browser has sent it: yes, but for a WebSocket |
///
/// A browser writes `Sec-Fetch-Site` (Fetch Metadata Request Headers, section 2.3) and `Origin` (RFC 6454,
/// section 7), and no page can. Of the host that was asked, a proxy may have written the fields: `Host`,
/// `Forwarded`, `X-Forwarded-Host`, `X-Forwarded-Port`. They are believed without knowing the proxy. No page
/// can set them for another site: a handshake takes no fields from a page, and a request with a field that
/// is not safelisted is sent after a preflight that the server has to agree to. Who writes them with a
/// program of his own has no cookies but his own.
pub(super) fn is_own_page(request: &HttpRequest, kind: Kind, allowed: &[String]) -> bool {
    let origin = origin(request);
    let is_socket = kind == Kind::WebSocket;
    if is_socket && !matches!(origin, Origin::Of(_)) {
        return false;
    }
    let is_allowed = matches!(origin, Origin::Of(own) if is_allowed(own, allowed));
    let mut sites = request.headers().get_all(SEC_FETCH_SITE);
    match (sites.next().map(HeaderValue::as_bytes), sites.next()) {
        (_, Some(_)) => false,
        (Some(b"same-origin"), None) => true,
        (Some(b"none"), None) if !is_socket => true,
        (Some(_), None) => is_allowed,
        (None, None) => match origin {
            Origin::Missing => true,
            Origin::Unclear => false,
            Origin::Of(own) => is_allowed || is_asked_host(own, request),
        },
    }
}

/// What was compared, as a log may show it.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) origin: Option<String>,
    pub(super) own: Option<String>,
    pub(super) sec_fetch_site: Option<String>,
}

impl Compared {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let all = |name: HeaderName| {
            let values = request.headers().get_all(name);
            let values: Vec<_> = values.map(HeaderValue::as_bytes).take(2).collect();
            let joined = values.join(b", ".as_slice());
            (!values.is_empty()).then(|| shown(&String::from_utf8_lossy(&joined)))
        };
        let scheme = request.connection_info().scheme().to_owned();
        let mut own = Vec::new();
        for host in asked_hosts(request) {
            if !own.contains(&host) {
                own.push(host);
            }
        }
        let own = own.iter().map(|host| format!("{scheme}://{host}"));
        Self {
            origin: all(ORIGIN),
            own: Some(shown(&own.collect::<Vec<_>>().join(" or "))),
            sec_fetch_site: all(SEC_FETCH_SITE),
        }
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
    asked_hosts(request).iter().any(|asked| {
        asked
            .strip_suffix(default_port)
            .unwrap_or(asked)
            .eq_ignore_ascii_case(host)
    })
}

/// The host and port that the request was sent to: as it came here, and as a proxy says that it came to
/// it; where they have no port, with the one that a proxy names, too.
fn asked_hosts(request: &HttpRequest) -> Vec<String> {
    let here = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok()),
    };
    // `Forwarded`, then `X-Forwarded-Host`, then `Host`.
    let forwarded = request.connection_info().host().to_owned();
    let port = forwarded_port(request);
    let mut hosts: Vec<_> = here.map(str::to_owned).into_iter().collect();
    hosts.push(forwarded);
    hosts.retain(|host| !host.is_empty());
    if let Some(port) = port {
        let bare = hosts.iter().filter(|host| !has_port(host));
        let with_port: Vec<_> = bare.map(|host| format!("{host}:{port}")).collect();
        hosts.extend(with_port);
    }
    hosts
}

fn has_port(host: &str) -> bool {
    // The colons of an IPv6 address are in brackets.
    let after_address = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    after_address.contains(':')
}

/// What the first proxy says of the port that it was asked at.
fn forwarded_port(request: &HttpRequest) -> Option<u16> {
    let field = request.headers().get(X_FORWARDED_PORT)?.to_str().ok()?;
    let first = field.split(',').next()?.trim();
    first
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| first.parse().ok())?
}

#[cfg(test)]
mod tests;
