//! One reading of the folder: every key's file with its content, within bounds.
//!
//! The content is read each time. Its length and time of modification can stay the same when it changes
//! (`cp -p`, a link that points elsewhere).

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

/// More files than anybody has keys, and no more than can be read in a moment.
const MOST_KEYS: usize = 1_000;
/// Other files are left alone, and are still named by the system one by one.
const MOST_ENTRIES: usize = 20_000;
/// All keys together, in bytes.
const MOST_BYTES: usize = 16 << 20;
/// How often the folder is read before a file counts as gone that is listed and not there.
const ATTEMPTS: usize = 3;

/// What is known of the file of one name.
pub(super) enum Reading {
    File(Found),
    /// Nothing is there, or something that is no file.
    Gone(String),
    /// A file may be there, and what is in it is not known.
    Unread(String),
}

/// A file that was read.
pub(super) struct Found {
    pub(super) content: Arc<Zeroizing<Vec<u8>>>,
    /// `None` where it changed while it was read.
    pub(super) modified: Option<SystemTime>,
    pub(super) is_readable_by_all: bool,
}

/// Reads all keys of a folder.
///
/// When Kubernetes puts a link to a new folder in the place of the old one, a reading can begin in the old
/// one, which is gone before it ends: then it begins anew.
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
        if number == MOST_ENTRIES {
            return Err(too_much("it has more than 20000 files"));
        }
        let name = entry?.file_name();
        if !Name::is_of_key(&name.to_string_lossy()) {
            continue;
        }
        if readings.len() == MOST_KEYS {
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
            // Folders were never keys, whatever they are called.
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
        if bytes > MOST_BYTES {
            return Err(too_much("its keys have more than 16 MiB"));
        }
        readings.insert(name, reading);
    }
    Ok(readings)
}

/// Whether nothing is there that could be read another time: no file, something else than a file, or a link
/// that leads nowhere.
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
