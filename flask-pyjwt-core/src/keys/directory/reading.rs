//! Reads all key files of the folder, with limits on their number and size.
//!
//! The content is read each time, because a file can change without a new length or modification time (`cp -p`, a link
//! with another target).

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use zeroize::Zeroizing;

use super::Name;
use crate::files::{self, LONGEST_KEY};

/// The maximum number of key files. It bounds the time that a reading takes.
const MAX_KEYS: usize = 1_000;
/// The maximum number of directory entries. Other files are ignored, but listing them takes time too.
const MAX_ENTRIES: usize = 20_000;
/// The maximum size of all keys together in bytes.
const MAX_BYTES: usize = 16 << 20;
/// How often the folder is read before a file counts as gone although it is listed.
const ATTEMPTS: usize = 3;

/// The result of reading one file.
pub(super) enum Reading {
    File(Found),
    /// There is no file, or something that is not a file.
    Gone(String),
    /// There may be a file, but it could not be read.
    Unread(String),
}

/// A file with its content.
pub(super) struct Found {
    pub(super) content: Arc<Zeroizing<Vec<u8>>>,
    /// The modification time; `None` if the file changed while it was read.
    pub(super) modified: Option<SystemTime>,
    pub(super) is_readable_by_all: bool,
}

/// Reads all keys of a folder.
///
/// Kubernetes updates a folder by replacing a link to it, and then removes the old folder. If that happens during a
/// reading, listed files are gone, and the reading is repeated.
pub(super) fn read(folder: &Path) -> io::Result<BTreeMap<OsString, Reading>> {
    for _ in 1..ATTEMPTS {
        let readings = attempt(folder)?;
        let is_gone = |reading: &Reading| matches!(reading, Reading::Gone(_));
        if !readings.values().any(is_gone) {
            return Ok(readings);
        }
    }
    attempt(folder)
}

fn attempt(folder: &Path) -> io::Result<BTreeMap<OsString, Reading>> {
    let mut readings = BTreeMap::new();
    let mut bytes = 0;
    for (number, entry) in fs::read_dir(folder)?.enumerate() {
        if number == MAX_ENTRIES {
            return Err(too_much("it has more than 20000 files"));
        }
        let name = entry?.file_name();
        if !Name::is_of_key(&name.to_string_lossy()) {
            continue;
        }
        if readings.len() == MAX_KEYS {
            return Err(too_much("it has more than 1000 keys"));
        }
        let reading = match files::read(&folder.join(&name), LONGEST_KEY) {
            Ok(content) => {
                bytes += content.bytes.len();
                Reading::File(Found {
                    content: Arc::new(content.bytes),
                    modified: content.modified,
                    is_readable_by_all: content.is_readable_by_all,
                })
            }
            // A subfolder is not a key, whatever its name.
            Err(error) if error.kind() == ErrorKind::IsADirectory => continue,
            Err(error) => {
                let reason = format!("cannot be read: {error}");
                if is_gone(&error) {
                    Reading::Gone(reason)
                } else {
                    Reading::Unread(reason)
                }
            }
        };
        if bytes > MAX_BYTES {
            return Err(too_much("its keys are larger than 16 MiB together"));
        }
        readings.insert(name, reading);
    }
    Ok(readings)
}

/// Returns whether the error means that there is no file to read: nothing, something that is not a file, or a link
/// without a target.
fn is_gone(error: &io::Error) -> bool {
    use ErrorKind::{InvalidInput, NotADirectory, NotFound};
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ELOOP) {
        return true;
    }
    matches!(error.kind(), NotFound | NotADirectory | InvalidInput)
}

fn too_much(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}
