//! A line to one server: a connection that is made again whenever it is lost.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use redis::{ErrorKind, Pipeline, Value, aio::MultiplexedConnection};
use tokio::{
    sync::watch,
    time::{Duration, Instant, timeout, timeout_at},
};

use super::{Problem, source::Source};

/// For how long it is believed that a connection holds, and that its server is the primary, without
/// asking again.
const BELIEVED: Duration = Duration::from_secs(1);
/// From when on it is asked again while the requests go on.
const ASKED_AGAIN: Duration = Duration::from_millis(500);
/// For how long the answer to that is waited for.
const CONFIRMED_WITHIN: Duration = Duration::from_millis(500);
/// For how long a server that could not be reached is not tried again: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A line to one server, over which any number of requests go at a time.
///
/// A connection on which an answer does not come in time is given up, since nobody can tell whether
/// its server still is what it was: when that recovers, somebody else may be the primary. All
/// requests wait for the next connection together, and while it cannot be made, they fail at once.
#[derive(Debug)]
pub(super) struct Line {
    source: Source,
    connect_timeout: Duration,
    state: watch::Sender<State>,
    serial: AtomicU64,
    /// How often in a row no connection could be made.
    failures: AtomicU32,
}

#[derive(Debug)]
enum State {
    Unconnected,
    Connecting,
    Connected(Connected),
    Failed { problem: Problem, until: Instant },
}

/// A connection, and what is known of its server.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) connection: MultiplexedConnection,
    pub(super) server: Arc<str>,
    /// Tells this connection from those before and after it.
    serial: u64,
    /// When it was known to hold, and its server to be the primary.
    confirmed: Instant,
    is_being_confirmed: bool,
}

/// How often commands may be done that were meant to be done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// Never twice: the second time may come when somebody has undone the first.
    Once,
    Any,
}

/// What a request has to do for a connection.
enum Step {
    Use(Connected),
    Fail(Problem),
    Wait,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Line {
    pub(super) fn new(source: Source, connect_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            source,
            connect_timeout,
            state: watch::Sender::new(State::Unconnected),
            serial: AtomicU64::new(0),
            failures: AtomicU32::new(0),
        })
    }

    /// Sends commands in one go, and gives what the server says to each.
    ///
    /// Where the connection turns out to be broken, and they may be done twice, they are sent once
    /// more on the next one.
    pub(super) async fn ask(
        self: &Arc<Self>,
        commands: &Pipeline,
        times: Times,
        deadline: Instant,
    ) -> Result<(Arc<str>, Vec<Value>), Problem> {
        let mut may_again = times == Times::Any;
        loop {
            let Connected {
                mut connection,
                server,
                serial,
                ..
            } = self.connected(deadline).await?;
            let asking = connection.send_packed_commands(commands, 0, commands.len());
            let (reason, is_broken) = match timeout_at(deadline, asking).await {
                Ok(Ok(values)) => return Ok((server, values)),
                Ok(Err(error)) => (Some(error.to_string()), error.kind() == ErrorKind::Io),
                Err(_) => (None, false),
            };
            self.lose(serial);
            if !is_broken || !may_again {
                let server = server.to_string();
                return Err(match reason {
                    Some(reason) => Problem::Broken { server, reason },
                    None => Problem::Silent { server },
                });
            }
            may_again = false;
        }
    }

    /// The connection, as soon as there is one.
    pub(super) async fn connected(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Connected, Problem> {
        let mut changes = self.state.subscribe();
        loop {
            match self.step() {
                Step::Use(connected) => return Ok(connected),
                Step::Fail(problem) => return Err(problem),
                Step::Wait => {}
            }
            if timeout_at(deadline, changes.changed()).await.is_err() {
                let server = self.source.to_string();
                return Err(Problem::Silent { server });
            }
        }
    }

    /// What is to be done now. Whoever finds that something has to be begun begins it.
    fn step(self: &Arc<Self>) -> Step {
        let now = Instant::now();
        let mut step = Step::Wait;
        let mut begins = false;
        let mut to_confirm = None;
        self.state.send_if_modified(|state| {
            match state {
                State::Connecting => {}
                State::Failed { problem, until } if now < *until => {
                    step = Step::Fail(problem.clone());
                }
                State::Unconnected | State::Failed { .. } => {
                    *state = State::Connecting;
                    begins = true;
                }
                State::Connected(connected) => {
                    let age = now.duration_since(connected.confirmed);
                    if age >= ASKED_AGAIN && !connected.is_being_confirmed {
                        connected.is_being_confirmed = true;
                        to_confirm = Some(connected.clone());
                    }
                    if age < BELIEVED {
                        step = Step::Use(connected.clone());
                    }
                }
            }
            false
        });
        if begins {
            tokio::spawn(Arc::clone(self).connect());
        }
        if let Some(connected) = to_confirm {
            tokio::spawn(Arc::clone(self).confirm(connected));
        }
        step
    }

    /// Makes a connection.
    async fn connect(self: Arc<Self>) {
        let line = Arc::clone(&self);
        // A task of its own, so that nothing that goes wrong in it leaves the line connecting for ever.
        let connecting = tokio::spawn(async move {
            let started = Instant::now();
            let connecting = line.source.connect(line.connect_timeout);
            let (connection, server) =
                timeout(line.connect_timeout, connecting)
                    .await
                    .map_err(|_| Problem::Silent {
                        server: line.source.to_string(),
                    })??;
            Ok::<_, Problem>(Connected {
                connection,
                server,
                serial: line.serial.fetch_add(1, Ordering::Relaxed),
                confirmed: started,
                is_being_confirmed: false,
            })
        });
        let state = match connecting.await.unwrap_or(Err(Problem::Ended)) {
            Ok(connected) => {
                self.failures.store(0, Ordering::Relaxed);
                State::Connected(connected)
            }
            Err(problem) => {
                let before = self.failures.fetch_add(1, Ordering::Relaxed).min(10);
                let pause = (FIRST_PAUSE * (1 << before)).min(LONGEST_PAUSE);
                let until = Instant::now() + pause;
                State::Failed { problem, until }
            }
        };
        self.state.send_replace(state);
    }

    /// Asks whether the connection holds, and leads to the primary.
    async fn confirm(self: Arc<Self>, connected: Connected) {
        let started = Instant::now();
        let confirming = self.source.confirm(&connected, CONFIRMED_WITHIN);
        let confirmed = timeout(CONFIRMED_WITHIN, confirming).await;
        let holds = matches!(confirmed, Ok(Ok(())));
        let mut reconnects = false;
        self.state.send_if_modified(|state| match state {
            State::Connected(current) if current.serial == connected.serial => {
                if holds {
                    current.confirmed = started;
                    current.is_being_confirmed = false;
                } else {
                    *state = State::Connecting;
                    reconnects = true;
                }
                true
            }
            _ => false,
        });
        if reconnects {
            self.connect().await;
        }
    }

    /// Gives a connection up, unless it has been given up already.
    fn lose(&self, serial: u64) {
        self.state.send_if_modified(|state| {
            let is_lost =
                matches!(state, State::Connected(connected) if connected.serial == serial);
            if is_lost {
                *state = State::Unconnected;
            }
            is_lost
        });
    }
}
