//! Reads a token from a file or from standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::failure::Failure;

/// The longest input, in bytes: the most that `Config::max_token_size` can allow.
const LONGEST: u64 = 1 << 20;

/// The token in a file, or in standard input for `-`. Spaces around it and `Bearer ` before it are dropped.
///
/// The error does not name the file, because that may be a secret in the wrong place.
pub(crate) fn token(path: &Path) -> Result<String, Failure> {
    let bytes = if path.as_os_str() == "-" {
        read(io::stdin().lock())
    } else {
        open(path).and_then(read)
    };
    let bytes = bytes.map_err(|error| {
        Failure::wrong(format!("the file with the token cannot be read: {error}"))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::wrong("the input is not a token: it is not UTF-8"))?;
    let token = text.trim();
    // RFC 6750, section 2.1; the name of the scheme has any case (RFC 9110, section 11.1).
    let token = match token.split_once(char::is_whitespace) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => token,
    };
    if token.is_empty() {
        return Err(Failure::wrong("the input is empty: a token is expected"));
    }
    Ok(token.to_owned())
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    Ok(file)
}

fn read(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(bytes)
}
