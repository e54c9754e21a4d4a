//! Listens to the changes that PostgreSQL announces.
//!
//! PostgreSQL delivers notifications in the order in which their transactions have committed. So
//! when a notification of this connection to itself has come back, everything that was committed
//! before it was sent has been heard. That is the sign of life for which the near cache waits. At the
//! same time, the connections of the store are asked whether they still lead to the same server.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use flask_pyjwt_core::{
    __private::near_cache::{Cache, Subscription},
    store::StoreError,
};
use sqlx::{
    AssertSqlSafe, Executor as _, PgPool, Row as _,
    postgres::{PgConnectOptions, PgListener, PgNotification},
    raw_sql,
};
use tokio::{
    task::JoinHandle,
    time::{Duration, sleep, sleep_until, timeout},
};

use crate::{
    announced::{Follower, Gone, Line, State},
    announcements::{self, Announced, channel},
    connections::{Connections, quiet},
    database::Database,
    names::Names,
    problem::Problem,
};

/// A setting that the listening connection begins with. Only PostgreSQL itself keeps it.
const MARK: &str = "flask_pyjwt.listener";
/// How many signs of life are asked for in the time of which one suffices.
const SIGNS_OF_LIFE: u32 = 4;
/// How long to wait before the next attempt to connect. The wait doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// What the follower needs.
pub(crate) struct Following {
    pub(crate) follower: Arc<Follower>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) source: PgPool,
    /// For databases behind a pooler, which passes no notifications on.
    pub(crate) direct: Option<PgConnectOptions>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) names: Arc<Names>,
    pub(crate) connect_timeout: Duration,
}

/// A connection that listens.
struct Listening {
    listener: PgListener,
    /// The channel of the signs of life.
    own: String,
    line: Line,
}

/// A sign of life that was asked for.
struct Asked {
    at: Instant,
    number: u64,
    is_heard: bool,
    /// Asks the store's own connections where they lead.
    identity: Option<JoinHandle<Result<String, StoreError>>>,
}

impl Following {
    /// Listens until the store is dropped.
    pub(crate) async fn follow(self) {
        let _gone = Gone(&self.follower);
        let mut pause = FIRST_PAUSE;
        let mut is_told = false;
        loop {
            let attempt = self.follower.attempts.fetch_add(1, Ordering::SeqCst) + 1;
            if self.source.is_closed() {
                self.set(attempt, Err(Problem::Closed));
                self.follower.awaited.notified().await;
                continue;
            }
            let problem = match timeout(self.connect_timeout, self.open()).await {
                Ok(Ok(mut listening)) => {
                    if is_told {
                        tracing::info!(
                            "PostgreSQL announces changes again, and checks are answered from the near cache"
                        );
                    }
                    pause = FIRST_PAUSE;
                    is_told = false;
                    let subscription = Arc::clone(&listening.line.0);
                    let ended = Ended(&subscription);
                    self.set(attempt, Ok(listening.line.clone()));
                    let problem = self.keep(&mut listening).await;
                    drop(ended);
                    problem
                }
                Ok(Err(problem)) => problem,
                Err(_) => self.silent(self.connect_timeout),
            };
            if !is_told {
                tracing::warn!(
                    %problem,
                    "PostgreSQL does not announce changes: each check asks it, and none is answered from the near cache"
                );
                is_told = true;
            }
            self.set(attempt, Err(problem));
            tokio::select! {
                () = sleep(pause) => {}
                () = self.follower.awaited.notified() => {}
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    fn set(&self, attempt: u64, result: Result<Line, Problem>) {
        let state = State { attempt, result };
        self.follower.state.send_replace(state);
    }

    fn silent(&self, within: Duration) -> Problem {
        Problem::Silent {
            server: self.connections.server().to_owned(),
            milliseconds: within.as_millis(),
        }
    }

    fn problem(&self, error: &sqlx::Error) -> Problem {
        Problem::of(error, self.connections.server())
    }

    /// Connects, listens, and waits for the first sign of life.
    async fn open(&self) -> Result<Listening, Problem> {
        let mark = format!("{:016x}", random());
        let options = match &self.direct {
            Some(options) => quiet(options),
            None => quiet(&self.source.connect_options()),
        };
        let options = options.options([(MARK, &mark)]);
        let pool = self.source.options().clone();
        let pool = pool
            .max_connections(1)
            .min_connections(0)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(self.connect_timeout)
            .connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool)
            .await
            .map_err(|error| self.cannot_connect(&error))?;
        listener.eager_reconnect(false);
        self.check_direct(&mut listener, &mark).await?;
        let changes = channel(&self.names);
        let own = format!("{changes}_{:016x}", random());
        let listening = listener.listen_all([&*changes, &*own]).await;
        listening.map_err(|error| self.problem(&error))?;

        let at = Instant::now();
        self.send(&mut listener, &own, 0).await?;
        let within = self.cache.max_silence() / 2;
        let hearing = async {
            loop {
                let heard = self.hear(&mut listener).await?;
                if heard.channel() == own && heard.payload() == "0" {
                    return Ok(());
                }
            }
        };
        let heard = timeout(within, hearing).await;
        heard.map_err(|_| Problem::NoNotifications)??;
        let identity = self.identity(within).await;
        let identity = identity.map_err(|error| Problem::Unannounced(reason(&error)))?;
        let question = raw_sql(AssertSqlSafe(announcements::question(&self.names)));
        let here = listener.fetch_one(question).await;
        let here = here.and_then(|row| row.try_get::<String, _>(0));
        if here.map_err(|error| self.problem(&error))? != identity {
            return Err(Problem::Moved);
        }
        // Nothing is kept yet that a change until now could make wrong.
        let line = (self.cache.subscribe(at), identity.into());
        Ok(Listening {
            listener,
            own,
            line,
        })
    }

    /// A pooler refuses a setting that it does not know, or drops it.
    fn cannot_connect(&self, error: &sqlx::Error) -> Problem {
        if error.to_string().contains("startup parameter") {
            return Problem::NoNotifications;
        }
        self.connections.cannot_connect(error)
    }

    /// # Errors
    ///
    /// If the connection leads to a pooler. It would not only lose notifications: it would hand them
    /// to whoever gets the listening connection next, and sqlx takes them for a broken answer.
    async fn check_direct(&self, listener: &mut PgListener, mark: &str) -> Result<(), Problem> {
        let question = format!("SELECT coalesce(current_setting('{MARK}', true), '') = '{mark}'");
        let answer = listener.fetch_one(raw_sql(AssertSqlSafe(question))).await;
        match answer.and_then(|row| row.try_get(0)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::NoNotifications),
            Err(error) => Err(self.problem(&error)),
        }
    }

    /// Where the store's own connections lead.
    fn identity(
        &self,
        within: Duration,
    ) -> impl Future<Output = Result<String, StoreError>> + Send + 'static {
        let (connections, names) = (Arc::clone(&self.connections), Arc::clone(&self.names));
        let database = Database::new(connections, names, within);
        async move { database.identity().await }
    }

