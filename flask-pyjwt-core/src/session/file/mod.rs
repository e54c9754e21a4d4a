//! The session store in one file, for sessions that survive a restart.
//!
//! `database` opens the file and `sealed` protects its first sector. `rows` and `expiry` are its
//! content. One thread makes the changes (`writer`) and two read (`snapshot`), so that a disk that
//! does not respond delays nothing else.

mod database;
mod expiry;
#[cfg(test)]
mod overfull;
mod rows;
mod sealed;
#[cfg(test)]
mod simulated_disk;
mod snapshot;
mod tables;
#[cfg(test)]
mod tests;
mod worker;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use redb::{Database, StorageError};
use tokio::sync::oneshot;

use self::{
    rows::Rows,
    snapshot::Snapshot,
    tables::Fault,
    worker::{Health, Worker},
    writer::{Change, Respond, write},
};
use super::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
    StoreError, StoreFuture, TokenIdentity,
};

/// The number of reader threads.
const READERS: usize = 2;

/// A read operation. Its error makes the whole file unusable.
type Query = Box<dyn FnOnce(&Snapshot) -> Result<(), StorageError> + Send>;

/// Keeps sessions in one file: for a single-process server whose sessions survive a restart.
///
/// An answered change is on disk, and survives a crash of the process and a power loss. Concurrent
/// changes share one write to the disk. Only one process at a time can have the file open. The
/// whole file is checked when it is opened: a damaged, truncated or foreign file is an error, and
/// never an empty store. After a disk error, every answer is an error until the file is opened
/// again.
///
/// What ended more than an hour ago is removed gradually, and its space is used again. The file
/// shrinks when it is opened and more than half of it is free.
///
/// The file contains ids, claims, labels, and addresses and user agents if the logins give them, but
/// no tokens. It is created with mode 0600. A file that belongs to another user, that other users
/// can access, or that is a symbolic link is refused. Do not restore the file from a backup, because
/// that undoes later revocations: start without a file instead.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, FileStore};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("flask-pyjwt-doc-{}.redb", std::process::id()));
/// # let config = || Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
/// let auth = AuthManager::new(config().session_store(FileStore::open(&path)?))?;
/// let [kept, ended] = [auth.login("alice").await?, auth.login("alice").await?];
/// auth.logout(&ended.auth).await?;
/// assert!(FileStore::open(&path).is_err(), "only one process at a time");
/// drop(auth);
///
/// let auth = AuthManager::new(config().session_store(FileStore::open(&path)?))?;
/// assert!(auth.check_revocation(&kept.auth).await.is_ok());
/// assert!(auth.check_revocation(&ended.auth).await.is_err());
/// # drop(auth);
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "blocklist")]
#[doc(alias = "token_in_blocklist_loader")]
pub struct FileStore {
    // Dropped in this order: the last one closes the file.
    readers: [Worker<Query>; READERS],
    writer: Worker<Change>,
    next: AtomicUsize,
    health: Arc<Health>,
}

