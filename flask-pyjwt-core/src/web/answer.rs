//! From a refusal to its response, and to the one line in the log.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};

use super::Rejection;
use crate::manager::AuthManager;

/// What [`Config::on_rejection`](crate::Config::on_rejection) was given.
pub(crate) type RejectionHook =
    Arc<dyn Fn(&Rejection, &HttpRequest, HttpResponse) -> HttpResponse + Send + Sync>;

/// What a manager answers with.
pub(crate) struct Answers {
    /// `Bearer realm="…"`, the issuer quoted.
    challenge: String,
    hook: Option<RejectionHook>,
}

impl Answers {
    pub(crate) fn new(issuer: &str, hook: Option<RejectionHook>) -> Self {
        Self {
            challenge: format!("Bearer realm=\"{}\"", quoted(issuer)),
            hook,
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

/// Answers a refused request, and logs why. Nothing of the token is in either.
pub(super) fn answer(
    manager: Option<&AuthManager>,
    rejection: &Rejection,
    request: &HttpRequest,
) -> HttpResponse {
    log(rejection, request);
    let answers = manager.map(|manager| &manager.parts().answers);
    let response = standard(answers, rejection);
    let Some(hook) = answers.and_then(|answers| answers.hook.as_ref()) else {
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

/// A refusal that a handler has ended with, by `?` on what `AuthManager::refresh` and its like gave.
/// Behind a guard it is answered like the guard's own.
pub(super) fn rejection_of<B>(response: &HttpResponse<B>) -> Option<Rejection> {
    response.error()?.as_error::<Rejection>().cloned()
}

/// Where nothing guards a route, such as that of a login, a refusal that its handler ends with is
/// answered without a realm, and [`Config::on_rejection`](crate::Config::on_rejection) is not asked.
impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        // Behind a guard it is told with its route; this is all that is told where there is none.
        if self.status().is_server_error() {
            tracing::error!(reason = self.code(), "a handler has failed: {self}");
        }
        standard(None, self)
    }
}

fn standard(answers: Option<&Answers>, rejection: &Rejection) -> HttpResponse {
    let mut response = HttpResponse::build(rejection.status());
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(error) = rejection.challenge() {
        let challenge = match answers {
            Some(answers) => format!("{}{error}", answers.challenge),
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

fn log(rejection: &Rejection, request: &HttpRequest) {
    let (reason, status) = (rejection.code(), rejection.status().as_u16());
    // The pattern is the server's own text; the path is the client's. Where nobody listens it is not
    // looked for, which takes the longer the more routes there are.
    let route = || request.match_pattern();
    if rejection.status().is_server_error() {
        tracing::error!(
            reason,
            status,
            route = route().as_deref(),
            "request refused: {rejection}"
        );
    } else {
        tracing::info!(
            reason,
            status,
            route = route().as_deref(),
            "request refused"
        );
    }
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
