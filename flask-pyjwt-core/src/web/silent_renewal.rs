//! `SilentRenewal`: renews a browser's tokens while it sends requests.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError,
    cookie::Cookie,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE},
    },
};
use time::Duration;

use super::{
    Rejection,
    authorize::run_token_check,
    credentials::cookie,
    csrf,
    refused::{forget, reporting},
    registered::manager_of,
    replaced::end_replaced,
    request_state::Renewed,
};
use crate::{
    manager::AuthManager,
    rules::TokenLocation,
    session::{Moment, TokenPair},
    token::{Token, TokenType},
};

/// Middleware that renews the tokens of a browser's session when the auth token in its cookie has expired or is about to.
///
/// The request also needs the cookies of a valid refresh token and of the CSRF proof of the same session. The handler sees
/// the new auth token, and the answer sets all three cookies. Parallel tabs get the same tokens.
///
/// Wrap it outside the guards. It needs a [session store](crate::Config::session_store), and it works only at paths where
/// the browser sends the refresh token: set no [`Cookies::refresh_path`](crate::Cookies::refresh_path).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpResponse, test, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore, RequireToken, SilentRenewal, testing::FrozenClock};
/// use time::{Duration, OffsetDateTime};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = FrozenClock::new(OffsetDateTime::now_utc());
/// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(MemoryStore::default())
///     .clock(clock.clone());
/// let auth = AuthManager::new(config)?;
/// let me = web::resource("/me").wrap(RequireToken::auth().cookies()).get(HttpResponse::Ok);
/// let app = App::new().app_data(auth.clone()).wrap(SilentRenewal::new()).service(me);
/// let app = test::init_service(app).await;
///
/// let pair = auth.login("alice").await?;
/// let cookies = [
///     auth.auth_cookie(&pair.auth)?, auth.refresh_cookie(&pair.refresh)?, auth.csrf_cookie(&pair.refresh)?,
/// ];
/// clock.advance(Duration::hours(2)); // the auth token expires
///
/// // All three cookies: renewed. The auth token alone: refused.
/// for (sent, status, set) in [(3, 200, 3), (1, 401, 0)] {
///     let request = test::TestRequest::with_uri("/me");
///     let request = cookies[..sent].iter().cloned().fold(request, test::TestRequest::cookie);
///     let answer = test::call_service(&app, request.to_request()).await;
///     assert_eq!(answer.status(), status);
///     assert_eq!(answer.headers().get_all("set-cookie").count(), set);
/// }
/// # Ok(())
/// # }
/// ```
///
/// It leaves requests alone that have an `Authorization` header, or a header that
/// [`Config::locations`](crate::Config::locations) names. If the refresh token is refused, or two cookies of one name
/// differ, nothing is renewed, and the guard of the route decides. In the second case the answer also removes the
/// [former](crate::Cookies::formerly) cookie. A cookie that the answer already sets is not replaced.
///
/// # Logins in the same browser
///
/// If an answer sets the cookies of another session, as a login does, the session of the request's cookies ends. For
/// logins outside this middleware, call [`LoginBuilder::replacing`](crate::LoginBuilder::replacing).
///
/// If a session has ended before an answer with its renewed cookies is sent, the cookies are not set. So a slow answer
/// to alice does not overwrite the cookies of bob's later login. One case remains: two answers that were both sent, over
/// two connections, can arrive in either order. Middleware that delays answers should be inside this one.
#[doc(alias = "auto refresh")]
#[doc(alias = "refresh_expiring_jwts")]
#[derive(Debug, Clone)]
#[must_use = "wrap an App or a scope in it"]
pub struct SilentRenewal {
    margin: Duration,
}

impl Default for SilentRenewal {
    fn default() -> Self {
        Self::new()
    }
}

/// How long before its expiry an auth token is renewed by default.
const MARGIN: Duration = Duration::seconds(30);

impl SilentRenewal {
    /// Renews auth tokens from 30 seconds before they expire.
    pub fn new() -> Self {
        Self { margin: MARGIN }
    }

    /// Sets how long before its expiry an auth token is renewed. The default is 30 seconds, and the maximum is a quarter of
    /// the token's lifetime.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }
}

/// Renews the tokens of a request if they need it.
async fn renew(request: &HttpRequest, margin: Duration) -> Option<Renewed> {
    let manager = manager_of(request).ok()?;
    if manager.parts().sessions.is_none() {
        report_missing_store(manager);
        return None;
    }
    // An outer `SilentRenewal` has renewed them. The refresh token in the cookie is used up.
    let is_renewed = |renewed: &Renewed| renewed.by.is_same_as(manager);
    if request
        .extensions()
        .get::<Renewed>()
        .is_some_and(is_renewed)
    {
        return None;
    }
    // The request has other credentials, which the guard decides about.
    let names_header = |location: &TokenLocation| match location {
        TokenLocation::NamedHeader(name) => request.headers().contains_key(name.as_str()),
        _ => false,
    };
    if request.headers().contains_key(AUTHORIZATION)
        || manager.parts().locations.iter().any(names_header)
    {
        return None;
    }
    let cookies = &manager.parts().browser.cookies;
    if let Some(signed) = cookie(&cookies.auth_name, request).ok()?
        && let Ok(token) = manager.verify_token(signed)
    {
        let end = Moment::from_milliseconds(token.expires_at_milliseconds());
        let left = end.since(manager.now().ok()?);
        if left > margin.min(token.max_age() / 4) {
            return None;
        }
    }
    let signed = cookie(&cookies.refresh_name, request).ok()??;
    let token = manager.verify_token(signed).ok()?;
    if token.token_type() != TokenType::Refresh || token.session_id().is_none() {
        return None;
    }
    // A sibling domain can set a cookie with a refresh token of another user, to log the browser in as that user. By
    // default, the cookie of the proof has a `__Host-` name, which no other host can set.
    let proof = cookie(&cookies.csrf_name, request).ok()??;
    csrf::check_proof(manager, proof.as_bytes(), &token).ok()?;
    let renewal = async {
        run_token_check(manager, &token).await?;
        next_pair(manager, &token).await
    };
    let renewed = reporting(manager, Some(&token), renewal).await;
    let pair = renewed.inspect_err(forget).ok()?; // the guard answers
    Some(Renewed {
        pair,
        by: manager.clone(),
    })
}

