//! Reads files that the server trusts, such as keys and secrets, with a size limit and without
//! blocking on pipes.
//!
//! All checks use the open file. A path could refer to another file a moment later.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read as _},
    path::Path,
    time::SystemTime,
};

use zeroize::Zeroizing;

use crate::error::Problem;

/// The maximum size of a file with a key or secret, in bytes.
pub(crate) const LONGEST_KEY: usize = 64 * 1024;

/// The UTF-8 byte order mark, which some editors put at the start of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The content of a file.
pub(crate) struct Content {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// When the content last changed. `None` if it changed during the read.
    pub(crate) modified: Option<SystemTime>,
    /// Whether every user of the machine can read the file.
    pub(crate) is_readable_by_all: bool,
    pub(crate) about: Metadata,
}

/// Reads a regular file of at most `longest` bytes. Follows links, because Kubernetes mounts
/// secrets as links.
///
/// Returns an error for a pipe or a device, which could block forever, and for a file that every
/// user of the machine can write to, because its content decides which keys the server uses. A file
/// that every user can read is accepted: Kubernetes and Docker mount secrets like this.
pub(crate) fn read(path: &Path, longest: usize) -> io::Result<Content> {
    let file = open(path)?;
    let before = file.metadata()?;
    check_kind(&before)?;
    let mode = mode(&before);
    if mode & 0o002 != 0 {
        let reason = format!(
            "every user can write to it (mode {mode:04o}): run `chmod o-w` on it; if the file system \
             has no modes, set them in the mount options"
        );
        return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
    }
    let expected = usize::try_from(before.len()).unwrap_or(longest);
    // One byte more than needed, so that the buffer does not grow and leave copies in memory.
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

/// Opens a file for reading. For a pipe, this does not wait for a writer.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    // A socket, for instance, cannot be opened. The error then says what it is.
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
        let reason = "it is a pipe, a socket or a device, and must be a regular file";
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    Ok(())
}

/// The permission bits. On systems without them, those of a file that only its owner can access.
pub(crate) fn mode(about: &Metadata) -> u32 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::mode(about) & 0o7777;
    #[cfg(not(unix))]
    return if about.is_dir() { 0o700 } else { 0o600 };
}

/// The user ID of the file's owner.
#[cfg(unix)]
pub(crate) fn owner(about: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(about)
}

/// The user ID with which this process creates files.
#[cfg(unix)]
pub(crate) fn own_user() -> io::Result<u32> {
    // The standard library only tells the owner of a file. A new pipe belongs to this process.
    let (reader, _writer) = io::pipe()?;
    let file = File::from(std::os::fd::OwnedFd::from(reader));
    Ok(owner(&file.metadata()?))
}

/// The secret or key in a file: its content without one line break at the end, which editors add.
///
/// # Errors
///
/// A [`Problem`] if the text is not encoded in plain UTF-8, so that its bytes are not what its
/// author sees.
pub(crate) fn secret(content: &[u8]) -> Result<&[u8], Problem> {
    if is_utf_16(content) {
        return Err(Problem::new(
            "is text in UTF-16: save it as UTF-8 without a byte order mark",
        ));
    }
    if let Some(text) = content.strip_prefix(BYTE_ORDER_MARK)
        && let Ok(text) = str::from_utf8(text)
        // A PEM parser ignores everything before the key.
        && !text.contains("-----BEGIN ")
    {
        return Err(Problem::new(
            "begins with a byte order mark, which would become part of the secret: save it as UTF-8 without one",
        ));
    }
    let line = content.strip_suffix(b"\n").unwrap_or(content);
    Ok(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Removes the byte order mark at the start of a text, and tells whether there was one.
pub(crate) fn without_mark(text: &str) -> (&str, bool) {
    let plain = text.trim_start_matches('\u{feff}');
    (plain, plain.len() != text.len())
}

/// Whether the bytes are UTF-16 text in either byte order, with or without a byte order mark: every
/// second byte of Latin text is zero.
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
    fn a_text_in_another_encoding_is_refused() {
        let text = "change-me: at least 32 bytes of secret";
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
            // Random bytes are accepted, whatever they begin with.
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
