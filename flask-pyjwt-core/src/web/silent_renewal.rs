//! Renewing a browser's tokens without a word, while it asks for something else.

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
    authorize::ask_own_check,
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

/// Middleware that renews the tokens of a browser's session when the auth token's cookie has expired,
/// or is about to, and a valid refresh token's cookie is there, and with it the CSRF proof's cookie of
/// the same session.
///
/// The request goes on with the new auth token, and the answer sets all three cookies, but for those
/// that it sets by itself. Tabs that do so at the same time get the same pair. A refresh token that is refused
/// changes nothing: the route's guard answers. So do two cookies of one name that differ, and the answer
/// then removes the [former](crate::Cookies::formerly) one.
///
/// An answer that sets the cookies of another session, as a login does, ends the session that its request
/// presented, as [`LoginBuilder::replacing`](crate::LoginBuilder::replacing) does for logins outside this
/// middleware. Renewed cookies are not set when their session has ended before the answer is sent: a slow
/// answer to alice does not take the place of bob's later login in the same browser. What no server can decide
/// is the order in which a browser gets two answers that have both been sent, over two connections; those of
/// one HTTP/2 connection keep their order. Let layers that hold answers back be inside this one.
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

/// Renews the tokens of a request, if it is time.
async fn renew(request: &HttpRequest, margin: Duration) -> Option<Renewed> {
    let manager = manager_of(request).ok()?;
    // Renewed on the way here: the refresh token in the cookie is an old one now.
    let is_renewed = |renewed: &Renewed| renewed.by.is_same_as(manager);
    if request
        .extensions()
        .get::<Renewed>()
        .is_some_and(is_renewed)
    {
        return None;
    }
    // Whoever says who he is in another way is asked about that.
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
    // A cookie that a sibling domain has set would log the browser in as somebody else: the proof is in a
    // cookie that no other host can set.
    let proof = cookie(&cookies.csrf_name, request).ok()??;
    csrf::check_proof(manager, proof.as_bytes(), &token).ok()?;
    let renewal = async {
        ask_own_check(manager, &token).await?;
        next_pair(manager, &token).await
    };
    let renewed = reporting(manager, Some(&token), renewal).await;
    let pair = renewed.inspect_err(forget).ok()?; // the guard gives another answer
    Some(Renewed {
        pair,
        by: manager.clone(),
    })
}

/// Rotates a refresh token. A pair that is given again may be so old that its auth token has expired:
/// then it is rotated, too, since the page that waits cannot ask for that.
async fn next_pair(manager: &AuthManager, token: &Token) -> Result<TokenPair, Rejection> {
    let pair = manager.refresh(token).await?;
    if manager.now()? < Moment::from_milliseconds(pair.auth.expires_at_milliseconds()) {
        return Ok(pair);
    }
    Ok(manager.refresh(&pair.refresh).await?)
}

/// Whether the browser has sent two cookies of one name that differ: there is no telling which to renew.
fn has_sent_several(manager: &AuthManager, request: &HttpRequest) -> bool {
    let cookies = &manager.parts().browser.cookies;
    let mut names = [
        &cookies.auth_name,
        &cookies.refresh_name,
        &cookies.csrf_name,
    ]
    .into_iter();
    names.any(|name| cookie(name, request) == Err(Rejection::SeveralCookies))
}

/// What an inner service has failed with, and the pair that its answer has to set.
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

/// Adds the cookies of a pair to an answer, but for those that it sets itself.
fn add_cookies(manager: &AuthManager, pair: &TokenPair, answer: &mut HeaderMap) {
    // The reason was logged.
    let Ok(cookies) = manager.session_cookies(pair) else {
        return;
    };
    let is_set = |cookie: &Cookie<'_>| {
        answer.get_all(SET_COOKIE).any(|field| {
            let own = field.as_bytes().split(|byte| *byte == b'=').next();
            own.is_some_and(|name| name.trim_ascii() == cookie.name().as_bytes())
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
            if let Some(renewed) = &renewed {
                request.extensions_mut().insert(renewed.clone());
            }
            let mut answer = service.call(request).await;
            if let Ok(response) = &mut answer {
                end_replaced(response.request(), response.headers()).await;
                if let Ok(manager) = manager_of(response.request()).cloned()
                    && has_sent_several(&manager, response.request())
                {
                    manager.remove_former_cookies(response.headers_mut());
                }
            }
            let Some(renewed) = renewed else {
                return answer;
            };
            // Asked as late as can be: the handler may have taken its time.
            if !renewed.by.may_set(&renewed.pair.refresh).await {
                tracing::info!(
                    "renewed tokens are not set: their session has ended meanwhile, or has later ones"
                );
                return answer;
            }
            match answer {
                Ok(mut response) => {
                    add_cookies(&renewed.by, &renewed.pair, response.headers_mut());
                    Ok(response)
                }
                // The rotation has happened: an answer without the cookies would end the session.
                Err(source) => Err(Failed { source, renewed }.into()),
            }
        })
    }
}
