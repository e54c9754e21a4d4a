//! What is noted of each decision beside the log: counters (feature `metrics`), and fields of the request's span.

#[cfg(feature = "metrics")]
mod counted;

use actix_web::HttpRequest;
use tracing::{Span, field::display, level_filters::LevelFilter};

use super::{Rejection, known::Known, shown::shown};
use crate::{manager::AuthManager, rules::Requirement, token::Token};

/// Notes that a guard has accepted a request.
#[cfg_attr(
    not(feature = "metrics"),
    expect(unused_variables, reason = "counted with the feature only")
)]
#[inline]
pub(super) fn note_accepted(
    manager: &AuthManager,
    requirement: &Requirement,
    token: Option<&Token>,
    request: &HttpRequest,
) {
    manager.parts().verification.report_hits();
    #[cfg(feature = "metrics")]
    counted::accepted(requirement, token, request);
    if let Some(token) = token
        && LevelFilter::current() > LevelFilter::OFF
    {
        record("accepted", Some(token), manager.parts().log_subjects);
    }
}

/// Notes a refusal.
pub(super) fn note_refused(rejection: &Rejection, known: Known<'_>) {
    if let Some(manager) = known.manager {
        manager.parts().verification.report_hits();
    }
    #[cfg(feature = "metrics")]
    counted::refused(rejection, known);
    if LevelFilter::current() > LevelFilter::OFF {
        let wants_subject = known.manager.is_some_and(|it| it.parts().log_subjects);
        record(rejection.reason(), known.token, wants_subject);
    }
}

/// Fills in those fields of the current span that it has: the outcome, the id of the token, and the subject if that is
/// wanted. The names are those of OpenTelemetry's conventions where there are such.
#[cold]
fn record(outcome: &'static str, token: Option<&Token>, wants_subject: bool) {
    let span = Span::current();
    if span.has_field("outcome") {
        span.record("outcome", outcome);
    }
    let Some(token) = token else { return };
    if span.has_field("token.id")
        && let Ok(Some(id)) = token.own_id()
    {
        span.record("token.id", display(shown(&id)));
    }
    if wants_subject && span.has_field("enduser.id") {
        span.record("enduser.id", display(shown(token.sub())));
    }
}
