//! A key that is prepared for verifying.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use super::{AuthType, MacKey, PublicKey, Purpose, Verifier, derived::DerivedKeys};
use crate::jose::NumericDate;

/// For which tokens a key is tried, in addition to those whose `kid` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    /// For no others.
    Named,
    /// For tokens without a `kid`, if no other key has their algorithm (`OpenID` Connect Core 1.0, section 10.1).
    NamedOrOnly,
    /// For tokens without a `kid`.
    WithoutId,
    /// For tokens without a `kid` and tokens with an unknown `kid`: the key has no explicit ID.
    Any,
}

impl Serves {
    /// Returns whether the key is tried for tokens without a `kid`, regardless of other keys.
    pub(super) fn without_id(self) -> bool {
        matches!(self, Self::WithoutId | Self::Any)
    }
}

/// A key that verifies tokens of one algorithm until its end.
pub(crate) struct VerifyingKey {
    pub(crate) auth_type: AuthType,
    /// The key ID: `kid` in tokens. Empty for a key of another issuer that has none.
    pub(crate) id: String,
    /// Identifies the key material: the thumbprint of RFC 7638, or a similar hash.
    pub(crate) fingerprint: String,
    /// For which tokens the key is tried.
    pub(crate) serves: Serves,
    /// The public key to publish.
    pub(crate) public: Option<PublicKey>,
    verifier: Verifier,
    /// The keys derived from the secret or private key, if that has ever been known.
    derived: OnceLock<Arc<DerivedKeys>>,
    /// The end, in seconds since 1970. From then on the key verifies nothing.
    until: AtomicI64,
}

/// The end of a key without an end.
const NEVER: i64 = i64::MAX;

impl VerifyingKey {
    pub(crate) fn new(
        auth_type: AuthType,
        id: String,
        fingerprint: String,
        serves: Serves,
        verifier: Verifier,
        public: Option<PublicKey>,
    ) -> Self {
        Self {
            auth_type,
            id,
            fingerprint,
            serves,
            public,
            verifier,
            derived: OnceLock::new(),
            until: AtomicI64::new(NEVER),
        }
    }

    /// Sets the keys derived from the secret or private key.
    pub(super) fn set_derived(&self, derived: DerivedKeys) {
        drop(self.derived.set(Arc::new(derived)));
    }

    /// Returns whether both are the same key with the same algorithm and ID.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
            && self.auth_type == other.auth_type
            && self.id == other.id
    }

    /// Copies the derived keys from the same key, if only its public part was known before.
    pub(super) fn copy_derived_from(&self, same: &Self) {
        if let Some(derived) = same.derived.get() {
            drop(self.derived.set(Arc::clone(derived)));
        }
    }

    /// Returns the derived key for a purpose, or `None` if only the public key is known.
    pub(super) fn derived(&self, purpose: Purpose) -> Option<&MacKey> {
        self.derived.get().map(|derived| derived.key(purpose))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature)
    }

    /// Returns whether the key has not ended. It is checked for every token, including cached ones.
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        now.seconds() < self.until.load(Ordering::Acquire)
    }

    /// Sets the end, in seconds since 1970.
    pub(crate) fn set_end(&self, second: i64) {
        self.until.store(second, Ordering::Release);
    }

    /// Ends the key at once, regardless of the clock.
    pub(crate) fn end(&self) {
        self.set_end(i64::MIN);
    }

    /// Removes the end, for example when a retired key signs again.
    pub(crate) fn clear_end(&self) {
        self.set_end(NEVER);
    }

    /// Returns the end in seconds since 1970, if there is one.
    pub(crate) fn end_second(&self) -> Option<i64> {
        Some(self.until.load(Ordering::Acquire)).filter(|until| *until != NEVER)
    }
}
