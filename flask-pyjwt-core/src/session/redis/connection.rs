//! A connection to one server that reconnects when it is lost.

use std::{
    fmt,
    future::Future,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use redis::{ConnectionInfo, ErrorKind, Pipeline, Value, aio::MultiplexedConnection};
use tokio::{
    sync::watch,
    time::{Duration, Instant, timeout, timeout_at},
};

use super::{announced::Announced, operation::Operation, problem::Problem, reply::as_text};

/// How long a connection is used without checking that it works and that the server is still the
/// right one.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// The age at which this is checked again, while requests continue.
const CONFIRM_AFTER: Duration = Duration::from_millis(500);
/// The timeout of that check.
const CONFIRM_TIMEOUT: Duration = Duration::from_millis(500);
/// How long to wait before the next attempt to connect. The wait doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// How to open and check connections to a server.
pub(super) trait Endpoint: fmt::Display + fmt::Debug + Send + Sync + 'static {
    /// Opens a connection and checks that the server is the right one.
    fn open(&self, within: Duration) -> impl Future<Output = Result<Opened, Problem>> + Send;

    /// Checks that the connection works and that the server is still the right one.
    fn confirm(
        &self,
        opened: &mut Opened,
        within: Duration,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// The server to which a connection is opened.
    fn locate(
        &self,
        within: Duration,
    ) -> impl Future<Output = Result<ConnectionInfo, Problem>> + Send;

    /// Checks that the server announces all changes of its keys, and says which keys these are.
    fn announces(
        &self,
        opened: &mut Opened,
        within: Duration,
    ) -> impl Future<Output = Result<Announced, Problem>> + Send;
}

/// An open connection.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) connection: MultiplexedConnection,
    pub(super) server: Server,
}

impl Opened {
    /// Asks which process answers here. Two connections to one address can lead to different ones.
    pub(super) async fn identify(&mut self) -> Result<(), Problem> {
        let mut question = redis::cmd("INFO");
        question.arg("server");
        let answer = self.connection.send_packed_command(&question).await;
        let info = match answer.map_err(|error| Problem::connect(&self.server, error))? {
            Value::ServerError(error) => return Err(Problem::unannounced(&self.server, &error)),
            info => info,
        };
        self.server.process = as_text(&info)
            .into_iter()
            .flat_map(str::lines)
            .find_map(|line| line.strip_prefix("run_id:"))
            .map(Arc::from);
        Ok(())
    }
}

/// A server: displays and dereferences as its address.
#[derive(Debug, Clone)]
pub(super) struct Server {
    address: Arc<str>,
    /// The id of its process, once it was asked for.
    process: Option<Arc<str>>,
}

impl Server {
    pub(super) fn new(address: String) -> Self {
        Self {
            address: address.into(),
            process: None,
        }
    }

    /// Whether both are known to be the same process.
    pub(super) fn is_same_process(&self, other: &Self) -> bool {
        self.process.is_some() && self.process == other.process
    }
}

impl Deref for Server {
    type Target = str;

    fn deref(&self) -> &str {
        &self.address
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// A connection to one server, shared by any number of concurrent requests.
///
/// If an answer does not come in time, the connection is discarded, because the server may no
/// longer be the primary when it recovers. All requests wait for the next connection together.
/// While none can be opened, they fail immediately.
#[derive(Debug)]
pub(super) struct Connection<E> {
    endpoint: E,
    connect_timeout: Duration,
    /// Whether it has to be known which process answers.
    identifies: bool,
    state: watch::Sender<State>,
    serial: AtomicU64,
    /// Failed attempts in a row.
    failures: AtomicU32,
}

#[derive(Debug)]
enum State {
    Unconnected,
    Connecting,
    Connected(Connected),
    Failed { problem: Problem, until: Instant },
}

/// An open connection and its state.
#[derive(Debug, Clone)]
struct Connected {
    opened: Opened,
    /// Identifies this connection among earlier and later ones.
    serial: u64,
    /// When it was last confirmed that the connection works and the server is the right one.
    confirmed: Instant,
    is_being_confirmed: bool,
}

/// The next step of a request that needs a connection.
enum Step {
    Use(Opened, u64),
    Fail(Problem),
    Wait,
}

impl<E: Endpoint> fmt::Display for Connection<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.endpoint, f)
    }
}

