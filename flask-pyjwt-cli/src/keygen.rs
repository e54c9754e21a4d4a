//! `keygen`: a new key.

use std::{fs, path::Path, time::SystemTime};

use flask_pyjwt::AuthType;
use time::OffsetDateTime;

use crate::{
    arguments::{Global, Keygen},
    failure::Failure,
    generate::{self, Kind},
    keys_folder::{self, KeysFolder},
    terminal,
    variables::Variables,
};

pub(crate) fn run(global: &Global, command: &Keygen) -> Result<(), Failure> {
    let variables = Variables::read(global);
    let auth_type = match command.alg {
        Some(auth_type) => auth_type,
        None => keys_folder::default_auth_type(&variables)?,
    };
    if let Some(name) = &command.name {
        check_name(name)?;
    }
    let Some(place) = keys_folder::place(&command.folder, &variables) else {
        return without_folder(auth_type, command);
    };
    let folder = &place.path;
    if folder.is_dir() {
        keys_folder::announce_wait();
        check_place(&KeysFolder::read(place.clone(), &variables)?, command)?;
    }
    let key = generate::key(auth_type, command.bits)?;
    keys_folder::create(&place)?;
    let id = generate::id(auth_type, &key)?;
    let stem = match &command.name {
        Some(name) => name.clone(),
        None => free_stem(folder)?,
    };
    let name = file_name(&stem, auth_type, command.next);
    let signing_name = file_name(&stem, auth_type, false);
    if command.next && folder.join(&signing_name).symlink_metadata().is_ok() {
        return Err(Failure::wrong(format!(
            "`{signing_name}` exists, and the next key gets this name when it signs: give another `--name`"
        )));
    }
    let path = keys_folder::add(folder, &name, &key)?;

    let mut text = format!("{}\nkid: {id}\n", keys_folder::shown(&path));
    if command.show_secret {
        text.push_str(&key);
        text.push('\n');
    }
    terminal::print(&text)?;
    keys_folder::announce_wait();
    let written = KeysFolder::read(place.clone(), &variables).map_err(|failure| {
        Failure::wrong(format!(
            "the key was written, but a server cannot use the folder: {}",
            failure.text()
        ))
    })?;
    if let Some(signing) = written.signing()
        && !command.next
        && signing.name != name
    {
        return Err(Failure::wrong(format!(
            "`{name}` was written, but `{}` is newer and signs: delete that file if its key was leaked, or else run \
             `touch` on `{name}`",
            signing.name
        )));
    }
    terminal::note(&next_step(auth_type, command, &name));
    Ok(())
}

/// Whether another key can be made here.
fn check_place(existing: &KeysFolder, command: &Keygen) -> Result<(), Failure> {
    if command.sign_now {
        return existing.check_time(SystemTime::now());
    }
    if let (true, [next, ..]) = (command.next, &existing.next()[..]) {
        return Err(Failure::wrong(format!(
            "`{}` is a next key already, and `flask-pyjwt rotate` needs exactly one: let it sign first, or delete it",
            next.name
        )));
    }
    if !command.next && existing.signing().is_some() {
        return Err(Failure::wrong(format!(
            "`{}` has a signing key, and a newer file would sign at once, before other servers know it: make the \
             next key with `--next` and sign with it later (`flask-pyjwt rotate` does both), or give `--sign-now` \
             if the old key was leaked",
            keys_folder::shown(&existing.place.path)
        )));
    }
    Ok(())
}

/// Prints a key that is not kept anywhere.
fn without_folder(auth_type: AuthType, command: &Keygen) -> Result<(), Failure> {
    if command.next || command.sign_now || command.name.is_some() {
        return Err(Failure::usage(
            "`--next`, `--sign-now` and `--name` are for a key in a folder, and there is none: give `--dir FOLDER`, or \
             set JWT_KEYS_DIR",
        ));
    }
    if !command.show_secret {
        return Err(Failure::usage(
            "there is no keys folder: give `--dir FOLDER`, or set JWT_KEYS_DIR; to print the key on standard output, \
             give `--show-secret`",
        ));
    }
    let key = generate::key(auth_type, command.bits)?;
    let id = generate::id(auth_type, &key)?;
    terminal::note(&format!("kid: {id}"));
    terminal::print_line(key.trim_end())
}

fn next_step(auth_type: AuthType, command: &Keygen, name: &str) -> String {
    if command.next {
        return "servers that read this folder publish the key within 5 seconds. When all of them and the caches of \
                other servers have it, `flask-pyjwt rotate` lets it sign"
            .to_owned();
    }
    let sign = format!("`{name}` signs. Servers that read this folder use it within 5 seconds");
    match generate::kind(auth_type) {
        Kind::Secret(_) => {
            format!("{sign}. Give the file to every server that verifies: it can also sign with it")
        }
        Kind::Rsa | Kind::Curve => format!(
            "{sign}. To configure a server, set JWT_KEYS_DIR to the folder; `flask-pyjwt jwks` prints the public keys"
        ),
    }
}

/// The name of a file, such as `2026-11-27.EdDSA.next.pem`.
pub(crate) fn file_name(stem: &str, auth_type: AuthType, is_next: bool) -> String {
    let next = if is_next { ".next" } else { "" };
    let ending = match generate::kind(auth_type) {
        Kind::Secret(_) => "key",
        Kind::Rsa | Kind::Curve => "pem",
    };
    format!("{stem}.{auth_type}{next}.{ending}")
}

/// The date of today, with a letter if a file has that name already. The letters keep the order of the names, which
/// decides between files of the same time.
pub(crate) fn free_stem(folder: &Path) -> Result<String, Failure> {
    let today = OffsetDateTime::now_utc().date().to_string();
    let unreadable = |error| Failure::wrong(format!("the keys folder cannot be read: {error}"));
    let mut taken = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy().into_owned();
        taken.push(name.split('.').next().unwrap_or_default().to_owned());
    }
    let letters = ('b'..='z').map(|letter| format!("{today}{letter}"));
    let mut stems = std::iter::once(today.clone()).chain(letters);
    stems.find(|stem| !taken.contains(stem)).ok_or_else(|| {
        Failure::wrong("the folder has 26 keys of today: rename or delete one of them")
    })
}

/// Refuses names whose parts a server would read as something else.
fn check_name(name: &str) -> Result<(), Failure> {
    let lower = name.to_ascii_lowercase();
    let is_plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_plain {
        return Err(Failure::usage(
            "`--name` has only letters, digits, `-` and `_`: the algorithm and the ending are added",
        ));
    }
    let is_algorithm = AuthType::ALL
        .iter()
        .any(|known| known.name().eq_ignore_ascii_case(name));
    let is_next = lower.ends_with("next")
        || ["nxt", "nex", "netx", "nextt", "neext"].contains(&lower.as_str());
    if is_algorithm || is_next || name == "Ed25519" {
        return Err(Failure::usage(
            "`--name` is similar to `next` or to an algorithm, which a server would read in it: choose another one",
        ));
    }
    Ok(())
}
