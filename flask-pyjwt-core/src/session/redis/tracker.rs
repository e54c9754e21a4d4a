//! Follows one server on a connection on which it announces changes.
//!
//! Questions whose answers are kept are sent on this connection: the server then announces exactly
//! the changes of what it was asked about, and no other server can have answered. Announcements are
//! handled in the order in which they arrive among the answers, before the next answer is given to
//! anybody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use redis::{Pipeline, Value};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::{self, Duration, sleep, timeout, timeout_at},
};

use super::{
    super::near_cache::{Cache, Subscription},
    announced::Announced,
    connection::{Endpoint, Opened, Server},
    listener::Listener,
    node::{announcing, send},
    problem::Problem,
};

/// How many signs of life are asked for in the time of which one suffices.
const SIGNS_OF_LIFE: u32 = 4;
/// How long to wait before the next attempt to connect. The wait doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Keeps a connection on which a server announces changes, and makes the next one when it is lost.
#[derive(Debug)]
pub(super) struct Tracker {
    state: watch::Receiver<State>,
    task: AbortHandle,
}

/// `None` until the first attempt to connect has ended.
type State = Option<Result<Line, Problem>>;

/// A connection on which a server announces changes.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) subscription: Arc<Subscription>,
    opened: Opened,
    /// Says that the connection is lost.
    lost: Arc<Notify>,
    is_moving: Arc<AtomicBool>,
}

impl Line {
    /// Sends commands and returns the reply to each.
    ///
    /// # Errors
    ///
    /// [`Problem::Broken`] or [`Problem::Silent`]. The line is lost then.
    pub(super) async fn ask(
        mut self,
        commands: &Pipeline,
        deadline: time::Instant,
    ) -> Result<Vec<Value>, Problem> {
        let asking = self
            .opened
            .connection
            .send_packed_commands(commands, 0, commands.len());
        let problem = match timeout_at(deadline, asking).await {
            Ok(Ok(values)) => return Ok(values),
            Ok(Err(error)) => Problem::Broken {
                server: self.opened.server.to_string(),
                reason: error.to_string(),
            },
            Err(_) => self.silent(),
        };
        self.lose();
        Err(problem)
    }

    fn silent(&self) -> Problem {
        Problem::Silent {
            server: self.opened.server.to_string(),
        }
    }

    fn lose(&self) {
        self.subscription.end();
        self.lost.notify_one();
    }
}

impl Tracker {
    /// Starts to follow a server, on the current runtime.
    pub(super) fn start(
        endpoint: impl Endpoint,
        cache: Arc<Cache>,
        connect_timeout: Duration,
    ) -> Self {
        let (sender, state) = watch::channel(None);
        let following = Following {
            endpoint,
            cache,
            connect_timeout,
            state: sender,
        };
        let task = tokio::spawn(following.follow()).abort_handle();
        Self { state, task }
    }

    /// Waits for the end of the first attempt to connect.
    pub(super) async fn ready(&self, deadline: time::Instant) -> Result<(), Problem> {
        let mut state = self.state.clone();
        let waiting = state.wait_for(Option::is_some);
        match timeout_at(deadline, waiting).await {
            Ok(Ok(state)) => match &*state {
                Some(Err(problem)) => Err(problem.clone()),
                _ => Ok(()),
            },
            Ok(Err(_)) => Err(Problem::Ended),
            Err(_) => Err(Problem::Announcements),
        }
    }

    /// The connection, if the server is known to announce changes now.
    pub(super) fn line(&self) -> Option<Line> {
        let state = self.state.borrow();
        let line = state.as_ref()?.as_ref().ok()?;
        let is_usable =
            line.subscription.is_alive(Instant::now()) && !line.is_moving.load(Ordering::Acquire);
        is_usable.then(|| line.clone())
    }

    /// Another connection leads to this server. If that is not the process that is followed here,
    /// which a name or a virtual address can hide, its answers are not used any more.
    pub(super) fn found(&self, server: &Server) {
        if let Some(Ok(line)) = &*self.state.borrow()
            && !line.opened.server.is_same_process(server)
        {
            line.lose();
        }
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(Ok(line)) = &*self.state.borrow() {
            line.subscription.end();
        }
    }
}

