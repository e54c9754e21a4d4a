//! An issuer that is trusted: how its tokens are judged.

use std::sync::Arc;

use crate::{
    keys::KeySet,
    token::{ClaimRules, HeaderTypes},
};

/// Everything that judges the tokens of one other issuer.
pub(crate) struct Trust {
    pub(crate) rules: Arc<ClaimRules>,
    pub(crate) types: HeaderTypes,
    pub(crate) keys: KeySource,
}

/// Where the keys of an issuer come from.
pub(crate) enum KeySource {
    /// They were configured, and stay.
    Fixed(KeySet),
}
