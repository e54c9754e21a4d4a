//! Whether a request is refused, and why: for `assert_refused!` and `assert_accepted!`.

use std::fmt::Write as _;

use actix_http::Request;
use actix_web::{
    Error, HttpResponse,
    body::{MessageBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::header::WWW_AUTHENTICATE,
    test::TestRequest,
    web::Bytes,
};
use serde_json::Value;

use crate::web::RefusalNote;

/// A request for [`assert_refused!`](crate::assert_refused): a [`TestRequest`], or what its `to_request()` gives.
pub trait IntoRequest {
    /// The finished request.
    fn into_request(self) -> Request;
}

impl IntoRequest for TestRequest {
    fn into_request(self) -> Request {
        self.to_request()
    }
}

impl IntoRequest for Request {
    fn into_request(self) -> Request {
        self
    }
}

/// What came back.
struct Outcome {
    /// The method and the path.
    request: String,
    status: u16,
    body: String,
    /// The error of the answer, by its body or its challenge.
    error: Option<String>,
    note: Option<RefusalNote>,
}

impl Outcome {
    async fn of<S, B>(app: &S, request: Request) -> Self
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let line = format!("{} {}", request.method(), request.uri());
        match app.call(request).await {
            Ok(response) => Self::read(line, response.into_parts().1).await,
            Err(error) => Self::read(line, error.error_response()).await,
        }
    }

    async fn read<B: MessageBody>(request: String, response: HttpResponse<B>) -> Self {
        let status = response.status().as_u16();
        let note = response.extensions().get::<RefusalNote>().cloned();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.and_then(|it| it.to_str().ok());
        let challenged = challenge
            .and_then(|it| it.split_once("error=\"")?.1.split('"').next())
            .map(str::to_owned);
        // The body of an accepted request may never end.
        let body = if status >= 400 || note.is_some() {
            to_bytes(response.into_body()).await.unwrap_or_default()
        } else {
            Bytes::new()
        };
        let json = serde_json::from_slice::<Value>(&body).ok();
        let told = json.and_then(|body| Some(body.get("error")?.as_str()?.to_owned()));
        Self {
            request,
            status,
            body: String::from_utf8_lossy(&body).chars().take(500).collect(),
            error: told.or(challenged),
            note,
        }
    }

    /// The answer, and the reason that the log has.
    fn describe(&self, wanted: &str) -> String {
        let mut text = format!(
            "{}\n  wanted: {wanted}\n  answer: {} {}",
            self.request, self.status, self.body
        );
        let _ = match &self.note {
            Some(note) => write!(text, "\n  reason: {}: {}", note.reason, note.sentence),
            None => write!(text, "\n  reason: no guard has refused it"),
        };
        text
    }
}

/// For [`assert_refused!`](crate::assert_refused).
///
/// # Errors
///
/// The text to fail with.
#[doc(hidden)]
pub async fn check_refused<S, B>(
    app: &S,
    request: impl IntoRequest,
    status: u16,
    error: Option<&str>,
) -> Result<(), String>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let outcome = Outcome::of(app, request.into_request()).await;
    let is_named = |error: &str| {
        outcome.error.as_deref() == Some(error)
            || outcome.note.as_ref().is_some_and(|it| it.reason == error)
    };
    // A hook may answer a refusal with a redirect to the login.
    let is_refused = status >= 400 || outcome.note.is_some();
    if outcome.status == status && is_refused && error.is_none_or(is_named) {
        return Ok(());
    }
    let wanted = match error {
        Some(error) => format!("{status} {error}"),
        None => status.to_string(),
    };
    Err(outcome.describe(&wanted))
}

/// For [`assert_accepted!`](crate::assert_accepted).
///
/// # Errors
///
/// The text to fail with.
#[doc(hidden)]
pub async fn check_accepted<S, B>(app: &S, request: impl IntoRequest) -> Result<(), String>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let outcome = Outcome::of(app, request.into_request()).await;
    if outcome.status < 400 && outcome.note.is_none() {
        return Ok(());
    }
    Err(outcome.describe("a status below 400"))
}

/// Fails unless the application refuses a request with this status, and for this reason.
///
/// `assert_refused!(app, request, status)` or `assert_refused!(app, request, status, reason)`: `app` is what
/// `actix_web::test::init_service` gives, `request` a `TestRequest`. The reason is the `error` of the answer, such as
/// `"insufficient_scope"`, or the more exact `reason` of the event in the log, such as `"token_expired"`.
///
/// If it fails, it shows the answer, and the sentence that the log has.
#[macro_export]
macro_rules! assert_refused {
    ($app:expr, $request:expr, $status:expr $(,)?) => {
        $crate::assert_refused!(@ $app, $request, $status, ::core::option::Option::None)
    };
    ($app:expr, $request:expr, $status:expr, $reason:expr $(,)?) => {
        $crate::assert_refused!(@ $app, $request, $status, ::core::option::Option::Some($reason))
    };
    (@ $app:expr, $request:expr, $status:expr, $reason:expr) => {{
        let status = ::core::convert::TryInto::<u16>::try_into($status).expect("a status");
        let outcome = $crate::testing::check_refused(&$app, $request, status, $reason).await;
        if let ::core::result::Result::Err(text) = outcome {
            ::core::panic!("not refused as wanted: {text}");
        }
    }};
}

/// Fails if the application refuses a request: if it answers 400 or above.
///
/// `assert_accepted!(app, request)`, as [`assert_refused!`](crate::assert_refused). If it fails, it shows the answer, and the
/// sentence that the log has.
#[macro_export]
macro_rules! assert_accepted {
    ($app:expr, $request:expr $(,)?) => {{
        let outcome = $crate::testing::check_accepted(&$app, $request).await;
        if let ::core::result::Result::Err(text) = outcome {
            ::core::panic!("not accepted: {text}");
        }
    }};
}

pub use {assert_accepted, assert_refused};
