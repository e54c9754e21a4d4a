//! Threads of the library's own. Each has a name and an owner, and ends with its owner.
//!
//! | thread | owner | starts with |
//! | --- | --- | --- |
//! | `flask-pyjwt-keys` | a manager with `JWT_KEYS_DIR` | the manager |
//! | `flask-pyjwt-jwks` | a manager that fetches keys | the manager |
//! | `flask-pyjwt-redis` | a `RedisStore` | the store |
//! | `sessions-read` (two), `sessions-write` | a `FileStore` | the store |
//!
//! A thread that panics ends, and the log says which one. `FileStore::open` has one more, `sessions-open`, which it
//! starts and waits for itself.

use std::{
    future::Future,
    io,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

/// How long the owner of a [`RuntimeThread`] waits for its end. It takes microseconds, unless the thread reads a
/// file of a disk that does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A thread whose work ends by itself once its owner is gone, for instance because nobody sends it
/// anything any more. Dropped, it is waited for.
///
/// An owner declares it below what its work waits for: fields are dropped in their order.
#[derive(Debug)]
pub(crate) struct Thread(Option<JoinHandle<()>>);

impl Thread {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let thread = thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || {
            let _told = TellsPanic;
            work();
        })?;
        Ok(Self(Some(thread)))
    }

    /// Whether this is the thread that asks.
    fn is_current(&self) -> bool {
        let own = self.0.as_ref().map(|thread| thread.thread().id());
        own == Some(thread::current().id())
    }

    /// Does not wait for it any more.
    fn leave(&mut self) {
        self.0 = None;
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Its work may drop the last handle of its own owner.
        if !self.is_current()
            && let Some(thread) = self.0.take()
        {
            // If it panicked, the log says so.
            drop(thread.join());
        }
    }
}

/// A thread with a runtime of tokio that drives one future. Dropped, the future is dropped at the next
/// point where it waits, and the thread ends.
#[derive(Debug)]
pub(crate) struct RuntimeThread {
    #[cfg(feature = "redis-store")]
    runtime: tokio::runtime::Handle,
    /// Nothing is sent: being dropped says it.
    stop: Option<oneshot::Sender<()>>,
    /// Nothing is sent: it is disconnected at the thread's end.
    ended: Mutex<Receiver<()>>,
    thread: Thread,
}

impl RuntimeThread {
    /// Starts the thread. `work` is called here, inside the runtime, and the thread drives the future that
    /// it gives.
    ///
    /// # Errors
    ///
    /// When the system gives no thread, no sockets or no timer.
    pub(crate) fn start<F>(name: &str, work: impl FnOnce() -> F) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let driver = Driver::new()?;
        #[cfg(feature = "redis-store")]
        let handle = driver.runtime().handle().clone();
        let work = {
            let _inside = driver.runtime().enter();
            work()
        };
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = channel();
        let thread = Thread::start(name, move || {
            let _ending = ending;
            let driver = driver;
            driver.runtime().block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = work => {}
                }
            });
        })?;
        Ok(Self {
            #[cfg(feature = "redis-store")]
            runtime: handle,
            stop: Some(stop),
            ended: Mutex::new(ended),
            thread,
        })
    }

    /// The runtime, for more futures that the thread drives until its end.
    #[cfg(feature = "redis-store")]
    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }
}

impl Drop for RuntimeThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.is_current() {
            return;
        }
        let ended = self.ended.get_mut();
        let ended = ended.unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a background thread has not ended within a second of its owner");
            self.thread.leave();
        }
    }
}

/// A runtime that waits for nothing when it is dropped: not for a name that is being looked up, and not where the
/// system gives no thread. There it is dropped by the thread that wanted one, whose own runtime may not be blocked.
struct Driver(Option<Runtime>);

impl Driver {
    fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is there until the drop")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Says which thread has panicked, whatever the application does with standard error.
struct TellsPanic;

impl Drop for TellsPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            let thread = thread::current();
            tracing::error!(
                thread = thread.name(),
                "a background thread panicked and has ended"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::{
            Arc, Weak,
            mpsc::{Sender, TryRecvError, sync_channel},
        },
    };

    use tracing::{
        Event, Level, Metadata, Subscriber,
        span::{Attributes, Id, Record},
        subscriber::set_default,
    };

