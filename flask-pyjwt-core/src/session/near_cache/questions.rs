//! Asks the store: one question for all who want to know the same, and nobody gets an answer to a
//! question that was sent before he asked.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
    time::timeout,
};

use super::{
    super::{Moment, Standing, StoreError, TokenIdentity},
    answer::{Answer, AuthToken},
    cache::Cache,
    open::{Question, Waiter},
    subscription::{Subscription, Under},
};

/// How long others wait for a question about the same subject, before they ask the next one. An
/// answer of a server that works takes a millisecond, and one that is slow does not delay those who
/// wait twice.
const PATIENCE: Duration = Duration::from_millis(10);

/// The answers to a question, in the order of the tokens.
#[derive(Debug)]
pub struct Asked {
    /// An answer for each token.
    pub answers: Vec<Result<Answer, StoreError>>,
    /// Whether the answers are from the server that the subscription belongs to.
    pub may_be_kept: bool,
}

/// A store that can be asked, and says when its answers change.
pub trait Source: Send + Sync + 'static {
    /// What is needed to ask the server that announces the changes of a subject.
    type Line: Send;

    /// The server that announces the changes of this subject. `None` if there is none now, or its
    /// subscription is not alive.
    fn line(&self, key: &[u8]) -> Option<(Arc<Subscription>, Self::Line)>;

    /// Asks about tokens of a subject. Without a line, in the way that the store asks without a
    /// cache.
    fn ask(
        &self,
        line: Option<Self::Line>,
        key: &[u8],
        tokens: &[AuthToken],
    ) -> impl Future<Output = Result<Asked, StoreError>> + Send;
}

/// Answers checks from a cache, and asks the store about the others.
pub struct Questions<S> {
    cache: Arc<Cache>,
    source: S,
    runtime: Handle,
    places: Arc<Semaphore>,
    /// How long others wait for a question.
    pub(super) patience: Duration,
}

impl<S: Source> Questions<S> {
    /// Questions run on this runtime to their end, even if nobody waits for the answer any more.
    /// `places` limits how many checks wait.
    #[must_use]
    pub fn new(cache: Arc<Cache>, source: S, runtime: Handle, places: Arc<Semaphore>) -> Arc<Self> {
        Arc::new(Self {
            cache,
            source,
            runtime,
            places,
            patience: PATIENCE,
        })
    }

    /// The cache.
    #[must_use]
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// The standing of a token, if it is in the cache. Otherwise, the caller asks by
    /// [`standing`](Self::standing). A caller that boxes its future need not box that one for most
    /// checks: it is large.
    #[must_use]
    pub fn hit(&self, key: &[u8], token: &TokenIdentity, now: Moment) -> Option<Standing> {
        let answer = self.cache.hit(key, token, Instant::now())?;
        Some(answer.standing(now))
    }

    /// The standing of a token. `None` if the caller has to ask as if there were no cache: the token
    /// is a refresh token, or nobody announces changes of the subject.
    ///
    /// # Errors
    ///
    /// As the store's own question.
    pub async fn standing(
        self: &Arc<Self>,
        key: &[u8],
        token: &TokenIdentity,
        now: Moment,
    ) -> Result<Option<Standing>, StoreError> {
        if let Some(standing) = self.cache.standing(key, token, now, Instant::now()) {
            return Ok(Some(standing));
        }
        let Some(token) = AuthToken::of(token) else {
            return Ok(None);
        };
        if self.source.line(key).is_none() {
            return Ok(None);
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| StoreError::unavailable(Failure::Busy))?;
        let (answer, answered) = oneshot::channel();
        let waiter = Waiter {
            answer,
            _place: place,
        };
        if let Some(question) = self.cache.join(key, token, waiter) {
            self.start(question);
        }
        match answered.await {
            Ok(Ok(answer)) => Ok(Some(answer.standing(now))),
            Ok(Err(error)) => Err(shared(error)),
            Err(_) => Err(StoreError::unavailable(Failure::Ended)),
        }
    }

    fn start(self: &Arc<Self>, question: Question) {
        let questions = Arc::clone(self);
        let running = Running {
            questions,
            question: Some(question),
        };
        self.runtime.spawn(running.run());
    }
}

/// A question that is being asked. If it is dropped before the answer, those who wait get an error.
struct Running<S: Source> {
    questions: Arc<Questions<S>>,
    /// `None` after the answer.
    question: Option<Question>,
}

impl<S: Source> Running<S> {
    async fn run(mut self) {
        let questions = Arc::clone(&self.questions);
        let Some(question) = &mut self.question else {
            return;
        };
        let line = questions.source.line(&question.key);
        let line = line.map(|(subscription, line)| {
            question.under = Some(Under::new(subscription, Instant::now()));
            line
        });
        let key = Arc::clone(&question.key);
        let tokens: Vec<AuthToken> = question.waiters.keys().cloned().collect();
        let asked = {
            let mut asking = pin!(questions.source.ask(line, &key, &tokens));
            if let Ok(asked) = timeout(questions.patience, &mut asking).await {
                asked
            } else {
                if let Some(next) = questions.cache.overdue(question) {
                    questions.start(next);
                }
                asking.await
            }
        };
        let Some(mut question) = self.question.take() else {
            return;
        };
        let cache = &questions.cache;
        let next = match asked {
            Ok(Asked {
                answers,
                may_be_kept,
            }) if answers.len() == tokens.len() => {
                question.under = question.under.filter(|_| may_be_kept);
                let answers = answers.into_iter().map(|it| it.map_err(Arc::new));
                let answers: Vec<_> = tokens.into_iter().zip(answers).collect();
                cache.answered(question, answers, Instant::now())
            }
            Ok(_) => cache.failed(question, StoreError::corrupt("an answer is incomplete")),
            Err(error) => cache.failed(question, error),
        };
        if let Some(next) = next {
            questions.start(next);
        }
    }
}

/// The store's thread has ended, or its code has panicked.
impl<S: Source> Drop for Running<S> {
    fn drop(&mut self) {
        let mut question = self.question.take();
        while let Some(it) = question {
            let error = StoreError::unavailable(Failure::Ended);
            question = self.questions.cache.failed(it, error);
        }
    }
}

impl<S> fmt::Debug for Questions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions")
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("too many requests are waiting for the session store")]
    Busy,
    #[error("the thread of the session store has ended")]
    Ended,
}

/// An error of a question that others asked, too.
fn shared(error: Arc<StoreError>) -> StoreError {
    match &*error {
        StoreError::Timeout { milliseconds } => StoreError::Timeout {
            milliseconds: *milliseconds,
        },
        StoreError::Corrupt { reason } => StoreError::corrupt(reason),
        _ => StoreError::unavailable(Shared(error)),
    }
}

/// The source of an error that several have got.
#[derive(Debug)]
struct Shared(Arc<StoreError>);

impl Shared {
    fn cause(&self) -> &(dyn Error + 'static) {
        match &*self.0 {
            StoreError::Unavailable(source) => &**source,
            error => error,
        }
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.cause(), f)
    }
}

impl Error for Shared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause().source()
    }
}
