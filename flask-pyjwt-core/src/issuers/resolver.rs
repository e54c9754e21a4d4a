//! Issuers that a function of the application finds by their names: the feature `jwks`.

use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
};

use super::{
    Defaults, Issuer, Trust,
    known::{Answer, Known, Lookup},
};
use crate::{
    claims::{Resolved, Template},
    error::{ConfigError, Problem},
    jose::{NumericDate, TokenError},
};

/// The time for one call of the function, with the time until it is called.
const PATIENCE: Duration = Duration::from_secs(5);
/// Names that are asked for at once for the first time, and known ones that are asked for again.
const MOST_NEW: usize = 12;
const MOST_AGAIN: usize = 4;
/// Names that are asked for or wait for it, at the most.
const MOST_WAITING: usize = 256;

/// Why a function cannot say whether an issuer is one.
pub(crate) type ResolveError = Box<dyn Error + Send + Sync>;

type Answering = Pin<Box<dyn Future<Output = Result<Option<Issuer>, ResolveError>> + Send>>;

/// A pattern of names, and the function that knows the issuers behind them.
#[derive(Clone)]
pub(crate) struct Resolve {
    pub(crate) pattern: String,
    pub(crate) function: Arc<dyn Fn(String) -> Answering + Send + Sync>,
}

/// The same as it works.
pub(crate) struct Resolver {
    pub(crate) pattern: Template,
    text: Arc<str>,
    function: Arc<dyn Fn(String) -> Answering + Send + Sync>,
    defaults: Defaults,
    /// The names by which routes may call issuers.
    labels: Vec<String>,
    known: Mutex<Known>,
    first: Semaphore,
    again: Semaphore,
}

impl Resolver {
    pub(crate) fn new(
        resolve: Resolve,
        defaults: Defaults,
        labels: Vec<String>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            pattern: Template::parse(&resolve.pattern)?,
            text: resolve.pattern.into(),
            function: resolve.function,
            defaults,
            labels,
            known: Mutex::default(),
            first: Semaphore::new(MOST_NEW),
            again: Semaphore::new(MOST_AGAIN),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known now. Near the end of its time, an issuer is asked for again.
    pub(crate) fn look_up(self: &Arc<Self>, issuer: &str, now: NumericDate) -> Lookup {
        let (found, is_old) = self.known().look_up(issuer, now);
        if is_old {
            drop(self.begin(issuer, now));
        }
        found
    }

    /// Asks the function, unless it is known or being asked, and waits for the answer. It goes on should
    /// nobody wait any more.
    pub(crate) async fn resolve(self: &Arc<Self>, issuer: &str) {
        let Ok(now) = self.defaults.clock.now() else {
            return;
        };
        if !matches!(self.known().look_up(issuer, now).0, Lookup::Unresolved(_)) {
            return;
        }
        if let Some(mut answered) = self.begin(issuer, now) {
            // Whatever becomes of the task, nobody waits for ever.
            let patience = PATIENCE + Duration::from_secs(1);
            drop(tokio::time::timeout(patience, answered.changed()).await);
        }
    }

    /// Has the function asked, and gives what ends when it has answered.
    fn begin(self: &Arc<Self>, issuer: &str, now: NumericDate) -> Option<watch::Receiver<()>> {
        let runtime = Handle::try_current().ok()?;
        let (sender, receiver) = watch::channel(());
        let is_again = {
            let mut known = self.known();
            if let Some(running) = known.running.get(issuer) {
                return Some(running.clone());
            }
            if known.has_failed(issuer, now) {
                return None;
            }
            let is_again = known.has(issuer);
            if !is_again && known.running.len() >= MOST_WAITING {
                return None;
            }
            known.running.insert(issuer.into(), receiver.clone());
            is_again
        };
        let task = Task {
            resolver: Arc::clone(self),
            issuer: issuer.to_owned(),
            answer: Answer::Failed,
            _sender: sender,
        };
        // Outside the lock: what cannot be spawned is dropped here, and takes it.
        runtime.spawn(task.run(is_again));
        Some(receiver)
    }

    /// Judges what the function has found.
    fn judge(&self, asked: &str, found: Issuer) -> Result<Arc<Trust>, Refused> {
        if found.to_template().is_some() || found.name() != asked {
            return Err(Refused::Other);
        }
        let label = found.label().map(str::to_owned);
        if let Some(label) = label
            && !self.labels.contains(&label)
        {
            return Err(Refused::Named(label));
        }
        let now = self.defaults.clock.now()?;
        let mut trust = found.validate(&self.defaults)?;
        let rules = Arc::make_mut(&mut trust.rules);
        let resolved = Resolved::from_now(&self.text, now);
        rules.origin.resolved = Some(Arc::new(resolved));
        Ok(Arc::new(trust))
    }
}

/// Why an issuer that the function has found is not used.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("it is not exactly the issuer that was asked for")]
    Other,
    #[error(
        "it is named `{0}`, and no configured issuer is: routes that want it would be mistakes; they can \
         ask for the pattern instead"
    )]
    Named(String),
    #[error(transparent)]
    Clock(#[from] TokenError),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// One call of the function. However it ends, those who wait learn of it.
struct Task {
    resolver: Arc<Resolver>,
    issuer: String,
    answer: Answer,
    _sender: watch::Sender<()>,
}

impl Task {
    async fn run(mut self, is_again: bool) {
        let resolver = Arc::clone(&self.resolver);
        let permits = if is_again {
            &resolver.again
        } else {
            &resolver.first
        };
        let call = async {
            let _permit = permits.acquire().await?;
            (resolver.function)(self.issuer.clone()).await
        };
        let answered = tokio::time::timeout(PATIENCE, call).await;
        let issuer = &*self.issuer;
        self.answer = match answered {
            Ok(Ok(None)) => Answer::Nobody,
            Ok(Ok(Some(found))) => match resolver.judge(issuer, found) {
                Ok(trust) => Answer::Trust(trust),
                Err(reason) => {
                    tracing::error!(issuer, "what was resolved is refused: {reason}");
                    Answer::Failed
                }
            },
            Ok(Err(error)) => {
                tracing::warn!(issuer, "the issuer cannot be resolved: {error}");
                Answer::Failed
            }
            Err(_) => {
                tracing::warn!(issuer, "the issuer is not resolved within 5 seconds");
                Answer::Failed
            }
        };
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(issuer = self.issuer, "the resolver of issuers has panicked");
        }
        let now = self.resolver.defaults.clock.now().ok();
        let answer = std::mem::replace(&mut self.answer, Answer::Failed);
        let gone = self.resolver.known().take(&self.issuer, answer, now);
        drop(gone); // outside the lock
    }
}
