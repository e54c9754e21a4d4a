//! What the attribute's wrapper does: authorize, extract, call, respond.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Responder, web::Payload,
};

use super::{
    answer::{answer, rejection_of},
    authorize::{Guarded, guard},
    current_token::Refused,
    registered::manager_of,
};
use crate::rules::Requirement;

/// A handler's answer, its type erased, so that one failed bound is one error and not three.
pub type Answer = Pin<Box<dyn Future<Output = HttpResponse>>>;

/// Authorizes, then does what `actix_web`'s own `handler_service` does: extract, call, respond.
///
/// Nothing of the handler's arguments is extracted, and no byte of the body read, before the token
/// has been accepted.
pub fn protect<H, Args>(
    requirement: &'static Requirement,
    request: HttpRequest,
    payload: Payload,
    handler: H,
) -> Answer
where
    H: Handler<Args>,
    H::Output: Responder,
    Args: FromRequest + 'static,
{
    Box::pin(async move {
        let mut body = payload.into_inner();
        let passed = match guard(requirement, &request, &mut body, true).await {
            Ok(passed) => passed,
            Err(refused) => return refused,
        };
        let args = Args::from_request(&request, &mut body).await;
        // `Option<CurrentToken<C>>` swallows its error; the request is refused all the same.
        let refused = request.extensions_mut().remove::<Refused>();
        // What the handler extracts by hand is answered on the spot.
        if let Some(guarded) = request.extensions_mut().get_mut::<Guarded>() {
            guarded.by_attribute = false;
        }
        let mut response = match (args, refused) {
            (
                Ok(_),
                Some(Refused {
                    rejection,
                    is_final: true,
                }),
            )
            | (Err(_), Some(Refused { rejection, .. })) => {
                answer(manager_of(&request).ok(), &rejection, &request)
            }
            (Ok(args), _) => {
                let response = handler.call(args).await.respond_to(&request);
                match rejection_of(&response) {
                    Some(rejection) => answer(manager_of(&request).ok(), &rejection, &request),
                    None => response.map_into_boxed_body(),
                }
            }
            (Err(error), None) => HttpResponse::from_error(error),
        };
        passed.add_fields(response.status(), response.headers_mut());
        response
    })
}

/// Puts the error about an argument that is not an extractor on that argument.
pub const fn assert_extractor<T: Extractor>() {}

/// [`FromRequest`] by another name, for the sake of its error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a protected handler",
    label = "not a request extractor",
    note = "every argument of a handler must implement `actix_web::FromRequest`"
)]
pub trait Extractor {}

#[diagnostic::do_not_recommend]
impl<T: FromRequest> Extractor for T {}
