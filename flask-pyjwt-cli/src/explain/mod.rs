//! `explain`: why a token passes a guard, or does not, rule by rule.

mod grammar;
mod report;
mod requirement;

use actix_web::rt::System;

use crate::{
    arguments::{Explain, Global},
    configuration,
    failure::Failure,
    input,
    store::Address,
    terminal,
};

pub(crate) fn run(global: &Global, command: &Explain) -> Result<(), Failure> {
    let variables = variables(&command.paths)?;
    let args = grammar::read(&command.require)?;
    let required = requirement::of(&args, &variables)
        .map_err(|errors| grammar::failure(&command.require, errors))?;
    for note in &required.notes {
        terminal::note(note);
    }
    let address = Address::find(command.store.as_deref())?;
    let signed = input::token(&command.token)?;
    let explanation = System::new().block_on(async {
        let auth = match &address {
            Some(address) => address.manager(configuration::config(global)?).await?,
            None => configuration::manager(global)?,
        };
        let mut explained = auth.explain(&signed, &required.guard);
        for (name, value) in &variables {
            explained = explained.path(name, value);
        }
        Ok::<_, Failure>(explained.await)
    })?;
    let text = if command.json {
        report::as_json(&explanation)
    } else {
        report::as_text(&explanation)
    };
    terminal::print_line(&text)?;
    if explanation.is_accepted() {
        Ok(())
    } else {
        Err(Failure::shown())
    }
}

/// Splits each `name=value`.
fn variables(paths: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let mut variables = Vec::<(String, String)>::new();
    for path in paths {
        let Some((name, value)) = path.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::usage(
                "`--path` has the form NAME=VALUE, as in `--path username=alice`",
            ));
        };
        if variables.iter().any(|(given, _)| given == name) {
            return Err(Failure::usage(format!(
                "the variable `{}` is given twice",
                terminal::escaped_line(name)
            )));
        }
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(variables)
}
