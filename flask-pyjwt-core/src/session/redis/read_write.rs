//! The connections to one server: one for reads, one for writes.

use std::sync::{Arc, OnceLock};

use tokio::time::Duration;

use super::{
    super::near_cache::Cache,
    connection::{Connection, Endpoint},
    operation::Operation,
    settings::Settings,
    tracker::Tracker,
};

/// The connections to one server.
#[derive(Debug)]
pub(super) struct ReadWrite<E> {
    read: Arc<Connection<E>>,
    write: Arc<Connection<E>>,
    near: Option<Near<E>>,
}

/// The connection on which the server announces changes, for a store with a near cache.
#[derive(Debug, Clone)]
struct Near<E> {
    endpoint: E,
    cache: Arc<Cache>,
    connect_timeout: Duration,
    tracker: Arc<OnceLock<Tracker>>,
}

impl<E: Endpoint + Clone> ReadWrite<E> {
    /// Uses separate connections for reads and writes if writes wait for replicas, so that reads do
    /// not queue behind them. Otherwise both share one connection.
    pub(super) fn new(endpoint: E, settings: Settings, cache: Option<&Arc<Cache>>) -> Self {
        // The near cache's connection has to lead to the same process.
        let identifies = cache.is_some();
        let near = cache.map(|cache| Near {
            endpoint: endpoint.clone(),
            cache: Arc::clone(cache),
            connect_timeout: settings.connect_timeout,
            tracker: Arc::default(),
        });
        let read = Connection::new(endpoint.clone(), settings.connect_timeout, identifies);
        let write = if settings.replicas > 0 {
            Connection::new(endpoint, settings.connect_timeout, identifies)
        } else {
            Arc::clone(&read)
        };
        Self { read, write, near }
    }

    /// Starts to listen to what the server announces, if the store has a near cache.
    pub(super) fn track(&self) {
        if let Some(near) = &self.near {
            near.tracker.get_or_init(|| {
                let cache = Arc::clone(&near.cache);
                Tracker::start(near.endpoint.clone(), cache, near.connect_timeout)
            });
        }
    }
}

impl<E> ReadWrite<E> {
    /// The connection for this kind of request.
    pub(super) fn connection(&self, operation: Operation) -> &Arc<Connection<E>> {
        match operation {
            Operation::Read => &self.read,
            Operation::Write | Operation::WriteOnce => &self.write,
        }
    }

    /// What listens to the server's announcements, if it was started.
    pub(super) fn tracker(&self) -> Option<&Tracker> {
        self.near.as_ref()?.tracker.get()
    }
}

impl<E: Clone> Clone for ReadWrite<E> {
    fn clone(&self) -> Self {
        Self {
            read: Arc::clone(&self.read),
            write: Arc::clone(&self.write),
            near: self.near.clone(),
        }
    }
}
