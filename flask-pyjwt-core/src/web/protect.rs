//! The code that the attribute's wrapper calls: authorize, extract the arguments, call the handler, respond.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{
    FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Responder, dev::Payload,
};

use super::{
    answer::answer_of_handler,
    authorize::{Passed, guard, guard_at_once},
    current_token::answer_extraction,
    request_state::{Guarded, Refused},
};
use crate::rules::Requirement;

/// The answer of a handler. The type is erased, so that the compiler reports a failed bound once and not three times.
pub type Answer = Pin<Box<dyn Future<Output = HttpResponse>>>;

/// All that the attribute's wrapper takes: the request and its body, unread. One argument, because
/// `actix_web` keeps a future for each.
pub struct Incoming {
    request: HttpRequest,
    body: Payload,
}

impl FromRequest for Incoming {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, body: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            request: request.clone(),
            body: body.take(),
        }))
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

/// Authorizes the request, then does the same as `actix_web`'s `handler_service`: extract, call, respond.
///
/// Before the token is accepted, it extracts no argument and does not read the body.
pub fn protect<H, Args>(
    requirement: &'static Requirement,
    mut incoming: Incoming,
    handler: H,
) -> Answer
where
    H: Handler<Args>,
    H::Output: Responder,
    Args: FromRequest + 'static,
{
    match guard_at_once(requirement, &incoming.request, true) {
        Some(Ok(passed)) => Box::pin(run(passed, incoming, handler)),
        Some(Err(refused)) => Box::pin(ready(refused)),
        None => Box::pin(async move {
            let Incoming { request, body } = &mut incoming;
            match guard(requirement, request, body, true).await {
                Ok(passed) => {
                    let answer: Answer = Box::pin(run(passed, incoming, handler));
                    answer.await
                }
                Err(refused) => refused,
            }
        }),
    }
}

/// Extracts the arguments, calls the handler and responds, after the token was accepted.
async fn run<H, Args>(passed: Passed, incoming: Incoming, handler: H) -> HttpResponse
where
    H: Handler<Args>,
    H::Output: Responder,
    Args: FromRequest + 'static,
{
    let Incoming { request, mut body } = incoming;
    let args = Args::from_request(&request, &mut body).await;
    let mut response = match (args, end_of_extraction(&request)) {
        (
            Ok(_),
            Some(Refused {
                rejection,
                is_final: true,
            }),
        )
        | (Err(_), Some(Refused { rejection, .. })) => answer_extraction(&request, &rejection),
        (Ok(args), _) => {
            let response = handler.call(args).await.respond_to(&request);
            answer_of_handler(&request, &response).unwrap_or_else(|| response.map_into_boxed_body())
        }
        (Err(error), None) => HttpResponse::from_error(error),
    };
    passed.add_fields(response.status(), response.headers_mut());
    response
}

/// Ends the extraction of the arguments, and returns its refusal. It is known here even if `Option<CurrentToken<C>>` has
/// discarded the error.
///
/// From here on, extractions by the handler itself answer their errors at once.
fn end_of_extraction(request: &HttpRequest) -> Option<Refused> {
    let mut extensions = request.extensions_mut();
    let guarded = extensions.get_mut::<Guarded>()?;
    guarded.by_attribute = false;
    guarded.refused.take()
}

/// Makes the compiler report an argument that is not an extractor at that argument.
pub const fn assert_extractor<T: Extractor>() {}

/// The same as [`FromRequest`], with another error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a protected handler",
    label = "not a request extractor",
    note = "every argument of a handler must implement `actix_web::FromRequest`"
)]
pub trait Extractor {}

#[diagnostic::do_not_recommend]
impl<T: FromRequest> Extractor for T {}
