//! The part of the configuration that is about browsers: cookies, origins, and the CSRF proof.

use super::{Config, Cookies, Secret, key};
use crate::error::ConfigError;

/// What is configured of browsers.
#[derive(Clone, Default)]
pub(super) struct BrowserConfig {
    cookies: Cookies,
    allowed_origins: Vec<String>,
    pub(super) csrf_secret: Option<Secret>,
}

impl Config {
    /// Sets names and attributes of the cookies in which browsers keep their tokens.
    pub fn cookies(mut self, cookies: Cookies) -> Self {
        self.browser.cookies = cookies;
        self
    }

    /// Lets pages of these origins send unsafe requests with cookies, and open WebSockets, beside those
    /// of the server's own origin: `https://app.example.com`, with the port where it is not the
    /// scheme's own, without a path. They need the CSRF proof as well.
    pub fn allowed_origins<I>(mut self, origins: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.browser.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the secret by which CSRF proofs are made: at least 32 bytes, the same on all servers of
    /// a fleet. By default each key of the ring that has a secret or private part makes and checks
    /// proofs, as long as it is there; a server that only verifies needs this to take cookies on unsafe
    /// methods.
    ///
    /// No rotation of keys changes it. Where it was leaked, set another: every proof is wrong then, and
    /// pages get new ones with the next cookies.
    #[doc(alias = "JWT_CSRFSECRET")]
    pub fn csrf_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.browser.csrf_secret = Some(Secret::new(secret));
        self.settled(&[key::CSRF_SECRET])
    }
}

/// A configuration of browsers without a mistake.
pub(crate) struct Browser {
    pub(crate) cookies: Cookies,
    /// In lower case.
    pub(crate) allowed_origins: Vec<String>,
}

impl BrowserConfig {
    /// Checks every value.
    pub(super) fn validate(self) -> Result<Browser, ConfigError> {
        self.cookies.validate()?;
        if let Some(wrong) = self
            .allowed_origins
            .iter()
            .find(|origin| !is_origin(origin))
        {
            return Err(ConfigError::invalid(
                key::ALLOWED_ORIGINS,
                format!("has {wrong:?}: an origin is like https://app.example.com:8443"),
            ));
        }
        if let Some(secret) = &self.csrf_secret
            && secret.as_bytes().len() < 32
        {
            return Err(ConfigError::invalid(
                key::CSRF_SECRET,
                "has fewer than 32 bytes: make one with `openssl rand -hex 32`",
            ));
        }
        let lower = |origin: String| origin.to_ascii_lowercase();
        Ok(Browser {
            cookies: self.cookies,
            allowed_origins: self.allowed_origins.into_iter().map(lower).collect(),
        })
    }
}

/// Whether this is an origin as browsers write it (RFC 6454, section 6.2).
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let is_scheme = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let is_own_port = match authority.rsplit_once(':') {
        Some((_, "443")) => scheme.eq_ignore_ascii_case("https"),
        Some((_, "80")) => scheme.eq_ignore_ascii_case("http"),
        _ => false,
    };
    is_scheme
        && !is_own_port
        && !authority.contains(['@', '*'])
        && authority
            .parse::<actix_web::http::uri::Authority>()
            .is_ok_and(|authority| !authority.host().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, expected) in [
            ("https://app.example.com", true),
            ("http://127.0.0.1:8080", true),
            ("HTTPS://Example.com", true),
            ("http://[::1]:3000", true),
            ("https://app.example.com/", false),
            ("https://app.example.com:443", false),
            ("app.example.com", false),
            ("https://", false),
            ("https://*.example.com", false),
            ("https://user@example.com", false),
            ("file://x", false),
            ("null", false),
            ("*", false),
        ] {
            assert_eq!(is_origin(text), expected, "{text}");
        }
    }
}
