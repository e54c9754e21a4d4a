//! The token in the HSM, and sessions with it.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::Mechanism,
    object::{KeyType, ObjectHandle},
    session::{Session, SessionState, UserType},
    slot::Slot,
    types::AuthPin,
};
use zeroize::Zeroizing;

use crate::{Pkcs11Error, object::KeyNames, pin::PinSource};

/// A module with its token, and which key of it signs.
pub(crate) struct Token {
    module: Pkcs11,
    pub(crate) label: String,
    pub(crate) key: KeyNames,
    pub(crate) key_type: KeyType,
    pub(crate) pin: PinSource,
    /// The last PIN that the HSM refused. Held while a session logs in, so that several threads do not try a wrong PIN
    /// at the same time.
    refused: Mutex<Option<Zeroizing<String>>>,
}

/// A session that is logged in, with the key.
pub(crate) struct Opened {
    pub(crate) session: Session,
    key: ObjectHandle,
}

impl Opened {
    pub(crate) fn sign(
        &self,
        mechanism: &Mechanism<'_>,
        input: &[u8],
    ) -> Result<Vec<u8>, Pkcs11Error> {
        Ok(self.session.sign(mechanism, self.key, input)?)
    }
}

fn is_answer(error: &Error, answer: RvError) -> bool {
    matches!(error, Error::Pkcs11(found, _) if *found == answer)
}

impl Token {
    /// Loads the module. It may have been loaded and initialized by others in this process.
    pub(crate) fn load(
        module: PathBuf,
        label: String,
        key: KeyNames,
        key_type: KeyType,
        pin: PinSource,
    ) -> Result<Self, Pkcs11Error> {
        let token = Self {
            module: Pkcs11::new(module)?,
            label,
            key,
            key_type,
            pin,
            refused: Mutex::default(),
        };
        token.initialize()?;
        Ok(token)
    }

    fn initialize(&self) -> Result<(), Pkcs11Error> {
        // The threads of this package call the module at the same time.
        match self
            .module
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        {
            Err(error) if !is_answer(&error, RvError::CryptokiAlreadyInitialized) => {
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    /// Opens a session, logs in, and finds the key.
    pub(crate) fn open(&self) -> Result<Opened, Pkcs11Error> {
        // Others in this process may have finalized the module.
        self.initialize()?;
        let session = self.module.open_ro_session(self.slot()?)?;
        self.log_in(&session)?;
        let key = self.key.find(&session, self.key_type, true)?;
        Ok(Opened { session, key })
    }

    /// The slot of the token. Its number can change while the process runs.
    fn slot(&self) -> Result<Slot, Pkcs11Error> {
        let mut found = None;
        for slot in self.module.get_slots_with_token()? {
            // A token that cannot be read may be another one.
            let Ok(token) = self.module.get_token_info(slot) else {
                continue;
            };
            if token.label() != self.label {
                continue;
            }
            if found.replace(slot).is_some() {
                let label = self.label.clone();
                return Err(Pkcs11Error::SeveralTokens { label });
            }
        }
        found.ok_or_else(|| Pkcs11Error::NoToken {
            label: self.label.clone(),
        })
    }

    /// Logs in. The login counts for all sessions of the process.
    fn log_in(&self, session: &Session) -> Result<(), Pkcs11Error> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let SessionState::RoUser | SessionState::RwUser =
            session.get_session_info()?.session_state()
        {
            return Ok(());
        }
        let pin = self.pin.read()?;
        if refused.as_ref() == Some(&pin) {
            return Err(Pkcs11Error::PinRefused);
        }
        match session.login(UserType::User, Some(&AuthPin::from(pin.as_str()))) {
            Err(error) if is_answer(&error, RvError::UserAlreadyLoggedIn) => Ok(()),
            Err(error) => {
                // The answers after which another attempt with this PIN brings the token closer to being locked.
                let is_refused = [
                    RvError::PinIncorrect,
                    RvError::PinInvalid,
                    RvError::PinLenRange,
                    RvError::PinLocked,
                ];
                if is_refused
                    .into_iter()
                    .any(|answer| is_answer(&error, answer))
                {
                    *refused = Some(pin);
                }
                Err(error.into())
            }
            Ok(()) => {
                *refused = None;
                Ok(())
            }
        }
    }
}
