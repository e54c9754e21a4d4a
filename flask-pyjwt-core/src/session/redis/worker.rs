//! The thread that talks to Redis.

use std::{fmt, future::Future, io, sync::Arc, thread};

use tokio::{
    runtime::{Builder, Handle},
    sync::{Semaphore, oneshot},
};

use super::problem::Problem;

/// How many requests may wait for Redis at a time; each waits for no longer than the timeout.
const MOST_WAITING: usize = 16_384;

/// A thread that drives all connections of a store.
///
/// The threads of actix-web compute: one that hashes a password for 300 milliseconds must not keep
/// the others from their answers. And a request that is given up, because its client has gone, must not
/// leave a connection in the middle of something: what was begun here is ended here.
pub(super) struct Worker {
    runtime: Handle,
    places: Arc<Semaphore>,
    /// The thread ends when this is dropped.
    _running: oneshot::Sender<()>,
}

impl Worker {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("flask-pyjwt-redis".to_owned())
            .spawn(move || {
                let _ = runtime.block_on(ended);
            })?;
        Ok(Self {
            runtime: handle,
            places: Arc::new(Semaphore::new(MOST_WAITING)),
            _running: running,
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
        let task = self.runtime.spawn(async move {
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
