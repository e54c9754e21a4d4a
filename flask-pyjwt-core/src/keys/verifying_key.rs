//! A key that verifies, prepared.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use super::{AuthType, MacKey, PublicKey, Purpose, Verifier, derived::DerivedKeys};
use crate::jose::NumericDate;

/// Which tokens may be of a key besides those that name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    /// No others.
    Named,
    /// Those that name no key, where no other key is for their algorithm: there is nothing to choose
    /// (`OpenID` Connect Core 1.0, section 10.1).
    NamedOrOnly,
    /// Those that name no key.
    Nameless,
    /// All: the key was given no name that tokens could use.
    Any,
}

impl Serves {
    /// Whether tokens without a key id may be of the key whatever other keys there are.
    pub(super) fn nameless(self) -> bool {
        matches!(self, Self::Nameless | Self::Any)
    }
}

/// A key that verifies tokens of its one algorithm, until it is dropped.
pub(crate) struct VerifyingKey {
    pub(crate) auth_type: AuthType,
    /// What tokens name it by: `kid`. Empty for a foreign key that has none.
    pub(crate) id: String,
    /// Tells keys apart whatever they are called: the thumbprint of RFC 7638, or its like.
    pub(crate) fingerprint: String,
    /// Which tokens may be of this key.
    pub(crate) serves: Serves,
    /// What is published of it.
    pub(crate) public: Option<PublicKey>,
    verifier: Verifier,
    /// Where the secret or private key is known, or was when this key signed.
    derived: OnceLock<Arc<DerivedKeys>>,
    /// The second since 1970 from which on it verifies nothing.
    until: AtomicI64,
}

/// The end of a key that has none.
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

    /// Gives the key what is derived from its secret or private part.
    pub(super) fn set_derived(&self, derived: DerivedKeys) {
        drop(self.derived.set(Arc::new(derived)));
    }

    /// Takes over what is derived from the private part of the same key, which was only known in public.
    pub(super) fn learn_from(&self, same: &Self) {
        if let Some(derived) = same.derived.get() {
            drop(self.derived.set(Arc::clone(derived)));
        }
    }

    /// The key for a purpose of our own; none where only the public key is known.
    pub(super) fn derived(&self, purpose: Purpose) -> Option<&MacKey> {
        self.derived.get().map(|derived| derived.key(purpose))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature)
    }

    /// Whether the key still counts. Asked for every token, those that were verified before too.
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        now.seconds() < self.until.load(Ordering::Acquire)
    }

    /// Ends the key at this second since 1970, or at once where that has passed.
    pub(crate) fn ends_at(&self, second: i64) {
        self.until.store(second, Ordering::Release);
    }

    /// Ends the key whatever the clock shows.
    pub(crate) fn end(&self) {
        self.ends_at(i64::MIN);
    }

    /// Takes an end back: the key is the signing one again.
    pub(crate) fn goes_on(&self) {
        self.ends_at(NEVER);
    }

    /// The second since 1970 at which the key ends, if it does.
    pub(crate) fn end_second(&self) -> Option<i64> {
        Some(self.until.load(Ordering::Acquire)).filter(|until| *until != NEVER)
    }
}
