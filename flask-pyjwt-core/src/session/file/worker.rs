//! Threads that wait for the disk in place of others, each with a queue.

use std::{
    fmt::Display,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use crate::{background::Thread, session::StoreError};

/// How many jobs may wait in one queue. Whoever comes then is turned away at once: with a disk that
/// stands still, waiting helps nobody.
pub(super) const MOST_WAITING: usize = 8_192;
/// How many jobs are done together.
const MOST_AT_ONCE: usize = 512;

/// A thread that does jobs in the order in which they come, together with those that have come
/// meanwhile. Dropped, it does what is in the queue, and ends.
pub(super) struct Worker<J> {
    queue: SyncSender<J>,
    _thread: Thread,
}

impl<J: Send + 'static> Worker<J> {
    /// Starts the thread. `work` is given the jobs that are there, one at least.
    pub(super) fn start(
        name: &str,
        health: Arc<Health>,
        mut work: impl FnMut(Vec<J>) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(MOST_WAITING);
        let thread = Thread::start(name, move || {
            let _guard = FailsOnPanic(health);
            while let Ok(first) = jobs.recv() {
                let more = jobs.try_iter().take(MOST_AT_ONCE - 1);
                work([first].into_iter().chain(more).collect());
            }
        });
        Ok(Self {
            queue,
            _thread: thread.map_err(StoreError::unavailable)?,
        })
    }

    /// Puts a job into the queue. Never waits.
    pub(super) fn put(&self, job: J) -> Result<(), StoreError> {
        self.queue.try_send(job).map_err(|_| {
            StoreError::unavailable("too many operations are waiting for the store's file")
        })
    }
}

/// Whether the file can be believed. What has failed once stays so: it is not known what of it is on
/// the disk.
#[derive(Default)]
pub(super) struct Health {
    reason: OnceLock<String>,
    /// Set by whoever got no answer, which may be before the reason is noted.
    is_doubted: AtomicBool,
}

impl Health {
    /// From now on, nothing is answered from the file.
    pub(super) fn fail(&self, reason: &impl Display) {
        if self.reason.set(reason.to_string()).is_ok() {
            tracing::error!(%reason, "the session store's file failed: it has to be opened anew");
        }
    }

    /// From now on, nothing is answered from the file; somebody else knows why.
    pub(super) fn doubt(&self) {
        self.is_doubted.store(true, Ordering::Release);
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.reason.get() {
            None if self.is_doubted.load(Ordering::Acquire) => {
                Err(StoreError::unavailable("the store's file failed before"))
            }
            None => Ok(()),
            Some(reason) => Err(StoreError::unavailable(format!(
                "the store's file failed before: {reason}"
            ))),
        }
    }
}

/// A thread that panics answers nobody any more, and no other one does.
struct FailsOnPanic(Arc<Health>);

impl Drop for FailsOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(&"a thread of the store panicked");
        }
    }
}
