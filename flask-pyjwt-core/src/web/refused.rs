//! The log event of a refusal: one for each, logged where the refusal is made.
//!
//! Guards, extractors and [`Rejection::respond`] log the refusal when they answer it. Methods of
//! [`AuthManager`] that return a [`Rejection`] or a [`SessionError`] log it when they return, because the
//! handler may answer with it, map it into an error of its own, or ignore it. Such a rejection is remembered
//! until it is answered, so that the answer does not log it again.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::pin,
};

use actix_web::HttpRequest;
use tokio::task;

use super::{
    Rejection, advice, decided, explained_rules::Rules, explanation::Explanation, known::Known,
    origin, shown::shown,
};
use crate::{
    log_limit::{LogLimit, this_second},
    manager::AuthManager,
    meters,
    reentry::Calling,
    rules::RouteVariables,
    session::SessionError,
    token::{NumericDate, Token, TokenError},
};

/// How many rejections of one thread are remembered until they are answered. The oldest is dropped first.
const MOST_REPORTED: usize = 32;
/// How deeply calls of [`AuthManager`] may be nested through code of the application, such as a store.
const DEEPEST: u8 = 8;

thread_local! {
    /// Whether this thread is logging or answering a refusal: a subscriber or the hook may be running.
    static REPORTING: Cell<bool> = const { Cell::new(false) };
    /// How many calls of [`AuthManager`] are on this thread's stack.
    static CALLS: Cell<u8> = const { Cell::new(0) };
    /// Rejections that were logged and are not answered yet, and the task that got each. A task is a
    /// connection (HTTP/1) or a request (HTTP/2).
    static REPORTED: RefCell<VecDeque<(Option<task::Id>, Rejection)>> =
        const { RefCell::new(VecDeque::new()) };
}

/// Begins to log a refusal and to ask the hook for its answer. Returns `None` if this thread is doing so
/// already: a refusal that a subscriber or the hook causes gets the plain answer, with no event and no hook.
pub(super) fn begin_report() -> Option<Calling> {
    Calling::begin(&REPORTING)
}

/// One call of [`AuthManager`] on this thread's stack.
struct Call(());

impl Call {
    fn begin() -> Self {
        CALLS.set(CALLS.get() + 1);
        Self(())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        CALLS.set(CALLS.get() - 1);
    }
}

/// Runs the work of a method of [`AuthManager`], and logs the refusal if there is one.
///
/// If a session store of the application calls the manager, only the outermost call logs. A store that
/// calls the manager recursively gets 503 at the depth limit.
pub(super) async fn reporting<T, E>(
    manager: &AuthManager,
    token: Option<&Token>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E>
where
    E: From<SessionError>,
    Rejection: for<'a> From<&'a E>,
{
    if CALLS.get() >= DEEPEST {
        return Err(SessionError::TooDeep.into());
    }
    within_call(work).await.inspect_err(|error| {
        let known = Known {
            manager: Some(manager),
            token,
            ..Known::default()
        };
        report(&Rejection::from(error), known);
    })
}

/// Runs code of the application whose outcome is logged by whoever has called it. What it asks of a manager
/// meanwhile is not logged.
pub(super) async fn within_call<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _call = Call::begin();
        work.as_mut().poll(context)
    })
    .await
}

/// Logs a rejection that the application gets as an error.
pub(super) fn report(rejection: &Rejection, known: Known<'_>) {
    if CALLS.get() > 0 {
        return;
    }
    forget(rejection);
    let Some(_report) = begin_report() else {
        return;
    };
    log(rejection, known);
    REPORTED.with_borrow_mut(|reported| {
        if reported.len() == MOST_REPORTED {
            reported.pop_front();
        }
        reported.push_back((task::try_id(), rejection.clone()));
    });
}

/// Whether a rejection that is about to be answered was logged already. It is forgotten then.
pub(super) fn was_reported(rejection: &Rejection) -> bool {
    REPORTED.with_borrow_mut(|reported| {
        if reported.is_empty() {
            return false;
        }
        let task = task::try_id();
        let same = |(of, other): &(_, Rejection)| *of == task && other == rejection;
        let found = reported.iter().position(same);
        found.and_then(|found| reported.remove(found)).is_some()
    })
}

/// Forgets an equal rejection: the one that is being made is a new refusal.
pub(super) fn forget(rejection: &Rejection) {
    was_reported(rejection);
}

/// Logs a rejection that is answered without its request, unless it was logged already.
pub(super) fn report_unless_reported(rejection: &Rejection) {
    if was_reported(rejection) {
        return;
    }
    if let Some(_report) = begin_report() {
        log(rejection, Known::default());
    }
}

