//! Why a request was refused, noted in its answer. For the test kit.

use actix_web::HttpResponse;

use super::{Rejection, advice, known::Known};

/// What the log says of a refusal.
#[derive(Debug, Clone)]
pub(crate) struct RefusalNote {
    /// The `reason` of the event.
    pub(crate) reason: &'static str,
    /// What is wrong, and what to change.
    pub(crate) sentence: String,
}

pub(super) fn put(rejection: &Rejection, known: Known<'_>, answer: &mut HttpResponse) {
    let note = RefusalNote {
        reason: rejection.reason(),
        sentence: advice::sentence(rejection, known).into_owned(),
    };
    answer.extensions_mut().insert(note);
}
