//! Where the PIN comes from.

use std::{env, error::Error, fmt, fs, path::PathBuf, sync::Arc};

use zeroize::Zeroizing;

use crate::Pkcs11Error;

type Read = dyn Fn() -> Result<String, Box<dyn Error + Send + Sync>> + Send + Sync;

/// Gives the PIN when a session has to log in.
#[derive(Clone)]
pub(crate) enum PinSource {
    File(PathBuf),
    Variable(String),
    Function(Arc<Read>),
}

/// The longest PIN that is read, in bytes.
const LONGEST: usize = 1_024;

impl PinSource {
    /// Reads the PIN. One line break at the end of a file does not belong to it.
    pub(crate) fn read(&self) -> Result<Zeroizing<String>, Pkcs11Error> {
        let failed = |source: Box<dyn Error + Send + Sync>| Pkcs11Error::Pin {
            place: self.to_string(),
            source,
        };
        let pin = match self {
            Self::File(path) => fs::read_to_string(path).map_err(|error| failed(error.into()))?,
            Self::Variable(name) => env::var(name).map_err(|error| match error {
                env::VarError::NotPresent => failed("it is not set".into()),
                // Its own message contains the value.
                env::VarError::NotUnicode(_) => failed("it is not UTF-8".into()),
            })?,
            Self::Function(read) => read().map_err(failed)?,
        };
        let pin = Zeroizing::new(pin);
        let trimmed = match self {
            Self::File(_) => pin
                .strip_suffix('\n')
                .map_or(pin.as_str(), |pin| pin.strip_suffix('\r').unwrap_or(pin)),
            Self::Variable(_) | Self::Function(_) => pin.as_str(),
        };
        if trimmed.is_empty() || trimmed.len() > LONGEST {
            return Err(failed("it is empty, or longer than 1024 bytes".into()));
        }
        Ok(Zeroizing::new(trimmed.to_owned()))
    }
}

impl fmt::Display for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "the variable `{name}`"),
            Self::Function(_) => write!(f, "the function of `pin_with`"),
        }
    }
}

impl fmt::Debug for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