    async fn hear(&self, listener: &mut PgListener) -> Result<PgNotification, Problem> {
        match listener.try_recv().await {
            Ok(Some(notification)) => Ok(notification),
            Ok(None) => Err(Problem::Broken {
                server: self.connections.server().to_owned(),
                reason: "it was closed".to_owned(),
            }),
            Err(error) => Err(self.problem(&error)),
        }
    }

    async fn send(&self, listener: &mut PgListener, own: &str, number: u64) -> Result<(), Problem> {
        let notify = AssertSqlSafe(format!("NOTIFY \"{own}\", '{number}'"));
        let within = self.cache.max_silence();
        match timeout(within, listener.execute(notify)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.problem(&error)),
            Err(_) => Err(self.silent(within)),
        }
    }

    /// Handles what is announced, until the connection is lost. Returns why it is.
    async fn keep(&self, listening: &mut Listening) -> Problem {
        let max_silence = self.cache.max_silence();
        let pause = max_silence / SIGNS_OF_LIFE;
        let Listening {
            listener,
            own,
            line: (subscription, identity),
        } = listening;
        let mut asked: Option<Asked> = None;
        let mut number = 0;
        let mut next = tokio::time::Instant::now() + pause;
        loop {
            let asking = asked.as_mut().and_then(|it| it.identity.as_mut());
            tokio::select! {
                heard = self.hear(listener) => {
                    let heard = match heard {
                        Ok(heard) => heard,
                        Err(problem) => return problem,
                    };
                    if heard.channel() != own {
                        match Announced::parse(heard.payload()) {
                            Announced::Changed(key) => self.cache.forget(key.bytes()),
                            Announced::Everything => subscription.forget_all(),
                        }
                    } else if let Some(asked) = &mut asked {
                        asked.is_heard |= heard.payload().parse() == Ok(asked.number);
                    }
                }
                told = async { asking.expect("there is one").await }, if asking.is_some() => {
                    match told {
                        Ok(Ok(now)) if *now == **identity => {}
                        Ok(Ok(_)) => return Problem::Moved,
                        Ok(Err(error)) => return Problem::Unannounced(reason(&error)),
                        Err(_) => return Problem::Ended,
                    }
                    if let Some(asked) = &mut asked {
                        asked.identity = None;
                    }
                }
                () = self.follower.lost.notified() => return Problem::Moved,
                () = sleep_until(next) => {
                    next = tokio::time::Instant::now() + pause;
                    if asked.is_some() {
                        // It is late. The subscription ends by itself if it does not come.
                        if !subscription.is_alive(Instant::now()) {
                            return self.silent(max_silence);
                        }
                        continue;
                    }
                    number += 1;
                    let at = Instant::now();
                    if let Err(problem) = self.send(listener, own, number).await {
                        return problem;
                    }
                    let identity = Some(tokio::spawn(self.identity(max_silence)));
                    asked = Some(Asked { at, number, is_heard: false, identity });
                }
            }
            let is_there = |it: &mut Asked| it.is_heard && it.identity.is_none();
            if let Some(asked) = asked.take_if(is_there)
                && !subscription.confirm(asked.at, Instant::now())
            {
                return self.silent(max_silence);
            }
        }
    }
}

/// Ends a subscription when it is dropped, even with its task.
struct Ended<'a>(&'a Subscription);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The reason of an error, without what every error says.
fn reason(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// A number that no other listener has.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}
