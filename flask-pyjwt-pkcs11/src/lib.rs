//! Signs the tokens of flask-pyjwt with a key in a hardware security module (HSM), over PKCS#11.
//!
//! [`Pkcs11Signer`] is a [`RemoteSigner`](flask_pyjwt_core::signer::RemoteSigner) for
//! [`Key::remote`](flask_pyjwt_core::Key::remote). Applications use `flask_pyjwt` where this page says
//! `flask_pyjwt_core`: it re-exports the same items.
//!
//! ```no_run
//! use flask_pyjwt_core::{AuthManager, AuthType, Config, Key};
//! use flask_pyjwt_pkcs11::Pkcs11Signer;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let signer = Pkcs11Signer::builder("/usr/lib/softhsm/libsofthsm2.so")
//!     .token_label("tokens")
//!     .key_label("jwt-2026")
//!     .pin_file("/run/secrets/hsm-pin")
//!     .open(AuthType::ES256)?;
//! let auth = AuthManager::new(Config::with_key("https://accounts.example", Key::remote(signer)))?;
//! let token = auth.auth_token("alice").sign_async().await?;
//! # drop(token);
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! - **Threads.** PKCS#11 blocks. A few threads, each with a session of its own, sign for all requests. A request that
//!   was given up while it waited is not signed.
//! - **Sessions.** After an error of the session, the device or the key's handle, a thread closes its session, opens
//!   another one, and tries once more. So a restart of the HSM or a replaced token needs no restart of the server.
//! - **The PIN** is read again whenever a thread has to log in. A PIN that the HSM has refused is not sent again, because
//!   a few wrong ones lock the token: change the file, or restart the server with another variable.
//! - **The public key** is read from the HSM, or given with [`Pkcs11Builder::public_key`].
//!
//! PKCS#11 state belongs to the process: fork before you open a signer, not after. Keys with `CKA_ALWAYS_AUTHENTICATE`
//! are not supported.

mod builder;
mod error;
mod mechanism;
mod object;
mod pin;
mod public_key;
mod signer;
mod token;
mod workers;

pub use self::{builder::Pkcs11Builder, error::Pkcs11Error, signer::Pkcs11Signer};