impl FileStore {
    /// Opens the file. Creates it if it does not exist. Its folder has to exist.
    ///
    /// This waits for the disk and reads the whole file, so call it before the server starts.
    /// Dropping the store waits as well, until running changes are done and the file is closed.
    ///
    /// # Errors
    ///
    /// - [`StoreError::InUse`] if the file is already open, in this process or another one.
    /// - [`StoreError::NotPrivate`] if it is a symbolic link, belongs to another user, or other
    ///   users can read or write it. The message says what to do.
    /// - [`StoreError::Corrupt`] if it is damaged, is not a session file, or has the format of
    ///   another version.
    /// - [`StoreError::Unavailable`] if the disk fails or the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        // If the database panics because of a damaged file, that ends this thread and not the
        // server.
        let opening = thread::Builder::new()
            .name("sessions-open".to_owned())
            .spawn(move || database::open(&path))
            .map_err(StoreError::unavailable)?;
        let database = opening
            .join()
            .unwrap_or_else(|_| Err(StoreError::corrupt("it cannot be read")))?;
        Self::on(database)
    }

    fn on(database: Database) -> Result<Self, StoreError> {
        let database = Arc::new(database);
        let health = Arc::new(Health::default());
        let reader = || {
            let (shared, database) = (Arc::clone(&health), Arc::clone(&database));
            let read = move |queries| read(&database, &shared, queries);
            Worker::start("sessions-read", Arc::clone(&health), read)
        };
        let readers = [reader()?, reader()?];
        let shared = Arc::clone(&health);
        let write = move |changes| write(&database, &shared, changes);
        Ok(Self {
            readers,
            writer: Worker::start("sessions-write", Arc::clone(&health), write)?,
            next: AtomicUsize::new(0),
            health,
        })
    }

    /// Makes a change. Returns when it is on disk.
    async fn change<T: Send + 'static>(
        &self,
        now: Moment,
        abandoned: Abandoned,
        step: impl FnOnce(&mut Rows<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let step = Box::new(move |rows: &mut Rows<'_>| {
            if abandoned == Abandoned::Skip && answer.is_closed() {
                return Ok(None);
            }
            let result = separate_faults(step(rows))?;
            Ok(Some(Box::new(move || drop(answer.send(result))) as Respond))
        });
        self.health.check()?;
        self.writer.put(Change { now, step })?;
        answered.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// Reads from a snapshot.
    async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Snapshot) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let query = Box::new(move |snapshot: &Snapshot| {
            if !answer.is_closed() {
                drop(answer.send(separate_faults(query(snapshot))?));
            }
            Ok(())
        });
        self.health.check()?;
        let next = self.next.fetch_add(1, Ordering::Relaxed) % READERS;
        self.readers[next].put(query)?;
        answered.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// The error after a job was dropped: the file has failed, even if the reason is not recorded
    /// yet.
    fn no_answer(&self) -> StoreError {
        self.health.suspect();
        StoreError::unavailable("the store's file has failed")
    }
}

/// What to do with a change whose caller has gone away before its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Abandoned {
    /// Do not make it: it would open or continue a session that no client knows.
    Skip,
    /// Make it: it ends something.
    Execute,
}

/// Separates errors of one row from errors of the whole file.
fn separate_faults<T>(result: Result<T, Fault>) -> Result<Result<T, StoreError>, StorageError> {
    match result {
        Ok(answer) => Ok(Ok(answer)),
        Err(Fault::Row(error)) => Ok(Err(error)),
        Err(Fault::Disk(error)) => Err(error),
    }
}

/// Answers read operations from one snapshot, taken after all of them were requested.
fn read(database: &Database, health: &Health, queries: Vec<Query>) {
    if health.check().is_err() {
        return;
    }
    let answer = || {
        let snapshot = Snapshot::of(database)?;
        for query in queries {
            query(&snapshot)?;
        }
        Ok::<_, redb::Error>(())
    };
    if let Err(error) = answer() {
        health.fail(&error);
    }
}

impl SessionStore for FileStore {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            let opening = opening.clone();
            let open = move |rows: &mut Rows<'_>| rows.open(&opening, now);
            self.change(now, Abandoned::Skip, open).await
        })
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        Box::pin(async move {
            let (now, rotation) = (rotation.successor.issued_at, rotation.clone());
            let rotate = move |rows: &mut Rows<'_>| rows.rotate(&rotation);
            self.change(now, Abandoned::Skip, rotate).await
        })
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let token = token.clone();
            self.query(move |snapshot| snapshot.standing(&token, now))
                .await
        })
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let token = token.clone();
            let mark = move |rows: &mut Rows<'_>| rows.mark_used(&token, now);
            self.change(now, Abandoned::Execute, mark).await
        })
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            let revocation = revocation.clone();
            let revoke = move |rows: &mut Rows<'_>| rows.revoke(&revocation, now);
            self.change(now, Abandoned::Execute, revoke).await
        })
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        Box::pin(async move {
            let subject = subject.to_owned();
            self.query(move |snapshot| snapshot.sessions(&subject, most, now))
                .await
        })
    }

    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let (subject, sessions) = (subject.to_owned(), sessions.to_owned());
            let adopt = move |rows: &mut Rows<'_>| rows.adopt(&subject, &sessions, now);
            self.change(now, Abandoned::Skip, adopt).await
        })
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").finish_non_exhaustive()
    }
}
