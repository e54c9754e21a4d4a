//! Finds out whether a request comes from a page of this server, by the header fields that browsers set.

use actix_web::{
    HttpRequest,
    http::header::{HOST, HeaderName, HeaderValue, ORIGIN},
};

use super::shown::shown;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// The kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    /// A WebSocket handshake. Every browser sends `Origin` with it (RFC 6455, section 4.1, item 8), and CORS does not
    /// apply to it.
    WebSocket,
}

/// Whether the request comes from a page of the server's own origin or of an allowed origin, or from a client that is
/// not a browser. WebSocket handshakes need an `Origin` field in any case.
///
/// | `Sec-Fetch-Site` | accepted |
/// | --- | --- |
/// | `same-origin` | yes |
/// | `none` (the user typed the URL) | yes; for a WebSocket, if `Origin` is allowed |
/// | another value | if `Origin` is allowed |
/// | two fields | no |
/// | not sent | if `Origin` is allowed, or names the host of the request |
/// | not sent, and no `Origin` | yes (not a browser), except for a WebSocket |
///
/// The browser sets `Sec-Fetch-Site` (Fetch Metadata Request Headers, section 2.3) and `Origin` (RFC 6454, section 7).
/// Pages cannot change them.
///
/// The host of the request is in fields that a proxy may have set: `Host`, `Forwarded`, `X-Forwarded-Host`,
/// `X-Forwarded-Port`. They are trusted from any sender, because a page cannot set them for another site. Handshakes
/// have no fields of a page, and a request with such a field needs a preflight that the server has to allow. A program
/// can set them, but it does not have the cookies of another user.
pub(super) fn is_own_page(request: &HttpRequest, kind: Kind, allowed: &[String]) -> bool {
    let origin = origin(request);
    let is_socket = kind == Kind::WebSocket;
    if is_socket && !matches!(origin, Origin::Of(_)) {
        return false;
    }
    let is_allowed = matches!(origin, Origin::Of(origin) if is_allowed(origin, allowed));
    let mut sites = request.headers().get_all(SEC_FETCH_SITE);
    match (sites.next().map(HeaderValue::as_bytes), sites.next()) {
        (_, Some(_)) => false,
        (Some(b"same-origin"), None) => true,
        (Some(b"none"), None) if !is_socket => true,
        (Some(_), None) => is_allowed,
        (None, None) => match origin {
            Origin::Missing => true,
            Origin::Unclear => false,
            Origin::Of(origin) => is_allowed || is_host_of(request, origin),
        },
    }
}

/// The compared values, for the log.
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
        for host in hosts_of(request) {
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

/// The value of the field `Origin`.
enum Origin<'a> {
    Missing,
    /// There are two fields, or the value is not an origin, such as `null`.
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
    allowed
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(origin))
}

/// Whether an origin has the host and port of the request, as the client or a proxy names them.
fn is_host_of(request: &HttpRequest, origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else {
        return false;
    };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    hosts_of(request).iter().any(|own| {
        own.strip_suffix(default_port)
            .unwrap_or(own)
            .eq_ignore_ascii_case(host)
    })
}

/// The hosts of the request, with their ports: the one that this server received, and the one that a proxy names. Hosts
/// without a port are listed again with the port that a proxy names.
pub(super) fn hosts_of(request: &HttpRequest) -> Vec<String> {
    let received = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok()),
    };
    // `Forwarded`, then `X-Forwarded-Host`, then `Host`.
    let forwarded = request.connection_info().host().to_owned();
    let port = forwarded_port(request);
    let mut hosts: Vec<_> = received.map(str::to_owned).into_iter().collect();
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
    // Skips an IPv6 address in brackets, which has colons too.
    let after_address = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    after_address.contains(':')
}

/// The port on which the first proxy received the request.
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
