//! Sessions in one file, which outlive the process.
//!
//! `database` opens the file, `sealed` is its first sector, `rows` and `ends` are what is in it. One
//! thread makes the changes (`writer`), two look things up (`snapshot`), so that a disk that stands still
//! holds up nobody else.

mod database;
mod ends;
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
    writer::{Change, Finish, write},
};
use super::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
    StoreError, StoreFuture, TokenIdentity,
};

/// How many threads look things up.
const READERS: usize = 2;

/// Somebody's question. Its error is one that nothing can go on after.
type Look = Box<dyn FnOnce(&Snapshot) -> Result<(), StorageError> + Send>;

/// Sessions in one file: for servers of one process whose sessions outlive it.
///
/// What was answered is on the disk, and there after a crash of the process or a loss of power; changes
/// that come at the same time share one write to the disk. One process at a time has the file open.
/// It is read as a whole when it is opened: a file that is damaged, cut off or none of ours
/// is an error then, never an empty store. Once the disk has failed, every answer is an error until
/// the file is opened anew.
///
/// What ended over an hour ago is forgotten, a little with each change, and its room used again; the file
/// becomes smaller when it is opened and more than half of it is free.
///
/// The file holds ids, claims and labels, and no tokens. It is created with mode 0600, and one that belongs
/// to another user, that others have rights on, or that is a symbolic link is refused. An old copy of it
/// brings back what was revoked since: after a loss, begin with no file, not with a backup.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, FileStore};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("flask-pyjwt-doc-{}.redb", std::process::id()));
/// # let config = || Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least");
/// let auth = AuthManager::new(config().session_store(FileStore::open(&path)?))?;
/// let [kept, ended] = [auth.login("alice").await?, auth.login("alice").await?];
/// auth.logout(&ended.auth).await?;
/// assert!(FileStore::open(&path).is_err(), "one at a time");
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
pub struct FileStore {
    // In the order in which they end: the last one closes the file.
    readers: [Worker<Look>; READERS],
    writer: Worker<Change>,
    next: AtomicUsize,
    health: Arc<Health>,
}

impl FileStore {
    /// Opens the file, and creates it where there is none. Its folder has to be there.
    ///
    /// It waits for the disk, and reads all of the file: do it before the server starts. Dropping the
    /// store waits as well, until what was begun is done and the file closed.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when the file is open already, here or in another process;
    /// [`StoreError::NotPrivate`] when it is a symbolic link, belongs to another user, or its mode lets
    /// others read or write it: the message says what to do;
    /// [`StoreError::Corrupt`] when it is damaged, none of ours, or of another version's format;
    /// [`StoreError::Unavailable`] when the disk fails, or does not let it be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        // Should the database panic about a damaged file, that ends a thread and not the server.
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
            let (own, database) = (Arc::clone(&health), Arc::clone(&database));
            let read = move |looks| read(&database, &own, looks);
            Worker::start("sessions-read", Arc::clone(&health), read)
        };
        let readers = [reader()?, reader()?];
        let own = Arc::clone(&health);
        let write = move |changes| write(&database, &own, changes);
        Ok(Self {
            readers,
            writer: Worker::start("sessions-write", Arc::clone(&health), write)?,
            next: AtomicUsize::new(0),
            health,
        })
    }

    /// Makes a change, and answers when it is on the disk.
    async fn change<T: Send + 'static>(
        &self,
        now: Moment,
        abandoned: Abandoned,
        step: impl FnOnce(&mut Rows<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let step = Box::new(move |rows: &mut Rows<'_>| {
            if abandoned == Abandoned::LeaveOut && answer.is_closed() {
                return Ok(None);
            }
            let result = own_fault(step(rows))?;
            Ok(Some(Box::new(move || drop(answer.send(result))) as Finish))
        });
        self.health.check()?;
        self.writer.put(Change { now, step })?;
        answered.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// Looks something up.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Snapshot) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let look = Box::new(move |snapshot: &Snapshot| {
            if !answer.is_closed() {
                drop(answer.send(own_fault(look(snapshot))?));
            }
            Ok(())
        });
        self.health.check()?;
        let next = self.next.fetch_add(1, Ordering::Relaxed) % READERS;
        self.readers[next].put(look)?;
        answered.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// Somebody's job was dropped: the file has failed, whether or not it is noted already.
    fn no_answer(&self) -> StoreError {
        self.health.doubt();
        StoreError::unavailable("the store's file has failed")
    }
}

/// What becomes of a change that nobody waits for any more when its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Abandoned {
    /// It is left out: it would let somebody in, or on, who has not heard of it.
    LeaveOut,
    /// It is made: it shuts somebody out.
    Make,
}

/// Keeps apart what is one caller's error and what is everybody's.
fn own_fault<T>(result: Result<T, Fault>) -> Result<Result<T, StoreError>, StorageError> {
    match result {
        Ok(answer) => Ok(Ok(answer)),
        Err(Fault::Row(error)) => Ok(Err(error)),
        Err(Fault::Disk(error)) => Err(error),
    }
}

/// Answers the questions from one snapshot, taken after the last of them was asked.
fn read(database: &Database, health: &Health, looks: Vec<Look>) {
    if health.check().is_err() {
        return;
    }
    let answer = || {
        let snapshot = Snapshot::of(database)?;
        for look in looks {
            look(&snapshot)?;
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
            self.change(now, Abandoned::LeaveOut, open).await
        })
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        Box::pin(async move {
            let (now, rotation) = (rotation.successor.issued_at, rotation.clone());
            let rotate = move |rows: &mut Rows<'_>| rows.rotate(&rotation);
            self.change(now, Abandoned::LeaveOut, rotate).await
        })
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let token = token.clone();
            self.look(move |snapshot| snapshot.standing(&token, now))
                .await
        })
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let token = token.clone();
            let mark = move |rows: &mut Rows<'_>| rows.mark_used(&token, now);
            self.change(now, Abandoned::Make, mark).await
        })
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, now: Moment) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let revocation = revocation.clone();
            let revoke = move |rows: &mut Rows<'_>| rows.revoke(&revocation, now);
            self.change(now, Abandoned::Make, revoke).await
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
            self.look(move |snapshot| snapshot.sessions(&subject, most, now))
                .await
        })
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").finish_non_exhaustive()
    }
}
