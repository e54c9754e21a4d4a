//! The thread that fetches.

use std::{sync::Arc, thread};

use tokio::{sync::oneshot, task::JoinSet};

use super::{RemoteKeys, fetch::fetch};

/// A thread that fetches the key sets of all issuers. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Nothing is sent: being dropped says it.
    _stop: oneshot::Sender<()>,
}

impl Worker {
    /// Starts the thread, which begins with a fetch for each source.
    ///
    /// # Errors
    ///
    /// When the system gives no thread or no sockets.
    pub(crate) fn start(sources: Vec<Arc<RemoteKeys>>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("flask-pyjwt-jwks".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let mut tasks = JoinSet::new();
                    for source in sources {
                        tasks.spawn(renew(source));
                    }
                    // Dropping the tasks ends them, wherever they are.
                    drop(stopped.await);
                });
            })?;
        Ok(Self { _stop: stop })
    }
}

/// Fetches one set again and again: when somebody wants it, and before it is too old.
async fn renew(source: Arc<RemoteKeys>) {
    loop {
        if source.is_wanted() || source.is_due() {
            let rules = &source.rules;
            source.end(fetch(&rules.client, &rules.issuer, &rules.request).await);
        }
        tokio::select! {
            () = source.wanted.notified() => {}
            () = tokio::time::sleep(source.until_renewal()) => {}
        }
    }
}
