//! The background thread that fetches key sets, and asks issuers about tokens.

use std::sync::{Arc, Weak};

use tokio::task::JoinSet;

use super::{RemoteKeys, fetch::fetch, pool::Receivers};
use crate::background::RuntimeThread;

/// The thread that fetches the key sets of all issuers of a manager, and asks about their tokens. It ends when this handle is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    _thread: RuntimeThread,
}

impl Worker {
    /// Starts the thread. It fetches each source that arrives at once, and renews it from then on.
    ///
    /// # Errors
    ///
    /// Returns an error if the system cannot create the thread or its event loop.
    pub(crate) fn start(receivers: Receivers) -> std::io::Result<Self> {
        let Receivers {
            mut sources,
            mut questions,
        } = receivers;
        let thread = RuntimeThread::start("flask-pyjwt-jwks", || async move {
            // Dropping the sets cancels all tasks.
            let mut tasks = JoinSet::new();
            let mut asking = JoinSet::new();
            loop {
                tokio::select! {
                    Some(source) = sources.recv() => {
                        tasks.spawn(renew(Arc::downgrade(&source), Arc::clone(&source.wake)));
                    }
                    Some(ended) = tasks.join_next() => {
                        if let Err(error) = ended {
                            tracing::error!("the keys of an issuer are no longer renewed: {error}");
                        }
                    }
                    Some(question) = questions.recv() => {
                        asking.spawn(question.ask());
                    }
                    Some(ended) = asking.join_next() => {
                        if let Err(error) = ended {
                            tracing::error!("a question about a token has no answer: {error}");
                        }
                    }
                    else => return,
                }
            }
        })?;
        Ok(Self { _thread: thread })
    }
}

/// Fetches one set whenever a fetch is requested, and before the set is too old. Ends when the source is dropped, which
/// wakes this task.
async fn renew(source: Weak<RemoteKeys>, wake: Arc<tokio::sync::Notify>) {
    while let Some(keys) = source.upgrade() {
        if keys.is_requested() || keys.start_if_due() {
            let rules = &keys.rules;
            keys.finish_fetch(fetch(&rules.client, &rules.issuer, &rules.request).await);
        }
        let sleep = tokio::time::sleep(keys.until_renewal());
        drop(keys);
        tokio::select! {
            () = wake.notified() => {}
            () = sleep => {}
        }
    }
}
