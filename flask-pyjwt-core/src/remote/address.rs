//! Where a key set may be fetched from.

use std::net::IpAddr;

use reqwest::Url;

/// An address that may be asked: https, or http on this very machine where that was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(Url);

/// How an issuer's keys are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// At this address.
    Keys(Address),
    /// At the address that this document says (`OpenID` Connect Discovery 1.0, RFC 8414).
    Discovery(Address),
}

impl Address {
    /// Judges an address. `loopback` allows http where the host is this machine's loopback.
    pub(crate) fn parse(text: &str, loopback: bool) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is no absolute address")?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("has a user, a password or a fragment");
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if loopback && is_loopback(&url) => Ok(Self(url)),
            "http" if is_loopback(&url) => Err(
                "is not https: for tests on one machine, `allow_http_on_loopback(true)` lets it pass",
            ),
            _ => Err("is not https"),
        }
    }

    /// The discovery document of an issuer, at its usual place.
    pub(crate) fn discovery(issuer: &str, loopback: bool) -> Result<Self, &'static str> {
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        Self::parse(
            &format!("{issuer}/.well-known/openid-configuration"),
            loopback,
        )
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

/// Names too can point anywhere; `localhost` is this machine (RFC 6761, section 6.3).
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
    fn threat_9_only_https_and_loopback_where_it_was_allowed() {
        for (text, by_default, with_loopback) in [
            ("https://a.example/jwks", true, true),
            ("https://127.0.0.1/jwks", true, true),
            ("http://127.0.0.1:8080/jwks", false, true),
            ("http://127.9.9.9/jwks", false, true),
            ("http://[::1]:8080/jwks", false, true),
            ("http://localhost:8080/jwks", false, true),
            ("http://LOCALHOST/jwks", false, true),
            ("http://0x7f.1/jwks", false, true), // the same address, written otherwise
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
            assert_eq!(Address::parse(text, false).is_ok(), by_default, "{text}");
            assert_eq!(Address::parse(text, true).is_ok(), with_loopback, "{text}");
        }
    }

    #[test]
    fn a_discovery_document_is_below_its_issuer() {
        let expected = "https://a.example/t/.well-known/openid-configuration";
        for issuer in ["https://a.example/t", "https://a.example/t/"] {
            let address = Address::discovery(issuer, false).expect("https");
            assert_eq!(address.as_str(), expected);
        }
        assert!(Address::discovery("example", false).is_err());
    }
}
