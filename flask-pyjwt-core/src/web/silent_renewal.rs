//! Renewing a browser's tokens without a word, while it asks for something else.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    cookie::Cookie,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE},
};
use time::Duration;

use super::{credentials::cookie, registered::manager_of};
use crate::{manager::AuthManager, session::TokenPair, token::TokenType};

/// Middleware that renews the tokens of a browser's session when the auth token's cookie has expired,
/// or is about to, and a valid refresh token's cookie is there.
///
/// The request goes on with the new auth token, and the answer sets all three cookies, unless it sets one
/// of them by itself. Tabs that do so at the same time get the same pair. A refresh token that is refused
/// changes nothing: the route's guard answers.
///
/// Wrap it outside the guards. It needs a session store, and the refresh token's cookie at every path that
/// it works for: no [`Cookies::refresh_path`](crate::Cookies::refresh_path).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::App;
/// use flask_pyjwt::SilentRenewal;
///
/// let app = App::new().wrap(SilentRenewal::new());
/// # drop(app);
/// ```
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

/// How long before its end an auth token is renewed unless told otherwise.
const MARGIN: Duration = Duration::seconds(30);

impl SilentRenewal {
    /// Renews half a minute before the end.
    pub fn new() -> Self {
        Self { margin: MARGIN }
    }

    /// Sets how long before its end an auth token is renewed; never before three quarters of its life
    /// are over.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }
}

/// The pair that a request's cookies were renewed into. Guards take it in place of the cookies.
#[derive(Clone)]
pub(super) struct Renewed(pub(super) TokenPair);

/// Renews the tokens of a request, if it is time.
async fn renew(request: &HttpRequest, margin: Duration) -> Option<TokenPair> {
    let manager = manager_of(request).ok()?;
    // Whoever says who he is in another way is asked about that.
    if request.headers().contains_key(AUTHORIZATION) {
        return None;
    }
    let cookies = &manager.parts().browser.cookies;
    if let Some(signed) = cookie(&cookies.auth_name, request).ok()?
        && let Ok(token) = manager.verify_token(signed)
    {
        let left = Duration::milliseconds(token.expires_at_milliseconds() - manager.now().ok()?);
        if left > margin.min(token.max_age() / 4) {
            return None;
        }
    }
    let signed = cookie(&cookies.refresh_name, request).ok()??;
    let token = manager.verify_token(signed).ok()?;
    if token.token_type() != TokenType::Refresh || token.session_id().is_none() {
        return None;
    }
    match manager.refresh(&token).await {
        Ok(pair) => Some(pair),
        Err(rejection) => {
            tracing::info!(reason = rejection.code(), "tokens are not renewed");
            None
        }
    }
}

/// Adds the cookies of a pair to an answer, unless it sets one of them itself.
fn add_cookies(manager: &AuthManager, pair: &TokenPair, answer: &mut HeaderMap) {
    let cookies = match manager.session_cookies(pair) {
        Ok(cookies) => cookies,
        Err(error) => return tracing::error!("renewed tokens are not set: {error}"),
    };
    let is_set = |cookie: &Cookie<'_>| {
        answer.get_all(SET_COOKIE).any(|field| {
            let own = field.as_bytes().split(|byte| *byte == b'=').next();
            own.is_some_and(|name| name.trim_ascii() == cookie.name().as_bytes())
        })
    };
    if cookies.iter().any(is_set) {
        return;
    }
    for cookie in cookies {
        if let Ok(field) = HeaderValue::try_from(cookie.to_string()) {
            answer.append(SET_COOKIE, field);
        }
    }
    // Nobody else may get these cookies with a copy of the answer.
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
            let manager = manager_of(request.request()).ok().cloned();
            if let Some(pair) = &renewed {
                request.extensions_mut().insert(Renewed(pair.clone()));
            }
            let mut response = service.call(request).await?;
            if let (Some(pair), Some(manager)) = (renewed, manager) {
                add_cookies(&manager, &pair, response.headers_mut());
            }
            Ok(response)
        })
    }
}
