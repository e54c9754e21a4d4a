//! What a thread caches of a provider's keys, and for how long.

use std::sync::atomic::{AtomicUsize, Ordering};

use flask_pyjwt::{
    AuthType, CRYPTO_PROVIDER, Key,
    jsonwebtoken::{
        Algorithm,
        crypto::{CryptoProvider, JwtVerifier, KeyUtils},
        signature::{self, Verifier},
    },
};
use support::{SECRET, hs256, manager};

/// The number of live verifiers.
static VERIFIERS: AtomicUsize = AtomicUsize::new(0);

struct Counted(Box<dyn JwtVerifier>);

impl Verifier<Vec<u8>> for Counted {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.verify(message, signature)
    }
}

impl JwtVerifier for Counted {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        VERIFIERS.fetch_sub(1, Ordering::SeqCst);
    }
}

static COUNTING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (CRYPTO_PROVIDER.signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| {
        let verifier = (CRYPTO_PROVIDER.verifier_factory)(algorithm, key)?;
        VERIFIERS.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Counted(verifier)))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

#[test]
fn the_verifier_of_a_removed_key_is_dropped_with_the_next_token() {
    let old = b"the secret of last year, which is of many bytes";
    let old = || Key::new(AuthType::HS256, old).id("old");
    let config = hs256().verification_key(old()).token_table(0, 0);
    let auth = manager(config.crypto_provider(&COUNTING));
    let token = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(VERIFIERS.load(Ordering::SeqCst), 2);
    assert!(auth.verify_token(token.signed()).is_ok());
    assert_eq!(VERIFIERS.load(Ordering::SeqCst), 2);

    auth.remove_key("old").expect("it exists");
    assert!(auth.verify_token(token.signed()).is_ok());
    assert_eq!(VERIFIERS.load(Ordering::SeqCst), 1);

    // A thousand keys that were added and removed leave nothing.
    for number in 0..1_000 {
        let id = number.to_string();
        auth.prepublish(Key::new(AuthType::HS256, SECRET).id(&id))
            .expect("a valid key");
        auth.remove_key(&id).expect("it exists");
    }
    assert!(auth.verify_token(token.signed()).is_ok());
    assert_eq!(VERIFIERS.load(Ordering::SeqCst), 1);
}
