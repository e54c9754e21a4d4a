//! The hook that replaces the answers to refused requests.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};

use super::Rejection;
use crate::{config::Config, manager::AuthManager};

/// The function that [`Config::on_rejection`] takes. The configuration stores it without its type, since only this
/// module knows types of HTTP.
struct RejectionHook(Box<Hook>);

type Hook = dyn Fn(&Rejection, &HttpRequest, HttpResponse) -> HttpResponse + Send + Sync;

/// Answers to refused requests.
impl Config {
    /// Sets a hook that changes or replaces the answer to every refused request, whether the attribute, the
    /// middleware, an extractor or [`Rejection::respond`] refuses it. The hook gets the answer that would be sent.
    ///
    /// `Cache-Control: no-store` is added if the new answer has no such field. The hook is not called if no manager
    /// is registered.
    ///
    /// In the hook, [`CurrentToken::get`](crate::CurrentToken::get) returns the token of the refused request if the
    /// token itself is valid, as it is for a 403 about a claim. If the hook refuses a request itself, for instance
    /// with an extractor, the plain answer is sent: the hook is not called again, and nothing is logged.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpResponse, http::{StatusCode, header}};
    /// use flask_pyjwt::{AuthType, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
    ///     .on_rejection(|rejection, _request, answer| match rejection.status() {
    ///         StatusCode::UNAUTHORIZED => HttpResponse::SeeOther()
    ///             .insert_header((header::LOCATION, "/login"))
    ///             .finish(),
    ///         _ => answer,
    ///     });
    /// ```
    pub fn on_rejection(
        mut self,
        hook: impl Fn(&Rejection, &HttpRequest, HttpResponse) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.on_rejection = Some(Arc::new(RejectionHook(Box::new(hook))));
        self
    }
}

/// The hook of a manager, if it has one.
pub(super) fn hook_of(manager: &AuthManager) -> Option<&Hook> {
    let hook = manager.parts().on_rejection.as_ref()?;
    let RejectionHook(hook) = hook.downcast_ref()?;
    Some(&**hook)
}
