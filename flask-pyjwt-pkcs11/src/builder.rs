//! The settings of a signer.

use std::{error::Error, fmt, path::PathBuf, sync::Arc};

use flask_pyjwt_core::AuthType;

use crate::{
    Pkcs11Error, Pkcs11Signer,
    mechanism::{input, key_type, mechanism},
    object::KeyNames,
    pin::PinSource,
    public_key,
    token::Token,
    workers::Workers,
};

/// The limit of threads. Each has a session, of which an HSM has few.
const MOST_THREADS: usize = 64;

/// Builds a [`Pkcs11Signer`]: the result of [`Pkcs11Signer::builder`].
///
/// It needs the [label of the token](Self::token_label), the name of the key ([label](Self::key_label) or
/// [ID](Self::key_id)), and a PIN ([file](Self::pin_file), [variable](Self::pin_env) or [function](Self::pin_with)).
#[must_use = "the HSM is asked when `open` is called"]
pub struct Pkcs11Builder {
    module: PathBuf,
    token: Option<String>,
    key: KeyNames,
    pin: Option<PinSource>,
    public_key: Option<String>,
    threads: usize,
}

impl Pkcs11Builder {
    pub(crate) fn new(module: PathBuf) -> Self {
        Self {
            module,
            token: None,
            key: KeyNames::default(),
            pin: None,
            public_key: None,
            threads: 4,
        }
    }

    /// Sets the label of the token that has the key. The number of its slot may change.
    pub fn token_label(mut self, label: impl Into<String>) -> Self {
        self.token = Some(label.into());
        self
    }

    /// Sets the label of the key (`CKA_LABEL`). With an [ID](Self::key_id) too, both must match.
    pub fn key_label(mut self, label: impl Into<String>) -> Self {
        self.key.label = Some(label.into());
        self
    }

    /// Sets the ID of the key (`CKA_ID`). With a [label](Self::key_label) too, both must match.
    pub fn key_id(mut self, id: impl Into<Vec<u8>>) -> Self {
        self.key.id = Some(id.into());
        self
    }

    /// Reads the PIN from a file. One line break at its end does not belong to the PIN.
    pub fn pin_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.pin = Some(PinSource::File(path.into()));
        self
    }

    /// Reads the PIN from an environment variable.
    pub fn pin_env(mut self, name: impl Into<String>) -> Self {
        self.pin = Some(PinSource::Variable(name.into()));
        self
    }

    /// Gets the PIN from a function. It is called on the signer's threads, so it may block.
    pub fn pin_with<F>(mut self, read: F) -> Self
    where
        F: Fn() -> Result<String, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    {
        self.pin = Some(PinSource::Function(Arc::new(read)));
        self
    }

    /// Sets the public key, as PEM or JWK. By default it is read from the public key in the HSM that has the same label and
    /// ID as the private one.
    pub fn public_key(mut self, key: impl Into<String>) -> Self {
        self.public_key = Some(key.into());
        self
    }

    /// Sets how many threads sign, from 1 to 64. Each has a session with the HSM. The default is 4.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Loads the module, logs in, finds the key, makes a signature to see that it works, and starts the threads.
    ///
    /// It blocks. Call it at start.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error`] says which setting is missing, or what the HSM does not do.
    pub fn open(self, auth_type: AuthType) -> Result<Pkcs11Signer, Pkcs11Error> {
        let key_type = key_type(auth_type)?;
        let missing = Pkcs11Error::Config;
        let label = self
            .token
            .ok_or(missing("the token has no name: add `token_label`"))?;
        if self.key.is_empty() {
            return Err(missing("the key has no name: add `key_label` or `key_id`"));
        }
        let pin = self.pin.ok_or(missing(
            "there is no PIN: add `pin_file`, `pin_env` or `pin_with`",
        ))?;
        if !(1..=MOST_THREADS).contains(&self.threads) {
            return Err(missing("`threads` must be 1 to 64"));
        }
        let token = Arc::new(Token::load(self.module, label, self.key, key_type, pin)?);
        let opened = token.open()?;
        let public_key = if let Some(key) = self.public_key {
            key
        } else {
            let key = token.key.find(&opened.session, key_type, false)?;
            public_key::read(&opened.session, key, auth_type)?
        };
        opened.sign(&mechanism(auth_type)?, &input(auth_type, b"the key signs"))?;
        let workers = Workers::start(&token, auth_type, opened, self.threads)?;
        Ok(Pkcs11Signer {
            auth_type,
            public_key,
            token,
            workers,
        })
    }
}

impl fmt::Debug for Pkcs11Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Builder")
            .field("module", &self.module)
            .field("token", &self.token)
            .field("key", &self.key)
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}
