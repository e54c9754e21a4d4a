//! Who else can use the files. The library itself logs which files with secrets every user can read.

use std::{fs, path::Path};

use super::report::{Check, Report, State};
use crate::variables::Variables;

pub(super) fn check(report: &mut Report, variables: &Variables) {
    if let Some(folder) = variables.get("JWT_KEYS_DIR") {
        check_mode(report, "the keys folder", Path::new(folder));
    }
    if let Some(file) = variables.get("JWT_SECRET_FILE") {
        check_mode(report, "the file of `JWT_SECRET_FILE`", Path::new(file));
    }
    if let Some(file) = &variables.file
        && variables.has_secret_in_file()
    {
        check_mode(report, "the `.env` file, which has a secret,", file);
    }
}

/// The path is not shown: it can be a secret in the wrong place.
#[cfg(unix)]
fn check_mode(report: &mut Report, what: &str, path: &Path) {
    use std::os::unix::fs::MetadataExt as _;

    let Ok(about) = fs::metadata(path) else {
        // The check of the configuration says why.
        return;
    };
    let mode = about.mode() & 0o777;
    let (state, text) = match mode {
        _ if mode & 0o002 != 0 => (State::Wrong, "every user of this machine can change"),
        // The library logs this about files.
        _ if mode & 0o004 != 0 && about.is_file() => return,
        _ if mode & 0o004 != 0 => (State::Weak, "every user of this machine can read"),
        _ if mode & 0o020 != 0 => (State::Weak, "every user of its group can change"),
        _ => {
            let text = format!("{what} is for its owner or its group alone (mode {mode:04o})");
            report.add(Check::new("file-mode", State::Ok, text));
            return;
        }
    };
    let check = Check::new(
        "file-mode",
        state,
        format!("{text} {what} (mode {mode:04o})"),
    );
    let mode = if about.is_dir() { "700" } else { "600" };
    report.add(check.advice(format!("run `chmod {mode}` on it")));
}

#[cfg(not(unix))]
fn check_mode(_: &mut Report, _: &str, path: &Path) {
    let _ = fs::metadata(path);
}
