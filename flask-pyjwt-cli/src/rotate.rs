//! `rotate`: the next step of a rotation on a keys folder.
//!
//! The steps are those of the guide's page about keys: a next key is published, signs when every server and cache has it,
//! and the old key is deleted when its last token has expired.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use time::{Duration, OffsetDateTime};

use crate::{
    arguments::{Global, Rotate},
    failure::Failure,
    generate::{self, Kind},
    keygen,
    keys_folder::{self, KeyFile, KeysFolder},
    terminal, times,
    variables::Variables,
};

/// What to do now.
enum Step {
    /// Make the key that signs next.
    Make,
    /// Let this file's key sign.
    Sign(KeyFile),
    /// Delete these files.
    Delete(Vec<KeyFile>),
    /// Do nothing before this moment. The text says why.
    Wait(OffsetDateTime, String),
}

pub(crate) fn run(global: &Global, command: &Rotate) -> Result<(), Failure> {
    let variables = Variables::read(global);
    let place = keys_folder::required(&command.folder, &variables)?;
    keys_folder::announce_wait();
    let folder = KeysFolder::read(place, &variables)?;
    let now = OffsetDateTime::now_utc();
    match next_step(&folder, command, now)? {
        Step::Wait(until, reason) => {
            let (exact, relative) = (times::exact(until), times::relative(until, now));
            terminal::print_line(&format!(
                "Nothing to do: {reason}. Run it again {relative}, after {exact}."
            ))
        }
        Step::Make => make(&folder, command, &variables),
        Step::Sign(next) => sign(&folder, &next, command, &variables),
        Step::Delete(files) => delete(&folder, &files, command),
    }
}

fn next_step(folder: &KeysFolder, command: &Rotate, now: OffsetDateTime) -> Result<Step, Failure> {
    let wait = Duration::seconds(i64::from(command.wait));
    let next = folder.next();
    match next[..] {
        [] => {}
        [next] => {
            check_wishes(next, command)?;
            let ready = moment(next.modified).saturating_add(wait);
            if command.now || ready <= now {
                return Ok(Step::Sign(next.clone()));
            }
            let reason = format!(
                "`{}` is published, and not every server and cache may have it yet",
                next.name
            );
            return Ok(Step::Wait(ready, reason));
        }
        _ => {
            let names: Vec<_> = next.iter().map(|file| file.name.as_str()).collect();
            return Err(Failure::wrong(format!(
                "there are several next keys, and any of them could sign: keep one of `{}`",
                names.join("`, `")
            )));
        }
    }
    let Some(signing) = folder.signing() else {
        return Err(Failure::wrong(format!(
            "`{}` has no key that signs: make one with `flask-pyjwt keygen`",
            keys_folder::shown(&folder.place.path)
        )));
    };
    if command.prune {
        let retired = || {
            let files = folder.files.iter();
            files.filter(|file| file.is_private && !file.is_next && file.name != signing.name)
        };
        let live = live_keys(folder, now.saturating_sub(wait))?;
        let expired: Vec<_> = retired()
            .filter(|file| !live.iter().any(|(id, _)| *id == file.id))
            .cloned()
            .collect();
        if !expired.is_empty() {
            return Ok(Step::Delete(expired));
        }
        let ends = live
            .iter()
            .filter(|(id, _)| retired().any(|file| file.id == *id));
        if let Some(end) = ends.filter_map(|(_, end)| *end).min() {
            let reason = "tokens of an old key may still be valid".to_owned();
            return Ok(Step::Wait(end.saturating_add(wait), reason));
        }
    }
    if let Some(days) = command.every {
        let due = moment(signing.modified).saturating_add(Duration::days(i64::from(days)));
        if due > now {
            let reason = format!("`{}` has signed for less than {days} days", signing.name);
            return Ok(Step::Wait(due, reason));
        }
    }
    Ok(Step::Make)
}

/// Refuses `--alg` and `--bits` that a key, which is there already, does not have.
fn check_wishes(next: &KeyFile, command: &Rotate) -> Result<(), Failure> {
    let refused = |option: &str| {
        Err(Failure::wrong(format!(
            "`{}` is the next key, for {}, which is not what `{option}` says: delete the file to get another key, or \
             leave the option out",
            next.name, next.auth_type
        )))
    };
    match (command.alg, command.bits) {
        (Some(auth_type), _) if auth_type != next.auth_type => refused("--alg"),
        (_, Some(_)) if generate::kind(next.auth_type) != Kind::Rsa => refused("--bits"),
        (_, Some(bits)) if next.bits.is_some_and(|has| has != bits) => refused("--bits"),
        _ => Ok(()),
    }
}

/// The IDs of the keys that a server has in use if it starts at a moment, and when they end.
fn live_keys(
    folder: &KeysFolder,
    moment: OffsetDateTime,
) -> Result<Vec<(String, Option<OffsetDateTime>)>, Failure> {
    let keys = folder.manager(moment)?.keys();
    let keys = keys
        .iter()
        .map(|key| (key.id().to_owned(), key.retires_at()));
    Ok(keys.collect())
}