/// Logs the event. It contains no text of the token, and text that a client can choose only as [`shown`]
/// returns it.
pub(super) fn log(rejection: &Rejection, known: Known<'_>) {
    decided::note_refused(rejection, known);
    let status = rejection.status();
    // Evaluated only if a subscriber is interested.
    let route = || known.request.and_then(HttpRequest::match_pattern);
    let session = || {
        let session = known.token?.id("sid").ok()?;
        session.map(|session| shown(&session))
    };
    let subject = || {
        let is_wanted = known.manager?.parts().log_subjects;
        known.token.filter(|_| is_wanted).map(|it| shown(it.sub()))
    };
    let site = || match rejection {
        Rejection::CrossSite => known.request.map(origin::Compared::of),
        _ => None,
    };
    let not_logged = match admit(
        rejection.reason(),
        known,
        route().as_deref().unwrap_or_default(),
    ) {
        Some(0) => None,
        Some(not_logged) => Some(not_logged),
        None => return meters::logged_less(1),
    };
    let sentence = || advice::sentence(rejection, known);
    macro_rules! event {
        ($level:expr, $($message:tt)+) => {{
            let site = site().unwrap_or_default();
            tracing::event!(
                target: Rejection::EVENT_TARGET,
                $level,
                reason = rejection.reason(),
                status = status.as_u16(),
                route = route().as_deref(),
                claim = claim(rejection, known).as_deref(),
                scope = missing_scope(rejection),
                not_logged,
                sid = session().as_deref(),
                sub = subject().as_deref(),
                origin = site.origin.as_deref(),
                own_origin = site.own.as_deref(),
                sec_fetch_site = site.sec_fetch_site.as_deref(),
                $($message)+
            );
        }};
    }
    if status.is_server_error() {
        if tracing::enabled!(target: Rejection::EVENT_TARGET, tracing::Level::ERROR) {
            event!(tracing::Level::ERROR, "request refused: {}", sentence());
        }
    } else if tracing::enabled!(target: Rejection::EVENT_TARGET, tracing::Level::INFO) {
        event!(tracing::Level::INFO, "request refused: {}", sentence());
    }
    if tracing::enabled!(target: Explanation::EVENT_TARGET, tracing::Level::DEBUG) {
        log_explained(rejection, known);
    }
}

/// Logs which rules of the route hold and which do not, if a guard has refused a valid token for one of them.
fn log_explained(rejection: &Rejection, known: Known<'_>) {
    if !matches!(
        rejection,
        Rejection::ClaimNotMet { .. }
            | Rejection::ScopeNotMet
            | Rejection::MissingScope { .. }
            | Rejection::LoginTooOld { .. }
            | Rejection::AcrNotMet { .. }
    ) {
        return;
    }
    let Known {
        manager: Some(manager),
        request: Some(request),
        token: Some(token),
        asked: Some(asked),
    } = known
    else {
        return;
    };
    let variables = RouteVariables::of(request);
    let explanation = Rules::of_route(manager, asked.requirement, token, &variables);
    let rules = explanation.rules().iter().map(|rule| {
        let (name, outcome, text) = (rule.name(), rule.outcome(), rule.text());
        format!("`{name}` {outcome}: {text}")
    });
    tracing::debug!(
        target: Explanation::EVENT_TARGET,
        reason = rejection.reason(),
        route = request.match_pattern().as_deref(),
        "{}",
        rules.collect::<Vec<_>>().join("; "),
    );
}

/// Whether a refusal is logged. Returns how many of the same reason and route were left out before it.
fn admit(reason: &'static str, known: Known<'_>, route: &str) -> Option<u64> {
    let Some(manager) = known.manager else {
        return LogLimit::of_process().admit(reason, route, this_second());
    };
    let parts = manager.parts();
    let now = parts.verification.clock.now();
    let second = now.map_or_else(|_| this_second(), NumericDate::seconds);
    parts.log_limit.admit(reason, route, second)
}

/// The name of the claim that was not met: from the requirement of the route or of a trusted issuer, or one of a fixed
/// list.
fn claim<'a>(rejection: &'a Rejection, known: Known<'_>) -> Option<Cow<'a, str>> {
    let name = match rejection {
        Rejection::ClaimNotMet { name } => Some(name.as_str()),
        Rejection::ScopeNotMet | Rejection::MissingScope { .. } => Some("scope"),
        Rejection::LoginTooOld { .. } => Some("auth_time"),
        Rejection::AcrNotMet { .. } => Some("acr"),
        Rejection::InvalidToken(error) => match error {
            TokenError::MissingClaim(name) | TokenError::MistypedClaim(name) => Some(*name),
            TokenError::Expired => Some("exp"),
            TokenError::IssuerClaim => return known.unmet_claim().map(Cow::Owned),
            TokenError::Issuer => Some("iss"),
            TokenError::Audience => Some("aud"),
            TokenError::Bound | TokenError::UnknownBinding => Some("cnf"),
            TokenError::WrongType { .. } => Some("type"),
            _ => None,
        },
        _ => None,
    };
    name.map(Cow::Borrowed)
}

/// The items of the route's scope that the token lacks.
fn missing_scope(rejection: &Rejection) -> Option<&str> {
    match rejection {
        Rejection::MissingScope { scope } => Some(scope),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unanswered_rejections_are_bounded_and_do_not_hide_later_ones() {
        for max_age in 0..1_000 {
            let acr_values = String::new();
            let rejection = Rejection::LoginTooOld {
                max_age,
                acr_values,
            };
            report(&rejection, Known::default());
        }
        REPORTED.with_borrow(|reported| assert_eq!(reported.len(), MOST_REPORTED));
        let expired = Rejection::InvalidToken(TokenError::Expired);
        report(&expired, Known::default());
        assert!(was_reported(&expired) && !was_reported(&expired), "once");
        report(&expired, Known::default());
        assert!(
            !was_reported(&Rejection::from(TokenError::Expired)),
            "made anew"
        );
    }

    #[test]
    fn asking_for_the_status_of_an_error_forgets_nothing() {
        let error = crate::error::MintError::MissingSigner;
        let rejection = Rejection::from(error.clone());
        report(&rejection, Known::default());
        assert_eq!(actix_web::ResponseError::status_code(&error), 500);
        assert!(was_reported(&rejection));
    }

    #[actix_web::test]
    async fn a_rejection_of_one_connection_is_not_mistaken_for_that_of_another() {
        let expired = || Rejection::InvalidToken(TokenError::Expired);
        let first = actix_web::rt::spawn(async move {
            report(&expired(), Known::default());
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            was_reported(&expired())
        });
        let other = actix_web::rt::spawn(async move { was_reported(&expired()) });
        assert!(!other.await.expect("no panic"));
        assert!(first.await.expect("no panic"));
    }
}
