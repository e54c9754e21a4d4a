//! The thread that communicates with Redis.

use std::{
    fmt,
    future::{Future, pending},
    io,
    sync::Arc,
};

use tokio::{runtime::Handle, sync::Semaphore};

use super::problem::Problem;
use crate::background::RuntimeThread;

/// How many requests may wait for Redis at a time. Each waits no longer than the timeout.
const MAX_WAITING: usize = 16_384;

/// A thread that drives all connections of a store.
///
/// The threads of actix-web also compute: one that hashes a password for 300 milliseconds must not
/// delay the answers to other requests. And a request that is dropped because its client has
/// disconnected must not leave a connection in the middle of a command. Whatever is started here
/// runs to completion.
pub(super) struct Worker {
    thread: RuntimeThread,
    places: Arc<Semaphore>,
}

impl Worker {
    pub(super) fn start() -> io::Result<Self> {
        Ok(Self {
            thread: RuntimeThread::start("flask-pyjwt-redis", pending)?,
            places: Arc::new(Semaphore::new(MAX_WAITING)),
        })
    }

    /// The thread's runtime.
    pub(super) fn runtime(&self) -> &Handle {
        self.thread.runtime()
    }

    /// Limits how many requests wait.
    pub(super) fn places(&self) -> &Arc<Semaphore> {
        &self.places
    }

    /// Runs a future on the thread to completion and returns its result.
    pub(super) async fn run<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Problem> + Send + 'static,
    {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Problem::Busy)?;
        let task = self.thread.runtime().spawn(async move {
            let result = work.await;
            drop(place);
            result
        });
        task.await.unwrap_or_else(|_| Err(Problem::Ended.into()))
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}
