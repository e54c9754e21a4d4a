//! The configuration, read exactly as a server reads it.

use flask_pyjwt::{AuthManager, Config};

use crate::{arguments::Global, failure::Failure};

/// The configuration of `--env-file`, or of the environment and the nearest `.env`.
pub(crate) fn config(global: &Global) -> Result<Config, Failure> {
    let config = match &global.env_file {
        Some(path) => Config::from_dotenv(path),
        None => Config::from_env(),
    };
    Ok(config?)
}

/// The manager that a server would make of it.
pub(crate) fn manager(global: &Global) -> Result<AuthManager, Failure> {
    Ok(AuthManager::new(config(global)?)?)
}
