//! The code that the attribute's wrapper calls: authorize, extract the arguments, call the handler, respond.

use std::{
    any,
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{
    FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Responder, dev::Payload,
    http::StatusCode, web::Data,
};

use super::{
    answer::answer_of_handler,
    authorize::{AtOnce, Passed, guard, guard_at_once},
    current_token::answer_extraction,
    request_state::{Guarded, Refused},
};
use crate::{log_limit::admits, manager::AuthManager, rules::Requirement};

/// The answer of a handler. The type is erased, so that the compiler reports a failed bound once and not three times.
pub type Answer = Pin<Box<dyn Future<Output = HttpResponse>>>;

/// All that the attribute's wrapper takes: the request and its body, unread. One argument, because
/// `actix_web` keeps a future for each.
///
/// The compiler shows its name to code that calls a protected handler itself: only actix-web can, with a request. Tests
/// can with `name::unguarded(…)` or [`testing::unguarded`](crate::testing::unguarded), of the feature `test-kit`. Work that
/// other code needs, too, goes into a function that both call.
pub struct ForActixOnlySeeTestingUnguarded {
    request: HttpRequest,
    body: Payload,
    /// The arguments of a test that calls the handler. No request has them.
    #[cfg(feature = "test-kit")]
    arguments: Option<Box<dyn any::Any>>,
}

#[cfg(feature = "test-kit")]
impl ForActixOnlySeeTestingUnguarded {
    /// A call of the handler with these arguments, without its guard.
    pub(crate) fn with_arguments(request: HttpRequest, arguments: impl any::Any) -> Self {
        Self {
            request,
            body: Payload::None,
            arguments: Some(Box::new(arguments)),
        }
    }
}

impl FromRequest for ForActixOnlySeeTestingUnguarded {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, body: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            request: request.clone(),
            body: body.take(),
            #[cfg(feature = "test-kit")]
            arguments: None,
        }))
    }
}

impl fmt::Debug for ForActixOnlySeeTestingUnguarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForActixOnlySeeTestingUnguarded")
            .finish_non_exhaustive()
    }
}

/// Authorizes the request, then does the same as `actix_web`'s `handler_service`: extract, call, respond.
///
/// Before the token is accepted, it extracts no argument and does not read the body.
pub fn protect<H, Args>(
    requirement: &'static Requirement,
    mut incoming: ForActixOnlySeeTestingUnguarded,
    handler: H,
) -> Answer
where
    H: Handler<Args>,
    H::Output: Responder,
    Args: FromRequest + 'static,
{
    #[cfg(feature = "test-kit")]
    if let Some(arguments) = incoming.arguments.take() {
        return Box::pin(call_unguarded(incoming.request, arguments, handler));
    }
    #[cfg(feature = "test-kit")]
    if let Some(probe) = super::probe::Probe::of(&incoming.request) {
        return Box::pin(async move {
            let ForActixOnlySeeTestingUnguarded { request, body, .. } = &mut incoming;
            match probe.decide(requirement, request, body, true).await {
                Ok(_) => super::probe::Probe::in_place_of_the_handler(),
                Err(refused) => refused,
            }
        });
    }
    match guard_at_once(requirement, &incoming.request, true) {
        AtOnce::Decided(Ok(passed)) => Box::pin(run(passed, incoming, handler)),
        AtOnce::Decided(Err(refused)) => Box::pin(ready(refused)),
        AtOnce::Undecided(recalled) => Box::pin(async move {
            let ForActixOnlySeeTestingUnguarded { request, body, .. } = &mut incoming;
            match guard(requirement, request, body, true, recalled).await {
                Ok(passed) => {
                    let answer: Answer = Box::pin(run(passed, incoming, handler));
                    answer.await
                }
                Err(refused) => refused,
            }
        }),
    }
}

/// Calls the handler with the arguments of a test.
#[cfg(feature = "test-kit")]
async fn call_unguarded<H, Args>(
    request: HttpRequest,
    arguments: Box<dyn any::Any>,
    handler: H,
) -> HttpResponse
where
    H: Handler<Args>,
    H::Output: Responder,
    Args: FromRequest + 'static,
{
    let Ok(arguments) = arguments.downcast::<Args>() else {
        panic!(
            "the handler takes the arguments {}, as one tuple",
            any::type_name::<Args>()
        );
    };
    let response = handler.call(*arguments).await.respond_to(&request);
    response.map_into_boxed_body()
}

/// Extracts the arguments, calls the handler and responds, after the token was accepted.
async fn run<H, Args>(
    passed: Passed,
    incoming: ForActixOnlySeeTestingUnguarded,
    handler: H,
) -> HttpResponse
where
    H: Handler<Args>,
    H::Output: Responder,
    Args: FromRequest + 'static,
{
    let ForActixOnlySeeTestingUnguarded {
        request, mut body, ..
    } = incoming;
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
        (Err(error), None) => {
            let response = HttpResponse::from_error(error);
            if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
                explain_missing_data(&request, any::type_name::<Args>());
            }
            response
        }
    };
    passed.add_fields(response.status(), response.headers_mut());
    response
}

/// Logs that a handler asks for the manager in another way than it is registered: actix-web answers 500, and only
/// its debug log says more.
fn explain_missing_data(request: &HttpRequest, arguments: &str) {
    let wants_data = || {
        let data = any::type_name::<Data<AuthManager>>();
        // What it is for the handler: the name of the type without its path.
        let name = data.split_once('<').map_or(data, |(_, inner)| inner);
        arguments.contains(&format!("Data<{name}"))
    };
    if request.app_data::<Data<AuthManager>>().is_none() && wants_data() && admits("wants_data") {
        tracing::error!(
            route = request.match_pattern(),
            "the handler takes `web::Data<AuthManager>`, and the manager is registered with \
             `.app_data(auth.clone())`: take it as the argument `auth: AuthManager`"
        );
    }
}

/// Ends the extraction of the arguments, and returns its refusal. It is known here even if `Option<CurrentToken<C>>` has
/// discarded the error.
///
/// From here on, extractions by the handler itself answer their errors at once.
fn end_of_extraction(request: &HttpRequest) -> Option<Refused> {
    let mut extensions = request.extensions_mut();
    let guarded = extensions.get_mut::<Guarded>()?;
    guarded.by_attribute = false;
    guarded.refused.take().map(|refused| *refused)
}

/// Makes the compiler report an argument that is not an extractor at that argument.
pub const fn assert_extractor<T: Extractor>() {}

/// The same as [`FromRequest`], with another error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a protected handler",
    label = "not a request extractor",
    note = "every argument of a handler must implement `actix_web::FromRequest`",
    note = "values of the request come in extractors: `web::Path<…>`, `web::Query<…>`, `web::Json<…>`, `web::Form<…>`",
    note = "values of the application come in `web::Data<…>`, registered with `.app_data(web::Data::new(…))`"
)]
pub trait Extractor {}

#[diagnostic::do_not_recommend]
impl<T: FromRequest> Extractor for T {}

/// Says what a handler is, where a function that is not `async` returns no future either.
pub const fn assert_future<T: HandlerFuture>() {}

/// [`Future`] by another name, for the sake of its error message.
#[diagnostic::on_unimplemented(
    message = "a handler is an `async fn`",
    label = "write `async fn`, or return a future",
    note = "actix-web awaits what a handler returns"
)]
pub trait HandlerFuture {}

#[diagnostic::do_not_recommend]
impl<T: Future> HandlerFuture for T {}
