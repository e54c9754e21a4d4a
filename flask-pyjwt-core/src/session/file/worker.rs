//! Threads that wait for the disk, each with a queue of jobs.

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

/// The maximum length of a queue. Further jobs are refused at once, because waiting does not help
/// if the disk does not respond.
pub(super) const MAX_QUEUED: usize = 8_192;
/// How many jobs are done together.
const MAX_BATCH: usize = 512;

/// A thread that does jobs in order, all waiting ones together. When this is dropped, the thread
/// responses its queue and ends.
pub(super) struct Worker<J> {
    queue: SyncSender<J>,
    _thread: Thread,
}

impl<J: Send + 'static> Worker<J> {
    /// Starts the thread. `work` gets at least one job.
    pub(super) fn start(
        name: &str,
        health: Arc<Health>,
        mut work: impl FnMut(Vec<J>) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(MAX_QUEUED);
        let thread = Thread::start(name, move || {
            let _guard = FailsOnPanic(health);
            while let Ok(first) = jobs.recv() {
                let more = jobs.try_iter().take(MAX_BATCH - 1);
                work([first].into_iter().chain(more).collect());
            }
        });
        Ok(Self {
            queue,
            _thread: thread.map_err(StoreError::unavailable)?,
        })
    }

    /// Adds a job to the queue. Does not block.
    pub(super) fn put(&self, job: J) -> Result<(), StoreError> {
        self.queue.try_send(job).map_err(|_| {
            StoreError::unavailable("too many operations are waiting for the store's file")
        })
    }
}

/// Whether the file can be used. After an error it cannot, because it is unknown what is on disk.
#[derive(Default)]
pub(super) struct Health {
    reason: OnceLock<String>,
    /// Set by a caller that got no answer, possibly before the reason is recorded.
    is_suspect: AtomicBool,
}

impl Health {
    /// Records an error. No answer is given from the file any more.
    pub(super) fn fail(&self, reason: &impl Display) {
        if self.reason.set(reason.to_string()).is_ok() {
            tracing::error!(%reason, "the session file failed: it has to be opened again");
        }
    }

    /// Records that something failed, when the reason is recorded elsewhere. No answer is given
    /// from the file any more.
    pub(super) fn suspect(&self) {
        self.is_suspect.store(true, Ordering::Release);
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.reason.get() {
            None if self.is_suspect.load(Ordering::Acquire) => {
                Err(StoreError::unavailable("the session file has failed"))
            }
            None => Ok(()),
            Some(reason) => Err(StoreError::unavailable(format!(
                "the session file has failed: {reason}"
            ))),
        }
    }
}

/// Marks the file as failed when the thread panics.
struct FailsOnPanic(Arc<Health>);

impl Drop for FailsOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(&"a thread of FileStore panicked");
        }
    }
}
