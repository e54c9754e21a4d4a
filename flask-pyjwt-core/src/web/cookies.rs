//! Sets and clears the cookies that hold the tokens of a browser.

use actix_web::{
    HttpResponseBuilder,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE},
};

use super::{Misconfiguration, Rejection, known::Known, refused::report};
use crate::{config::Cookies, manager::AuthManager, session::TokenPair, token::Token};

/// The longest cookie in bytes, with its attributes. Browsers silently drop longer ones.
const LONGEST: usize = 4_093;

/// Cookies that hold the tokens of a browser. [`Config::cookies`](crate::Config::cookies) sets their names and attributes.
impl AuthManager {
    /// Adds the three cookies of a session to an answer: auth token, refresh token and CSRF proof.
    ///
    /// Each cookie expires with its token; the CSRF proof expires with the refresh token. It also sets
    /// `Cache-Control: no-store`.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpRequest, HttpResponse};
    /// use flask_pyjwt::{AuthManager, Rejection};
    ///
    /// async fn login(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    ///     // Check the password first.
    ///     let pair = auth.login("alice").replacing(&request).await?;
    ///     let mut answer = HttpResponse::Ok();
    ///     auth.set_cookies(&mut answer, &pair)?;
    ///     Ok(answer.finish())
    /// }
    /// #
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use actix_web::test::TestRequest;
    /// # use flask_pyjwt::{AuthType, Config, MemoryStore};
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let answer = login(auth.clone(), TestRequest::post().to_http_request()).await?;
    /// assert_eq!(answer.headers().get_all("set-cookie").count(), 3);
    ///
    /// // Browsers drop cookies of more than 4,093 bytes.
    /// let pair = auth.login("alice").claim("note", "x".repeat(4_000)).await?;
    /// assert!(auth.set_cookies(&mut HttpResponse::Ok(), &pair).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::CookieTooLarge`] if a browser would drop one of the cookies: use fewer claims. The errors of
    /// [`csrf_proof`](Self::csrf_proof).
    #[doc(alias = "cookie")]
    #[doc(alias = "set_access_cookies")]
    #[doc(alias = "set_refresh_cookies")]
    pub fn set_cookies(
        &self,
        answer: &mut HttpResponseBuilder,
        pair: &TokenPair,
    ) -> Result<(), Rejection> {
        for cookie in self.session_cookies(pair)? {
            answer.cookie(cookie);
        }
        for cookie in self.former_cookies() {
            answer.cookie(cookie);
        }
        answer.insert_header((CACHE_CONTROL, "no-store"));
        Ok(())
    }

    /// The three cookies of a session.
    pub(super) fn session_cookies(
        &self,
        pair: &TokenPair,
    ) -> Result<[Cookie<'static>; 3], Rejection> {
        Ok([
            self.auth_cookie(&pair.auth)?,
            self.refresh_cookie(&pair.refresh)?,
            self.csrf_cookie(&pair.refresh)?,
        ])
    }

