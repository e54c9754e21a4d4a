//! The places of a request that can hold a token.

/// A place where a route looks for the token.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, TokenLocation};
///
/// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
/// let header = TokenLocation::NamedHeader("x-goog-iap-jwt-assertion".to_owned());
/// assert!(AuthManager::new(config.clone().locations([header])).is_ok());
///
/// // Cookies have locations of their own.
/// let cookie = TokenLocation::NamedHeader("cookie".to_owned());
/// assert!(AuthManager::new(config.locations([cookie])).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenLocation {
    /// `Authorization: Bearer …` (RFC 6750, section 2.1).
    Header,
    /// The header of this name, in any case. Its value is the token, with or without `Bearer ` before it.
    ///
    /// Proxies in front of a server send such headers: `x-goog-iap-jwt-assertion`, `Cf-Access-Jwt-Assertion` or
    /// `X-Amzn-Oidc-Data`. No CSRF proof is required. If a proxy adds the header to every request of a browser, cross-site
    /// requests look authenticated: call [`AuthManager::check_origin`](crate::AuthManager::check_origin) on routes that
    /// change something.
    NamedHeader(String),
    /// The cookie that [`Config::cookies`](crate::Config::cookies) names for the required token type.
    DefaultCookie,
    /// The cookie of this name. Its value is not percent-decoded.
    Cookie(String),
    /// The parameter of this name in the query string of a `GET` (RFC 6750, section 2.3).
    ///
    /// Such tokens end up in logs and browser histories. Use it only where nothing else works, such as links and event
    /// streams.
    Query(String),
    /// `Sec-WebSocket-Protocol: bearer, <token>`, for pages that open a WebSocket with `new WebSocket(url, ["bearer", token])`.
    WebSocket,
}

impl TokenLocation {
    /// One spelling for each place: header names in lower case, and `Authorization` as `Header`.
    fn normalized(self) -> Self {
        match self {
            Self::NamedHeader(name) if name.eq_ignore_ascii_case("authorization") => Self::Header,
            Self::NamedHeader(name) => Self::NamedHeader(name.to_ascii_lowercase()),
            other => other,
        }
    }

    /// What is wrong with this place, if anything.
    fn problem(&self) -> Option<String> {
        match self {
            Self::NamedHeader(name) if name.eq_ignore_ascii_case("cookie") => Some(
                "has the header \"cookie\": for a cookie use `TokenLocation::Cookie`".to_owned(),
            ),
            Self::NamedHeader(name) if !is_name(name) => Some(format!(
                "has the header name {name:?}: use letters, digits and !#$%&'*+-.^_`|~"
            )),
            Self::Cookie(name) if name.is_empty() => Some("needs the cookie's name".to_owned()),
            Self::Query(name) if name.is_empty() => Some("needs the parameter's name".to_owned()),
            _ => None,
        }
    }
}

/// Removes repeated places, so that one place does not count as two places with credentials.
pub(crate) fn without_repeats(locations: Vec<TokenLocation>) -> Vec<TokenLocation> {
    let mut distinct = Vec::with_capacity(locations.len());
    for location in locations.into_iter().map(TokenLocation::normalized) {
        if !distinct.contains(&location) {
            distinct.push(location);
        }
    }
    distinct
}

/// What is wrong with these places, if anything. Without a place, no token could be found.
pub(crate) fn problem(locations: &[TokenLocation]) -> Option<String> {
    if locations.is_empty() {
        return Some("needs at least one place".to_owned());
    }
    locations.iter().find_map(TokenLocation::problem)
}

/// Whether this is a header name: a `token` of RFC 9110, section 5.6.2.
fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_in_two_spellings_is_one_place() {
        let named = |name: &str| TokenLocation::NamedHeader(name.to_owned());
        let tidied = without_repeats(vec![
            named("X-Token"),
            TokenLocation::DefaultCookie,
            named("AUTHORIZATION"),
            TokenLocation::Header,
            named("x-token"),
        ]);
        let expected = [
            named("x-token"),
            TokenLocation::DefaultCookie,
            TokenLocation::Header,
        ];
        assert_eq!(tidied, expected);
    }

    #[test]
    fn a_place_that_can_never_hold_a_token_is_a_mistake() {
        let header = |name: &str| vec![TokenLocation::NamedHeader(name.to_owned())];
        for (locations, expected) in [
            (vec![], false),
            (vec![TokenLocation::Header], true),
            (header("x-token"), true),
            (header("X-Amzn-Oidc-Data"), true),
            (header("Authorization"), true),
            (header(""), false),
            (header("x token"), false),
            (header("x-token:"), false),
            (header("größe"), false),
            (header("x\r\ny"), false),
            (header("Cookie"), false),
            (vec![TokenLocation::Cookie(String::new())], false),
            (
                vec![TokenLocation::Header, TokenLocation::Query(String::new())],
                false,
            ),
            (vec![TokenLocation::Query("t".to_owned())], true),
        ] {
            assert_eq!(problem(&locations).is_none(), expected, "{locations:?}");
        }
    }
}
