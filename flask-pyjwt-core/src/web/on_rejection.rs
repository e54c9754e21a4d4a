//! The hook that replaces the answers to refused requests.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};

use super::Rejection;
use crate::{config::Config, manager::AuthManager};

/// What [`Config::on_rejection`] was given. The configuration keeps it without knowing its type, which is one
/// of HTTP.
struct RejectionHook(Box<Hook>);

type Hook = dyn Fn(&Rejection, &HttpRequest, HttpResponse) -> HttpResponse + Send + Sync;

/// The answers to refused requests.
impl Config {
    /// Replaces the answer to every refused request: of the attribute, the middleware, the
    /// extractor and [`Rejection::respond`] alike. It gets the answer that would be given, to change or to
    /// replace.
    ///
    /// `Cache-Control: no-store` is added where the new answer has no such field. It is not asked
    /// where no manager is found.
    ///
    /// In the hook, [`CurrentToken::get`](crate::CurrentToken::get) returns the token of the refused request
    /// where the token itself is good, as it is for a 403 about a claim. A request that the hook itself
    /// refuses, for instance by an extractor, gets the plain answer: the hook is not called again, and
    /// nothing is logged.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpResponse, http::{StatusCode, header}};
    /// use flask_pyjwt::{AuthType, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least")
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
