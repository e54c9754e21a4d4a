//! From a refusal to its response.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};

use super::{
    Rejection,
    current_token::{Handed, token_of},
    refused::{self, Known, begin_report},
    registered::manager_of,
};
use crate::{manager::AuthManager, token::Token};

/// What [`Config::on_rejection`](crate::Config::on_rejection) was given.
pub(crate) type RejectionHook =
    Arc<dyn Fn(&Rejection, &HttpRequest, HttpResponse) -> HttpResponse + Send + Sync>;

/// What a manager answers with.
pub(crate) struct Answers {
    /// `Bearer realm="…"`, the issuer quoted.
    challenge: String,
    hook: Option<RejectionHook>,
    /// Whether the event of a refusal names the token's subject.
    pub(super) log_subjects: bool,
}

impl Answers {
    pub(crate) fn new(issuer: &str, hook: Option<RejectionHook>, log_subjects: bool) -> Self {
        Self {
            challenge: format!("Bearer realm=\"{}\"", quoted(issuer)),
            hook,
            log_subjects,
        }
    }
}

/// The text of a quoted string (RFC 9110, section 5.6.4). What cannot stand there becomes `?`.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted.push('?'),
        }
    }
    quoted
}

/// What is known of the token of a refused request.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen<'a> {
    /// Verified, and maybe revoked or of another type: for the event.
    pub(super) token: Option<&'a Token>,
    /// Whether nothing is wrong with the token itself: then the hook is handed it.
    pub(super) is_good: bool,
}

/// Answers a refused request, and logs why. Neither contains text of the token.
pub(super) fn answer(
    manager: Option<&AuthManager>,
    rejection: &Rejection,
    request: &HttpRequest,
    seen: Seen<'_>,
) -> HttpResponse {
    let response = standard(manager, rejection);
    let Some(_report) = begin_report() else {
        return response;
    };
    let known = Known {
        manager,
        request: Some(request),
        token: seen.token,
    };
    refused::log(rejection, known);
    let handed = seen.token.filter(|_| seen.is_good);
    let _handed = handed.map(|token| Handed::over(token.clone(), request));
    ask_hook(manager, rejection, request, response)
}

/// Answers a refusal that was logged already.
fn answer_again(
    manager: Option<&AuthManager>,
    rejection: &Rejection,
    request: &HttpRequest,
) -> HttpResponse {
    let response = standard(manager, rejection);
    match begin_report() {
        Some(_report) => ask_hook(manager, rejection, request, response),
        None => response,
    }
}

/// Lets [`Config::on_rejection`](crate::Config::on_rejection) replace an answer.
fn ask_hook(
    manager: Option<&AuthManager>,
    rejection: &Rejection,
    request: &HttpRequest,
    response: HttpResponse,
) -> HttpResponse {
    let Some(hook) = manager.and_then(|manager| manager.parts().answers.hook.as_ref()) else {
        return response;
    };
    let mut response = hook(rejection, request, response);
    if !response.headers().contains_key(header::CACHE_CONTROL) {
        let no_store = HeaderValue::from_static("no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_store);
    }
    response
}

/// The guard's own answer where a handler has ended with a refusal, by `?` on what
/// `AuthManager::refresh` and its like gave. It was logged when the handler's error became an answer.
pub(super) fn answer_of_handler<B>(
    request: &HttpRequest,
    response: &HttpResponse<B>,
) -> Option<HttpResponse> {
    let rejection = response.error()?.as_error::<Rejection>()?;
    Some(answer_again(manager_of(request).ok(), rejection, request))
}

impl Rejection {
    /// Answers a request as a guard does: with the issuer's realm, by
    /// [`Config::on_rejection`](crate::Config::on_rejection) where there is one, and with one event, unless
    /// the method that returned this rejection has logged it already.
    ///
    /// For handlers with an error type of their own, since an error of `actix_web` does not know its
    /// request:
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
    /// impl From<Rejection> for AppError {
    ///     fn from(rejection: Rejection) -> Self {
    ///         Self::Auth(rejection)
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
        };
        answer(manager, self, request, seen)
    }
}

/// Where nothing guards a route, such as that of a login, a refusal that its handler ends with is
/// answered without a realm, and [`Config::on_rejection`](crate::Config::on_rejection) is not asked.
/// [`Rejection::respond`] does both.
impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        refused::report_unless_reported(self);
        standard(None, self)
    }
}

/// The answer of a refusal, unless a hook replaces it.
fn standard(manager: Option<&AuthManager>, rejection: &Rejection) -> HttpResponse {
    let mut response = HttpResponse::build(rejection.status());
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(error) = rejection.challenge() {
        let challenge = match manager {
            Some(manager) => format!("{}{error}", manager.parts().answers.challenge),
            None => format!("Bearer{}", error.trim_start_matches(',')),
        };
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if let Rejection::Unavailable { retry_after } = rejection {
        let fraction = u64::from(retry_after.subsec_nanos() > 0);
        let seconds = retry_after.as_secs().saturating_add(fraction);
        response.insert_header((header::RETRY_AFTER, seconds.max(1)));
    }
    // Both are of a closed list, and nothing in it has to be escaped.
    response
        .content_type(header::ContentType::json())
        .body(format!(
            r#"{{"error":"{}","error_description":"{}"}}"#,
            rejection.error(),
            rejection.description(),
        ))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn threat_32_a_realm_cannot_break_out_of_its_quotes() {
        for (issuer, expected) in [
            ("https://example.com", "https://example.com"),
            (r#"a"b\c"#, r#"a\"b\\c"#),
            ("a\r\nSet-Cookie: x", "a??Set-Cookie: x"),
            ("é\u{0}\u{7f}", "???"),
        ] {
            assert_eq!(quoted(issuer), expected);
        }
    }
}
