//! Keys of a provider that the user has configured.
//!
//! What a provider makes of a key is bound to its thread: `Box<dyn JwtSigner>` is neither `Send` nor `Sync`.
//! So each thread asks the provider for its own, once for each key, when it first needs it. After that there is
//! neither parsing nor locking. What belonged to a key that is gone is dropped when the thread next asks for any
//! of the provider's keys.

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

use super::{KeyProblem, PublicKey, weak_points::begins_weakly};

/// What is signed to find out whether a key works.
const PROOF: &[u8] = b"the provider signs and verifies";

/// What a signature of a key looks like, whoever makes or checks it.
#[derive(Clone)]
pub(super) enum SignatureForm {
    /// HMAC: so many bytes.
    Exactly(usize),
    /// RSA: as long as the modulus, and less than it (RFC 8017, sections 8.1.2 and 8.2.2).
    Below(Vec<u8>),
    /// ECDSA: two numbers of so many bytes each, neither of them 0 (RFC 7518, section 3.4).
    TwoNumbers(usize),
    /// 64 bytes of which the first half is a point (RFC 8032, section 5.1.7).
    Ed25519,
}

impl SignatureForm {
    pub(super) fn of(key: &PublicKey) -> Self {
        match key {
            PublicKey::Rsa { n, .. } => Self::Below(n.clone()),
            PublicKey::Ec { curve, .. } => Self::TwoNumbers(curve.coordinate()),
            PublicKey::Ed25519 { .. } => Self::Ed25519,
        }
    }

    fn length(&self) -> usize {
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
                Self::Ed25519 => !begins_weakly(signature),
            }
    }
}

/// A signature of another form than the algorithm's.
#[derive(Debug, thiserror::Error)]
#[error("the provider has made a signature of another length or form than the algorithm's")]
struct WrongForm;

/// What a provider has made of one key for this thread.
#[derive(Clone)]
enum Prepared {
    Signer(Rc<dyn JwtSigner>),
    Verifier(Rc<dyn JwtVerifier>),
}

/// Lives as long as its key.
#[derive(Default)]
struct Life(());

/// How many keys have gone.
static GONE: AtomicU64 = AtomicU64::new(0);

impl Drop for Life {
    fn drop(&mut self) {
        // No `Weak` finds it any more.
        GONE.fetch_add(1, Ordering::Release);
    }
}

/// What a thread has.
#[derive(Default)]
struct Kept {
    /// By the numbers of their keys, with what tells whether the key is still there.
    keys: HashMap<u64, (Weak<Life>, Prepared)>,
    /// How many keys had gone when those that were gone were last dropped here.
    gone: u64,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// Asks what this thread has. `None` while the thread ends: it keeps nothing any more.
fn with_kept<T>(ask: impl FnOnce(&mut Kept) -> T) -> Option<T> {
    let asked = KEPT.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        let gone = GONE.load(Ordering::Acquire);
        let dropped: Vec<_> = if kept.gone == gone {
            Vec::new()
        } else {
            kept.gone = gone;
            let gone = kept
                .keys
                .extract_if(|_, (life, _)| life.strong_count() == 0);
            gone.collect()
        };
        (ask(&mut kept), dropped)
    });
    // Nothing is borrowed while the provider's code runs, that of a drop either.
    let (answer, dropped) = asked.ok()?;
    drop(dropped);
    Some(answer)
}

/// A key that a provider has, or is given in each thread.
struct Provided<K> {
    provider: &'static CryptoProvider,
    algorithm: Algorithm,
    key: K,
    form: SignatureForm,
    number: u64,
    life: Arc<Life>,
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
            life: Arc::default(),
        }
    }

    /// What this thread has of the key; made now where it has nothing yet.
    fn prepared(
        &self,
        make: impl FnOnce() -> errors::Result<Prepared>,
    ) -> errors::Result<Prepared> {
        let known = with_kept(|kept| {
            let known = kept.keys.get(&self.number);
            known.map(|(_, prepared)| prepared.clone())
        });
        if let Some(Some(prepared)) = known {
            return Ok(prepared);
        }
        let prepared = make()?;
        let entry = (Arc::downgrade(&self.life), prepared.clone());
        drop(with_kept(|kept| kept.keys.insert(self.number, entry)));
        Ok(prepared)
    }
}

fn wrong_algorithm() -> errors::Error {
    errors::new_error(errors::ErrorKind::InvalidAlgorithm)
}

/// Verifies by a provider.
pub(crate) struct ProvidedVerifier(Provided<DecodingKey>);

impl ProvidedVerifier {
    /// Asks the provider for the key, and finds out whether it refuses what the key has not signed.
    pub(super) fn new(
        provider: &'static CryptoProvider,
        algorithm: Algorithm,
        key: DecodingKey,
        form: SignatureForm,
    ) -> Result<Self, KeyProblem> {
        let key = Self(Provided::new(provider, algorithm, key, form));
        let verifier = key.prepared().map_err(|error| refused(algorithm, &error))?;
        let forged = vec![1; key.0.form.length()];
        if verifier.verify(PROOF, &forged).is_ok() {
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
                .inspect_err(|error| tracing::error!(%error, "the crypto provider refuses a key"))
                .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

/// Signs by a provider.
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
