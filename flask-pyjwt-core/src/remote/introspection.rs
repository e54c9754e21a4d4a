//! Asks an issuer about its opaque tokens (RFC 7662). Answers are cached, and all who ask about one token at the same time
//! share one question.

mod answers;
mod endpoint;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc::UnboundedSender, watch};

pub(crate) use self::endpoint::{Answer, Endpoint, basic};
use self::{
    answers::{Answers, Key},
    endpoint::AskError,
};
use super::fetch::TIMEOUT;
use crate::{
    claims::ClaimRules,
    clock::TimeSource,
    jose::{NumericDate, TokenError},
    json::Document,
    keys::sha256,
    log_limit::admits,
};

/// The maximum number of questions at the same time. Tokens beyond it are answered with 503. Half of them are kept for
/// tokens that were active before, so that random tokens do not keep answers from being renewed.
const MOST_QUESTIONS: usize = 128;
/// The maximum number of cached answers of each kind.
const MOST_ANSWERS: usize = 32 * 1024;
/// The maximum size of the cached claims in bytes.
const MOST_BYTES: usize = 32 << 20;
/// How long it is remembered that a token is not active, in milliseconds.
const INACTIVE_FOR: i64 = 5_000;
/// When to try again if there are too many questions, and if the endpoint fails, in seconds.
const BUSY: i64 = 1;
const FAILED: i64 = 5;

/// The introspection of one issuer.
pub(crate) struct Introspection {
    pub(crate) endpoint: Endpoint,
    /// The rules for the claims of this issuer's tokens.
    pub(crate) rules: Arc<ClaimRules>,
    clock: TimeSource,
    /// How long an active token is not asked about again, in milliseconds.
    active_for: i64,
    state: Mutex<State>,
    /// Hands questions to the worker.
    questions: UnboundedSender<Question>,
}

struct State {
    active: Answers<Arc<str>>,
    /// Random tokens cannot displace the answers about active ones.
    inactive: Answers<()>,
    asking: HashMap<Key, watch::Receiver<Option<Outcome>>>,
}

/// What a question came to. `None` is no answer.
type Outcome = Option<Answer>;

/// A question for the worker. When it is dropped, those who wait for it learn its outcome.
pub(crate) struct Question {
    introspection: Arc<Introspection>,
    key: Key,
    token: String,
    outcome: Outcome,
    waiting: watch::Sender<Option<Outcome>>,
}

