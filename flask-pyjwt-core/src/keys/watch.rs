//! The thread that watches `JWT_KEYS_DIR`.

use std::time::Duration;

use tokio::time::sleep;

use crate::background::RuntimeThread;

/// The time between two readings of the folder. Reading ten keys takes 0.4 ms in a debug build.
const PERIOD: Duration = Duration::from_secs(5);
/// The time until the next reading if a file may be incomplete. It is a little more than the second after which an
/// unchanged file is used.
const SOON: Duration = Duration::from_millis(1_100);

/// The thread that reads the folder regularly. It ends when this handle is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    _thread: RuntimeThread,
}

/// Why the folder is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The period has passed.
    Tick,
    /// The process has received the signal `SIGHUP`.
    Hangup,
}

/// When to read the folder next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Soon,
    Later,
    Stop,
}

impl Watch {
    /// Starts the thread. It calls `look` on every occasion until that returns [`Next::Stop`].
    ///
    /// # Errors
    ///
    /// Returns an error if the system cannot create the thread or its event loop.
    pub(crate) fn start(
        mut look: impl FnMut(Occasion) -> Next + Send + 'static,
    ) -> std::io::Result<Self> {
        let thread = RuntimeThread::start("flask-pyjwt-keys", move || {
            // Install the handler before the thread starts, so that from now on the signal does not end the process.
            let mut hangup = Hangup::new();
            async move {
                let mut pause = PERIOD;
                loop {
                    let occasion = tokio::select! {
                        () = hangup.recv() => Occasion::Hangup,
                        () = sleep(pause) => Occasion::Tick,
                    };
                    pause = match look(occasion) {
                        Next::Soon => SOON,
                        Next::Later => PERIOD,
                        Next::Stop => return,
                    };
                }
            }
        })?;
        Ok(Self { _thread: thread })
    }
}

/// Waits for the signal `SIGHUP`, on systems that have it.
struct Hangup(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Hangup {
    #[cfg(unix)]
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()).ok())
    }

    #[cfg(unix)]
    async fn recv(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }

    #[cfg(not(unix))]
    fn new() -> Self {
        Self()
    }

    #[cfg(not(unix))]
    async fn recv(&mut self) {
        std::future::pending().await
    }
}
