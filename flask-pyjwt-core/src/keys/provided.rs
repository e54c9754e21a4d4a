//! Keys that a configured crypto provider uses.
//!
//! The signers and verifiers of a provider are bound to a thread: `Box<dyn JwtSigner>` is neither `Send` nor `Sync`.
//! Each thread therefore asks the provider once for each key, when it first needs the key, and keeps the result. After
//! that, signing and verifying need neither parsing nor locking. When a key is dropped, each thread drops its signer and
//! verifier the next time that it uses any key of a provider.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier},
    errors, signature,
};

use super::{KeyProblem, PublicKey, weak_points::starts_with_weak_point};
use crate::log_limit::admits;

/// The message of the test with a forged signature.
const TEST_MESSAGE: &[u8] = b"the provider refuses forged signatures";

/// The form that a key's signatures must have. It is checked before and after the provider is called.
#[derive(Clone)]
pub(super) enum SignatureForm {
    /// HMAC: exactly this many bytes.
    Exactly(usize),
    /// RSA: as long as this modulus, and a smaller number (RFC 8017, sections 8.1.2 and 8.2.2).
    Below(Vec<u8>),
    /// ECDSA: two numbers of this many bytes each, neither of them 0 (RFC 7518, section 3.4).
    TwoNumbers(usize),
    /// Ed25519: 64 bytes, the first half of which encodes a point (RFC 8032, section 5.1.7).
    Ed25519,
}

impl SignatureForm {
    pub(super) fn of(key: &PublicKey) -> Self {
        match key {
            PublicKey::Rsa { n, .. } => Self::Below(n.clone()),
            PublicKey::Ec { curve, .. } => Self::TwoNumbers(curve.coordinate_length()),
            PublicKey::Ed25519 { .. } => Self::Ed25519,
        }
    }

    pub(super) fn length(&self) -> usize {
        match self {
            Self::Exactly(length) => *length,
            Self::Below(modulus) => modulus.len(),
            Self::TwoNumbers(length) => 2 * length,
            Self::Ed25519 => 64,
        }
    }

    fn fits(&self, signature: &[u8]) -> bool {
        signature.len() == self.length()
            && match self {
                Self::Exactly(_) => true,
                Self::Below(modulus) => signature < modulus.as_slice(),
                Self::TwoNumbers(length) => signature
                    .chunks(*length)
                    .all(|number| number.iter().any(|byte| *byte != 0)),
                Self::Ed25519 => !starts_with_weak_point(signature),
            }
    }
}

/// The provider made a signature in a wrong form.
#[derive(Debug, thiserror::Error)]
#[error("the provider made a signature whose length or form does not match the algorithm")]
struct WrongForm;

/// A provider's signer or verifier for one key and one thread.
#[derive(Clone)]
enum Prepared {
    Signer(Rc<dyn JwtSigner>),
    Verifier(Rc<dyn JwtVerifier>),
}

/// Is dropped together with its key, so that the threads notice.
#[derive(Default)]
struct Lifetime(());

/// The number of keys that have been dropped.
static DROPPED_KEYS: AtomicU64 = AtomicU64::new(0);

impl Drop for Lifetime {
    fn drop(&mut self) {
        // From here on, no `Weak` of it can be upgraded.
        DROPPED_KEYS.fetch_add(1, Ordering::Release);
    }
}

/// The signers and verifiers of one thread.
#[derive(Default)]
struct ThreadKeys {
    /// By the numbers of the keys. The `Weak` tells whether the key still exists.
    keys: HashMap<u64, (Weak<Lifetime>, Prepared)>,
    /// The value of [`DROPPED_KEYS`] when this thread last cleaned up.
    dropped: u64,
}

thread_local! {
    static THREAD_KEYS: RefCell<ThreadKeys> = RefCell::default();
}

/// Accesses the signers and verifiers of this thread, after removing those of dropped keys. Returns `None` while the
/// thread ends, when its thread-local storage is gone.
fn with_thread_keys<T>(access: impl FnOnce(&mut ThreadKeys) -> T) -> Option<T> {
    let accessed = THREAD_KEYS.try_with(|keys| {
        let mut keys = keys.borrow_mut();
        let dropped = DROPPED_KEYS.load(Ordering::Acquire);
        let removed: Vec<_> = if keys.dropped == dropped {
            Vec::new()
        } else {
            keys.dropped = dropped;
            let removed = keys
                .keys
                .extract_if(|_, (lifetime, _)| lifetime.strong_count() == 0);
            removed.collect()
        };
        (access(&mut keys), removed)
    });
    // Run the provider's `Drop` only after the borrow has ended: its code may come back here.
    let (result, removed) = accessed.ok()?;
    drop(removed);
    Some(result)
}

