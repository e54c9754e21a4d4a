//! A provider that holds its private keys, as an HSM does. A manager only has their names.

use std::sync::{
    LazyLock, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey},
};
use flask_pyjwt::{
    AuthManager, AuthType, CRYPTO_PROVIDER, Config, Key, MemoryStore,
    jsonwebtoken::{
        Algorithm, DecodingKey, EncodingKey,
        crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
        errors::{Error, ErrorKind},
        signature::{self, Signer, Verifier},
    },
};

use super::{accepts_its_tokens_only, reason};
use support::keys::{self, OTHER_P256, P256};

static SIGNERS: AtomicUsize = AtomicUsize::new(0);
static VERIFIERS: AtomicUsize = AtomicUsize::new(0);
static SIGNED: AtomicUsize = AtomicUsize::new(0);
static VERIFIED: AtomicUsize = AtomicUsize::new(0);

/// The tests of one process share the counters, so they run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(of: &AtomicUsize) -> usize {
    of.load(Ordering::SeqCst)
}

/// A key of the HSM, by its name.
struct Slot(&'static LazyLock<EcdsaKeyPair>);

impl Signer<Vec<u8>> for Slot {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        SIGNED.fetch_add(1, Ordering::SeqCst);
        let signature = self.0.sign(&SystemRandom::new(), message);
        let signature = signature.map_err(signature::Error::from_source)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl JwtSigner for Slot {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

struct Point(UnparsedPublicKey<Vec<u8>>);

impl Verifier<Vec<u8>> for Point {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        VERIFIED.fetch_add(1, Ordering::SeqCst);
        let verified = self.0.verify(message, signature);
        verified.map_err(signature::Error::from_source)
    }
}

impl JwtVerifier for Point {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the type of the factory")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    SIGNERS.fetch_add(1, Ordering::SeqCst);
    match (algorithm, key.as_bytes()) {
        (Algorithm::ES256, b"slot 1") => Ok(Box::new(Slot(&P256))),
        _ => Err(ErrorKind::Provider("there is no such key".to_owned()).into()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the type of the factory")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    VERIFIERS.fetch_add(1, Ordering::SeqCst);
    match algorithm {
        Algorithm::ES256 => Ok(Box::new(Point(UnparsedPublicKey::new(
            &ECDSA_P256_SHA256_FIXED,
            key.try_get_as_bytes()?.to_vec(),
        )))),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

static HSM: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// The key of this name, with the public key of `pair`.
fn held(name: &str, pair: &EcdsaKeyPair) -> Key {
    let name = EncodingKey::from_ec_der(name.as_bytes());
    let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
    Key::from_encoding_key(AuthType::ES256, &name).public_key(&public)
}

fn with(key: Key) -> Config {
    let config = Config::with_key(support::ISSUER, key).clock(support::frozen());
    config.crypto_provider(&HSM)
}

#[test]
fn a_key_in_the_provider_is_prepared_once_in_each_thread() {
    let _alone = alone();
    let auth = support::manager(with(held("slot 1", &P256)).token_table(0, 0));
    // The start makes one of each. It signs and verifies once to prove that they belong together.
    assert_eq!((count(&SIGNERS), count(&VERIFIERS)), (1, 1));
    let (signed, verified) = (count(&SIGNED), count(&VERIFIED));

    let tokens: Vec<_> = (0..10)
        .map(|_| auth.auth_token("alice").sign().expect("minted"))
        .collect();
    for token in &tokens {
        accepts_its_tokens_only(&auth, token.signed());
    }
    assert_eq!(count(&SIGNED) - signed, 10);
    assert_eq!(count(&VERIFIED) - verified, 20);
    assert_eq!((count(&SIGNERS), count(&VERIFIERS)), (1, 1));

    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (auth, tokens) = (auth.clone(), tokens.clone());
            std::thread::spawn(move || {
                for token in &tokens {
                    accepts_its_tokens_only(&auth, token.signed());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!((count(&SIGNERS), count(&VERIFIERS)), (1, 4));

    // Signatures that cannot be valid, such as one of another length, never reach the HSM.
    let asked = count(&VERIFIED);
    let (message, _) = tokens[0].signed().rsplit_once('.').expect("segments");
    for signature in [
        vec![1; 63],
        vec![1; 65],
        vec![0; 64],
        [[0; 32], [1; 32]].concat(),
    ] {
        let token = format!("{message}.{}", support::forge::encode(signature));
        assert!(auth.verify_token(&token).is_err());
    }
    assert_eq!(count(&VERIFIED), asked);

    // Others verify the tokens with the public key, which is published.
    let other = Config::verify_only(support::ISSUER, AuthType::ES256, keys::ecdsa_public(&P256));
    let other = support::manager(other.clock(support::frozen()));
    accepts_its_tokens_only(&other, tokens[0].signed());
    assert_eq!(auth.jwk_set().keys.len(), 1);
}

/// `docs/threats.md` 20: a configuration that cannot work is refused at startup.
#[test]
fn a_key_in_the_provider_without_its_public_key_or_with_another_is_refused() {
    let _alone = alone();
    let name = EncodingKey::from_ec_der(b"slot 1");
    let alone = AuthManager::new(with(Key::from_encoding_key(AuthType::ES256, &name)));
    let message = reason(alone);
    assert!(message.contains("Key::public_key"), "{message}");
    assert!(reason(AuthManager::new(with(held("slot 1", &OTHER_P256)))).contains("does not match"));
    let refused = reason(AuthManager::new(with(held("slot 2", &P256))));
    assert!(
        refused.contains("refused by the crypto provider"),
        "{refused}"
    );
    // Without the provider, the name of a key is not a key.
    let config = Config::with_key(support::ISSUER, held("slot 1", &P256));
    assert!(AuthManager::new(config).is_err());
    // The HSM has no other algorithm, and nothing else takes over.
    let secret = Key::new(AuthType::HS256, support::SECRET);
    assert!(reason(AuthManager::new(with(secret))).contains("refused by the crypto provider"));
}

/// The name of a key is not secret: a seal that is derived from it could be forged.
#[test]
fn nothing_is_derived_from_the_name_of_a_key_in_the_provider() {
    let _alone = alone();
    let opens_a_session = |config: Config| {
        let auth = support::manager(config.session_store(MemoryStore::default()));
        let login = async { auth.login("alice").await.is_ok() };
        actix_web::rt::System::new().block_on(login)
    };
    assert!(!opens_a_session(with(held("slot 1", &P256))));
    let readable = Key::new(AuthType::ES256, keys::secret(AuthType::ES256));
    let config = Config::with_key(support::ISSUER, readable).clock(support::frozen());
    assert!(opens_a_session(config.crypto_provider(&CRYPTO_PROVIDER)));
}
