//! Opens the database file for this process alone, and only if it is complete.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use redb::{Database, DatabaseError, Error, StorageBackend, backends::FileBackend};

use super::{rows::create_tables, sealed::Sealed, snapshot::Snapshot};
use crate::{files, session::StoreError};

/// The maximum size of the database's cache in bytes, which is enough for half a million sessions.
/// The rest is usually in the file cache of the system.
const CACHE: usize = 256 << 20;
/// A file below this size, in bytes, is not compacted.
const SMALL: u64 = 1 << 20;

/// How often opening is attempted while other processes create and remove the file.
const ATTEMPTS: usize = 8;

/// Opens the file. Creates it if it does not exist.
pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    warn_about_folder(path);
    for _ in 0..ATTEMPTS {
        match options().open(path) {
            Ok(file) => return existing(file, path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if path.is_symlink() => return Err(is_link(path, &error)),
            Err(error) => return Err(StoreError::unavailable(error)),
        }
        if let Some(database) = create(path)? {
            return Ok(database);
        }
    }
    let reason = "the file is repeatedly created and removed, or is a link to nothing";
    Err(StoreError::unavailable(reason))
}

/// Whoever can remove the file can undo every revocation. In a directory with the sticky bit, such
/// as `/tmp`, only the file's owner can.
fn warn_about_folder(path: &Path) {
    let mode = folder(path)
        .metadata()
        .map_or(0, |about| files::mode(&about));
    if mode & 0o1002 == 0o002 {
        tracing::warn!(
            "every user of this machine can remove the session file (its folder has mode {mode:04o}): \
             run `chmod o-w` on the folder"
        );
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Options to read and write a file that is not a link: whoever can create a link there must not
/// choose the file.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    options
}

fn is_link(path: &Path, error: &io::Error) -> StoreError {
    StoreError::NotPrivate {
        reason: format!(
            "`{}` is a symbolic link, which is not followed ({error}): use the path of the file itself",
            path.display()
        ),
    }
}

fn lock(file: &File) -> Result<(), StoreError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse,
        TryLockError::Error(error) => StoreError::unavailable(error),
    })
}

/// Checks that no other user can read or change the file. Uses the open file, because its path may
/// refer to another file by now.
fn check_private(file: &File, path: &Path) -> Result<(), StoreError> {
    let about = file.metadata().map_err(StoreError::unavailable)?;
    if !about.is_file() {
        return Err(StoreError::unavailable("it is not a regular file"));
    }
    let refused = |reason: String| Err(StoreError::NotPrivate { reason });
    #[cfg(unix)]
    {
        let (owner, user) = (files::owner(&about), files::own_user());
        let user = user.map_err(StoreError::unavailable)?;
        if owner != user {
            return refused(format!(
                "`{}` belongs to user {owner}, and this process runs as user {user}: run `chown {user}` on it \
                 if nobody else can have changed it, or move it away",
                path.display()
            ));
        }
    }
    let mode = files::mode(&about);
    if mode & 0o077 != 0 {
        return refused(format!(
            "other users have permissions on it (mode {mode:04o}): run `chmod 600 {}`",
            path.display()
        ));
    }
    Ok(())
}

fn existing(file: File, path: &Path) -> Result<Database, StoreError> {
    if let Err(error) = check_private(&file, path) {
        // If this is not a session file, say that first, and not only how to make it private.
        let content = FileBackend::new(file).map_err(refused);
        return Err(match (error, content.and_then(Sealed::open)) {
            (StoreError::NotPrivate { reason }, Err(StoreError::Corrupt { reason: content })) => {
                StoreError::corrupt(format!("{content}; {reason}"))
            }
            (error, _) => error,
        });
    }
    lock(&file)?;
    let length = file.metadata().map_err(StoreError::unavailable)?.len();
    let mut database = open_checked(FileBackend::new(file).map_err(refused)?)?;
    if length > SMALL {
        compact(&mut database, length).map_err(failed)?;
    }
    Ok(database)
}

/// A file next to its final path. It is removed when this is dropped.
struct Temporary(PathBuf);

impl Temporary {
    /// Creates a file with an unpredictable name that only its owner can access.
    fn create(path: &Path) -> Result<(File, Self), StoreError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| StoreError::unavailable(error.to_string()))?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:016x}.new", u64::from_le_bytes(random)));
        let mut options = options();
        // Never opens an existing file or link.
        options.create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&name).map_err(StoreError::unavailable)?;
        let temporary = Self(PathBuf::from(name));
        // The umask may have removed even the owner's permissions.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .map_err(StoreError::unavailable)?;
        check_private(&file, &temporary.0)?;
        Ok((file, temporary))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // If this fails, a file remains that nobody opens.
        let _ = fs::remove_file(&self.0);
    }
}

/// Creates the file under another name and links it to its path when it is complete, so that an
/// incomplete file is never taken for a new one. `None` if another process was faster.
fn create(path: &Path) -> Result<Option<Database>, StoreError> {
    let (file, temporary) = Temporary::create(path)?;
    // The lock holds under both names.
    lock(&file)?;
    let database = fresh(FileBackend::new(file).map_err(refused)?)?;
    // Unlike a rename, this never replaces an existing file.
    match fs::hard_link(&temporary.0, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(StoreError::unavailable(error)),
    }
    drop(temporary);
    sync_folder(path).map_err(StoreError::unavailable)?;
    Ok(Some(database))
}

/// Makes the name of the file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder(path))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Creates an empty database.
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

/// Opens an existing database after checking that it is complete.
pub(super) fn open_checked(backend: impl StorageBackend) -> Result<Database, StoreError> {
    let database = build(Sealed::open(backend)?)?;
    Snapshot::of(&database).map_err(|_| StoreError::corrupt("its tables are missing"))?;
    Ok(database)
}

fn build(backend: Sealed<impl StorageBackend>) -> Result<Database, StoreError> {
    // Checks the whole file, because a damaged page may contain a revocation.
    Database::builder()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)
        .map_err(refused)
}

/// Shrinks the file if more than half of it is free.
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

/// Converts an error of the database.
fn failed(error: Error) -> StoreError {
    match error {
        Error::Corrupted(reason) => StoreError::corrupt(reason),
        Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            StoreError::corrupt("the file ends too early")
        }
        error => StoreError::unavailable(error),
    }
}