/// A key together with its provider.
struct Provided<K> {
    provider: &'static CryptoProvider,
    algorithm: Algorithm,
    key: K,
    form: SignatureForm,
    number: u64,
    lifetime: Arc<Lifetime>,
}

impl<K> Provided<K> {
    fn new(
        provider: &'static CryptoProvider,
        algorithm: Algorithm,
        key: K,
        form: SignatureForm,
    ) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self {
            provider,
            algorithm,
            key,
            form,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            lifetime: Arc::default(),
        }
    }

    /// Returns this thread's signer or verifier, and makes it if there is none yet.
    fn prepared(
        &self,
        make: impl FnOnce() -> errors::Result<Prepared>,
    ) -> errors::Result<Prepared> {
        let known = with_thread_keys(|keys| {
            let known = keys.keys.get(&self.number);
            known.map(|(_, prepared)| prepared.clone())
        });
        if let Some(Some(prepared)) = known {
            return Ok(prepared);
        }
        let prepared = make()?;
        let entry = (Arc::downgrade(&self.lifetime), prepared.clone());
        drop(with_thread_keys(|keys| {
            keys.keys.insert(self.number, entry)
        }));
        Ok(prepared)
    }
}

fn wrong_algorithm() -> errors::Error {
    errors::new_error(errors::ErrorKind::InvalidAlgorithm)
}

/// Verifies with a provider.
pub(crate) struct ProvidedVerifier(Provided<DecodingKey>);

impl ProvidedVerifier {
    /// Prepares the key, and checks that the provider refuses a forged signature.
    pub(super) fn new(
        provider: &'static CryptoProvider,
        algorithm: Algorithm,
        key: DecodingKey,
        form: SignatureForm,
    ) -> Result<Self, KeyProblem> {
        let key = Self(Provided::new(provider, algorithm, key, form));
        let verifier = key.prepared().map_err(|error| refused(algorithm, &error))?;
        let forged = vec![1; key.0.form.length()];
        if verifier.verify(TEST_MESSAGE, &forged).is_ok() {
            return Err(KeyProblem::ProviderErrs);
        }
        Ok(key)
    }

    fn prepared(&self) -> errors::Result<Rc<dyn JwtVerifier>> {
        let key = &self.0;
        let prepared = key.prepared(|| {
            let verifier = (key.provider.verifier_factory)(&key.algorithm, &key.key)?;
            if verifier.algorithm() != key.algorithm {
                return Err(wrong_algorithm());
            }
            Ok(Prepared::Verifier(Rc::from(verifier)))
        })?;
        match prepared {
            Prepared::Verifier(verifier) => Ok(verifier),
            Prepared::Signer(_) => Err(wrong_algorithm()),
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.form.fits(signature)
            && self
                .prepared()
                .inspect_err(|error| {
                    if admits("provider_refuses_key") {
                        tracing::error!(%error, "the crypto provider refuses a key");
                    }
                })
                .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

/// Signs with a provider.
pub(crate) struct ProvidedSigner(Provided<EncodingKey>);

impl ProvidedSigner {
    pub(super) fn new(
        provider: &'static CryptoProvider,
        algorithm: Algorithm,
        key: EncodingKey,
        form: SignatureForm,
    ) -> Result<Self, KeyProblem> {
        let key = Self(Provided::new(provider, algorithm, key, form));
        key.prepared().map_err(|error| refused(algorithm, &error))?;
        Ok(key)
    }

    fn prepared(&self) -> errors::Result<Rc<dyn JwtSigner>> {
        let key = &self.0;
        let prepared = key.prepared(|| {
            let signer = (key.provider.signer_factory)(&key.algorithm, &key.key)?;
            if signer.algorithm() != key.algorithm {
                return Err(wrong_algorithm());
            }
            Ok(Prepared::Signer(Rc::from(signer)))
        })?;
        match prepared {
            Prepared::Signer(signer) => Ok(signer),
            Prepared::Verifier(_) => Err(wrong_algorithm()),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let signer = self.prepared().map_err(signature::Error::from_source)?;
        let signature = signer.try_sign(message)?;
        if self.0.form.fits(&signature) {
            Ok(signature)
        } else {
            Err(signature::Error::from_source(WrongForm))
        }
    }
}

fn refused(algorithm: Algorithm, error: &errors::Error) -> KeyProblem {
    tracing::error!(?algorithm, %error, "the crypto provider refuses a key");
    KeyProblem::ProviderRefuses
}
