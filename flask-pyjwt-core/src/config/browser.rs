//! Configuration for browsers: cookies, allowed origins, and the CSRF secret.

use super::{Config, Cookies, Secret, key};
use crate::error::ConfigError;

/// The configuration for browsers, not yet checked.
#[derive(Clone, Default)]
pub(super) struct BrowserConfig {
    cookies: Cookies,
    allowed_origins: Vec<String>,
    pub(super) csrf_secret: Option<Secret>,
}

impl Config {
    /// Sets the names and attributes of the cookies that hold the tokens of browsers.
    #[doc(alias = "JWT_COOKIE_SECURE")]
    pub fn cookies(mut self, cookies: Cookies) -> Self {
        self.browser.cookies = cookies;
        self
    }

    /// Sets other origins whose pages may send unsafe requests with cookies and open WebSockets.
    ///
    /// Pages of the server's own origin always may. An origin has a scheme, a host, a port unless it is the scheme's
    /// default, and no path: `https://app.example.com`. Requests from these origins still need the CSRF proof.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let app = config.clone().allowed_origins(["https://app.example.com"]);
    /// assert!(AuthManager::new(app).is_ok());
    ///
    /// // Not an origin: it has a path.
    /// assert!(AuthManager::new(config.allowed_origins(["https://app.example.com/"])).is_err());
    /// ```
    #[doc(alias = "CORS")]
    pub fn allowed_origins<I>(mut self, origins: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.browser.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the secret for CSRF proofs: at least 32 bytes, the same on all servers of a fleet.
    ///
    /// By default, proofs are made with a key that is derived from each signing key, and become invalid when that key is
    /// removed. A server with only a public key needs this secret to accept cookies on unsafe methods.
    ///
    /// Key rotation does not change it. If it leaked, set another one: all proofs become invalid, and pages get new ones
    /// with the next cookies.
    #[doc(alias = "JWT_CSRFSECRET")]
    pub fn csrf_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.browser.csrf_secret = Some(Secret::new(secret));
        self.settled(&[key::CSRF_SECRET])
    }
}

/// The configuration for browsers, checked.
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
