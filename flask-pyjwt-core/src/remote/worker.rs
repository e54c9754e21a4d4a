//! The thread that fetches.

use std::{sync::Arc, thread};

use reqwest::Client;
use tokio::{sync::oneshot, task::JoinSet};

use super::{RemoteKeys, client::client, fetch::fetch};

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
    /// When the system gives no thread, no sockets or no roots of trust.
    pub(crate) fn start(sources: Vec<Arc<RemoteKeys>>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut fetching = Vec::new();
        let mut usual = None;
        for source in sources {
            let client = match (&source.rules.client, &usual) {
                (Some(client), _) | (None, Some(client)) => client.clone(),
                (None, None) => {
                    let client = client().map_err(std::io::Error::other)?;
                    usual.insert(client).clone()
                }
            };
            fetching.push((client, source));
        }
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("flask-pyjwt-jwks".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let mut tasks = JoinSet::new();
                    for (client, source) in fetching {
                        tasks.spawn(renew(client, source));
                    }
                    // Dropping the tasks ends them, wherever they are.
                    drop(stopped.await);
                });
            })?;
        Ok(Self { _stop: stop })
    }
}

/// Fetches one set again and again: when somebody wants it, and before it is too old.
async fn renew(client: Client, source: Arc<RemoteKeys>) {
    loop {
        if source.is_wanted() || source.is_due() {
            let rules = &source.rules;
            source.end(fetch(&client, &rules.issuer, &rules.place, rules.loopback).await);
        }
        tokio::select! {
            () = source.wanted.notified() => {}
            () = tokio::time::sleep(source.until_renewal()) => {}
        }
    }
}