struct Following<E> {
    endpoint: E,
    cache: Arc<Cache>,
    connect_timeout: Duration,
    state: watch::Sender<State>,
}

impl<E: Endpoint> Following<E> {
    async fn follow(self) {
        let mut pause = FIRST_PAUSE;
        let mut is_told = false;
        loop {
            let opening = timeout(self.connect_timeout, self.open());
            let problem = match opening.await {
                Ok(Ok((line, announced))) => {
                    self.state.send_replace(Some(Ok(line.clone())));
                    let (problem, is_confirmed) = self.keep(&line, announced, is_told).await;
                    line.subscription.end();
                    // A connection that is closed at once, again and again, is one failure.
                    if is_confirmed {
                        pause = FIRST_PAUSE;
                        is_told = false;
                    }
                    problem
                }
                Ok(Err(problem)) => problem,
                Err(_) => Problem::Silent {
                    server: self.endpoint.to_string(),
                },
            };
            if !is_told {
                tracing::warn!(
                    %problem,
                    "the Redis server does not announce changes: each check asks the server, and \
                     none is answered from the near cache"
                );
                is_told = true;
            }
            self.state.send_replace(Some(Err(problem)));
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Opens a connection and has changes announced on it.
    async fn open(&self) -> Result<(Line, Announced), Problem> {
        let info = self.endpoint.locate(self.connect_timeout / 2).await?;
        let listener = Arc::new(Listener::new(Arc::clone(&self.cache)));
        let mut opened = announcing(info, self.connect_timeout, Arc::clone(&listener)).await?;
        let mut command = redis::cmd("CLIENT");
        command.arg("TRACKING").arg("ON");
        opened.identify().await?;
        let server = opened.server.clone();
        match send(&mut opened.connection, &command).await {
            Ok(Value::ServerError(error)) => return Err(Problem::unannounced(&server, &error)),
            Ok(_) => {}
            Err(error) => return Err(Problem::connect(&server, error)),
        }
        let asked = Instant::now();
        let within = self.cache.max_silence() / 2;
        let announced = self.endpoint.announces(&mut opened, within).await?;
        let subscription = self.cache.subscribe(asked);
        let lost = listener.listen(Arc::clone(&subscription));
        let line = Line {
            subscription,
            opened,
            lost,
            is_moving: Arc::new(AtomicBool::new(announced.is_moving)),
        };
        Ok((line, announced))
    }

    /// Asks for signs of life until the line is lost. Returns why it is, and whether there was one.
    async fn keep(&self, line: &Line, mut announced: Announced, is_told: bool) -> (Problem, bool) {
        let mut is_confirmed = false;
        loop {
            let (asked, now_announced) = match self.sign_of_life(line).await {
                Ok(sign) => sign,
                Err(problem) => return (problem, is_confirmed),
            };
            if now_announced != announced || now_announced.is_moving {
                let is_moving = now_announced.is_moving;
                line.is_moving.store(is_moving, Ordering::Release);
                line.subscription.forget_all();
                announced = now_announced;
            }
            if !line.subscription.confirm(asked, Instant::now()) {
                return (line.silent(), is_confirmed);
            }
            if is_told && !is_confirmed {
                tracing::info!(
                    server = &*line.opened.server,
                    "the Redis server announces changes again, and checks are answered from the \
                     near cache"
                );
            }
            is_confirmed = true;
        }
    }

    /// Waits, and asks for a sign of life. Returns when it was asked for.
    async fn sign_of_life(&self, line: &Line) -> Result<(Instant, Announced), Problem> {
        let max_silence = self.cache.max_silence();
        let mut opened = line.opened.clone();
        let asking = async {
            sleep(max_silence / SIGNS_OF_LIFE).await;
            let asked = Instant::now();
            let asking = self.endpoint.announces(&mut opened, max_silence / 2);
            match timeout(max_silence, asking).await {
                Ok(announced) => Ok((asked, announced?)),
                Err(_) => Err(line.silent()),
            }
        };
        tokio::select! {
            sign = asking => sign,
            () = line.lost.notified() => Err(Problem::Broken {
                server: line.opened.server.to_string(),
                reason: "it was closed or did not answer".to_owned(),
            }),
        }
    }
}
