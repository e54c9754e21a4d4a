//! Opening the file: one process, all of it whole, or an error.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use redb::{Database, DatabaseError, Error, StorageBackend, backends::FileBackend};

use super::{rows::create_tables, sealed::Sealed, snapshot::Snapshot};
use crate::session::StoreError;

/// How much of the file is kept in memory at the most, in bytes: half a million sessions. What is not
/// is in the system's own cache, mostly.
const CACHE: usize = 256 << 20;
/// A file below this size is left as it is, in bytes.
const SMALL: u64 = 1 << 20;

/// Opens the file, and creates it where there is none.
pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    loop {
        match options().open(path) {
            Ok(file) => return existing(file),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::unavailable(error)),
        }
        if let Some(database) = create(path)? {
            return Ok(database);
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    // Who is logged in, and as what, is nobody else's to read.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn lock(file: &File) -> Result<(), StoreError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse,
        TryLockError::Error(error) => StoreError::unavailable(error),
    })
}

fn existing(file: File) -> Result<Database, StoreError> {
    lock(&file)?;
    let length = file.metadata().map_err(StoreError::unavailable)?.len();
    let mut database = whole(FileBackend::new(file).map_err(refused)?)?;
    if length > SMALL {
        compact(&mut database, length).map_err(failed)?;
    }
    Ok(database)
}

/// Creates the file beside its place and puts it there when it is whole, so that a file in that
/// place, however short, is never taken for a new one. `None` when somebody else was faster.
fn create(path: &Path) -> Result<Option<Database>, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let file = options()
        .create(true)
        .truncate(false)
        .open(&new)
        .map_err(StoreError::unavailable)?;
    // It stays locked from now on, in either place.
    lock(&file)?;
    if path.try_exists().map_err(StoreError::unavailable)? {
        // Where there is a file in its place, nobody needs the other one.
        let _ = fs::remove_file(&new);
        return Ok(None);
    }
    // What a process that was ended at this point has left.
    file.set_len(0).map_err(StoreError::unavailable)?;
    let database = fresh(FileBackend::new(file).map_err(refused)?)?;
    fs::rename(&new, path)
        .and_then(|()| sync_folder(path))
        .map_err(StoreError::unavailable)?;
    Ok(Some(database))
}

/// Makes the file's name durable too.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// An empty database.
pub(super) fn fresh(backend: impl StorageBackend) -> Result<Database, StoreError> {
    let database = build(Sealed::create(backend))?;
    let tables = || -> Result<(), Error> {
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        create_tables(&transaction)?;
        Ok(transaction.commit()?)
    };
    tables().map_err(failed)?;
    Ok(database)
}

/// The database in a file that has been one: all of it, as it was written.
pub(super) fn whole(backend: impl StorageBackend) -> Result<Database, StoreError> {
    let database = build(Sealed::open(backend)?)?;
    Snapshot::of(&database).map_err(|_| StoreError::corrupt("its tables are not there"))?;
    Ok(database)
}

fn build(backend: Sealed<impl StorageBackend>) -> Result<Database, StoreError> {
    // All of the file is read: what a damaged page leaves out may be a revocation.
    Database::builder()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)
        .map_err(refused)
}

/// Gives back what the file has grown by, if more than half of it is free.
pub(super) fn compact(database: &mut Database, length: u64) -> Result<(), Error> {
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    let used = stats.allocated_pages() * stats.page_size() as u64;
    if used < length / 2 {
        database.compact()?;
    }
    Ok(())
}

fn refused(error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse,
        error => failed(error.into()),
    }
}

/// What the database says of itself, in our words.
fn failed(error: Error) -> StoreError {
    match error {
        Error::Corrupted(reason) => StoreError::corrupt(reason),
        Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            StoreError::corrupt("the file ends too early")
        }
        error => StoreError::unavailable(error),
    }
}
