//! The event of a refusal: made once, where the refusal is made, however it is answered.
//!
//! A refusal of a guard, an extractor or [`Rejection::respond`] is told where it is answered. One that a
//! method of [`AuthManager`] gives to a handler is told when the method returns, since nobody knows
//! what the handler makes of it: it may answer with it, map it into an error of its own, or ignore it.
//! Such a refusal is remembered until it is answered, so that the answer does not tell it again.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::pin,
    time::Duration,
};

use actix_web::HttpRequest;
use tokio::task;

use super::{Rejection, origin};
use crate::{
    manager::AuthManager,
    reentry::Calling,
    token::{Token, TokenError},
};

/// How many refusals of one thread wait for their answer. Those that no answer follows go first.
const MOST_TOLD: usize = 32;
/// How often a call of ours may call the application, which calls us, before it is refused.
const DEEPEST: u8 = 8;
const RETRY_AFTER: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether this thread tells of a refusal: a subscriber or the hook of the application runs.
    static TELLING: Cell<bool> = const { Cell::new(false) };
    /// How many calls of [`AuthManager`] are on this thread's stack.
    static CALLS: Cell<u8> = const { Cell::new(0) };
    /// What was told and is not answered yet, and which task was told. A task is a connection, or a
    /// request of one.
    static TOLD: RefCell<VecDeque<(Option<task::Id>, Rejection)>> =
        const { RefCell::new(VecDeque::new()) };
}

/// Begins to tell of a refusal, and to answer it by the hook; nothing where this thread does so already. A
/// refusal that a subscriber or the hook causes gets the plain answer, without an event and without the
/// hook.
pub(super) fn begin_telling() -> Option<Calling> {
    Calling::begin(&TELLING)
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

/// What is known of a refused request.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub(super) manager: Option<&'a AuthManager>,
    pub(super) request: Option<&'a HttpRequest>,
    /// A token that was verified.
    pub(super) token: Option<&'a Token>,
}

/// Waits for what a method of [`AuthManager`] does, and tells why it is refused.
///
/// Where a session store of the application calls the manager, the outer call tells. A store that calls
/// the manager without end is refused with 503.
pub(crate) async fn told<T>(
    manager: &AuthManager,
    token: Option<&Token>,
    work: impl Future<Output = Result<T, Rejection>>,
) -> Result<T, Rejection> {
    if CALLS.get() >= DEEPEST {
        return Err(Rejection::Unavailable {
            retry_after: RETRY_AFTER,
        });
    }
    let mut work = pin!(work);
    let result = poll_fn(|context| {
        let _call = Call::begin();
        work.as_mut().poll(context)
    });
    result.await.inspect_err(|rejection| {
        let known = Known {
            manager: Some(manager),
            request: None,
            token,
        };
        tell_caller(rejection, known);
    })
}

/// Tells of a refusal that the application gets as an error.
pub(super) fn tell_caller(rejection: &Rejection, known: Known<'_>) {
    if CALLS.get() > 0 {
        return;
    }
    forget(rejection);
    let Some(_telling) = begin_telling() else {
        return;
    };
    tell(rejection, known);
    TOLD.with_borrow_mut(|told| {
        if told.len() == MOST_TOLD {
            told.pop_front();
        }
        told.push_back((task::try_id(), rejection.clone()));
    });
}

/// Whether a refusal that is answered now was told before.
pub(super) fn was_told(rejection: &Rejection) -> bool {
    TOLD.with_borrow_mut(|told| {
        if told.is_empty() {
            return false;
        }
        let task = task::try_id();
        let same = |(of, other): &(_, Rejection)| *of == task && other == rejection;
        let found = told.iter().position(same);
        found.and_then(|found| told.remove(found)).is_some()
    })
}

/// Called where an equal refusal is made anew: what was told before is another one.
pub(super) fn forget(rejection: &Rejection) {
    was_told(rejection);
}

/// Tells of a refusal that is answered where nothing of the request is known.
pub(super) fn tell_unless_told(rejection: &Rejection) {
    if was_told(rejection) {
        return;
    }
    if let Some(_telling) = begin_telling() {
        tell(rejection, Known::default());
    }
}

