//! The keys, what they sign, and for how long.

use std::time::{Duration as Length, SystemTime};

use flask_pyjwt::{AuthManager, MintError};
use time::{Duration, OffsetDateTime};

use super::report::{Check, Report, State};
use crate::{
    keys_folder::{self, KeyFile},
    notes, times,
    variables::Variables,
};

/// Clocks that are further apart cannot be meant.
const FAR: Length = Length::from_mins(1);

pub(super) fn check(report: &mut Report, auth: &AuthManager, variables: &Variables) {
    let now = OffsetDateTime::now_utc();
    for key in auth.keys() {
        let does = match (key.signs(), key.retires_at()) {
            (true, _) => "signs".to_owned(),
            (false, Some(end)) => format!(
                "verifies, and retires {} ({})",
                times::relative(end, now),
                times::exact(end)
            ),
            (false, None) => "verifies".to_owned(),
        };
        let text = format!("the {} key `{}` {does}", key.auth_type(), key.id());
        report.add(Check::new("key", State::Ok, text));
    }
    check_times(report, variables);
    check_ages(report, auth);
    check_round_trip(report, auth, variables);
}

/// Whether a newer file would sign.
fn check_times(report: &mut Report, variables: &Variables) {
    let Some(place) = keys_folder::configured(variables) else {
        return;
    };
    // The check of the configuration has logged the same.
    let (files, _) = notes::collected(|| keys_folder::files(&place, variables));
    // Another server has written a file that is a little newer.
    let soon = SystemTime::now() + FAR;
    let late = |file: &KeyFile| file.is_private && !file.is_next && file.modified > soon;
    for file in files.into_iter().flatten().filter(late) {
        let name = file.name;
        let text = format!("`{name}` was modified in the future, and signs in place of newer keys");
        let check = Check::new("key", State::Weak, text);
        report.add(check.advice(
            "correct the clock, or run `touch` on the file: until then, no other key can replace it",
        ));
    }
}

fn check_ages(report: &mut Report, auth: &AuthManager) {
    let (auth_age, refresh_age) = (auth.auth_max_age(), auth.refresh_max_age());
    let text = format!(
        "auth tokens live for {}, refresh tokens for {}",
        times::words(auth_age),
        times::words(refresh_age)
    );
    report.add(if auth_age > Duration::DAY {
        let check = Check::new("lifetime", State::Weak, text);
        check.advice(
            "set JWT_AUTHMAXAGE to a day or less: a stolen auth token works until it expires",
        )
    } else {
        Check::new("lifetime", State::Ok, text)
    });
}

/// Signs a token and verifies it.
fn check_round_trip(report: &mut Report, auth: &AuthManager, variables: &Variables) {
    let token = match auth.auth_token("flask-pyjwt-doctor").sign() {
        Ok(token) => token,
        Err(MintError::MissingSigner) if variables.get("JWT_KEYS_DIR").is_some() => {
            let text = "the keys folder has no key that signs: no token can be minted";
            let check = Check::new("round-trip", State::Wrong, text);
            report.add(check.advice("make one with `flask-pyjwt keygen`"));
            return;
        }
        Err(MintError::MissingSigner) => {
            let text = "the server only verifies tokens: it has no private key";
            report.add(Check::new("round-trip", State::Note, text));
            return;
        }
        Err(error) => {
            let text = format!("no token can be minted: {error:?}");
            report.add(Check::new("round-trip", State::Wrong, text));
            return;
        }
    };
    report.add(match auth.verify_token(token.signed()) {
        Ok(_) => Check::new("round-trip", State::Ok, "a token was signed and verified"),
        Err(error) => {
            let text = format!("a token that was signed is refused: {error:?}");
            Check::new("round-trip", State::Wrong, text)
        }
    });
}
