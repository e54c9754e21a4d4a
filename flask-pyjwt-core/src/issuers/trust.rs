//! An issuer that is trusted: how its tokens are judged.

use std::{ops::Deref, sync::Arc};

use crate::{
    claims::ClaimRules,
    jose::{HeaderTypes, NumericDate, TokenError},
    keys::KeySet,
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
    Fixed(Box<KeySet>),
    /// They are fetched.
    #[cfg(feature = "jwks")]
    Remote(Arc<crate::remote::RemoteKeys>),
}

impl KeySource {
    /// The keys now, without waiting for anybody.
    pub(crate) fn load(&self, now: NumericDate) -> Loaded<'_> {
        match self {
            Self::Fixed(keys) => {
                let _ = now;
                Loaded::Fixed(keys)
            }
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => {
                keys.renew_in_time(now);
                Loaded::Remote(keys.load())
            }
        }
    }

    /// What is answered where the key of a token is unknown or has come to its end.
    pub(crate) fn unknown_key(&self, now: NumericDate) -> TokenError {
        match self {
            Self::Fixed(_) => {
                let _ = now;
                TokenError::UnknownKey
            }
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => keys.unknown_key(now),
        }
    }
}

/// Keys that were loaded.
pub(crate) enum Loaded<'a> {
    Fixed(&'a KeySet),
    #[cfg(feature = "jwks")]
    Remote(arc_swap::Guard<Arc<crate::remote::Snapshot>>),
}

impl Deref for Loaded<'_> {
    type Target = KeySet;

    fn deref(&self) -> &KeySet {
        match self {
            Self::Fixed(keys) => keys,
            #[cfg(feature = "jwks")]
            Self::Remote(snapshot) => &snapshot.keys,
        }
    }
}
