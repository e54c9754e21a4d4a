//! What an issuer gets from the configuration that trusts it.

#[cfg(feature = "jwks")]
use std::sync::Arc;

use time::Duration;

use crate::keys::Crypto;
#[cfg(feature = "jwks")]
use crate::{clock::TimeSource, remote::SourcePool};

/// What counts for an issuer that says nothing else of its own.
#[derive(Clone)]
pub(crate) struct Defaults {
    pub(crate) leeway: Duration,
    pub(crate) integer_subjects: bool,
    pub(crate) crypto: Crypto,
    #[cfg(feature = "jwks")]
    pub(crate) clock: TimeSource,
    #[cfg(feature = "jwks")]
    pub(crate) sources: Arc<SourcePool>,
}