    use super::*;

    #[test]
    fn a_thread_is_over_when_its_owner_has_dropped_it() {
        let held = Arc::new(());
        let seen = Arc::downgrade(&held);
        let (queue, jobs) = sync_channel::<()>(1);
        let thread = Thread::start("a-test", move || {
            assert_eq!(thread::current().name(), Some("a-test"));
            while jobs.recv().is_ok() {}
            drop(held);
        });
        queue.send(()).expect("the thread waits for it");
        drop(queue);
        drop(thread.expect("a thread"));
        assert_eq!(seen.strong_count(), 0);
    }

    #[test]
    fn a_future_is_dropped_with_its_owner_wherever_it_waits() {
        let held = Arc::new(());
        let seen = Arc::downgrade(&held);
        let (begun, beginning) = channel();
        let thread = RuntimeThread::start("a-test", move || async move {
            begun.send(()).expect("the test waits for it");
            pending::<()>().await;
            drop(held);
        });
        beginning.recv().expect("the future is polled");
        assert_eq!(seen.strong_count(), 1);
        drop(thread.expect("a thread"));
        assert_eq!(seen.strong_count(), 0);
    }

    #[test]
    fn a_thread_whose_work_has_ended_or_panicked_can_be_dropped() {
        let (dropping, dropped) = channel::<()>();
        let ended = RuntimeThread::start("a-test", || async {}).expect("a thread");
        let panicked = RuntimeThread::start("a-test", || async move {
            let _dropping = dropping;
            panic!("as the test wants")
        });
        assert!(dropped.recv().is_err());
        drop((ended, panicked.expect("a thread")));
    }

    /// As where the system gives no thread to a server that starts.
    #[actix_web::test]
    async fn a_runtime_that_got_no_thread_is_dropped_inside_another_one() {
        drop(Driver::new().expect("a runtime"));
    }

    /// The disk of a keys folder may not answer.
    #[test]
    fn an_owner_does_not_wait_for_ever_for_a_thread_that_is_blocked() {
        let (unblocking, blocked) = channel::<()>();
        let (dropping, dropped) = channel::<()>();
        let (begun, beginning) = channel();
        let thread = RuntimeThread::start("a-test", || async move {
            begun.send(()).expect("the test waits for it");
            assert!(blocked.recv().is_err());
            pending::<()>().await;
            drop(dropping);
        });
        beginning.recv().expect("the future is polled");
        drop(thread.expect("a thread"));
        assert_eq!(dropped.try_recv(), Err(TryRecvError::Empty));
        drop(unblocking);
        assert!(dropped.recv().is_err());
    }

    /// Sends on what thread each error is logged.
    struct Errors(Sender<String>);

    impl Subscriber for Errors {
        fn enabled(&self, event: &Metadata<'_>) -> bool {
            *event.level() == Level::ERROR
        }

        fn event(&self, _: &Event<'_>) {
            let name = thread::current().name().unwrap_or_default().to_owned();
            drop(self.0.send(name));
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_panic_is_logged_on_the_thread_that_ends_by_it() {
        let (errors, logged) = channel();
        let thread = Thread::start("a-test-that-panics", || {
            // Until the end of the thread, and not of this closure.
            std::mem::forget(set_default(Errors(errors)));
            panic!("as the test wants")
        });
        drop(thread.expect("a thread"));
        assert_eq!(logged.iter().collect::<Vec<_>>(), ["a-test-that-panics"]);
    }

    /// A manager's last handle may be the one that its own thread has for a moment.
    #[test]
    fn a_thread_may_drop_its_own_owner() {
        let (handing, handed) = oneshot::channel::<Arc<RuntimeThread>>();
        let (dropping, dropped) = channel::<Weak<RuntimeThread>>();
        let owner = RuntimeThread::start("a-test", || async move {
            let owner = handed.await.expect("it is sent");
            let seen = Arc::downgrade(&owner);
            drop(owner);
            dropping.send(seen).expect("the test waits for it");
            pending::<()>().await;
        });
        assert!(handing.send(Arc::new(owner.expect("a thread"))).is_ok());
        let seen = dropped.recv().expect("the thread goes on");
        assert_eq!(seen.strong_count(), 0);
        // The future is gone, and the thread with it.
        assert!(dropped.recv().is_err());
    }
}
