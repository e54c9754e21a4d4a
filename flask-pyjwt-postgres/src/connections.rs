//! The connections of a store.
//!
//! They are made with the options and the hooks of the application's pool, but they are the store's
//! own. A connection is driven by the runtime that opened it. Those of actix-web's workers stand
//! still while a handler computes, and a query of the application may hold the last connection of a
//! pool: neither may delay the check of a token.
//!
//! A connection goes from one request to the next that waits. Only after a pause it returns to the
//! pool, which tests it before it is used again. So a request under load takes one round trip.

use std::{
    collections::VecDeque,
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, pool::PoolConnection,
    postgres::PgConnectOptions,
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{lease::Lease, problem::Problem};

/// How long an unused connection is kept before it returns to the pool.
const KEPT: Duration = Duration::from_millis(500);
/// After so many requests a connection returns to the pool, which closes it when it is too old.
const MOST_USES: u32 = 1_000;
/// How long a connection is waited for whose statement nobody waits for any more. The server may
/// still be busy with it, or be out of reach.
const ABANDONED: Duration = Duration::from_mins(1);
/// How many such connections there may be for each of the store's `connections`. Each may occupy a
/// place at the server, which the application needs too.
const MOST_ABANDONED: usize = 4;

type Waiting = oneshot::Sender<Result<Lease, Problem>>;

pub(crate) struct Connections {
    /// The application's pool.
    source: PgPool,
    /// The store's own pool, on the store's own thread.
    pool: PgPool,
    most: usize,
    server: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Unused connections, most recently used last.
    kept: Vec<Kept>,
    /// Requests that wait for one, in order.
    waiting: VecDeque<Waiting>,
    /// Connections that are in use or kept.
    open: usize,
    /// Tasks that wait for the pool.
    connecting: usize,
    /// Connections that were given up during a statement, which the server may not have ended.
    abandoned: usize,
    /// Whether a task returns unused connections to the pool.
    is_tidying: bool,
    is_closed: bool,
    /// The options with which the pool connects.
    options: Option<Arc<PgConnectOptions>>,
}

struct Kept {
    connection: PoolConnection<Postgres>,
    uses: u32,
    since: Instant,
}

impl Connections {
    /// Must be called on the runtime that will drive the connections.
    pub(crate) fn new(source: PgPool, most: u32, connect_timeout: Duration) -> Arc<Self> {
        let options = source.connect_options();
        let server = match options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let pool = source.options().clone();
        let pool = pool
            .max_connections(most)
            .min_connections(0)
            .test_before_acquire(true)
            .acquire_timeout(connect_timeout)
            .connect_lazy_with(quiet(&options));
        Arc::new(Self {
            source,
            pool,
            most: usize::try_from(most).unwrap_or(usize::MAX),
            server,
            state: Mutex::default(),
        })
    }

    /// The address of the server, for errors.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Waits for a connection.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Lease, Problem> {
        if self.source.is_closed() {
            return Err(Problem::Closed);
        }
        let waiting = {
            let mut state = self.state();
            if state.is_closed {
                return Err(Problem::Closed);
            }
            if let Some(kept) = state.kept.pop() {
                return Ok(Lease::new(Arc::clone(self), kept.connection, kept.uses));
            }
            let (waiting, connection) = oneshot::channel();
            state.waiting.push_back(waiting);
            self.connect_if_needed(&mut state);
            connection
        };
        waiting.await.unwrap_or(Err(Problem::Closed))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the pool for another connection, if somebody waits and the limit allows it. The task goes
    /// on when the request that needs it has run into its timeout, which may be shorter than the time
    /// to connect.
    fn connect_if_needed(self: &Arc<Self>, state: &mut State) {
        state.waiting.retain(|waiting| !waiting.is_closed());
        let needs_more = state.waiting.len() > state.connecting;
        let may_connect = !state.is_closed
            && state.open + state.connecting < self.most
            && state.abandoned < self.most.saturating_mul(MOST_ABANDONED);
        if needs_more && may_connect {
            state.connecting += 1;
            self.follow_options(state);
            tokio::spawn(Connecting(Arc::clone(self)).connect());
        }
    }

    /// The application may have changed the options of its pool, for instance the password.
    fn follow_options(&self, state: &mut State) {
        let options = self.source.connect_options();
        let is_known = |known: &Arc<_>| Arc::ptr_eq(known, &options);
        if !state.options.as_ref().is_some_and(is_known) {
            self.pool.set_connect_options(quiet(&options));
            state.options = Some(options);
        }
    }

    pub(crate) fn cannot_connect(&self, error: &sqlx::Error) -> Problem {
        Problem::Connect {
            server: self.server.clone(),
            reason: match error {
                sqlx::Error::PoolTimedOut => {
                    "it does not answer, or has no free connection".to_owned()
                }
                error => error.to_string(),
            },
        }
    }

    /// Nobody waits in vain. If other connections are open, they serve those who wait.
    fn refuse(&self, problem: &Problem) {
        let mut state = self.state();
        if state.open > 0 {
            return;
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for waiting in waiting {
            drop(waiting.send(Err(problem.clone())));
        }
    }

    /// Gives a connection to the next request, or keeps it.
    pub(crate) fn hand_on(self: &Arc<Self>, connection: PoolConnection<Postgres>, uses: u32) {
        if uses >= MOST_USES {
            drop(connection);
            return self.has_left();
        }
        let mut lease = Lease::new(Arc::clone(self), connection, uses);
        loop {
            let mut state = self.state();
            if state.is_closed {
                drop(state);
                lease.close();
                return;
            }
            let Some(waiting) = state.waiting.pop_front() else {
                if let Some((connection, uses)) = lease.into_parts() {
                    let since = Instant::now();
                    state.kept.push(Kept {
                        connection,
                        uses,
                        since,
                    });
                    self.tidy(&mut state);
                }
                return;
            };
            drop(state);
            match waiting.send(Ok(lease)) {
                Err(Ok(back)) => lease = back,
                Ok(()) | Err(Err(_)) => return,
            }
        }
    }

    /// A connection was closed or has returned to the pool.
    pub(crate) fn has_left(self: &Arc<Self>) {
        let mut state = self.state();
        state.open -= 1;
        self.connect_if_needed(&mut state);
    }

    /// Closes a connection when the server has answered, or after a while: closing it does not end
    /// what the server is doing.
    pub(crate) fn abandon(self: &Arc<Self>, mut connection: PgConnection) {
        // Without a runtime, the store is being dropped.
        if let Ok(runtime) = Handle::try_current() {
            self.state().abandoned += 1;
            let abandoned = Abandoned(Arc::clone(self));
            runtime.spawn(async move {
                let answered = timeout(ABANDONED, connection.ping()).await;
                // An error says that it is closed.
                drop((answered, connection, abandoned));
            });
        }
        self.has_left();
    }

    /// Returns all unused connections to the pool, which tests them before it gives them out again:
    /// one of them was broken.
    pub(crate) fn distrust_kept(self: &Arc<Self>) {
        let kept = std::mem::take(&mut self.state().kept);
        self.leave(kept);
    }

    fn leave(self: &Arc<Self>, kept: Vec<Kept>) {
        for kept in kept {
            drop(kept.connection);
            self.has_left();
        }
    }

    fn tidy(self: &Arc<Self>, state: &mut State) {
        if std::mem::replace(&mut state.is_tidying, true) {
            return;
        }
        let connections = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                sleep(KEPT).await;
                let unused = {
                    let mut state = connections.state();
                    let (unused, kept) = std::mem::take(&mut state.kept)
                        .into_iter()
                        .partition(|kept| kept.since.elapsed() >= KEPT);
                    state.kept = kept;
                    state.is_tidying = !state.kept.is_empty();
                    if !state.is_tidying {
                        drop(state);
                        connections.leave(unused);
                        return;
                    }
                    unused
                };
                connections.leave(unused);
            }
        });
    }

    /// Closes the connections when the application closes its pool, or when this future is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let closing = Closing(self);
        closing.0.source.close_event().await;
        closing.0.close();
        closing.0.pool.close().await;
        pending::<()>().await;
    }

    fn close(&self) {
        let (kept, waiting) = {
            let mut state = self.state();
            state.is_closed = true;
            (
                std::mem::take(&mut state.kept),
                std::mem::take(&mut state.waiting),
            )
        };
        for waiting in waiting {
            drop(waiting.send(Err(Problem::Closed)));
        }
        drop(kept);
    }
}

/// Waits for the pool. Dropping it, even by a panic in a hook of the application, frees its place.
struct Connecting(Arc<Connections>);

impl Connecting {
    async fn connect(self) {
        let acquired = self.0.pool.acquire().await;
        let connections = Arc::clone(&self.0);
        match acquired {
            Ok(connection) => {
                connections.state().open += 1;
                drop(self);
                connections.hand_on(connection, 0);
            }
            Err(error) => {
                drop(self);
                connections.refuse(&connections.cannot_connect(&error));
            }
        }
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        self.0.state().connecting -= 1;
    }
}

/// The place of a connection that was given up.
struct Abandoned(Arc<Connections>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.abandoned -= 1;
        self.0.connect_if_needed(&mut state);
    }
}

/// Closes the connections when it is dropped: on the store's thread.
struct Closing(Arc<Connections>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// sqlx would log statements, which contain the ids of sessions.
pub(crate) fn quiet(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().disable_statement_logging()
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("server", &self.server)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}
