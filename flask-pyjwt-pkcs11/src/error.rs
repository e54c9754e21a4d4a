//! What can go wrong with an HSM.

use std::fmt;

use cryptoki::error::{Error, RvError};
use flask_pyjwt_core::{AuthType, signer::SignerError};

/// Why a [`Pkcs11Signer`](crate::Pkcs11Signer) cannot be opened, or does not sign.
///
/// No message contains the PIN. `Debug` prints the same sentence as `Display`, with the source.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// A part of the configuration is missing or invalid.
    #[error("{0}")]
    Config(&'static str),
    /// The HSM cannot sign with this algorithm.
    #[error(
        "{0} is not an algorithm of PKCS#11 signers: use ES256, ES384, ES512, EdDSA, or RS or PS with 256, 384 or 512"
    )]
    Algorithm(AuthType),
    /// The PIN cannot be read.
    #[error("the PIN cannot be read from {place}")]
    Pin {
        /// Where it was to be read from. Never the PIN.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The HSM has refused this PIN before. It is not sent again, because a few wrong PINs lock the token.
    #[error(
        "the HSM has refused the PIN, and it is not sent again: change it (a variable needs a restart)"
    )]
    PinRefused,
    /// No token has the label.
    #[error(
        "no token has the label `{label}`: list the tokens of the module, for instance with `pkcs11-tool -L`"
    )]
    NoToken {
        /// The label.
        label: String,
    },
    /// Several tokens have the label.
    #[error("several tokens have the label `{label}`: give each its own")]
    SeveralTokens {
        /// The label.
        label: String,
    },
    /// No key has the label or ID.
    #[error("the token has no {kind} key with this label or ID, or the session may not see it")]
    NoKey {
        /// `private` or `public`.
        kind: &'static str,
    },
    /// Several keys have the label or ID.
    #[error(
        "the token has several {kind} keys with this label or ID: name one by its label and its ID"
    )]
    SeveralKeys {
        /// `private` or `public`.
        kind: &'static str,
    },
    /// The key does not fit the algorithm.
    #[error(
        "the key is not one for {0}: its type or curve is another one, or its public part is in an unknown form; give the public key with `Pkcs11Builder::public_key`, or use another algorithm"
    )]
    UnfitKey(AuthType),
    /// The threads that sign cannot be started, or have ended.
    #[error("the threads that sign are not running")]
    Threads(#[source] std::io::Error),
    /// A function of the module failed.
    #[error("{}", said(.0))]
    Call(Box<Error>),
}

/// An error of the module in one short sentence. Those of `cryptoki` quote whole paragraphs of the standard.
fn said(error: &Error) -> String {
    match error {
        Error::Pkcs11(answer, function) => {
            format!("the function {function} of the HSM's module answered {answer:?}")
        }
        Error::LibraryLoading(error) => format!("the HSM's module cannot be loaded: {error}"),
        other => format!("a call of the HSM's module failed: {other}"),
    }
}

impl From<Error> for Pkcs11Error {
    fn from(error: Error) -> Self {
        Self::Call(Box::new(error))
    }
}

impl fmt::Debug for Pkcs11Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl Pkcs11Error {
    /// What the module answered, if it was called.
    pub(crate) fn answer(&self) -> Option<RvError> {
        match self {
            Self::Call(error) => match **error {
                Error::Pkcs11(answer, _) => Some(answer),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a new session may help: everything except what the configuration is to blame for.
    pub(crate) fn is_worth_a_new_session(&self) -> bool {
        use RvError as Rv;
        match self {
            Self::NoToken { .. } | Self::NoKey { .. } => true,
            _ => self.answer().is_some_and(|answer| {
                !matches!(
                    answer,
                    Rv::PinIncorrect
                        | Rv::PinInvalid
                        | Rv::PinLenRange
                        | Rv::PinExpired
                        | Rv::PinLocked
                        | Rv::UserPinNotInitialized
                        | Rv::MechanismInvalid
                        | Rv::MechanismParamInvalid
                        | Rv::KeyTypeInconsistent
                        | Rv::KeySizeRange
                        | Rv::KeyFunctionNotPermitted
                        | Rv::FunctionNotSupported
                        | Rv::CurveNotSupported
                )
            }),
        }
    }
}

impl From<Pkcs11Error> for SignerError {
    /// What a new session may help against is temporary. So is a PIN that cannot be read, for instance while its file is
    /// being replaced.
    fn from(error: Pkcs11Error) -> Self {
        if error.is_worth_a_new_session() || matches!(error, Pkcs11Error::Pin { .. }) {
            Self::temporary(error)
        } else {
            Self::permanent(error)
        }
    }
}