/// Makes the event. No text of the token is in it, and nothing that somebody else has written but what
/// [`shown`] makes harmless.
pub(super) fn tell(rejection: &Rejection, known: Known<'_>) {
    let status = rejection.status();
    // Where nobody listens, none of these is looked for.
    let route = || known.request.and_then(HttpRequest::match_pattern);
    let session = || {
        let session = known.token?.id("sid").ok()?;
        session.map(|session| shown(&session))
    };
    let subject = || {
        let is_wanted = known.manager?.parts().answers.log_subjects;
        known.token.filter(|_| is_wanted).map(|it| shown(it.sub()))
    };
    let site = || match rejection {
        Rejection::CrossSite => known.request.map(origin::Compared::of),
        _ => None,
    };
    macro_rules! event {
        ($level:expr, $($message:tt)+) => {{
            let site = site().unwrap_or_default();
            tracing::event!(
                target: Rejection::EVENT_TARGET,
                $level,
                reason = rejection.code(),
                status = status.as_u16(),
                route = route().as_deref(),
                claim = claim(rejection),
                scope = missing_scope(rejection),
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
            event!(tracing::Level::ERROR, "request refused: {rejection}");
        }
    } else if tracing::enabled!(target: Rejection::EVENT_TARGET, tracing::Level::INFO) {
        event!(tracing::Level::INFO, "request refused");
    }
}

/// The claim that was not met. Its name is the route's, or of a closed list.
fn claim(rejection: &Rejection) -> Option<&str> {
    match rejection {
        Rejection::ClaimNotMet { name } => Some(name),
        Rejection::ScopeNotMet | Rejection::MissingScope { .. } => Some("scope"),
        Rejection::LoginTooOld { .. } => Some("auth_time"),
        Rejection::InvalidToken(error) => match error {
            TokenError::MissingClaim(name) | TokenError::MistypedClaim(name) => Some(name),
            TokenError::Expired => Some("exp"),
            TokenError::Issuer => Some("iss"),
            TokenError::Audience => Some("aud"),
            TokenError::WrongType { .. } => Some("type"),
            _ => None,
        },
        _ => None,
    }
}

/// The items of the route's scope that the token lacks.
fn missing_scope(rejection: &Rejection) -> Option<&str> {
    match rejection {
        Rejection::MissingScope { scope } => Some(scope),
        _ => None,
    }
}

/// A text that somebody else has written, as a log may show it: on one line, and not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= LONGEST {
            shown.push('…');
            break;
        }
        if character.is_control()
            || matches!(character, '\u{200b}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_somebody_else_stays_on_its_line_and_is_cut() {
        for (text, expected) in [
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("a\r\nreason=none", r"a\u{d}\u{a}reason=none"),
            ("\u{1b}[2Ja\u{202e}b", r"\u{1b}[2Ja\u{202e}b"),
            ("é", "é"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert!(shown(&"\n".repeat(10_000)).len() < 220);
    }

    #[test]
    fn what_nobody_answers_is_bounded_and_hides_no_later_refusal() {
        for max_age in 0..1_000 {
            tell_caller(&Rejection::LoginTooOld { max_age }, Known::default());
        }
        TOLD.with_borrow(|told| assert_eq!(told.len(), MOST_TOLD));
        let expired = Rejection::InvalidToken(TokenError::Expired);
        tell_caller(&expired, Known::default());
        assert!(was_told(&expired) && !was_told(&expired), "once");
        tell_caller(&expired, Known::default());
        assert!(
            !was_told(&Rejection::from(TokenError::Expired)),
            "made anew"
        );
    }

    #[actix_web::test]
    async fn what_one_connection_was_told_hides_nothing_of_another() {
        let expired = || Rejection::InvalidToken(TokenError::Expired);
        let told = actix_web::rt::spawn(async move {
            tell_caller(&expired(), Known::default());
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            was_told(&expired())
        });
        let other = actix_web::rt::spawn(async move { was_told(&expired()) });
        assert!(!other.await.expect("no panic"));
        assert!(told.await.expect("no panic"));
    }
}
