//! Errors of signing with a remote key.

use std::{error::Error, sync::Arc};

use crate::error_chain::debug_is_the_sentence;

/// Why a [`RemoteSigner`](crate::signer::RemoteSigner) has not signed: the error that the application's implementation
/// returns.
///
/// A temporary error, such as a lost connection or too many requests, is worth another attempt: see
/// [`Key::retries`](crate::Key::retries). Any other error is final, such as a missing key or a missing right. The source
/// goes into the log, and never into an answer. It must not contain a PIN or an access token.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::signer::SignerError;
///
/// let error = SignerError::temporary("the connection was closed");
/// assert!(error.is_temporary());
/// assert!(!SignerError::permanent("there is no key of this name").is_temporary());
/// ```
#[derive(Clone, thiserror::Error)]
#[error("{}", if *is_temporary { "signing failed, and may succeed later" } else { "signing failed" })]
pub struct SignerError {
    is_temporary: bool,
    source: Arc<dyn Error + Send + Sync>,
}

impl SignerError {
    /// Makes the error of an attempt that may succeed if it is repeated.
    pub fn temporary(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            is_temporary: true,
            source: source.into().into(),
        }
    }

    /// Makes the error of an attempt that fails again if it is repeated.
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            is_temporary: false,
            source: source.into().into(),
        }
    }

    /// Whether another attempt may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}

/// Why a [remote key](crate::Key::remote) has made no signature that can be used.
///
/// In a handler of actix-web, `?` turns a [temporary](Self::is_temporary) failure into a 503 with `Retry-After`, and any
/// other into a 500. The log says why, and the body does not.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SignerFailure {
    /// The signer did not answer within [`Key::timeout`](crate::Key::timeout).
    #[error(
        "the remote signer did not answer within {milliseconds} ms: check it, or allow more with `Key::timeout`"
    )]
    Timeout {
        /// The limit in milliseconds.
        milliseconds: u128,
    },
    /// [`Key::concurrency`](crate::Key::concurrency) other signatures were being made during the whole of
    /// [`Key::timeout`](crate::Key::timeout).
    #[error(
        "the remote signer was making {concurrency} other signatures for {milliseconds} ms: allow more at once with \
         `Key::concurrency`, or use a faster signer"
    )]
    Busy {
        /// The largest number of signatures at once.
        concurrency: usize,
        /// The time in milliseconds for which this one has waited.
        milliseconds: u128,
    },
    /// The signer returned an error.
    #[error("the remote signer failed")]
    Failed(#[source] SignerError),
    /// The signer panicked.
    #[error("the remote signer panicked")]
    Panicked,
    /// The signature does not have the length that the algorithm needs.
    #[error("the remote signer returned {length} bytes: {expected}")]
    WrongLength {
        /// How many bytes it returned.
        length: usize,
        /// What the algorithm needs.
        expected: String,
    },
    /// The signature is not one of the signer's public key over the message.
    #[error(
        "the remote signer returned a signature that its public key does not verify: it must sign the message that it \
         is given, hashed once, with the key and the algorithm that it names"
    )]
    WrongSignature,
    /// There is no tokio runtime, without which the time cannot be limited.
    #[error(
        "a remote key signs inside a tokio runtime only, such as the one of `#[actix_web::main]`"
    )]
    NoRuntime,
}

impl SignerFailure {
    /// Whether a later attempt may succeed without a change of the configuration or the signer.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Busy { .. } => true,
            Self::Failed(error) => error.is_temporary(),
            Self::Panicked | Self::WrongLength { .. } | Self::WrongSignature | Self::NoRuntime => {
                false
            }
        }
    }

    /// The name of the failure for logs and metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "timeout",
            Self::Busy { .. } => "busy",
            Self::Failed(error) if error.is_temporary() => "temporary",
            Self::Failed(_) | Self::NoRuntime => "error",
            Self::Panicked => "panic",
            Self::WrongLength { .. } | Self::WrongSignature => "wrong_signature",
        }
    }
}

debug_is_the_sentence!(SignerError, SignerFailure);
