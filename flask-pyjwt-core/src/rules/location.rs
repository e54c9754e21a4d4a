//! The places where a token can be.

/// Where a route looks for the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenLocation {
    /// `Authorization: Bearer …` (RFC 6750, section 2.1).
    Header,
    /// The header of this name, in any case. Its value is the token, with or without `Bearer ` before
    /// it: what a proxy in front of the server sends, such as `x-goog-iap-jwt-assertion`,
    /// `Cf-Access-Jwt-Assertion` or `X-Amzn-Oidc-Data`.
    ///
    /// No CSRF proof is asked for. A proxy that adds the header to whatever a browser sends makes
    /// cross-site requests look authenticated: call
    /// [`AuthManager::check_origin`](crate::AuthManager::check_origin) on routes that change something.
    NamedHeader(String),
    /// The cookie that [`Config::cookies`](crate::Config::cookies) names for the type of token that
    /// is required.
    DefaultCookie,
    /// The cookie of this name, its value taken as it is, without percent-decoding.
    Cookie(String),
    /// The parameter of this name in the query string of a `GET` (RFC 6750, section 2.3). It is in logs
    /// and histories: for links and event streams that can do no better.
    Query(String),
    /// `Sec-WebSocket-Protocol: bearer, <token>`, for pages that open a WebSocket.
    WebSocket,
}

impl TokenLocation {
    /// The one spelling of a place: header names are compared without regard to case, and
    /// `Authorization` is the usual header.
    fn normalized(self) -> Self {
        match self {
            Self::NamedHeader(name) if name.eq_ignore_ascii_case("authorization") => Self::Header,
            Self::NamedHeader(name) => Self::NamedHeader(name.to_ascii_lowercase()),
            other => other,
        }
    }

    /// What is wrong with this place, if anything is.
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

/// These places, each of them once: a place that is named twice is not two places with credentials.
pub(crate) fn without_repeats(locations: Vec<TokenLocation>) -> Vec<TokenLocation> {
    let mut distinct = Vec::with_capacity(locations.len());
    for location in locations.into_iter().map(TokenLocation::normalized) {
        if !distinct.contains(&location) {
            distinct.push(location);
        }
    }
    distinct
}

/// What is wrong with these places, if anything is: without a place no token could ever be found.
pub(crate) fn problem(locations: &[TokenLocation]) -> Option<String> {
    if locations.is_empty() {
        return Some("needs at least one place".to_owned());
    }
    locations.iter().find_map(TokenLocation::problem)
}

/// A token of RFC 9110, section 5.6.2: what a header's name is made of.
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
