//! Issuers that a function of the application finds by name: the feature `jwks`.

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
    log_limit::admits,
};

/// The time limit for one call of the function, including the wait for a permit.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum number of concurrent calls for new names.
const MAX_FIRST_CALLS: usize = 12;
/// The maximum number of concurrent calls that renew cached issuers. They have separate permits, so that a flood of
/// new names cannot delay them.
const MAX_RENEWALS: usize = 4;
/// The maximum number of calls that run or wait for a permit.
const MAX_PENDING: usize = 256;

/// The error of a resolver function.
pub(crate) type ResolveError = Box<dyn Error + Send + Sync>;

type Answering = Pin<Box<dyn Future<Output = Result<Option<Issuer>, ResolveError>> + Send>>;

/// A pattern of names, and the function that resolves names that match it.
#[derive(Clone)]
pub(crate) struct Resolve {
    pub(crate) pattern: String,
    pub(crate) function: Arc<dyn Fn(String) -> Answering + Send + Sync>,
}

/// A resolver function with its cache.
pub(crate) struct Resolver {
    pub(crate) pattern: Template,
    text: Arc<str>,
    function: Arc<dyn Fn(String) -> Answering + Send + Sync>,
    defaults: Defaults,
    /// The labels of configured issuers. Resolved issuers can have no others.
    labels: Vec<String>,
    known: Mutex<Known>,
    first_calls: Semaphore,
    renewals: Semaphore,
}

impl Resolver {
    pub(crate) fn new(
        resolve: Resolve,
        mut defaults: Defaults,
        labels: Vec<String>,
    ) -> Result<Self, Problem> {
        defaults.pattern = Some(resolve.pattern.clone());
        Ok(Self {
            pattern: Template::parse(&resolve.pattern)?,
            text: resolve.pattern.into(),
            function: resolve.function,
            defaults,
            labels,
            known: Mutex::default(),
            first_calls: Semaphore::new(MAX_FIRST_CALLS),
            renewals: Semaphore::new(MAX_RENEWALS),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the cached answer. If it expires soon, the name is resolved again in the background.
    pub(crate) fn look_up(self: &Arc<Self>, issuer: &str, now: NumericDate) -> Lookup {
        let (found, is_old) = self.known().look_up(issuer, now);
        if is_old {
            drop(self.start_call(issuer, now));
        }
        found
    }

    /// Waits until the name is resolved. Calls the function unless the answer is cached or a call is running. The call
    /// continues if this future is dropped.
    pub(crate) async fn resolve(self: &Arc<Self>, issuer: &str) {
        let Ok(now) = self.defaults.clock.now() else {
            return;
        };
        if !matches!(self.known().look_up(issuer, now).0, Lookup::Unresolved(_)) {
            return;
        }
        if let Some(mut answered) = self.start_call(issuer, now) {
            // A second limit, in case the task does not run at all.
            let limit = TIMEOUT + Duration::from_secs(1);
            drop(tokio::time::timeout(limit, answered.changed()).await);
        }
    }

    /// Starts a call of the function, or joins the running one. The receiver's channel closes when the call ends.
    fn start_call(self: &Arc<Self>, issuer: &str, now: NumericDate) -> Option<watch::Receiver<()>> {
        let runtime = Handle::try_current().ok()?;
        let (sender, receiver) = watch::channel(());
        let is_renewal = {
            let mut known = self.known();
            if let Some(running) = known.running.get(issuer) {
                return Some(running.clone());
            }
            if known.has_failed(issuer, now) {
                return None;
            }
            let is_renewal = known.has(issuer);
            if !is_renewal && known.running.len() >= MAX_PENDING {
                return None;
            }
            known.running.insert(issuer.into(), receiver.clone());
            is_renewal
        };
        let task = Task {
            resolver: Arc::clone(self),
            issuer: issuer.to_owned(),
            answer: Answer::Failed,
            _sender: sender,
        };
        // Not under the lock: a task that cannot be spawned is dropped here, and its `Drop` takes the lock.
        runtime.spawn(task.run(is_renewal));
        Some(receiver)
    }

    /// Checks the issuer that the function has returned.
    fn check(&self, asked: &str, found: Issuer) -> Result<Arc<Trust>, Refused> {
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

/// Why an issuer that the function has returned is not used.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("its name is not exactly the one that was asked for")]
    Other,
    #[error(
        "it has the label `{0}`, which no configured issuer has: let routes require the pattern instead"
    )]
    Named(String),
    #[error(transparent)]
    Clock(#[from] TokenError),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// One call of the function. Dropping it stores the answer and wakes all waiting requests, also after a panic.
struct Task {
    resolver: Arc<Resolver>,
    issuer: String,
    answer: Answer,
    _sender: watch::Sender<()>,
}

impl Task {
    async fn run(mut self, is_renewal: bool) {
        let resolver = Arc::clone(&self.resolver);
        let permits = if is_renewal {
            &resolver.renewals
        } else {
            &resolver.first_calls
        };
        let call = async {
            let _permit = permits.acquire().await?;
            (resolver.function)(self.issuer.clone()).await
        };
        let answered = tokio::time::timeout(TIMEOUT, call).await;
        let issuer = &*self.issuer;
        self.answer = match answered {
            Ok(Ok(None)) => Answer::Untrusted,
            Ok(Ok(Some(found))) => match resolver.check(issuer, found) {
                Ok(trust) => Answer::Trust(trust),
                Err(reason) => {
                    if admits("resolved_refused") {
                        tracing::error!(issuer, "the resolved issuer is refused: {reason}");
                    }
                    Answer::Failed
                }
            },
            Ok(Err(error)) => {
                if admits("not_resolved") {
                    tracing::warn!(issuer, "the issuer cannot be resolved: {error}");
                }
                Answer::Failed
            }
            Err(_) => {
                if admits("not_resolved_in_time") {
                    tracing::warn!(issuer, "the issuer was not resolved within 5 seconds");
                }
                Answer::Failed
            }
        };
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if std::thread::panicking() && admits("resolver_panicked") {
            tracing::error!(
                issuer = self.issuer,
                "the function of `resolve_issuers` has panicked"
            );
        }
        let now = self.resolver.defaults.clock.now().ok();
        let answer = std::mem::replace(&mut self.answer, Answer::Failed);
        let removed = self.resolver.known().store(&self.issuer, answer, now);
        drop(removed); // outside the lock
    }
}
