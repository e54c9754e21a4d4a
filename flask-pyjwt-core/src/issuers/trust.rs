//! A trusted issuer, ready to verify its tokens.

use std::{ops::Deref, sync::Arc};

use crate::{
    claims::ClaimRules,
    jose::{HeaderTypes, NumericDate, TokenError},
    keys::KeySet,
};

/// Everything that is needed to verify the tokens of one other issuer.
pub(crate) struct Trust {
    pub(crate) rules: Arc<ClaimRules>,
    pub(crate) types: HeaderTypes,
    pub(crate) keys: KeySource,
    /// How the issuer is asked about opaque tokens, if it is.
    #[cfg(feature = "jwks")]
    pub(crate) introspection: Option<Arc<crate::remote::Introspection>>,
}

/// Where the keys of an issuer come from.
pub(crate) enum KeySource {
    /// Fixed by the configuration.
    Fixed(Box<KeySet>),
    /// Fetched and renewed in the background.
    #[cfg(feature = "jwks")]
    Remote(Arc<crate::remote::RemoteKeys>),
}

impl KeySource {
    /// Returns the current keys without waiting.
    pub(crate) fn load(&self, now: NumericDate) -> Loaded<'_> {
        match self {
            Self::Fixed(keys) => {
                let _ = now;
                Loaded::Fixed(keys)
            }
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => {
                keys.renew_if_due(now);
                Loaded::Remote(keys.load())
            }
        }
    }

    /// Returns the error for a token whose key is not in the keys that were `searched`, or has ended. Returns `None` if
    /// the keys have been replaced meanwhile.
    #[cfg_attr(
        not(feature = "jwks"),
        expect(clippy::unnecessary_wraps, reason = "fixed keys are never replaced")
    )]
    pub(crate) fn unknown_key(
        &self,
        searched: &Loaded<'_>,
        now: NumericDate,
    ) -> Option<TokenError> {
        match (self, searched) {
            #[cfg(feature = "jwks")]
            (Self::Remote(keys), Loaded::Remote(searched)) => keys.unknown_key(searched, now),
            _ => {
                let _ = (searched, now);
                Some(TokenError::UnknownKey)
            }
        }
    }
}

/// A reference to the current keys.
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
