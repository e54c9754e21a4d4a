//! The addresses that key sets may be fetched from.

use std::net::IpAddr;

use reqwest::Url;

use crate::error::Problem;

/// The addresses for which plain http is allowed in addition to https.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PlainHttp {
    /// Whether it is allowed for this machine's loopback addresses.
    pub(crate) loopback: bool,
    /// One server for which the application allows it.
    pub(crate) server: Option<HttpServer>,
}

/// A server that may be contacted over plain http: its host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpServer {
    host: String,
    port: u16,
}

impl HttpServer {
    /// Parses a server such as `http://keycloak:8080`. Paths, queries and credentials are refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let names_more = url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some();
        if url.scheme() != "http" || names_more {
            return None;
        }
        Self::of(&url)
    }

    fn of(url: &Url) -> Option<Self> {
        Some(Self {
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }
}

impl PlainHttp {
    fn allows(&self, url: &Url) -> bool {
        let is_named = self.server.is_some() && self.server == HttpServer::of(url);
        is_named || (self.loopback && is_loopback(url))
    }
}

/// An address that keys may be fetched from: https, or http where it is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(Url);

/// Where an issuer's keys are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the key set at this address.
    Keys(Address),
    /// Through the discovery document at this address (`OpenID` Connect Discovery 1.0, RFC 8414).
    Discovery(Address),
}

impl Address {
    /// Parses an address and checks that it is allowed. An error is the end of a sentence about the address.
    pub(crate) fn parse(text: &str, plain: &PlainHttp) -> Result<Self, Problem> {
        let url = Url::parse(text).map_err(|_| "is not an absolute URL")?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Problem::new("has a user, a password or a fragment"));
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if plain.allows(&url) => Ok(Self(url)),
            "http" if is_loopback(&url) => Err(Problem::new(
                "is not https: `allow_http_on_loopback(true)` allows it for tests on one machine",
            )),
            "http" => Err(Problem::new(
                "is not https: `allow_insecure_http(\"http://host:port\")` allows it for one server inside a network \
                 that you trust",
            )),
            _ => Err(Problem::new("is not https")),
        }
    }

    /// Returns the usual address of an issuer's discovery document.
    pub(crate) fn discovery(issuer: &str, plain: &PlainHttp) -> Result<Self, Problem> {
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        Self::parse(&format!("{issuer}/.well-known/openid-configuration"), plain)
    }

    /// Returns whether both have the same origin: scheme, host and port (RFC 6454, section 4).
    pub(super) fn has_same_origin(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// Returns the target of a redirect without the parts that can be secret: credentials, query and fragment.
    pub(super) fn redirect_target(&self, location: &str) -> Option<String> {
        let to = self.0.join(location).ok()?;
        let host = to.host_str()?;
        let port = to.port().map(|port| format!(":{port}"));
        let port = port.unwrap_or_default();
        Some(format!("{}://{host}{port}{}", to.scheme(), to.path()))
    }

    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Place {
    pub(crate) fn address(&self) -> &Address {
        match self {
            Self::Keys(address) | Self::Discovery(address) => address,
        }
    }
}

/// Accepts no other host names, since they can resolve to any address. `localhost` is always this machine
/// (RFC 6761, section 6.3).
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_9_only_https_is_accepted_and_http_on_loopback_where_allowed() {
        for (text, by_default, with_loopback) in [
            ("https://a.example/jwks", true, true),
            ("https://127.0.0.1/jwks", true, true),
            ("http://127.0.0.1:8080/jwks", false, true),
            ("http://127.9.9.9/jwks", false, true),
            ("http://[::1]:8080/jwks", false, true),
            ("http://localhost:8080/jwks", false, true),
            ("http://LOCALHOST/jwks", false, true),
            ("http://0x7f.1/jwks", false, true), // another form of 127.0.0.1
            ("http://a.example/jwks", false, false),
            ("http://localhost.a.example/jwks", false, false),
            ("http://127.0.0.1.a.example/jwks", false, false),
            ("http://[::ffff:127.0.0.1]/jwks", false, false),
            ("http://0.0.0.0/jwks", false, false),
            ("http://169.254.169.254/latest", false, false),
            ("file:///etc/passwd", false, false),
            ("ftp://127.0.0.1/jwks", false, false),
            ("data:application/json,{}", false, false),
            ("https://user:pass@a.example/jwks", false, false),
            ("https://user@a.example/jwks", false, false),
            ("https://a.example/jwks#x", false, false),
            ("//a.example/jwks", false, false),
            ("a.example", false, false),
            ("", false, false),
        ] {
            let plain = PlainHttp {
                loopback: true,
                server: None,
            };
            let none = PlainHttp::default();
            assert_eq!(Address::parse(text, &none).is_ok(), by_default, "{text}");
            assert_eq!(
                Address::parse(text, &plain).is_ok(),
                with_loopback,
                "{text}"
            );
        }
    }

    #[test]
    fn plain_http_is_allowed_for_exactly_the_named_server() {
        for (named, text, expected) in [
            (
                "http://keycloak:8080",
                "http://keycloak:8080/realms/x",
                true,
            ),
            ("http://keycloak:8080/", "http://KEYCLOAK:8080/certs", true),
            ("http://keycloak", "http://keycloak:80/certs", true),
            ("http://keycloak:8080", "http://keycloak/certs", false),
            ("http://keycloak:8080", "http://keycloak:8081/certs", false),
            (
                "http://keycloak:8080",
                "http://keycloak.evil:8080/certs",
                false,
            ),
            (
                "http://keycloak:8080",
                "http://evil-keycloak:8080/certs",
                false,
            ),
            (
                "http://keycloak:8080",
                "http://u@keycloak:8080/certs",
                false,
            ),
            ("http://keycloak:8080", "http://127.0.0.1:8080/certs", false),
            ("http://keycloak:8080", "ftp://keycloak:8080/certs", false),
            ("http://10.0.0.7", "http://10.0.0.7/certs", true),
            ("http://[fd00::7]:8080", "http://[fd00::7]:8080/certs", true),
        ] {
            let plain = PlainHttp {
                loopback: false,
                server: Some(HttpServer::parse(named).expect(named)),
            };
            let parsed = Address::parse(text, &plain);
            assert_eq!(parsed.is_ok(), expected, "{named} {text}");
        }
        for named in [
            "https://a",
            "http://a/x",
            "http://u@a",
            "http://a?x",
            "a:80",
            "a",
            "*",
            "",
        ] {
            assert_eq!(HttpServer::parse(named), None, "{named}");
        }
    }

    #[test]
    fn a_redirect_target_has_no_secrets() {
        let from = Address::parse("https://a.example/keys", &PlainHttp::default()).expect("https");
        for (location, expected) in [
            ("/login?state=secret", Some("https://a.example/login")),
            ("http://u:p@b.example:81/x#y", Some("http://b.example:81/x")),
            ("//b.example", Some("https://b.example/")),
            ("mailto:x@y", None),
            ("http://", None),
        ] {
            assert_eq!(
                from.redirect_target(location).as_deref(),
                expected,
                "{location}"
            );
        }
    }

    #[test]
    fn the_discovery_document_is_below_the_issuer() {
        let expected = "https://a.example/t/.well-known/openid-configuration";
        for issuer in ["https://a.example/t", "https://a.example/t/"] {
            let address = Address::discovery(issuer, &PlainHttp::default()).expect("https");
            assert_eq!(address.as_str(), expected);
        }
        assert!(Address::discovery("example", &PlainHttp::default()).is_err());
    }
}
