//! Opening the file: one process, all of it whole, or an error.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use redb::{Database, DatabaseError, Error, StorageBackend, backends::FileBackend};

use super::{rows::create_tables, sealed::Sealed, snapshot::Snapshot};
use crate::{files, session::StoreError};

/// How much of the file is kept in memory at the most, in bytes: half a million sessions. What is not
/// is in the system's own cache, mostly.
const CACHE: usize = 256 << 20;
/// A file below this size is left as it is, in bytes.
const SMALL: u64 = 1 << 20;

/// How often it is tried while others create and remove the file at the same time.
const ATTEMPTS: usize = 8;

/// Opens the file, and creates it where there is none.
pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    warn_of_folder(path);
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
    let reason = "it is created and removed again and again, or is a link to nothing";
    Err(StoreError::unavailable(reason))
}

/// Whoever can remove the file makes every revocation undone. In a folder with the sticky bit, such as `/tmp`,
/// only its owner can.
fn warn_of_folder(path: &Path) {
    let mode = folder(path)
        .metadata()
        .map_or(0, |about| files::mode(&about));
    if mode & 0o1002 == 0o002 {
        tracing::warn!(
            "every user of this machine can remove the file of sessions (its folder has mode {mode:04o}): \
             `chmod o-w` the folder"
        );
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// To read and write a file that is no link: whoever may put one there must not choose the file.
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
            "`{}` is a symbolic link, which is not followed ({error}): give the path of the file itself",
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

/// Who is logged in, and as what, is nobody else's to read, and even less to change. This asks the open
/// file: its path can name another one by now.
fn check_private(file: &File, path: &Path) -> Result<(), StoreError> {
    let about = file.metadata().map_err(StoreError::unavailable)?;
    if !about.is_file() {
        return Err(StoreError::unavailable("it is no regular file"));
    }
    let refused = |reason: String| Err(StoreError::NotPrivate { reason });
    #[cfg(unix)]
    {
        let (owner, own) = (files::owner(&about), files::own_user());
        let own = own.map_err(StoreError::unavailable)?;
        if owner != own {
            return refused(format!(
                "`{}` belongs to user {owner}, and this process is user {own}: `chown {own}` it if nobody \
                 else can have written to it, or move it away",
                path.display()
            ));
        }
    }
    let mode = files::mode(&about);
    if mode & 0o077 != 0 {
        return refused(format!(
            "others have rights on it (mode {mode:04o}): `chmod 600 {}`",
            path.display()
        ));
    }
    Ok(())
}

fn existing(file: File, path: &Path) -> Result<Database, StoreError> {
    if let Err(error) = check_private(&file, path) {
        // Whoever has the wrong file needs to know that, and not how to make it private.
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
    let mut database = whole(FileBackend::new(file).map_err(refused)?)?;
    if length > SMALL {
        compact(&mut database, length).map_err(failed)?;
    }
    Ok(database)
}

/// A file beside the one that it becomes. It is removed when this is dropped.
struct Temporary(PathBuf);

impl Temporary {
    /// Creates a file of a name that nobody could foresee, for its owner alone.
    fn create(path: &Path) -> Result<(File, Self), StoreError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| StoreError::unavailable(error.to_string()))?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:016x}.new", u64::from_le_bytes(random)));
        let mut options = options();
        // Never opens what is there, be it a file or a link.
        options.create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&name).map_err(StoreError::unavailable)?;
        let temporary = Self(PathBuf::from(name));
        // A umask can have taken away even the owner's rights.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .map_err(StoreError::unavailable)?;
        check_private(&file, &temporary.0)?;
        Ok((file, temporary))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Where this fails, a file is left that nobody opens.
        let _ = fs::remove_file(&self.0);
    }
}

/// Creates the file beside its place and puts it there when it is whole, so that a file in that
/// place, however short, is never taken for a new one. `None` when somebody else was faster.
fn create(path: &Path) -> Result<Option<Database>, StoreError> {
    let (file, temporary) = Temporary::create(path)?;
    // It stays locked from now on, under either name.
    lock(&file)?;
    let database = fresh(FileBackend::new(file).map_err(refused)?)?;
    // Unlike renaming, this never replaces what is there.
    match fs::hard_link(&temporary.0, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(StoreError::unavailable(error)),
    }
    drop(temporary);
    sync_folder(path).map_err(StoreError::unavailable)?;
    Ok(Some(database))
}

/// Makes the file's name durable too.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder(path))?.sync_all()?;
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
