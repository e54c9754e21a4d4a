//! The background threads of this library. Each has a name and an owner, and ends with its owner.
//!
//! | thread | owner | starts with |
//! | --- | --- | --- |
//! | `flask-pyjwt-keys` | a manager with `JWT_KEYS_DIR` | the manager |
//! | `flask-pyjwt-jwks` | a manager that fetches keys | the manager |
//! | `flask-pyjwt-redis` | a `RedisStore` | the store |
//! | `flask-pyjwt-postgres` | a `PostgresStore` | the store |
//! | `flask-pyjwt-hsm-…` | a `Pkcs11Signer` | the signer |
//! | `test-issuer` | a `TestIssuer` | the issuer |
//! | `sessions-read` (two), `sessions-write` | a `FileStore` | the store |
//!
//! A thread that panics ends, and the log says which one. `FileStore::open` starts another thread,
//! `sessions-open`, and waits for it.

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

/// How long dropping a [`RuntimeThread`] waits for the thread to end. It takes microseconds, unless
/// the thread reads a file from a disk that does not respond.
const JOIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A thread whose work ends once its owner is dropped, for instance because a channel is closed.
/// Dropping this waits for the thread.
///
/// An owner must declare this field after those that the thread waits for, because fields are
/// dropped in order.
#[derive(Debug)]
pub(crate) struct Thread(Option<JoinHandle<()>>);

impl Thread {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the operating system cannot start a thread.
    pub(crate) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let thread = thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || {
            let _log_panic = LogsPanic;
            work();
        })?;
        Ok(Self(Some(thread)))
    }

    /// Whether the current thread is this one.
    fn is_current(&self) -> bool {
        let this = self.0.as_ref().map(|thread| thread.thread().id());
        this == Some(thread::current().id())
    }

    /// Detaches the thread, so that dropping this does not wait.
    fn detach(&mut self) {
        self.0 = None;
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // The thread's work may drop the last handle of its owner.
        if !self.is_current()
            && let Some(thread) = self.0.take()
        {
            // A panic was logged already.
            drop(thread.join());
        }
    }
}

/// A thread with a tokio runtime that drives one future. Dropping this drops the future at its next
/// await and ends the thread.
#[derive(Debug)]
pub struct RuntimeThread {
    runtime: tokio::runtime::Handle,
    /// Never sends: dropping it is the signal.
    stop: Option<oneshot::Sender<()>>,
    /// Never receives: it is disconnected when the thread ends.
    ended: Mutex<Receiver<()>>,
    thread: Thread,
}

impl RuntimeThread {
    /// Starts the thread. `work` is called on the current thread, inside the runtime, and returns
    /// the future for the thread to drive.
    ///
    /// # Errors
    ///
    /// When the operating system cannot provide a thread, sockets or a timer.
    pub fn start<F>(name: &str, work: impl FnOnce() -> F) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let driver = Driver::new()?;
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
            runtime: handle,
            stop: Some(stop),
            ended: Mutex::new(ended),
            thread,
        })
    }

    /// The runtime, to spawn more futures on the thread. They run until it ends.
    #[must_use]
    pub fn runtime(&self) -> &tokio::runtime::Handle {
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
        if ended.recv_timeout(JOIN_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                "a background thread did not end within a second after its owner was dropped"
            );
            self.thread.detach();
        }
    }
}

/// A runtime that does not block when it is dropped: not for a DNS lookup in progress, and not when
/// the operating system could not start its thread. In that case the calling thread drops it, which
/// may belong to another runtime and must not block.
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

/// Logs which thread panicked, even if the application redirects standard error.
struct LogsPanic;

impl Drop for LogsPanic {
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
    fn dropping_a_thread_waits_for_its_end() {
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
    fn dropping_a_runtime_thread_drops_its_future() {
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
    fn a_thread_that_has_ended_or_panicked_can_be_dropped() {
        let (dropping, dropped) = channel::<()>();
        let ended = RuntimeThread::start("a-test", || async {}).expect("a thread");
        let panicked = RuntimeThread::start("a-test", || async move {
            let _dropping = dropping;
            panic!("as the test wants")
        });
        assert!(dropped.recv().is_err());
        drop((ended, panicked.expect("a thread")));
    }

    /// This happens when the operating system cannot start a thread for a server that starts.
    #[actix_web::test]
    async fn a_runtime_without_a_thread_can_be_dropped_inside_another_runtime() {
        drop(Driver::new().expect("a runtime"));
    }

    /// The disk of a key directory may not respond.
    #[test]
    fn dropping_does_not_wait_forever_for_a_blocked_thread() {
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

    /// Sends the name of the thread on which each error is logged.
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
    fn a_panic_is_logged_with_the_name_of_its_thread() {
        let (errors, logged) = channel();
        let thread = Thread::start("a-test-that-panics", || {
            // Must last until the end of the thread, which is longer than this closure.
            std::mem::forget(set_default(Errors(errors)));
            panic!("as the test wants")
        });
        drop(thread.expect("a thread"));
        assert_eq!(logged.iter().collect::<Vec<_>>(), ["a-test-that-panics"]);
    }

    /// For a moment, the thread of a manager may hold the manager's last handle.
    #[test]
    fn a_thread_can_drop_its_owner() {
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
