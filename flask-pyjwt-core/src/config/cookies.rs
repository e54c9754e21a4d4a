//! Names and attributes of the cookies that hold tokens.

use actix_web::cookie::SameSite;

use super::key;
use crate::error::ConfigError;

/// The maximum number of earlier configurations. Each can add three `Set-Cookie` lines to an answer.
const MAX_FORMER: usize = 8;

/// Names and attributes of the cookies that hold a browser's tokens. The defaults are safe.
///
/// | cookie | name | attributes |
/// | --- | --- | --- |
/// | auth token | `__Host-auth` | `Secure`, `HttpOnly`, `SameSite=Lax`, `Path=/` |
/// | refresh token | `__Secure-refresh` | `Secure`, `HttpOnly`, `SameSite=Strict`, `Path=/` or [`refresh_path`](Self::refresh_path) |
/// | CSRF proof | `__Host-csrf` | `Secure`, `SameSite=Strict`, `Path=/`; readable by the page's scripts |
///
/// `AuthManager::new` refuses combinations that a browser would drop.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Cookies};
///
/// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
/// let cookies = Cookies::default().refresh_path("/renew");
/// assert!(AuthManager::new(config.clone().cookies(cookies)).is_ok());
///
/// // The prefix `__Host-` does not allow a domain (RFC 6265bis, section 4.1.3).
/// let cookies = Cookies::default().domain("example.com");
/// assert!(AuthManager::new(config.cookies(cookies)).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "cookies are configured by `Config::cookies`"]
pub struct Cookies {
    pub(crate) auth_name: String,
    pub(crate) refresh_name: String,
    pub(crate) csrf_name: String,
    pub(crate) domain: Option<String>,
    pub(crate) refresh_path: String,
    pub(crate) same_site: SameSite,
    pub(crate) secure: bool,
    pub(crate) end_with_browser: bool,
    /// Earlier configurations, whose cookies are removed.
    pub(crate) former: Vec<Cookies>,
}

impl Default for Cookies {
    fn default() -> Self {
        Self {
            auth_name: "__Host-auth".to_owned(),
            refresh_name: "__Secure-refresh".to_owned(),
            csrf_name: "__Host-csrf".to_owned(),
            domain: None,
            refresh_path: "/".to_owned(),
            same_site: SameSite::Lax,
            secure: true,
            end_with_browser: false,
            former: Vec::new(),
        }
    }
}

impl Cookies {
    /// Sets the name of the auth token's cookie.
    pub fn auth_name(mut self, name: impl Into<String>) -> Self {
        self.auth_name = name.into();
        self
    }

    /// Sets the name of the refresh token's cookie.
    pub fn refresh_name(mut self, name: impl Into<String>) -> Self {
        self.refresh_name = name.into();
        self
    }

    /// Sets the name of the cookie that holds the CSRF proof.
    pub fn csrf_name(mut self, name: impl Into<String>) -> Self {
        self.csrf_name = name.into();
        self
    }

    /// Sends all three cookies to this domain and its subdomains.
    ///
    /// Every server there can read them and can set its own cookies in their place. The names must not have the prefix
    /// `__Host-`.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sends the refresh token's cookie only to this path and the paths below it. The default is `/`.
    ///
    /// [`SilentRenewal`](crate::SilentRenewal) then works only for those paths.
    pub fn refresh_path(mut self, path: impl Into<String>) -> Self {
        self.refresh_path = path.into();
        self
    }

    /// Sets `SameSite` of the auth token's cookie. The default is `Lax`.
    ///
    /// The other two cookies are `Strict`. With `None`, browsers send all three with requests from other sites.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// `false` allows the cookies over plain HTTP, for a development host other than `localhost`.
    ///
    /// The names must not have the prefixes `__Host-` and `__Secure-` then.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// `true` makes browsers forget the cookies when they close, instead of when the tokens expire.
    pub fn session_cookies(mut self, session_cookies: bool) -> Self {
        self.end_with_browser = session_cookies;
        self
    }

