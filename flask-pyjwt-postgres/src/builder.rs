//! Configures a store.

use std::fmt;

use flask_pyjwt_core::{__private::near_cache::Cache, NearCache, store::StoreError};
use sqlx::{PgPool, postgres::PgConnectOptions};
use time::Duration;

use crate::{
    names::Names,
    near::NearSettings,
    problem::Problem,
    store::{PostgresStore, Settings},
    worker::Worker,
};

const DEFAULT_PREFIX: &str = "flask_pyjwt_";
const DEFAULT_CONNECTIONS: u32 = 4;
/// A little less than the default timeout of the manager, so that the manager can log the reason.
const DEFAULT_TIMEOUT: Duration = Duration::milliseconds(200);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::seconds(2);
const DEFAULT_SWEEP_INTERVAL: Duration = Duration::MINUTE;
const MAX_TIMEOUT: Duration = Duration::minutes(1);
const MAX_CONNECTIONS: u32 = 1_000;

/// Configures a [`PostgresStore`]. Created by [`PostgresStore::builder`].
///
/// ```
/// use flask_pyjwt_core::NearCache;
/// use flask_pyjwt_postgres::{PostgresStore, sqlx::PgPool};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = PgPool::connect_lazy("postgres://app:password@127.0.0.1/shop")?;
/// let store = PostgresStore::builder(pool.clone())
///     .schema("auth")
///     .near_cache(NearCache::new())
///     .build()?;
/// # drop(store);
///
/// // A name that has to be escaped is refused.
/// assert!(PostgresStore::builder(pool).schema("auth; --").build().is_err());
/// # Ok(())
/// # }
/// ```
#[must_use = "a store is made by `build`"]
#[derive(Clone)]
pub struct PostgresStoreBuilder {
    pool: PgPool,
    schema: Option<String>,
    prefix: String,
    connections: u32,
    timeout: Duration,
    connect_timeout: Duration,
    sweep_interval: Option<Duration>,
    near_cache: Option<NearCache>,
    near_cache_connection: Option<PgConnectOptions>,
}

impl PostgresStore {
    /// Creates a store in the database of this pool.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the operating system cannot start the store's thread. The
    /// server is not asked yet.
    pub fn new(pool: PgPool) -> Result<Self, StoreError> {
        Self::builder(pool).build()
    }

    /// Returns a builder for other settings than those of [`PostgresStore::new`].
    pub fn builder(pool: PgPool) -> PostgresStoreBuilder {
        PostgresStoreBuilder {
            pool,
            schema: None,
            prefix: DEFAULT_PREFIX.to_owned(),
            connections: DEFAULT_CONNECTIONS,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            sweep_interval: Some(DEFAULT_SWEEP_INTERVAL),
            near_cache: None,
            near_cache_connection: None,
        }
    }
}

impl PostgresStoreBuilder {
    /// Sets the schema of the tables: lower-case letters, digits and underscores. By default, the
    /// tables are found by the `search_path` of the connection.
    ///
    /// Set it in all processes or in none: even if both find the same tables, their changes would not
    /// wait for each other.
    ///
    /// [`PostgresStore::migrate`] creates the schema if it is not there.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Sets what the names of the tables begin with: at most 32 lower-case letters, digits and
    /// underscores. The default is `flask_pyjwt_`.
    ///
    /// Stores with the same schema and prefix share their sessions. Two applications with different
    /// keys need different ones.
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how many connections the store opens at most: 1 to 1,000. The default is 4.
    ///
    /// They are opened with the options and the hooks of the application's pool, and not counted in
    /// its `max_connections`.
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most;
        self
    }

    /// Sets how long a request may take, including the wait for a connection: 1 millisecond to 1
    /// minute. The default is 200 milliseconds.
    ///
    /// Choose a little less than [`Config::store_timeout`](flask_pyjwt_core::Config::store_timeout).
    /// Then the log says what was wrong.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long one attempt to connect may take: 1 millisecond to 1 minute. The default is 2
    /// seconds. Requests do not wait this long.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how often the store removes what ended more than an hour ago. The default is each minute.
    /// `None` leaves it to [`PostgresStore::sweep`].
    pub fn sweep_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.sweep_interval = interval.into();
        self
    }

    /// Answers checks of auth tokens from this process's memory, as long as PostgreSQL says that
    /// nothing has changed. It says so by `NOTIFY`, on one more connection.
    ///
    /// [`PostgresStore::migrate`] then also makes the triggers that announce changes. Until they are
    /// there, and whenever that connection is lost, each check asks PostgreSQL.
    /// [`PostgresStore::near_cache_ready`] says why.
    pub fn near_cache(mut self, settings: NearCache) -> Self {
        self.near_cache = Some(settings);
        self
    }

    /// Sets how to connect to PostgreSQL itself for the announcements, if the pool connects to
    /// PgBouncer or another pooler, which passes no notifications on.
    pub fn near_cache_connection(mut self, options: PgConnectOptions) -> Self {
        self.near_cache_connection = Some(options);
        self
    }

    /// Creates the store.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Its source says which setting is invalid. The server is not asked
    /// yet.
    pub fn build(self) -> Result<PostgresStore, StoreError> {
        let names = Names::new(self.schema.as_deref(), &self.prefix)?;
        let limits = Duration::MILLISECOND..=MAX_TIMEOUT;
        for (name, timeout) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if !limits.contains(&timeout) {
                return Err(Problem::Configuration(format!(
                    "`{name}` must be between 1 millisecond and 1 minute"
                ))
                .into());
            }
        }
        if !(1..=MAX_CONNECTIONS).contains(&self.connections) {
            return Err(Problem::configuration("`connections` must be between 1 and 1,000").into());
        }
        if self.sweep_interval.is_some_and(|it| it < Duration::SECOND) {
            return Err(Problem::configuration("`sweep_interval` must be a second or more").into());
        }
        let cache = self.near_cache.as_ref().map(Cache::new).transpose();
        let cache = cache.map_err(Problem::configuration)?;
        let connect_timeout = self.connect_timeout.unsigned_abs();
        let worker = Worker::start(self.pool.clone(), self.connections, connect_timeout);
        let worker = worker.map_err(StoreError::unavailable)?;
        let settings = Settings {
            timeout: self.timeout.unsigned_abs(),
            sweep_interval: self.sweep_interval.map(Duration::unsigned_abs),
        };
        let near = cache.map(|cache| NearSettings {
            cache,
            source: self.pool,
            direct: self.near_cache_connection,
            connect_timeout,
        });
        Ok(PostgresStore::start(worker, names, settings, near))
    }
}

impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStoreBuilder")
            .field("schema", &self.schema)
            .field("table_prefix", &self.prefix)
            .field("connections", &self.connections)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("sweep_interval", &self.sweep_interval)
            .field("near_cache", &self.near_cache)
            .finish_non_exhaustive()
    }
}
