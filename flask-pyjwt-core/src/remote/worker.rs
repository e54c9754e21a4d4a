//! The thread that fetches.

use std::sync::{Arc, Weak};

use tokio::{sync::mpsc::UnboundedReceiver, task::JoinSet};

use super::{RemoteKeys, fetch::fetch};
use crate::background::RuntimeThread;

/// A thread that fetches the key sets of all issuers. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    _thread: RuntimeThread,
}

impl Worker {
    /// Starts the thread, which begins with a fetch for each source that comes.
    ///
    /// # Errors
    ///
    /// When the system gives no thread or no sockets.
    pub(crate) fn start(mut sources: UnboundedReceiver<Arc<RemoteKeys>>) -> std::io::Result<Self> {
        let thread = RuntimeThread::start("flask-pyjwt-jwks", || async move {
            let mut tasks = JoinSet::new();
            // Dropping the tasks ends them, wherever they are.
            loop {
                tokio::select! {
                    Some(source) = sources.recv() => {
                        tasks.spawn(renew(Arc::downgrade(&source), Arc::clone(&source.wanted)));
                    }
                    Some(ended) = tasks.join_next() => {
                        if let Err(error) = ended {
                            tracing::error!("keys of an issuer are not fetched any more: {error}");
                        }
                    }
                    else => return,
                }
            }
        })?;
        Ok(Self { _thread: thread })
    }
}

/// Fetches one set again and again: when somebody wants it, and before it is too old. Ends when nobody has
/// the keys any more, which wakes it.
async fn renew(source: Weak<RemoteKeys>, wanted: Arc<tokio::sync::Notify>) {
    while let Some(keys) = source.upgrade() {
        if keys.is_wanted() || keys.is_due() {
            let rules = &keys.rules;
            keys.end(fetch(&rules.client, &rules.issuer, &rules.request).await);
        }
        let sleep = tokio::time::sleep(keys.until_renewal());
        drop(keys);
        tokio::select! {
            () = wanted.notified() => {}
            () = sleep => {}
        }
    }
}
