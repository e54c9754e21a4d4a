//! Files that the server trusts: read within bounds and without waiting, and who else may change them.
//!
//! Everything is asked of the open file, and nothing of its path, which can name another file a moment
//! later.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read as _},
    path::Path,
    time::SystemTime,
};

use zeroize::Zeroizing;

use crate::error::Problem;

/// The longest file of a key or secret, in bytes.
pub(crate) const LONGEST_KEY: usize = 64 * 1024;

/// UTF-8's byte order mark, which some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file that was read.
pub(crate) struct Content {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// When the content last changed; `None` where that happened while it was read.
    pub(crate) modified: Option<SystemTime>,
    /// Whether every user of the machine can read it.
    pub(crate) is_readable_by_all: bool,
    pub(crate) about: Metadata,
}

/// Reads a regular file of at most `longest` bytes. Links are followed, as Kubernetes mounts secrets.
///
/// A pipe or a device is an error, since reading one can last for ever. A file that every user of the
/// machine can write to is an error as well: whoever can write to it chooses the server's keys.
/// (Kubernetes and Docker mount secrets that all can read: only that is allowed.)
pub(crate) fn read(path: &Path, longest: usize) -> io::Result<Content> {
    let file = open(path)?;
    let before = file.metadata()?;
    check_kind(&before)?;
    let mode = mode(&before);
    if mode & 0o002 != 0 {
        let reason = format!(
            "every user can write to it (mode {mode:04o}): `chmod o-w` it; where the file system \
             keeps no modes, set them in the mount's options"
        );
        return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
    }
    let expected = usize::try_from(before.len()).unwrap_or(longest);
    // With room for one byte more the buffer does not grow, which would leave copies in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected.min(longest) + 1));
    (&file).take(longest as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        let reason = format!("it is longer than {} KiB", longest / 1024);
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    let after = file.metadata()?;
    let modified = after.modified()?;
    let is_still = before.modified()? == modified && after.len() == before.len();
    Ok(Content {
        bytes,
        modified: is_still.then_some(modified),
        is_readable_by_all: mode & 0o004 != 0,
        about: after,
    })
}

/// Opens a file to read it. Opening a pipe does not wait for whoever writes to it.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    // What cannot even be opened, such as a socket, is told by its kind.
    options.open(path).map_err(|error| {
        let about = std::fs::metadata(path);
        about
            .map_or(None, |about| check_kind(&about).err())
            .unwrap_or(error)
    })
}

fn check_kind(about: &Metadata) -> io::Result<()> {
    if about.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    if !about.is_file() {
        let reason = "it is a pipe, a socket or a device, and has to be a regular file";
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    Ok(())
}

/// The permission bits; where there are none, those of a file that is its owner's alone.
pub(crate) fn mode(about: &Metadata) -> u32 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::mode(about) & 0o7777;
    #[cfg(not(unix))]
    return if about.is_dir() { 0o700 } else { 0o600 };
}

/// The user of a file.
#[cfg(unix)]
pub(crate) fn owner(about: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(about)
}

/// The user that this process creates files as.
#[cfg(unix)]
pub(crate) fn own_user() -> io::Result<u32> {
    // The standard library does not tell it, but that of a file; a new pipe belongs to its maker.
    let (reader, _writer) = io::pipe()?;
    let file = File::from(std::os::fd::OwnedFd::from(reader));
    Ok(owner(&file.metadata()?))
}

/// The secret or key in a file: all of it but one line break at the end, which is the editor's.
///
/// # Errors
///
/// Says how a text is encoded whose bytes are not what its author sees.
pub(crate) fn secret(content: &[u8]) -> Result<&[u8], Problem> {
    if is_utf_16(content) {
        return Err(Problem::new(
            "is text in UTF-16: save it as UTF-8 without a byte order mark",
        ));
    }
    if let Some(text) = content.strip_prefix(BYTE_ORDER_MARK)
        && let Ok(text) = str::from_utf8(text)
        // A PEM reader skips whatever is before the key.
        && !text.contains("-----BEGIN ")
    {
        return Err(Problem::new(
            "begins with a byte order mark, which would be part of the secret: save it as UTF-8 without one",
        ));
    }
    let line = content.strip_suffix(b"\n").unwrap_or(content);
    Ok(line.strip_suffix(b"\r").unwrap_or(line))
}

/// A text without the byte order mark before it, and whether there was one.
pub(crate) fn without_mark(text: &str) -> (&str, bool) {
    let plain = text.trim_start_matches('\u{feff}');
    (plain, plain.len() != text.len())
}

/// Whether these bytes are text in UTF-16, of either byte order, with or without a mark: every second
/// byte of Latin letters is zero.
pub(crate) fn is_utf_16(bytes: &[u8]) -> bool {
    let bytes = bytes
        .strip_prefix(b"\xff\xfe")
        .or_else(|| bytes.strip_prefix(b"\xfe\xff"))
        .unwrap_or(bytes);
    let zeros = |place: usize| {
        let mut units = bytes.chunks_exact(2).take(16).peekable();
        units.peek().is_some() && units.all(|unit| unit[place] == 0 && unit[1 - place] != 0)
    };
    bytes.len() >= 4 && (zeros(0) || zeros(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_an_editor_encoded_otherwise_is_named() {
        let text = "a secret of 32 bytes, at the least";
        let utf_16 =
            |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<_>>();
        let (little, big) = (utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes));
        for wrong in [
            [b"\xff\xfe", &little[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
            little,
            big,
            format!("\u{feff}{text}").into_bytes(),
        ] {
            assert!(secret(&wrong).is_err(), "{wrong:?}");
        }
        let pem = format!("\u{feff}-----BEGIN {text}");
        for (good, expected) in [
            (text.as_bytes(), text.as_bytes()),
            (b"a\r\n", b"a"),
            (b"a\n\n", b"a\n"),
            (b"", b""),
            (b"\n", b""),
            (pem.as_bytes(), pem.as_bytes()),
            // Random bytes are no text, whatever they begin with.
            (
                b"\xff\xfe\x01\x00\x80\x00\x03\x04",
                b"\xff\xfe\x01\x00\x80\x00\x03\x04",
            ),
            (b"\xef\xbb\xbf\xff\x80", b"\xef\xbb\xbf\xff\x80"),
        ] {
            assert_eq!(secret(good), Ok(expected));
        }
    }

    #[cfg(unix)]
    #[test]
    fn this_process_owns_what_it_creates() {
        let path = std::env::temp_dir().join(format!("flask-pyjwt-owner-{}", std::process::id()));
        std::fs::write(&path, "x").expect("written");
        let about = std::fs::metadata(&path).expect("there");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(own_user().expect("told"), owner(&about));
    }
}
