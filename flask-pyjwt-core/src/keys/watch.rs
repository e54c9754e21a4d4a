//! The thread that reads `JWT_KEYS_DIR` again.

use std::time::Duration;

use tokio::time::sleep;

use crate::background::RuntimeThread;

/// How often the folder is looked at: a change is seen after so many seconds at the latest. One look at ten
/// keys opens and reads ten small files: 0.4 ms without optimization.
const PERIOD: Duration = Duration::from_secs(5);
/// When it is looked at again if a file may not be complete. More than a second, after which a file that is
/// the same counts.
const SOON: Duration = Duration::from_millis(1_100);

/// A thread that looks again and again. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    _thread: RuntimeThread,
}

/// Why it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Some time has passed.
    Tick,
    /// The process got the signal `SIGHUP`.
    Hangup,
}

/// When to look the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Soon,
    Later,
    Stop,
}

impl Watch {
    /// Starts the thread. It calls `look` on every occasion until that says [`Next::Stop`].
    ///
    /// # Errors
    ///
    /// When the system gives no thread or no timer.
    pub(crate) fn start(
        mut look: impl FnMut(Occasion) -> Next + Send + 'static,
    ) -> std::io::Result<Self> {
        let thread = RuntimeThread::start("flask-pyjwt-keys", move || {
            // Here and not in the thread: from now on the signal does not end the process.
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

/// The signal `SIGHUP`, where there is one.
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