impl<E: Endpoint> Connection<E> {
    pub(super) fn new(endpoint: E, connect_timeout: Duration, identifies: bool) -> Arc<Self> {
        Arc::new(Self {
            endpoint,
            connect_timeout,
            identifies,
            state: watch::Sender::new(State::Unconnected),
            serial: AtomicU64::new(0),
            failures: AtomicU32::new(0),
        })
    }

    /// Sends commands together and returns the server's reply to each.
    ///
    /// If the connection is broken, a repeatable operation is sent once more on the next
    /// connection. After a timeout, nothing is sent again.
    pub(super) async fn ask(
        self: &Arc<Self>,
        commands: &Pipeline,
        operation: Operation,
        deadline: Instant,
    ) -> Result<(Server, Vec<Value>), Problem> {
        let mut may_repeat = operation.is_repeatable();
        loop {
            let (opened, serial) = self.opened(deadline).await?;
            let Opened {
                mut connection,
                server,
            } = opened;
            let asking = connection.send_packed_commands(commands, 0, commands.len());
            let (reason, is_broken) = match timeout_at(deadline, asking).await {
                Ok(Ok(values)) => return Ok((server, values)),
                Ok(Err(error)) => (Some(error.to_string()), error.kind() == ErrorKind::Io),
                Err(_) => (None, false),
            };
            self.discard(serial);
            if !is_broken || !may_repeat {
                let server = server.to_string();
                return Err(match reason {
                    Some(reason) => Problem::Broken { server, reason },
                    None => Problem::Silent { server },
                });
            }
            may_repeat = false;
        }
    }

    /// Waits until there is an open connection.
    pub(super) async fn ready(self: &Arc<Self>, deadline: Instant) -> Result<(), Problem> {
        self.opened(deadline).await.map(drop)
    }

    /// Waits for the open connection. Returns it with its serial number.
    async fn opened(self: &Arc<Self>, deadline: Instant) -> Result<(Opened, u64), Problem> {
        let mut changes = self.state.subscribe();
        loop {
            match self.step() {
                Step::Use(opened, serial) => return Ok((opened, serial)),
                Step::Fail(problem) => return Err(problem),
                Step::Wait => {}
            }
            if timeout_at(deadline, changes.changed()).await.is_err() {
                let server = self.endpoint.to_string();
                return Err(Problem::Silent { server });
            }
        }
    }

    /// Decides the next step, and starts to connect or to confirm if needed.
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
                    if age >= CONFIRM_AFTER && !connected.is_being_confirmed {
                        connected.is_being_confirmed = true;
                        to_confirm = Some(connected.clone());
                    }
                    if age < TRUSTED_FOR {
                        step = Step::Use(connected.opened.clone(), connected.serial);
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

    /// Opens a connection.
    async fn connect(self: Arc<Self>) {
        let this = Arc::clone(&self);
        // In a separate task, so that a panic does not leave the state `Connecting` forever.
        let connecting = tokio::spawn(async move {
            let started = Instant::now();
            let opening = async {
                let mut opened = this.endpoint.open(this.connect_timeout).await?;
                if this.identifies {
                    opened.identify().await?;
                }
                Ok::<_, Problem>(opened)
            };
            let opened =
                timeout(this.connect_timeout, opening)
                    .await
                    .map_err(|_| Problem::Silent {
                        server: this.endpoint.to_string(),
                    })??;
            Ok::<_, Problem>(Connected {
                opened,
                serial: this.serial.fetch_add(1, Ordering::Relaxed),
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
                let pause = (FIRST_PAUSE * (1 << before)).min(MAX_PAUSE);
                let until = Instant::now() + pause;
                State::Failed { problem, until }
            }
        };
        self.state.send_replace(state);
    }

    /// Checks that the connection works, and reconnects if it does not.
    async fn confirm(self: Arc<Self>, mut connected: Connected) {
        let started = Instant::now();
        let confirming = self
            .endpoint
            .confirm(&mut connected.opened, CONFIRM_TIMEOUT);
        let confirmed = timeout(CONFIRM_TIMEOUT, confirming).await;
        let works = matches!(confirmed, Ok(Ok(())));
        let mut reconnects = false;
        self.state.send_if_modified(|state| match state {
            State::Connected(current) if current.serial == connected.serial => {
                if works {
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

    /// Discards a connection, if it is still the current one.
    fn discard(&self, serial: u64) {
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
