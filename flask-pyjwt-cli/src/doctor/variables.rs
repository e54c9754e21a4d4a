//! The variables that are set, by name.

use super::report::{Check, Report, State};
use crate::{
    notes::Note,
    seconds, secrets, terminal,
    variables::{KNOWN, Source, Variables},
};

/// A longer leeway keeps expired tokens valid for noticeably long.
const LONG_LEEWAY: i64 = 60;

/// Lists the file and the variables, and checks those that need no key.
///
/// `is_refused` tells whether a server would not read the file, such as that of another user.
pub(super) fn check(report: &mut Report, variables: &Variables, is_refused: bool) {
    report.add(match &variables.file {
        Some(file) if is_refused || !variables.is_file_read => {
            let text = format!("`{}` cannot be read", file.display());
            let check = Check::new("env-file", State::Wrong, text);
            check.advice("the check `configuration` says why: correct the file, or remove it")
        }
        Some(file) => {
            let text = format!("`{}` is read", file.display());
            Check::new("env-file", State::Ok, text)
        }
        None => Check::new(
            "env-file",
            State::Ok,
            "no `.env` is in this folder or one above it: the environment alone is read",
        ),
    });
    for (name, source) in variables.names() {
        if KNOWN.contains(&name) {
            let place = match source {
                Source::Environment => "the environment",
                Source::File => "the `.env` file",
            };
            let text = format!("`{name}` is set in {place}");
            report.add(Check::new("variable", State::Ok, text));
        }
    }
    if let Some(leeway) = variables.get("JWT_LEEWAY").and_then(seconds::parse)
        && leeway.whole_seconds() > LONG_LEEWAY
    {
        let seconds = leeway.whole_seconds();
        let text = format!("`JWT_LEEWAY` keeps expired tokens valid for {seconds} seconds");
        let check = Check::new("leeway", State::Weak, text);
        report.add(check.advice("synchronize the clocks with NTP, and set at most 60 seconds"));
    }
    if variables.allow_weak_secrets() {
        let text = "`JWT_ALLOW_WEAK_SECRET` accepts secrets that can be guessed from one token";
        let check = Check::new("secret", State::Weak, text);
        report.add(check.advice(
            "rotate to a secret of full length (`flask-pyjwt keygen`), then remove the variable",
        ));
    }
    if variables.have_key() && variables.get("JWT_AUDIENCE").is_none() {
        let text =
            "no `JWT_AUDIENCE` is set, so tokens of this issuer are not bound to one service";
        let check = Check::new("audience", State::Note, text);
        report.add(check.advice("set it if several services trust this issuer"));
    }
}

/// Whether a key is in a variable whose value is written into every token, where nothing else should show it.
pub(super) fn check_public(report: &mut Report, variables: &Variables) -> bool {
    let mut has_key = false;
    for name in ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_KEYID"] {
        if variables.get(name).is_some_and(secrets::has_key) {
            let text = format!("`{name}` is a key, and every token would show it");
            let check = Check::new("variable", State::Wrong, text);
            report.add(check.advice("take it out; if a token was minted with it, replace the key"));
            has_key = true;
        }
    }
    has_key
}

/// Adds what the library has logged while it read the configuration, and the names that nothing reads.
pub(super) fn check_logged(report: &mut Report, variables: &Variables, logged: Vec<Note>) {
    let is_logged = |name: &str| {
        let start = format!("`{name}` is not read");
        logged.iter().any(|note| note.text.starts_with(&start))
    };
    for (name, _) in variables.names() {
        if !KNOWN.contains(&name) && !is_logged(name) {
            let name = terminal::escaped_line(name);
            let text = format!("`{name}` is not a variable of flask-pyjwt, and is not read by it");
            report.add(Check::new("variable", State::Note, text));
        }
    }
    for note in logged {
        let is_misspelt = note.text.contains("is not read: did you mean");
        let (name, state) = match note.is_error {
            _ if is_misspelt => ("variable", State::Wrong),
            true => ("log", State::Wrong),
            false => ("log", State::Weak),
        };
        let check = Check::new(name, state, note.text);
        report.add(if is_misspelt {
            check.advice("correct the name, or remove the variable")
        } else {
            check.advice("the server logs this sentence when it starts: do what it says")
        });
    }
}
