//! The part of the configuration that is code of the application: the answers to refused requests, what is
//! logged of them, and the application's own check.

use std::{future::Future, sync::Arc};

use actix_web::{HttpRequest, HttpResponse};

use super::Config;
use crate::{
    token::Token,
    web::{CheckError, Rejection},
};

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
        self.on_rejection = Some(Arc::new(hook));
        self
    }

    /// Whether the events of refusals name the token's subject, in the field `sub`. By default they do not:
    /// a subject may be personal data. The session's id, in the field `sid`, is always named.
    pub fn log_subjects(mut self, log: bool) -> Self {
        self.log_subjects = log;
        self
    }

    /// Adds a question of your own that every verified token has to pass before a route looks at
    /// its claims: a denylist, a tenant that is suspended. It may wait; nothing of the request
    /// is read meanwhile. `AuthManager::verify_token` does not ask it.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthType, CheckError, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least")
    ///     .token_check(|token| async move {
    ///         if token.sub() == "mallory" { Err(CheckError::Revoked) } else { Ok(()) }
    ///     });
    /// ```
    pub fn token_check<F, R>(mut self, check: F) -> Self
    where
        F: Fn(Token) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), CheckError>> + 'static,
    {
        self.token_check = Some(Arc::new(move |token| Box::pin(check(token))));
        self
    }
}
