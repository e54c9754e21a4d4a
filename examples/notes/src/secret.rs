//! The secret that signs the tokens, if the environment does not set one: random, and stored in a file.
//!
//! A new secret at every start would log everybody out.

use std::{
    error::Error,
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
};

/// The length of the file, in bytes. HS256 needs at least 32.
const LENGTH: usize = 64;

/// Reads the secret, or creates one if the file is missing. The session store has to be open: it makes sure that no
/// second process is here at the same time.
pub(crate) fn read_or_create(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let shown = path.display();
    match fs::read(path) {
        Ok(secret) => {
            check_private(path)?;
            if secret.len() != LENGTH {
                return Err(format!(
                    "{shown} is damaged: delete it; then every user has to log in again"
                )
                .into());
            }
            println!("JWT_SECRET is not set: using the secret in {shown}.");
            Ok(secret)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut secret = vec![0; LENGTH];
            getrandom::fill(&mut secret)?;
            write(path, &secret).map_err(|error| format!("cannot write {shown}: {error}"))?;
            println!("JWT_SECRET is not set: created a random secret in {shown}.");
            Ok(secret)
        }
        Err(error) => Err(format!("cannot read {shown}: {error}").into()),
    }
}

/// Writes a file that only this user can read. It gets its name when all of it is on the disk.
fn write(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(secret)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

/// Refuses a file that others can read: with the secret they can sign tokens for every user.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), Box<dyn Error>> {
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(path)?);
    if mode & 0o077 != 0 {
        let shown = path.display();
        return Err(format!("other users can read {shown}: `chmod 600 {shown}`").into());
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), Box<dyn Error>> {
    Ok(())
}