    /// Names an earlier configuration, whose cookies browsers may still have. Up to eight are allowed.
    ///
    /// A browser that has two cookies of one name, for two paths or domains, sends both, and such a request is refused
    /// with 400. With an earlier configuration, every answer that sets or clears the cookies removes the earlier ones, and
    /// so does that refusal. Keep it until the refresh tokens from before the change have expired.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::HttpResponse;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Cookies};
    ///
    /// let before = Cookies::default().refresh_path("/renew");
    /// let cookies = Cookies::default().formerly(before);
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let auth = AuthManager::new(config.cookies(cookies))?;
    ///
    /// let mut answer = HttpResponse::Ok();
    /// auth.clear_cookies(&mut answer);
    /// let cleared: Vec<_> = answer.finish().headers().get_all("set-cookie").cloned().collect();
    /// assert_eq!(cleared.len(), 4);
    /// assert!(cleared[3].to_str()?.contains("__Secure-refresh=; ") && cleared[3].to_str()?.contains("Path=/renew"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn formerly(mut self, mut earlier: Self) -> Self {
        self.former.append(&mut earlier.former);
        self.former.push(earlier);
        self
    }

    /// `SameSite` of the refresh and CSRF cookies.
    pub(crate) fn strict(&self) -> SameSite {
        match self.same_site {
            SameSite::None => SameSite::None,
            SameSite::Lax | SameSite::Strict => SameSite::Strict,
        }
    }

    /// Refuses what a browser would drop.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.former.len() > MAX_FORMER {
            return Err(ConfigError::invalid(
                key::COOKIES,
                format!(
                    "has {} earlier configurations: keep the last {MAX_FORMER}",
                    self.former.len()
                ),
            ));
        }
        let all = std::iter::once(self).chain(&self.former);
        all.into_iter().try_for_each(Self::validate_alone)
    }

    fn validate_alone(&self) -> Result<(), ConfigError> {
        let invalid = |reason: String| Err(ConfigError::invalid(key::COOKIES, reason));
        let names = [
            (&self.auth_name, "/"),
            (&self.refresh_name, self.refresh_path.as_str()),
            (&self.csrf_name, "/"),
        ];
        for (number, (name, path)) in names.into_iter().enumerate() {
            let is_name =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_name) {
                return invalid(format!(
                    "has the cookie name {name:?}: use letters, digits and !#$%&'*+-.^_`|~"
                ));
            }
            if names[..number].iter().any(|(other, _)| *other == name) {
                return invalid(format!("has the cookie name {name:?} twice"));
            }
            let is_plain = |c: char| c.is_ascii_graphic() && c != ';';
            if !path.starts_with('/') || !path.chars().all(is_plain) {
                return invalid(format!(
                    "has the path {path:?}: it begins with / and has neither blanks nor ;"
                ));
            }
            // Browsers compare the prefixes in any case (RFC 6265bis, section 5.7).
            let lower = name.to_ascii_lowercase();
            let (host, secure) = (lower.starts_with("__host-"), lower.starts_with("__secure-"));
            if (host || secure) && !self.secure {
                return invalid(format!(
                    "has `secure(false)` and the cookie {name:?}, which a browser then drops: give a \
                     name without the prefix"
                ));
            }
            if host && (self.domain.is_some() || path != "/") {
                return invalid(format!(
                    "has the cookie {name:?} with a domain or path, which a browser then drops: \
                     `__Secure-` is the prefix for it"
                ));
            }
        }
        if self.same_site == SameSite::None && !self.secure {
            return invalid(
                "has `SameSite=None` without `Secure`, which a browser drops".to_owned(),
            );
        }
        let is_domain = |domain: &str| {
            let label = |label: &str| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            };
            domain
                .strip_prefix('.')
                .unwrap_or(domain)
                .split('.')
                .all(label)
        };
        match &self.domain {
            Some(domain) if !is_domain(domain) => invalid(format!(
                "has the domain {domain:?}: give a host's name without port or path"
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_drop_is_refused() {
        let cookies = Cookies::default;
        for good in [
            cookies(),
            cookies().refresh_path("/api/renew"),
            cookies().same_site(SameSite::None),
            cookies().same_site(SameSite::Strict).session_cookies(true),
            cookies()
                .auth_name("__Secure-a")
                .csrf_name("c")
                .domain("example.com"),
            cookies()
                .auth_name("a")
                .refresh_name("r")
                .csrf_name("c")
                .secure(false),
        ] {
            assert!(good.validate().is_ok(), "{good:?}");
        }
        for wrong in [
            cookies().domain("example.com"),
            cookies().auth_name(""),
            cookies().auth_name("a b"),
            cookies().auth_name("a;b"),
            cookies().auth_name("same").refresh_name("same"),
            cookies().refresh_name("__Host-r").refresh_path("/renew"),
            cookies().refresh_name("__hOST-r").refresh_path("/renew"),
            cookies().refresh_path("renew"),
            cookies().refresh_path("/a;b"),
            cookies().secure(false),
            cookies()
                .auth_name("a")
                .refresh_name("r")
                .csrf_name("c")
                .secure(false)
                .same_site(SameSite::None),
            cookies()
                .auth_name("a")
                .csrf_name("c")
                .domain("example.com:80"),
            cookies().auth_name("a").csrf_name("c").domain(""),
        ] {
            assert!(wrong.validate().is_err(), "{wrong:?}");
        }
    }
}
