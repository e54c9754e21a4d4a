//! Errors of configuring a manager and of minting.

mod signer;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    error_chain::{debug_is_the_sentence, said},
    jose::TokenError,
};

pub use self::signer::{SignerError, SignerFailure};

/// What is wrong with a configuration. It is found when the manager is made, and not at the first request.
///
/// The message names the environment variable and says what to do. It never shows a value. `Debug` prints the same
/// sentence, so that `main` and `expect` show it:
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config};
///
/// let config = |secret| Config::new("example", AuthType::HS256, secret);
/// assert!(AuthManager::new(config("change-me: at least 32 bytes of secret")).is_ok());
///
/// let error = AuthManager::new(config("too short")).unwrap_err();
/// assert_eq!(error.key(), "JWT_SECRET");
/// assert!(format!("{error:?}").contains("has 9 bytes, and HS256 needs 32 or more"));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required value is missing.
    #[error("missing config value `{key}`: set it in the environment, in `.env` or in code")]
    #[doc(alias = "MissingConfigError")]
    Missing {
        /// The name of the variable.
        key: &'static str,
    },
    /// A value is invalid.
    #[error("invalid config value `{key}`: it {reason}")]
    #[doc(alias = "InvalidConfigError")]
    Invalid {
        /// The name of the variable.
        key: &'static str,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A file cannot be read.
    #[error("cannot read the file {}", shown(key, path.as_deref()))]
    Unreadable {
        /// What named the file: a variable, or the argument `path`.
        key: &'static str,
        /// The file; `None` where a variable names it, since that may be a secret in the wrong place.
        path: Option<PathBuf>,
        /// Why.
        source: std::io::Error,
    },
}

fn shown(key: &str, path: Option<&Path>) -> String {
    match path {
        Some(path) => format!("{}, named by `{key}`", path.display()),
        None => format!("that `{key}` names (the variable takes a path, not the value itself)"),
    }
}

impl ConfigError {
    pub(crate) fn invalid(key: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            key,
            reason: reason.into(),
        }
    }

    /// The configuration variable that the error is about.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Missing { key } | Self::Invalid { key, .. } | Self::Unreadable { key, .. } => key,
        }
    }
}

/// What is wrong with a value, as the end of a sentence about it: `has no audience`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Problem(Cow<'static, str>);

impl Problem {
    pub(crate) fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self(problem.into())
    }
}

impl From<&'static str> for Problem {
    fn from(problem: &'static str) -> Self {
        Self::new(problem)
    }
}

impl From<Problem> for String {
    fn from(problem: Problem) -> Self {
        problem.0.into_owned()
    }
}

/// Why a token cannot be minted.
///
/// In a handler of actix-web, `?` turns it into a 500, or into a 503 if a [remote key](crate::Key::remote) does not sign
/// at the moment. The log says why, and the body does not.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The manager has only a public key, with which it verifies and cannot mint.
    #[error("this manager has no private key: set `JWT_SECRET` to mint tokens")]
    #[doc(alias = "MissingSignerError")]
    MissingSigner,
    /// A claim that only the manager sets.
    #[error("the claim `{name}` is reserved: the manager sets it")]
    ReservedClaim {
        /// The name of the claim.
        name: String,
    },
    /// A claim's value cannot be written as JSON.
    #[error("the value of the claim `{name}` cannot be written as JSON")]
    NoJson {
        /// The name of the claim.
        name: String,
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// The value of `acr` or `client_id` has characters that are not allowed in it.
    #[error("the claim `{claim}` takes {allowed}")]
    Characters {
        /// The name of the claim.
        claim: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The text of `bind_to` is not a JWK thumbprint.
    #[error("the thumbprint to bind the token to is not 43 characters of base64url (RFC 7638)")]
    Thumbprint,
    /// The claims in the session's record cannot be read.
    #[error("the session's claims cannot be read")]
    SessionClaims {
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// The token would be longer than verification accepts.
    #[error("the token would have {size} bytes, and {limit} are accepted: use fewer claims")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// [`Config::max_token_size`](crate::Config::max_token_size)
        limit: usize,
    },
    /// The operating system's source of randomness fails.
    #[error("the system's source of randomness fails")]
    Randomness,
    /// The [crypto provider](crate::Config::crypto_provider) does not sign.
    #[error("the crypto provider does not sign")]
    Provider(#[source] Arc<jsonwebtoken::signature::Error>),
    /// The key is [remote](crate::Key::remote), and `sign()` cannot wait for its signature.
    #[error("the signing key is remote: call `sign_async().await` in place of `sign()`")]
    NeedsAsync,
    /// The [remote key](crate::Key::remote) does not sign.
    #[error("the remote key does not sign")]
    Signer(#[from] SignerFailure),
    /// Verification would refuse the token.
    #[error("the token would be refused")]
    Refused(#[from] TokenError),
}

/// Two errors are equal if they and their sources have the same messages.
impl PartialEq for MintError {
    fn eq(&self, other: &Self) -> bool {
        said(self) == said(other)
    }
}

impl Eq for MintError {}

debug_is_the_sentence!(ConfigError, MintError);
