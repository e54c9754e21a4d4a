//! `mint`: a token as the server signs it.

use flask_pyjwt::{AuthManager, ConfigError, MintError};
use serde_json::Value;
use time::Duration;

use crate::{
    arguments::{Global, Mint},
    configuration,
    failure::Failure,
    terminal,
};

pub(crate) fn run(global: &Global, command: &Mint) -> Result<(), Failure> {
    let scope = command
        .scope
        .as_deref()
        .map(|text| {
            json(text).ok_or_else(|| {
                Failure::usage(
                    "`--scope` is not JSON: quote it for the shell, as in `--scope '{\"admin\": true}'` or \
                     `--scope '\"read write\"'`",
                )
            })
        })
        .transpose()?;
    let claims = command
        .claims
        .iter()
        .map(|text| claim(text))
        .collect::<Result<Vec<_>, _>>()?;
    for (index, (name, _)) in claims.iter().enumerate() {
        if claims[..index].iter().any(|(given, _)| given == name) {
            return Err(Failure::usage(format!(
                "the claim `{}` is given twice",
                terminal::escaped_line(name)
            )));
        }
    }
    let mut config = configuration::config(global)?;
    let age_variable = if command.refresh {
        "JWT_REFRESHMAXAGE"
    } else {
        "JWT_AUTHMAXAGE"
    };
    if let Some(age) = command.age {
        let age = Duration::seconds(age);
        config = if command.refresh {
            config.refresh_max_age(age)
        } else {
            config.auth_max_age(age)
        };
    }
    let auth = AuthManager::new(config).map_err(|error| match (error, command.age) {
        (ConfigError::Invalid { key, reason }, Some(_)) if key == age_variable => {
            Failure::usage(format!("`--age` is not a lifetime: it {reason}"))
        }
        (error, _) => error.into(),
    })?;
    let token = if command.refresh {
        auth.refresh_token(&command.subject).sign()?
    } else {
        let mut builder = auth.auth_token(&command.subject);
        if let Some(scope) = scope {
            builder = builder.scope(scope);
        }
        for (name, value) in claims {
            builder = builder.claim(name, value);
        }
        builder.sign().map_err(|error| match error {
            MintError::ReservedClaim { .. } => Failure::usage(error.to_string()),
            error => error.into(),
        })?
    };
    terminal::print_line(token.signed())
}

/// Splits `name=JSON`. Errors do not repeat the value.
fn claim(text: &str) -> Result<(&str, Value), Failure> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(Failure::usage(
            "`--claim` has the form NAME=JSON, as in `--claim 'team=\"red\"'`",
        ));
    };
    let value = json(value).ok_or_else(|| {
        Failure::usage(format!(
            "the value of the claim `{}` is not JSON: quote it for the shell, as in `--claim 'team=\"red\"'`",
            terminal::escaped_line(name)
        ))
    })?;
    Ok((name, value))
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
