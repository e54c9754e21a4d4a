//! `doctor`: checks the configuration that the server would read, and what it depends on.

mod clocks;
mod files;
mod keys;
mod report;
mod services;
mod strength;
mod variables;

use actix_web::rt::System;
use flask_pyjwt::AuthManager;

use self::report::{Check, Report, State};
use crate::{
    arguments::{Doctor, Global},
    configuration,
    failure::Failure,
    notes, terminal,
    variables::Variables,
};

pub(crate) fn run(global: &Global, command: &Doctor) -> Result<(), Failure> {
    let variables = Variables::read(global);
    let mut report = Report::default();
    if variables.get("JWT_KEYS_DIR").is_some() {
        terminal::progress("the keys folder is being read, which takes up to three seconds");
    }
    let (auth, mut logged) = notes::collected(|| configuration::manager(global));
    // The check of the folder says the same, and what to do.
    logged.retain(|note| !note.text.contains("can add keys to `JWT_KEYS_DIR`"));
    let refused = auth.as_ref().err().map_or("", Failure::text);
    let is_refused = ["named by `.env`", "named by `path`"]
        .iter()
        .any(|end| refused.contains(end));
    variables::check(&mut report, &variables, is_refused);
    variables::check_logged(&mut report, &variables, logged);
    files::check(&mut report, &variables);
    strength::check(&mut report, &variables);
    let auth = if variables::check_public(&mut report, &variables) {
        None
    } else {
        built(&mut report, auth)
    };
    if let Some(auth) = &auth {
        keys::check(&mut report, auth, &variables);
    }
    clocks::check_local(&mut report);
    System::new().block_on(async {
        services::check_issuers(&mut report, &command.issuers).await;
        services::check_store(&mut report, command.store.as_deref()).await;
    });
    report.print(command.json)?;
    if report.is_ok() {
        Ok(())
    } else {
        Err(Failure::shown())
    }
}

fn built(report: &mut Report, auth: Result<AuthManager, Failure>) -> Option<AuthManager> {
    match auth {
        Ok(auth) => {
            let text = format!(
                "a server starts with this configuration, as the issuer `{}`",
                auth.issuer()
            );
            report.add(Check::new("configuration", State::Ok, text));
            Some(auth)
        }
        Err(failure) => {
            let check = Check::new("configuration", State::Wrong, failure.text());
            report.add(check.advice(
                "correct the variable that the sentence names; the guide's page \"Configuration\" lists all messages",
            ));
            None
        }
    }
}