/// Logs an error once for each manager: without sessions there is nothing to renew.
#[cold]
fn report_missing_store(manager: &AuthManager) {
    manager.parts().renewal_reported.call_once(|| {
        tracing::error!(
            "`SilentRenewal` needs a session store, and renews nothing without one: add `Config::session_store`"
        );
    });
}

/// Rotates a refresh token. A pair that is returned again may be so old that its auth token has expired. It is rotated
/// once more then, because the page could not do so.
async fn next_pair(manager: &AuthManager, token: &Token) -> Result<TokenPair, Rejection> {
    let pair = manager.refresh(token).await?;
    if manager.now()? < Moment::from_milliseconds(pair.auth.expires_at_milliseconds()) {
        return Ok(pair);
    }
    Ok(manager.refresh(&pair.refresh).await?)
}

/// Whether the request has two cookies of one name with different values, so that it is unknown which to renew.
fn has_ambiguous_cookies(manager: &AuthManager, request: &HttpRequest) -> bool {
    let cookies = &manager.parts().browser.cookies;
    let mut names = [
        &cookies.auth_name,
        &cookies.refresh_name,
        &cookies.csrf_name,
    ]
    .into_iter();
    names.any(|name| cookie(name, request) == Err(Rejection::SeveralCookies))
}

/// The error of an inner service, whose answer has to set the renewed cookies.
struct Failed {
    source: Error,
    renewed: Renewed,
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        self.source.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.source.error_response();
        let Renewed { pair, by } = &self.renewed;
        add_cookies(by, pair, response.headers_mut());
        response
    }
}

/// Adds the cookies of a pair to an answer, except those that it already sets.
fn add_cookies(manager: &AuthManager, pair: &TokenPair, answer: &mut HeaderMap) {
    // The error was logged.
    let Ok(cookies) = manager.session_cookies(pair) else {
        return;
    };
    let is_set = |cookie: &Cookie<'_>| {
        answer.get_all(SET_COOKIE).any(|field| {
            let name = field.as_bytes().split(|byte| *byte == b'=').next();
            name.is_some_and(|name| name.trim_ascii() == cookie.name().as_bytes())
        })
    };
    let missing: Vec<_> = cookies
        .into_iter()
        .chain(manager.former_cookies())
        .filter(|cookie| !is_set(cookie))
        .collect();
    for cookie in missing {
        if let Ok(field) = HeaderValue::try_from(cookie.to_string()) {
            answer.append(SET_COOKIE, field);
        }
    }
    // A shared cache must not give these cookies to others.
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

impl<S, B> Transform<S, ServiceRequest> for SilentRenewal
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = SilentRenewalService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(SilentRenewalService {
            margin: self.margin,
            service: Rc::new(service),
        }))
    }
}

/// The service that [`SilentRenewal`] makes.
pub struct SilentRenewalService<S> {
    margin: Duration,
    service: Rc<S>,
}

impl<S> fmt::Debug for SilentRenewalService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SilentRenewalService")
            .finish_non_exhaustive()
    }
}

impl<S, B> Service<ServiceRequest> for SilentRenewalService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (margin, service) = (self.margin, Rc::clone(&self.service));
        Box::pin(async move {
            let renewed = renew(request.request(), margin).await;
            if let Some(renewed) = &renewed {
                request.extensions_mut().insert(renewed.clone());
            }
            let mut answer = service.call(request).await;
            if let Ok(response) = &mut answer {
                end_replaced(response.request(), response.headers()).await;
                if let Ok(manager) = manager_of(response.request()).cloned()
                    && has_ambiguous_cookies(&manager, response.request())
                {
                    manager.remove_former_cookies(response.headers_mut());
                }
            }
            let Some(renewed) = renewed else {
                return answer;
            };
            // Checked as late as possible: the session may have ended while the handler ran.
            if !renewed.by.may_set_cookies_of(&renewed.pair.refresh).await {
                tracing::info!(
                    "renewed cookies are not set: their session has ended, or has newer tokens"
                );
                return answer;
            }
            match answer {
                Ok(mut response) => {
                    add_cookies(&renewed.by, &renewed.pair, response.headers_mut());
                    Ok(response)
                }
                // The old refresh token is used up: without the new cookies, the browser would lose its session.
                Err(source) => Err(Failed { source, renewed }.into()),
            }
        })
    }
}