fn make(folder: &KeysFolder, command: &Rotate, variables: &Variables) -> Result<(), Failure> {
    let signing = folder.signing().map(|file| file.auth_type);
    let auth_type = command.alg.or(signing);
    let auth_type = auth_type.ok_or_else(|| Failure::usage("there is no key: give `--alg`"))?;
    let name = keygen::file_name(&keygen::free_stem(&folder.place.path)?, auth_type, true);
    let wait = times::words(Duration::seconds(i64::from(command.wait)));
    generate::check(auth_type, command.bits)?;
    if command.dry_run {
        return would(&format!(
            "make `{name}`, which is published and does not sign yet"
        ));
    }
    let key = generate::key(auth_type, command.bits)?;
    let id = generate::id(auth_type, &key)?;
    keys_folder::add(&folder.place.path, &name, &key)?;
    check(folder, variables)?;
    terminal::print_line(&format!(
        "Made `{name}` (kid {id}), which is published and does not sign yet. If hosts have copies of the folder, copy it \
         to all of them. Run it again in {wait}, and the key signs."
    ))
}

fn sign(
    folder: &KeysFolder,
    next: &KeyFile,
    command: &Rotate,
    variables: &Variables,
) -> Result<(), Failure> {
    let name = signing_name(&next.name);
    let (from, to) = (
        folder.place.path.join(&next.name),
        folder.place.path.join(&name),
    );
    if to.symlink_metadata().is_ok() {
        return Err(Failure::wrong(format!(
            "`{name}` exists, and is not overwritten: rename one of the two files"
        )));
    }
    let now = SystemTime::now();
    folder.check_time(now)?;
    if command.dry_run {
        return would(&format!(
            "rename `{}` to `{name}`, whose key then signs",
            next.name
        ));
    }
    // The newest file signs. Its time comes first: between the two steps, the key still has the name of one that waits.
    touch(&from, now).map_err(|error| {
        Failure::wrong(format!(
            "the time of `{}` cannot be set: {error}",
            next.name
        ))
    })?;
    fs::rename(&from, &to)
        .map_err(|error| Failure::wrong(format!("`{}` cannot be renamed: {error}", next.name)))?;
    let folder = check(folder, variables)?;
    if folder.signing().is_none_or(|file| file.name != name) {
        return Err(Failure::wrong(format!(
            "`{name}` was renamed, but another file is newer and signs: look at the times of the files"
        )));
    }
    let retired = live_keys(&folder, OffsetDateTime::now_utc())?;
    let end = retired.iter().filter_map(|(_, end)| *end).max();
    let old = end.map_or_else(String::new, |end| {
        let end = end.saturating_add(Duration::seconds(i64::from(command.wait)));
        format!(
            " The old key verifies until its last token has expired: delete its file after {}, or run `flask-pyjwt \
             rotate --prune` then.",
            times::exact(end)
        )
    });
    terminal::print_line(&format!(
        "Renamed `{}` to `{name}`. Its key signs (kid {}).{old}",
        next.name, next.id
    ))
}

fn delete(folder: &KeysFolder, files: &[KeyFile], command: &Rotate) -> Result<(), Failure> {
    let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    let names = names.join("`, `");
    if command.dry_run {
        return would(&format!("delete `{names}`, whose last tokens have expired"));
    }
    for file in files {
        fs::remove_file(folder.place.path.join(&file.name)).map_err(|error| {
            Failure::wrong(format!("`{}` cannot be deleted: {error}", file.name))
        })?;
    }
    terminal::print_line(&format!(
        "Deleted `{names}`, whose last tokens have expired. If hosts have copies of the folder, delete it there as well."
    ))
}

fn would(what: &str) -> Result<(), Failure> {
    terminal::print_line(&format!("Would {what}. Nothing was changed."))
}

/// Reads the folder again, as a server would after the change.
fn check(folder: &KeysFolder, variables: &Variables) -> Result<KeysFolder, Failure> {
    keys_folder::announce_wait();
    KeysFolder::read(folder.place.clone(), variables).map_err(|failure| {
        Failure::wrong(format!(
            "the folder was changed, and a server cannot use it now: {}",
            failure.text()
        ))
    })
}

/// The name without `.next`.
fn signing_name(name: &str) -> String {
    let parts: Vec<_> = name.split('.').filter(|part| *part != "next").collect();
    match parts[..] {
        // `next.pem`: a file needs a name before its ending.
        [ending] => format!("key.{ending}"),
        _ => parts.join("."),
    }
}

/// The time of a file, which can be any.
fn moment(modified: SystemTime) -> OffsetDateTime {
    let epoch = OffsetDateTime::UNIX_EPOCH;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.map_or(Duration::ZERO, |since| {
        Duration::try_from(since).unwrap_or(Duration::MAX)
    });
    epoch.saturating_add(since)
}

fn touch(path: &Path, moment: SystemTime) -> std::io::Result<()> {
    // The owner may change the time of a file that is open for reading only.
    fs::File::open(PathBuf::from(path))?.set_modified(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_signing_key_has_no_next() {
        for (name, expected) in [
            ("2026-03.EdDSA.next.pem", "2026-03.EdDSA.pem"),
            ("a.next.RS256.key", "a.RS256.key"),
            ("next.pem", "key.pem"),
            ("a.next.next.pem", "a.pem"),
        ] {
            assert_eq!(signing_name(name), expected);
        }
    }
}
