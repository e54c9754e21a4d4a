//! The thread that communicates with PostgreSQL.

use std::{fmt, future::Future, io, sync::Arc, time::Duration};

use flask_pyjwt_core::{__private::store::RuntimeThread, store::StoreError};
use sqlx::PgPool;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::{connections::Connections, problem::Problem};

/// How many requests may wait for PostgreSQL at a time. Each waits no longer than the timeout.
const MAX_WAITING: usize = 16_384;

/// A thread that drives all connections of a store. Whatever is started here runs to completion, even
/// if the client has disconnected.
pub(crate) struct Worker {
    thread: RuntimeThread,
    connections: Arc<Connections>,
    places: Arc<Semaphore>,
}

impl Worker {
    pub(crate) fn start(source: PgPool, most: u32, connect_timeout: Duration) -> io::Result<Self> {
        let mut connections = None;
        let thread = RuntimeThread::start("flask-pyjwt-postgres", || {
            let new = Connections::new(source, most, connect_timeout);
            connections = Some(Arc::clone(&new));
            new.run()
        })?;
        Ok(Self {
            thread,
            connections: connections.ok_or_else(|| io::Error::other("the thread has no work"))?,
            places: Arc::new(Semaphore::new(MAX_WAITING)),
        })
    }

    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Runs a future on the thread to completion and returns its result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Problem::Busy)?;
        let task = self.thread.runtime().spawn(async move {
            let result = work.await;
            drop(place);
            result
        });
        task.await.unwrap_or_else(|_| Err(Problem::Ended.into()))
    }

    pub(crate) fn runtime(&self) -> &Handle {
        self.thread.runtime()
    }

    /// The places of requests that wait.
    pub(crate) fn places(&self) -> &Arc<Semaphore> {
        &self.places
    }

    /// Runs a future on the thread until the store is dropped.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.thread.runtime().spawn(work));
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}
