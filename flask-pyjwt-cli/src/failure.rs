//! Why a command ends with another exit code than 0.

use std::{error::Error, process::ExitCode};

use flask_pyjwt::{ConfigError, MintError, SessionError, store::StoreError};

/// The reason, as one or more sentences for standard error, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    /// Something is wrong: refused, invalid, not reachable or not found. Exit code 1.
    pub(crate) fn wrong(text: impl Into<String>) -> Self {
        Self {
            code: 1,
            text: text.into(),
        }
    }

    /// The command was used wrongly. Exit code 2, as for the errors of clap.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            code: 2,
            text: text.into(),
        }
    }

    /// The result on standard output says already what is wrong. Exit code 1.
    pub(crate) fn shown() -> Self {
        Self::wrong("")
    }

    /// An error of the library. Its `Debug` is one sentence with all causes.
    pub(crate) fn of(error: &impl Error) -> Self {
        Self::wrong(format!("{error:?}"))
    }

    /// The sentences for standard error.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::of(&error)
    }
}

impl From<MintError> for Failure {
    fn from(error: MintError) -> Self {
        Self::of(&error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::of(&error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of(&error)
    }
}