impl Introspection {
    pub(crate) fn new(
        endpoint: Endpoint,
        rules: Arc<ClaimRules>,
        clock: TimeSource,
        active_for: i64,
        questions: UnboundedSender<Question>,
    ) -> Self {
        let state = State {
            active: Answers::new(MOST_ANSWERS, MOST_BYTES),
            inactive: Answers::new(MOST_ANSWERS, usize::MAX),
            asking: HashMap::new(),
        };
        Self {
            endpoint,
            rules,
            clock,
            active_for,
            state: Mutex::new(state),
            questions,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the cached answer about a token, without asking.
    pub(crate) fn known(&self, token: &str, now: NumericDate) -> Result<Answer, TokenError> {
        let known = self.state().known(&sha256(token.as_bytes()), now);
        known.ok_or_else(|| unavailable(BUSY))
    }

    /// Returns the answer about a token: the cached one, that of a question that is on its way, or that of a new question.
    ///
    /// The worker asks. It goes on if this future is dropped.
    pub(crate) async fn ask(self: &Arc<Self>, token: &str) -> Result<Answer, TokenError> {
        let key = sha256(token.as_bytes());
        let mut outcome = match self.find_or_begin(key, token)? {
            Found::Known(answer) => return Ok(answer),
            Found::Asked(outcome) => outcome,
        };
        // A second limit, in case the worker has stopped.
        let limit = TIMEOUT + Duration::from_secs(1);
        let outcome = tokio::time::timeout(limit, outcome.wait_for(Option::is_some)).await;
        let outcome = outcome.ok().and_then(Result::ok);
        let answer = outcome.and_then(|outcome| outcome.clone().flatten());
        answer.ok_or_else(|| unavailable(FAILED))
    }

    fn find_or_begin(self: &Arc<Self>, key: Key, token: &str) -> Result<Found, TokenError> {
        let now = self.clock.now()?;
        let mut state = self.state();
        if let Some(answer) = state.known(&key, now) {
            return Ok(Found::Known(answer));
        }
        if let Some(outcome) = state.asking.get(&key) {
            return Ok(Found::Asked(outcome.clone()));
        }
        let most = if state.active.has(&key) {
            MOST_QUESTIONS
        } else {
            MOST_QUESTIONS / 2
        };
        if state.asking.len() >= most {
            drop(state);
            if admits("introspection_busy") {
                let issuer = &self.endpoint.issuer;
                tracing::warn!(
                    issuer,
                    "{most} questions to the introspection endpoint are on their way: further tokens are \
                     answered with 503"
                );
            }
            return Err(unavailable(BUSY));
        }
        let (waiting, outcome) = watch::channel(None);
        state.asking.insert(key, outcome.clone());
        drop(state);
        let question = Question {
            introspection: Arc::clone(self),
            key,
            token: token.to_owned(),
            outcome: None,
            waiting,
        };
        // If the worker has ended together with its manager, the question comes back, and is dropped here.
        drop(self.questions.send(question));
        Ok(Found::Asked(outcome))
    }

    /// How long an answer counts, in milliseconds: that about an active token at most until `exp`.
    fn life(&self, claims: &str, now: NumericDate) -> i64 {
        let payload = Document::object(claims.to_owned()).ok();
        let checked = payload.and_then(|payload| {
            self.rules.check_introspected(&payload).ok()?;
            self.rules.check(&payload, now).ok()
        });
        match checked {
            Some(claims) => {
                let left = claims.expires_at.milliseconds() - now.milliseconds();
                self.active_for
                    .min(left.saturating_add(self.rules.leeway * 1_000))
            }
            None => self.active_for.min(INACTIVE_FOR),
        }
    }

    /// Logs why there is no answer. A text of the endpoint is never logged.
    fn report(&self, error: &AskError) {
        let issuer = &self.endpoint.issuer;
        if matches!(error, AskError::Client(_)) {
            if admits("introspection_refused") {
                tracing::error!(issuer, "the issuer cannot be asked about a token: {error}");
            }
        } else if admits("introspection_failed") {
            tracing::warn!(issuer, "the issuer cannot be asked about a token: {error}");
        }
    }
}

impl State {
    fn known(&self, key: &Key, now: NumericDate) -> Option<Answer> {
        let instant = Instant::now();
        let active = self.active.get(key, now, instant).map(Answer::Active);
        let inactive = || self.inactive.get(key, now, instant);
        active.or_else(|| inactive().map(|()| Answer::Inactive))
    }
}

/// An answer, or where it will be.
enum Found {
    Known(Answer),
    Asked(watch::Receiver<Option<Outcome>>),
}

impl Question {
    /// Asks the endpoint.
    pub(super) async fn ask(mut self) {
        match self.introspection.endpoint.ask(&self.token).await {
            Ok(answer) => self.outcome = Some(answer),
            Err(error) => self.introspection.report(&error),
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let introspection = &self.introspection;
        let outcome = self.outcome.take();
        let now = introspection.clock.now().ok();
        let life = match (&outcome, now) {
            (Some(Answer::Active(claims)), Some(now)) => introspection.life(claims, now),
            _ => INACTIVE_FOR,
        };
        let mut state = introspection.state();
        state.asking.remove(&self.key);
        match (&outcome, now) {
            (Some(Answer::Active(claims)), Some(now)) => {
                let bytes = claims.len();
                state
                    .active
                    .keep(self.key, Arc::clone(claims), bytes, now, life);
            }
            (Some(Answer::Inactive), Some(now)) => {
                // If the clock is set back, it must not count again.
                state.active.forget(&self.key);
                state.inactive.keep(self.key, (), 0, now, life);
            }
            // It is asked again.
            _ => {}
        }
        drop(state);
        self.waiting.send_replace(Some(outcome));
    }
}

fn unavailable(seconds: i64) -> TokenError {
    TokenError::KeysUnavailable {
        retry_after: time::Duration::seconds(seconds),
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("issuer", &self.endpoint.issuer)
            .finish_non_exhaustive()
    }
}
