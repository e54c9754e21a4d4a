//! The background thread that fetches key sets.

use std::sync::{Arc, Weak};

use tokio::{sync::mpsc::UnboundedReceiver, task::JoinSet};

use super::{RemoteKeys, fetch::fetch};
use crate::background::RuntimeThread;

/// The thread that fetches the key sets of all issuers of a manager. It ends when this handle is dropped.
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
    pub(crate) fn start(mut sources: UnboundedReceiver<Arc<RemoteKeys>>) -> std::io::Result<Self> {
        let thread = RuntimeThread::start("flask-pyjwt-jwks", || async move {
            let mut tasks = JoinSet::new();
            // Dropping the set cancels all tasks.
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
