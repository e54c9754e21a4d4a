//! The thread that talks to Redis.

use std::{
    fmt,
    future::{Future, pending},
    io,
    sync::Arc,
};

use tokio::sync::Semaphore;

use super::Problem;
use crate::background::RuntimeThread;

/// How many requests may wait for Redis at a time; each waits for no longer than the timeout.
const MOST_WAITING: usize = 16_384;

/// A thread that drives all connections of a store.
///
/// The threads of actix-web compute: one that hashes a password for 300 milliseconds must not keep
/// the others from their answers. And a request that is given up, because its client has gone, must not
/// leave a connection in the middle of something: what was begun here is ended here.
pub(super) struct Worker {
    thread: RuntimeThread,
    places: Arc<Semaphore>,
}

impl Worker {
    pub(super) fn start() -> io::Result<Self> {
        Ok(Self {
            thread: RuntimeThread::start("flask-pyjwt-redis", pending)?,
            places: Arc::new(Semaphore::new(MOST_WAITING)),
        })
    }

    /// Does something there, to its end, and gives the result here.
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
