//! The store.

use std::{
    fmt,
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use flask_pyjwt_core::store::{
    Moment, NearCacheCounts, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore,
    Standing, StoreError, StoreFuture, TokenIdentity,
};

use crate::{
    database::Database,
    literal::Key,
    names::Names,
    near::{Near, NearSettings},
    problem::Problem,
    schema,
    sweep::{LatestTime, PAUSE},
    worker::Worker,
};

/// How long a migration or one batch of a sweep may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps sessions in PostgreSQL 13 or later: for deployments with several processes that have a
/// database and no Redis.
///
/// A check is one statement. A login and a revocation are one transaction each, in one message, and
/// a rotation is one statement and one such transaction. Concurrent processes need nothing but the
/// isolation level `READ COMMITTED`, which the store sets itself. Sessions that have ended are
/// removed in small batches.
///
/// The store opens its own connections, with the options and hooks of the pool, so that no query of
/// the application delays the check of a token. It prepares no statements and sends each request as
/// one message, so it works behind PgBouncer in every mode.
///
/// The store fails closed when PostgreSQL does not answer. A server that is down, hangs or is a
/// replica gives an error, and so does a full disk for changes. An acknowledged change is on the disk,
/// even with `synchronous_commit = off`, unless `fsync` is off. A failover undoes the changes that
/// the new primary does not have, unless replication is synchronous.
///
/// ```no_run
/// use flask_pyjwt_core::{AuthManager, AuthType, Config};
/// use flask_pyjwt_postgres::{PostgresStore, sqlx::PgPool};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = PgPool::connect("postgres://app:password@127.0.0.1/shop").await?;
/// let store = PostgresStore::new(pool)?;
/// store.migrate().await?;
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(store);
/// let auth = AuthManager::new(config)?;
///
/// let pair = auth.login("alice").await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_ok());
/// auth.logout(&pair.auth).await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "blocklist")]
#[doc(alias = "token_in_blocklist_loader")]
#[doc(alias = "PostgreSQL")]
pub struct PostgresStore {
    // Before the thread, on which its connection is closed.
    near: Option<Near>,
    worker: Worker,
    names: Arc<Names>,
    timeout: Duration,
    latest: Arc<LatestTime>,
}

/// Settings of a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) timeout: Duration,
    pub(crate) sweep_interval: Option<Duration>,
}

impl PostgresStore {
    pub(crate) fn start(
        worker: Worker,
        names: Names,
        settings: Settings,
        near: Option<NearSettings>,
    ) -> Self {
        let names = Arc::new(names);
        let near = near.map(|near| Near::start(near, &worker, &names, settings.timeout));
        let store = Self {
            near,
            worker,
            names,
            timeout: settings.timeout,
            latest: Arc::new(LatestTime::new()),
        };
        if let Some(interval) = settings.sweep_interval {
            let (databases, latest) = (store.databases(), Arc::clone(&store.latest));
            store.worker.spawn(async move {
                loop {
                    tokio::time::sleep(interval).await;
                    if let Err(error) = sweep(&databases, latest.get()).await {
                        tracing::warn!("PostgresStore did not remove what has ended: {error:?}");
                    }
                }
            });
        }
        store
    }

