//! From a refusal to its response.

use actix_web::{
    Error, HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};

use super::{
    Rejection, binding,
    conversions::of_mint,
    known::{Asked, Known},
    on_rejection::hook_of,
    refused::{self, begin_report},
    registered::manager_of,
    request_state::{Handed, token_of},
};
use crate::{error::MintError, manager::AuthManager, session::SessionError, token::Token};

/// What is known of the token of a refused request.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen<'a> {
    /// Verified, for the event. It may be revoked or of the wrong type.
    pub(super) token: Option<&'a Token>,
    /// Whether the token itself is valid, so that the hook may get it.
    pub(super) is_good: bool,
    /// What the guard asks for.
    pub(super) asked: Option<Asked<'a>>,
}

/// Answers a refused request and logs why. Neither contains text of the token.
pub(super) fn answer(
    manager: Option<&AuthManager>,
    rejection: &Rejection,
    request: &HttpRequest,
    seen: Seen<'_>,
) -> HttpResponse {
    let scheme = Offer::to(manager, request, rejection, seen.asked);
    let response = standard(manager, rejection, scheme);
    let Some(_report) = begin_report() else {
        return response;
    };
    let known = Known {
        manager,
        request: Some(request),
        token: seen.token,
        asked: seen.asked,
    };
    refused::log(rejection, known);
    let handed = seen.token.filter(|_| seen.is_good);
    let _handed = handed.map(|token| Handed::over(token.clone(), request));
    #[cfg_attr(
        not(feature = "test-kit"),
        expect(unused_mut, reason = "noted in tests only")
    )]
    let mut response = ask_hook(manager, rejection, request, response);
    #[cfg(feature = "test-kit")]
    super::refusal_note::put(rejection, known, &mut response);
    response
}

/// Answers a refusal that was logged already.
fn answer_again(
    manager: Option<&AuthManager>,
    rejection: &Rejection,
    request: &HttpRequest,
) -> HttpResponse {
    let scheme = Offer::to(manager, request, rejection, None);
    let response = standard(manager, rejection, scheme);
    #[cfg_attr(
        not(feature = "test-kit"),
        expect(unused_mut, reason = "noted in tests only")
    )]
    let mut response = match begin_report() {
        Some(_report) => ask_hook(manager, rejection, request, response),
        None => response,
    };
    #[cfg(feature = "test-kit")]
    {
        let known = Known {
            manager,
            request: Some(request),
            ..Known::default()
        };
        super::refusal_note::put(rejection, known, &mut response);
    }
    response
}

/// Lets [`Config::on_rejection`](crate::Config::on_rejection) replace an answer.
fn ask_hook(
    manager: Option<&AuthManager>,
    rejection: &Rejection,
    request: &HttpRequest,
    response: HttpResponse,
) -> HttpResponse {
    let Some(hook) = manager.and_then(hook_of) else {
        return response;
    };
    let mut response = hook(rejection, request, response);
    if !response.headers().contains_key(header::CACHE_CONTROL) {
        let no_store = HeaderValue::from_static("no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_store);
    }
    tell_nonce(rejection, &mut response);
    response
}

/// Without the nonce, the client can never make the proof that is asked for (RFC 9449, section 9).
fn tell_nonce(rejection: &Rejection, response: &mut HttpResponse) {
    if let Rejection::NonceRequired { nonce } = rejection {
        binding::tell_nonce(nonce, response.headers_mut());
    }
}

/// The guard's answer to a handler that has returned a refusal, for instance by `?` on `AuthManager::refresh`. It was
/// logged when the handler's error became an answer.
pub(super) fn answer_of_handler<B>(
    request: &HttpRequest,
    response: &HttpResponse<B>,
) -> Option<HttpResponse> {
    let rejection = rejection_in(response.error()?)?;
    Some(answer_again(manager_of(request).ok(), &rejection, request))
}

impl Rejection {
    /// Answers a request as a guard does: with the issuer's realm, with
    /// [`Config::on_rejection`](crate::Config::on_rejection) if it is set, and with one event, unless the method
    /// that returned this rejection has logged it.
    ///
    /// It is for handlers with their own error type, since an error of `actix_web` does not have the request:
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpRequest, HttpResponse};
    /// use flask_pyjwt::{AuthManager, Rejection};
    ///
    /// # fn check_password() -> Result<&'static str, AppError> { Ok("alice") }
    /// enum AppError {
    ///     Auth(Rejection),
    ///     WrongPassword,
    /// }
    ///
    /// // Also of a `SessionError` or a `MintError`.
    /// impl<E: Into<Rejection>> From<E> for AppError {
    ///     fn from(error: E) -> Self {
    ///         Self::Auth(error.into())
    ///     }
    /// }
    ///
    /// async fn log_in(auth: &AuthManager, request: &HttpRequest) -> Result<HttpResponse, AppError> {
    ///     auth.check_origin(request)?;
    ///     let pair = auth.login(check_password()?).await?;
    ///     let mut answer = HttpResponse::NoContent();
    ///     auth.set_cookies(&mut answer, &pair)?;
    ///     Ok(answer.finish())
    /// }
    ///
    /// async fn login(auth: AuthManager, request: HttpRequest) -> HttpResponse {
    ///     match log_in(&auth, &request).await {
    ///         Ok(answer) => answer,
    ///         Err(AppError::Auth(rejection)) => rejection.respond(&request),
    ///         Err(AppError::WrongPassword) => HttpResponse::Unauthorized().finish(),
    ///     }
    /// }
    /// # let _ = login;
    /// ```
    #[must_use = "it is the answer"]
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let manager = manager_of(request).ok();
        if refused::was_reported(self) {
            return answer_again(manager, self, request);
        }
        let token = token_of(request);
        let seen = Seen {
            token: token.as_ref(),
            is_good: true,
            asked: None,
        };
        answer(manager, self, request, seen)
    }
}

