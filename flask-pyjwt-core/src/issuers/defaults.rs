//! The settings that an issuer inherits from the configuration that trusts it.

#[cfg(feature = "jwks")]
use std::sync::Arc;

use time::Duration;

use crate::keys::Crypto;
#[cfg(feature = "jwks")]
use crate::{clock::TimeSource, remote::SourcePool};

/// The settings for issuers that do not override them.
#[derive(Clone)]
pub(crate) struct Defaults {
    pub(crate) leeway: Duration,
    pub(crate) integer_subjects: bool,
    pub(crate) crypto: Crypto,
    #[cfg(feature = "jwks")]
    pub(crate) clock: TimeSource,
    /// The pattern of names, for issuers that a function resolves.
    #[cfg(feature = "jwks")]
    pub(crate) pattern: Option<String>,
    #[cfg(feature = "jwks")]
    pub(crate) sources: Arc<SourcePool>,
}
