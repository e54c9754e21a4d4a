//! The signer that a key takes.

use std::{fmt, path::PathBuf, sync::Arc};

use flask_pyjwt_core::{
    AuthType,
    signer::{RemoteSigner, SignatureFuture},
};

use crate::{Pkcs11Builder, mechanism::input, token::Token, workers::Workers};

/// Signs with a private key in an HSM. Pass it to [`Key::remote`](flask_pyjwt_core::Key::remote).
///
/// ```no_run
/// use flask_pyjwt_core::{AuthType, Key};
/// use flask_pyjwt_pkcs11::Pkcs11Signer;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hsm = || Pkcs11Signer::builder("/usr/lib/softhsm/libsofthsm2.so").token_label("tokens").pin_env("HSM_PIN");
/// let key = Key::remote(hsm().key_label("jwt-2026").open(AuthType::ES256)?);
///
/// // Without the name of a key, nothing is opened.
/// assert!(hsm().open(AuthType::ES256).is_err());
/// # drop(key);
/// # Ok(())
/// # }
/// ```
pub struct Pkcs11Signer {
    pub(crate) auth_type: AuthType,
    pub(crate) public_key: String,
    pub(crate) token: Arc<Token>,
    pub(crate) workers: Workers,
}

impl Pkcs11Signer {
    /// Begins with the module of the HSM: the path of its library, such as `/usr/lib/softhsm/libsofthsm2.so`.
    ///
    /// The library runs in this process, with all its rights. Give an absolute path that only administrators can write to.
    pub fn builder(module: impl Into<PathBuf>) -> Pkcs11Builder {
        Pkcs11Builder::new(module.into())
    }
}

impl RemoteSigner for Pkcs11Signer {
    fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    fn public_key(&self) -> String {
        self.public_key.clone()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> SignatureFuture<'a> {
        Box::pin(self.workers.sign(input(self.auth_type, message)))
    }
}

impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Signer")
            .field("auth_type", &self.auth_type)
            .field("token", &self.token.label)
            .field("key", &self.token.key)
            .finish_non_exhaustive()
    }
}