/// On a route without a guard, such as a login, the answer has no realm and
/// [`Config::on_rejection`](crate::Config::on_rejection) is not called. [`Rejection::respond`] does both.
impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        refused::report_unless_reported(self);
        #[cfg_attr(
            not(feature = "test-kit"),
            expect(unused_mut, reason = "noted in tests only")
        )]
        let mut response = standard(None, self, Offer::without_request(self));
        #[cfg(feature = "test-kit")]
        super::refusal_note::put(self, Known::default(), &mut response);
        response
    }
}

/// The same as for [`Rejection`]. It is logged where the error was returned.
impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        Rejection::from(self).status()
    }

    fn error_response(&self) -> HttpResponse {
        Rejection::from(self).error_response()
    }
}

/// The same as for [`Rejection`].
impl ResponseError for MintError {
    fn status_code(&self) -> StatusCode {
        of_mint(self).status()
    }

    fn error_response(&self) -> HttpResponse {
        Rejection::from(self.clone()).error_response()
    }
}

/// The refusal in an error of a handler, if it is one of this crate's errors.
fn rejection_in(error: &Error) -> Option<Rejection> {
    let rejection = || error.as_error::<Rejection>().cloned();
    let session = || error.as_error::<SessionError>().map(Rejection::from);
    let mint = || error.as_error::<MintError>().map(of_mint);
    rejection().or_else(session).or_else(mint)
}

/// The scheme that a challenge asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Bearer,
    Dpop,
}

impl Offer {
    fn to(
        manager: Option<&AuthManager>,
        request: &HttpRequest,
        rejection: &Rejection,
        asked: Option<Asked<'_>>,
    ) -> Self {
        let of_all = || manager.is_some_and(|manager| manager.parts().require_bound);
        let requires = || asked.is_some_and(|asked| asked.requirement.bound) || of_all();
        let is_first = *rejection == Rejection::MissingCredentials && requires();
        if is_first || binding::came_with_proof(request) {
            return Self::Dpop;
        }
        Self::without_request(rejection)
    }

    fn without_request(rejection: &Rejection) -> Self {
        if rejection.asks_for_proof() {
            Self::Dpop
        } else {
            Self::Bearer
        }
    }
}

/// The answer to a refusal, before the hook.
fn standard(manager: Option<&AuthManager>, rejection: &Rejection, offer: Offer) -> HttpResponse {
    let mut response = HttpResponse::build(rejection.status());
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let realm = manager.map(|manager| &*manager.parts().realm);
    let algorithms = (offer == Offer::Dpop).then(|| binding::algorithms(manager));
    if let Some(mut challenge) = rejection.challenge(realm, algorithms) {
        let metadata = manager.and_then(|it| it.parts().resource_metadata.as_deref());
        if let Some(url) = metadata {
            // RFC 9728, section 5.1. The configuration has checked that nothing in it has to be escaped.
            challenge.extend([", resource_metadata=\"", url, "\""]);
        }
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if let Rejection::Unavailable { retry_after } = rejection {
        let fraction = i64::from(retry_after.subsec_nanoseconds() > 0);
        let seconds = retry_after.whole_seconds().saturating_add(fraction);
        response.insert_header((header::RETRY_AFTER, seconds.max(1)));
    }
    // Both texts are from a closed list, in which nothing has to be escaped.
    let mut response = response
        .content_type(header::ContentType::json())
        .body(format!(
            r#"{{"error":"{}","error_description":"{}"}}"#,
            rejection.oauth_error(),
            rejection.description(),
        ));
    tell_nonce(rejection, &mut response);
    response
}