    /// The cookie of an auth token, for answers that you build without [`set_cookies`](Self::set_cookies).
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::CookieTooLarge`] if a browser would drop it.
    #[doc(alias = "set_access_cookies")]
    pub fn auth_cookie(&self, token: &Token) -> Result<Cookie<'static>, Rejection> {
        let cookies = &self.parts().browser.cookies;
        let cookie = Kind::Auth.cookie(cookies, token.signed().to_owned());
        self.sized(cookie, token)
    }

    /// The cookie of a refresh token, for answers that you build without [`set_cookies`](Self::set_cookies).
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::CookieTooLarge`] if a browser would drop it.
    #[doc(alias = "set_refresh_cookies")]
    pub fn refresh_cookie(&self, token: &Token) -> Result<Cookie<'static>, Rejection> {
        let cookies = &self.parts().browser.cookies;
        let cookie = Kind::Refresh.cookie(cookies, token.signed().to_owned());
        self.sized(cookie, token)
    }

    /// The cookie of a CSRF proof for the session of a token, for answers that you build without
    /// [`set_cookies`](Self::set_cookies).
    ///
    /// It expires with the token, so pass the refresh token if there is one.
    ///
    /// # Errors
    ///
    /// The errors of [`csrf_proof`](Self::csrf_proof).
    pub fn csrf_cookie(&self, token: &Token) -> Result<Cookie<'static>, Rejection> {
        let cookies = &self.parts().browser.cookies;
        self.sized(Kind::Csrf.cookie(cookies, self.csrf_proof(token)?), token)
    }

    /// Cookies that make a browser delete those of [`Cookies::formerly`], for answers that you build without
    /// [`set_cookies`](Self::set_cookies).
    ///
    /// Add them to every answer that sets or clears a cookie of a session. `set_cookies` and `clear_cookies` do so.
    #[must_use]
    pub fn former_cookies(&self) -> Vec<Cookie<'static>> {
        let cookies = &self.parts().browser.cookies;
        let mut places: Vec<_> = KINDS.map(|kind| kind.cookie(cookies, String::new())).into();
        for former in &cookies.former {
            for kind in KINDS {
                let mut cookie = kind.cookie(former, String::new());
                cookie.make_removal();
                if !places.iter().any(|other| is_same_place(other, &cookie)) {
                    places.push(cookie);
                }
            }
        }
        places.split_off(KINDS.len())
    }

    /// Adds the removals of former cookies to the answer to a browser that has sent two cookies of one name. Removals that
    /// the answer already has are not repeated.
    pub(super) fn remove_former_cookies(&self, answer: &mut HeaderMap) {
        for cookie in self.former_cookies() {
            if let Ok(field) = HeaderValue::try_from(cookie.to_string())
                && answer.get_all(SET_COOKIE).all(|set| *set != field)
            {
                answer.append(SET_COOKIE, field);
            }
        }
    }

    /// Makes a browser delete the three cookies of a session, and sets `Cache-Control: no-store`.
    ///
    /// It does not end the session: call [`logout`](Self::logout) first.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::HttpResponse;
    /// use flask_pyjwt::{AuthManager, CurrentToken, Rejection};
    ///
    /// async fn logout(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    ///     auth.logout(&token).await?;
    ///     let mut answer = HttpResponse::NoContent();
    ///     auth.clear_cookies(&mut answer);
    ///     Ok(answer.finish())
    /// }
    /// # let _ = logout;
    /// ```
    #[doc(alias = "unset_jwt_cookies")]
    #[doc(alias = "unset_access_cookies")]
    #[doc(alias = "unset_refresh_cookies")]
    pub fn clear_cookies(&self, answer: &mut HttpResponseBuilder) {
        let cookies = &self.parts().browser.cookies;
        for kind in KINDS {
            let mut cookie = kind.cookie(cookies, String::new());
            cookie.make_removal();
            answer.cookie(cookie);
        }
        for cookie in self.former_cookies() {
            answer.cookie(cookie);
        }
        answer.insert_header((CACHE_CONTROL, "no-store"));
    }

    /// Sets the lifetime of a cookie to that of its token. Refuses a cookie that a browser would drop.
    fn sized(
        &self,
        mut cookie: Cookie<'static>,
        token: &Token,
    ) -> Result<Cookie<'static>, Rejection> {
        if !self.parts().browser.cookies.end_with_browser {
            let left = token.expires_at_milliseconds() - self.now()?.milliseconds();
            cookie.set_max_age(Duration::seconds(left.max(0) / 1_000));
        }
        let size = cookie.to_string().len();
        if size <= LONGEST {
            return Ok(cookie);
        }
        let name = cookie.name().to_owned();
        let rejection = Misconfiguration::CookieTooLarge { name, size }.into();
        let known = Known {
            manager: Some(self),
            token: Some(token),
            ..Known::default()
        };
        report(&rejection, known);
        Err(rejection)
    }
}

/// Whether one of two cookies replaces the other in a browser (RFC 6265bis, section 5.7): they have the same name, domain
/// and path. A cookie without a domain differs from one with the host as its domain.
fn is_same_place(one: &Cookie<'_>, other: &Cookie<'_>) -> bool {
    // Browsers ignore a dot before a domain (section 5.6.3).
    let domain = |cookie: &Cookie<'_>| {
        let domain = cookie.domain().map(str::to_ascii_lowercase)?;
        Some(domain.trim_start_matches('.').to_owned())
    };
    one.name() == other.name() && one.path() == other.path() && domain(one) == domain(other)
}

const KINDS: [Kind; 3] = [Kind::Auth, Kind::Refresh, Kind::Csrf];

#[derive(Clone, Copy)]
enum Kind {
    Auth,
    Refresh,
    Csrf,
}

impl Kind {
    fn cookie(self, cookies: &Cookies, value: String) -> Cookie<'static> {
        let (name, path, same_site): (_, _, SameSite) = match self {
            Self::Auth => (&cookies.auth_name, "/", cookies.same_site),
            Self::Refresh => (
                &cookies.refresh_name,
                cookies.refresh_path.as_str(),
                cookies.strict(),
            ),
            Self::Csrf => (&cookies.csrf_name, "/", cookies.strict()),
        };
        let mut cookie = Cookie::build(name.clone(), value)
            .path(path.to_owned())
            .same_site(same_site)
            .secure(cookies.secure)
            .http_only(!matches!(self, Self::Csrf))
            .finish();
        if let Some(domain) = &cookies.domain {
            cookie.set_domain(domain.clone());
        }
        cookie
    }
}
