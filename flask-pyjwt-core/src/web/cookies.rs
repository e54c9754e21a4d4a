//! Setting and clearing the cookies in which a browser keeps its tokens.

use actix_web::{
    HttpResponseBuilder,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE},
};

use super::{Misconfiguration, Rejection, known::Known, refused::report};
use crate::{config::Cookies, manager::AuthManager, session::TokenPair, token::Token};

/// The longest cookie in bytes, with its attributes: browsers drop what is longer, and say nothing.
const LONGEST: usize = 4_093;

/// Cookies of a session. What they are called and how they are guarded is configured by
/// [`Config::cookies`](crate::Config::cookies).
impl AuthManager {
    /// Adds all three cookies of a session to an answer: auth token, refresh token, and CSRF proof. The
    /// answer is not to be cached.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpRequest, HttpResponse};
    /// use flask_pyjwt::{AuthManager, Rejection};
    ///
    /// async fn login(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    ///     // After the password was right:
    ///     let pair = auth.login("alice").replacing(&request).await?;
    ///     let mut answer = HttpResponse::Ok();
    ///     auth.set_cookies(&mut answer, &pair)?;
    ///     Ok(answer.finish())
    /// }
    /// # let _ = login;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::CookieTooLarge`] when a browser would drop one: use fewer claims.
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

    /// All three cookies of a session.
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

    /// The cookie of an auth token, for those who build their own answer.
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::CookieTooLarge`] when a browser would drop it.
    pub fn auth_cookie(&self, token: &Token) -> Result<Cookie<'static>, Rejection> {
        let cookies = &self.parts().browser.cookies;
        let cookie = Kind::Auth.cookie(cookies, token.signed().to_owned());
        self.sized(cookie, token)
    }

    /// The cookie of a refresh token, for those who build their own answer.
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::CookieTooLarge`] when a browser would drop it.
    pub fn refresh_cookie(&self, token: &Token) -> Result<Cookie<'static>, Rejection> {
        let cookies = &self.parts().browser.cookies;
        let cookie = Kind::Refresh.cookie(cookies, token.signed().to_owned());
        self.sized(cookie, token)
    }

    /// The cookie of a CSRF proof for the session of this token, for those who build their own
    /// answer. It lives as long as the token: give the refresh token where there is one.
    ///
    /// # Errors
    ///
    /// Those of [`AuthManager::csrf_proof`].
    pub fn csrf_cookie(&self, token: &Token) -> Result<Cookie<'static>, Rejection> {
        let cookies = &self.parts().browser.cookies;
        self.sized(Kind::Csrf.cookie(cookies, self.csrf_proof(token)?), token)
    }

    /// The removals of the cookies that [`Cookies::formerly`] names, for those who build their own
    /// answer: add each to every answer that sets or clears a cookie of a session.
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

    /// Adds the removals of former cookies to an answer, unless they are there: the browser has sent two of
    /// one name.
    pub(super) fn remove_former_cookies(&self, answer: &mut HeaderMap) {
        for cookie in self.former_cookies() {
            if let Ok(field) = HeaderValue::try_from(cookie.to_string())
                && answer.get_all(SET_COOKIE).all(|own| *own != field)
            {
                answer.append(SET_COOKIE, field);
            }
        }
    }

    /// Adds what makes a browser forget all three cookies.
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

    /// The cookie with the lifetime of its token, unless a browser would drop it.
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

/// Whether a browser keeps only one of two cookies (RFC 6265bis, section 5.7): those of the same name,
/// domain and path. One for a host alone differs from one for the domain of that name.
fn is_same_place(one: &Cookie<'_>, other: &Cookie<'_>) -> bool {
    // Browsers pass over a dot before a domain (section 5.6.3).
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