    /// Makes the tables, if they are not there. Can be called repeatedly, and by several processes at
    /// once.
    ///
    /// The database user needs the right to create tables in the schema, unless the tables are there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Its source says why.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let has_near_cache = self.near.is_some();
        self.run(PATIENCE, move |database| async move {
            database.migrate(has_near_cache).await
        })
        .await
    }

    /// Returns the SQL that [`migrate`](Self::migrate) runs, for those who run migrations with
    /// another tool. Run it as one transaction.
    #[must_use]
    pub fn migration(&self) -> String {
        schema::migration(&self.names, self.near.is_some())
    }

    /// Removes everything that ended an hour before `now` or earlier, and returns how many rows that
    /// were. The store does this by itself, unless that is switched off.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. What was removed until then stays removed.
    pub async fn sweep(&self, now: impl Into<Moment>) -> Result<u64, StoreError> {
        let now = now.into();
        let databases = self.databases();
        self.worker
            .run(async move { sweep(&databases, now).await })
            .await
    }

    /// Waits until PostgreSQL announces changes to the near cache, or has failed to.
    ///
    /// Checks need not wait for this. Until then they ask PostgreSQL.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Its source says why: for instance the triggers are not there,
    /// or the connection leads to a pooler.
    pub async fn near_cache_ready(&self) -> Result<(), StoreError> {
        let near = self.near.as_ref().ok_or(Problem::NoNearCache)?;
        Ok(near.follower.ready().await?)
    }

    /// What the near cache has counted. `None` for a store without one.
    #[must_use]
    pub fn near_cache_counts(&self) -> Option<NearCacheCounts> {
        self.near
            .as_ref()
            .map(|near| near.questions.cache().counts())
    }

    /// For each transaction of a sweep.
    fn databases(&self) -> impl Fn() -> Database + Send + Sync + 'static {
        let connections = Arc::clone(self.worker.connections());
        let names = Arc::clone(&self.names);
        move || Database::new(Arc::clone(&connections), Arc::clone(&names), PATIENCE)
    }

    /// Runs a step that changes a subject. The near cache of this process forgets the subject before
    /// the change is sent, and again before the caller knows the result.
    async fn change<T, Step>(
        &self,
        key: Key,
        step: impl FnOnce(Database) -> Step,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Step: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let cache = self
            .near
            .as_ref()
            .map(|near| Arc::clone(near.questions.cache()));
        self.run(self.timeout, move |database| {
            let step = step(database);
            async move {
                let changing = cache.map(|cache| cache.changing(key.bytes()));
                let result = step.await;
                drop(changing);
                result
            }
        })
        .await
    }

    /// Runs a step on the store's thread.
    async fn run<T, Step>(
        &self,
        timeout: Duration,
        step: impl FnOnce(Database) -> Step,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Step: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let connections = Arc::clone(self.worker.connections());
        let database = Database::new(connections, Arc::clone(&self.names), timeout);
        self.worker.run(step(database)).await
    }
}

/// Sweeps in small transactions.
async fn sweep(databases: &impl Fn() -> Database, now: Moment) -> Result<u64, StoreError> {
    let mut removed = 0;
    loop {
        let swept = databases().sweep_batch(now).await?;
        removed += swept.removed;
        if !swept.is_whole {
            return Ok(removed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl SessionStore for PostgresStore {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.latest.set(now);
        let opening = opening.clone();
        let key = Key::of(&opening.session.subject);
        Box::pin(self.change(key, move |database| async move {
            database.open(&opening, now).await
        }))
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.latest.set(rotation.successor.issued_at);
        let rotation = rotation.clone();
        let key = Key::of(&rotation.subject);
        Box::pin(self.change(key, move |database| async move {
            database.rotate(&rotation).await
        }))
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.latest.set(now);
        let near = self.near.as_ref();
        let near = near.map(|near| (&near.questions, Key::of(&token.subject)));
        if let Some((questions, key)) = &near
            && let Some(standing) = questions.hit(key.bytes(), token, now)
        {
            return Box::pin(ready(Ok(standing)));
        }
        Box::pin(async move {
            if let Some((questions, key)) = near
                && let Some(standing) = questions.standing(key.bytes(), token, now).await?
            {
                return Ok(standing);
            }
            let token = token.clone();
            let step =
                move |database: Database| async move { database.standing(&token, now).await };
            self.run(self.timeout, step).await
        })
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        let token = token.clone();
        let key = Key::of(&token.subject);
        Box::pin(self.change(key, move |database| async move {
            database.mark_used(&token, now).await
        }))
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        let revocation = revocation.clone();
        let key = Key::of(revocation.subject());
        Box::pin(self.change(key, move |database| async move {
            database.revoke(&revocation, now).await
        }))
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        let subject = subject.to_owned();
        Box::pin(self.run(self.timeout, move |database| async move {
            database.sessions(&subject, most, now).await
        }))
    }

    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        let (subject, sessions) = (subject.to_owned(), sessions.to_vec());
        Box::pin(self.change(Key::of(&subject), move |database| async move {
            database.adopt(&subject, &sessions, now).await
        }))
    }

    fn first_use<'a>(
        &'a self,
        id: &'a str,
        ends_at: Moment,
        now: Moment,
    ) -> StoreFuture<'a, Option<bool>> {
        self.latest.set(now);
        let id = id.to_owned();
        Box::pin(self.run(self.timeout, move |database| async move {
            database.first_use(&id, ends_at).await.map(Some)
        }))
    }
}

/// Shows the address without credentials.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("connections", self.worker.connections())
            .field("sessions", &self.names.sessions)
            .finish_non_exhaustive()
    }
}
