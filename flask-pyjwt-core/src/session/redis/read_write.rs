//! The connections to one server: one for reads, one for writes.

use std::sync::Arc;

use super::{
    connection::{Connection, Endpoint},
    operation::Operation,
    settings::Settings,
};

/// The connections to one server.
#[derive(Debug)]
pub(super) struct ReadWrite<E> {
    read: Arc<Connection<E>>,
    write: Arc<Connection<E>>,
}

impl<E: Endpoint + Clone> ReadWrite<E> {
    /// Uses separate connections for reads and writes if writes wait for replicas, so that reads do
    /// not queue behind them. Otherwise both share one connection.
    pub(super) fn new(endpoint: E, settings: Settings) -> Self {
        let read = Connection::new(endpoint.clone(), settings.connect_timeout);
        let write = if settings.replicas > 0 {
            Connection::new(endpoint, settings.connect_timeout)
        } else {
            Arc::clone(&read)
        };
        Self { read, write }
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
}

impl<E> Clone for ReadWrite<E> {
    fn clone(&self) -> Self {
        Self {
            read: Arc::clone(&self.read),
            write: Arc::clone(&self.write),
        }
    }
}
