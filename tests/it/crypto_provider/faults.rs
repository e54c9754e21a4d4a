//! Faulty providers.

use std::{
    error::Error as _,
    sync::atomic::{AtomicBool, Ordering},
};

use flask_pyjwt::{
    AuthManager, AuthType, CRYPTO_PROVIDER, Config, Issuer, MintError,
    jsonwebtoken::{
        Algorithm,
        crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
        errors::ErrorKind,
        signature::{self, Signer, Verifier},
    },
};
use serde_json::json;

use super::{algorithms, reason};
use support::{SECRET, config, keys};

/// A provider whose parts can be replaced.
const GOOD: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (CRYPTO_PROVIDER.signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| (CRYPTO_PROVIDER.verifier_factory)(algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

struct Fake {
    algorithm: Algorithm,
    signature: Option<Vec<u8>>,
}

impl Signer<Vec<u8>> for Fake {
    fn try_sign(&self, _: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.signature.clone().ok_or_else(signature::Error::new)
    }
}

impl Verifier<Vec<u8>> for Fake {
    fn verify(&self, _: &[u8], _: &Vec<u8>) -> Result<(), signature::Error> {
        Ok(())
    }
}

impl JwtSigner for Fake {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtVerifier for Fake {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn made(
    auth_type: AuthType,
    provider: &'static CryptoProvider,
) -> Result<AuthManager, flask_pyjwt::ConfigError> {
    AuthManager::new(config(auth_type, keys::secret(auth_type)).crypto_provider(provider))
}

#[test]
fn a_provider_that_accepts_every_signature_is_refused_at_startup() {
    static ACCEPTING: CryptoProvider = CryptoProvider {
        verifier_factory: |algorithm, _| {
            Ok(Box::new(Fake {
                algorithm: *algorithm,
                signature: None,
            }))
        },
        ..GOOD
    };
    for (auth_type, _) in algorithms() {
        let message = reason(made(auth_type, &ACCEPTING));
        assert!(message.contains("accepts invalid ones"), "{message}");
    }
}

/// Accepts each signature that it has made, for any message.
#[test]
fn a_provider_that_ignores_the_message_is_refused_at_startup() {
    struct Careless(Box<dyn JwtVerifier>);
    impl Verifier<Vec<u8>> for Careless {
        fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
            if signature.iter().all(|byte| *byte == 1) {
                self.0.verify(message, signature)
            } else {
                Ok(())
            }
        }
    }
    impl JwtVerifier for Careless {
        fn algorithm(&self) -> Algorithm {
            self.0.algorithm()
        }
    }
    static CARELESS: CryptoProvider = CryptoProvider {
        verifier_factory: |algorithm, key| {
            let verifier = (CRYPTO_PROVIDER.verifier_factory)(algorithm, key)?;
            Ok(Box::new(Careless(verifier)))
        },
        ..GOOD
    };
    for (auth_type, _) in algorithms() {
        let message = reason(made(auth_type, &CARELESS));
        assert!(message.contains("makes invalid signatures"), "{message}");
    }
}

/// Its signers and verifiers agree with each other, but with no other implementation.
#[test]
fn a_provider_that_signs_another_message_is_refused_at_startup() {
    const PREFIX: &[u8] = b"something else ";
    struct Signing(Box<dyn JwtSigner>);
    impl Signer<Vec<u8>> for Signing {
        fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
            self.0.try_sign(&[PREFIX, message].concat())
        }
    }
    impl JwtSigner for Signing {
        fn algorithm(&self) -> Algorithm {
            self.0.algorithm()
        }
    }
    struct Verifying(Box<dyn JwtVerifier>);
    impl Verifier<Vec<u8>> for Verifying {
        fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
            self.0.verify(&[PREFIX, message].concat(), signature)
        }
    }
    impl JwtVerifier for Verifying {
        fn algorithm(&self) -> Algorithm {
            self.0.algorithm()
        }
    }
    static ALIKE: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| {
            let signer = (CRYPTO_PROVIDER.signer_factory)(algorithm, key)?;
            Ok(Box::new(Signing(signer)))
        },
        verifier_factory: |algorithm, key| {
            let verifier = (CRYPTO_PROVIDER.verifier_factory)(algorithm, key)?;
            Ok(Box::new(Verifying(verifier)))
        },
        ..GOOD
    };
    for (auth_type, _) in algorithms() {
        assert!(made(auth_type, &ALIKE).is_err(), "{auth_type}");
    }
}

#[test]
fn signatures_of_another_form_are_never_sent() {
    static SHORT: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, _| {
            Ok(Box::new(Fake {
                algorithm: *algorithm,
                signature: Some(vec![1; 31]),
            }))
        },
        ..GOOD
    };
    static ZERO: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, _| {
            Ok(Box::new(Fake {
                algorithm: *algorithm,
                signature: Some(vec![0; 64]),
            }))
        },
        ..GOOD
    };
    for (auth_type, _) in algorithms() {
        assert!(made(auth_type, &SHORT).is_err(), "{auth_type}");
        assert!(made(auth_type, &ZERO).is_err(), "{auth_type}");
    }
}

#[test]
fn a_signer_for_another_algorithm_is_refused() {
    static OTHER: CryptoProvider = CryptoProvider {
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::PS256 => (CRYPTO_PROVIDER.verifier_factory)(&Algorithm::RS256, key),
            _ => (CRYPTO_PROVIDER.verifier_factory)(algorithm, key),
        },
        ..GOOD
    };
    assert!(made(AuthType::PS256, &OTHER).is_err());
    assert!(made(AuthType::RS256, &OTHER).is_ok());
}

#[test]
fn a_provider_that_fails_later_mints_nothing_and_its_error_is_logged() {
    static IS_DOWN: AtomicBool = AtomicBool::new(false);
    struct Failing(Box<dyn JwtSigner>);
    impl Signer<Vec<u8>> for Failing {
        fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
            if IS_DOWN.load(Ordering::SeqCst) {
                return Err(signature::Error::from_source("the module does not answer"));
            }
            self.0.try_sign(message)
        }
    }
    impl JwtSigner for Failing {
        fn algorithm(&self) -> Algorithm {
            self.0.algorithm()
        }
    }
    static FAILING: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| {
            let signer = (CRYPTO_PROVIDER.signer_factory)(algorithm, key)?;
            Ok(Box::new(Failing(signer)))
        },
        ..GOOD
    };
    let auth = made(AuthType::HS256, &FAILING).expect("it works");
    assert!(auth.auth_token("alice").sign().is_ok());
    IS_DOWN.store(true, Ordering::SeqCst);
    let error = auth.auth_token("alice").sign().map(drop).expect_err("down");
    assert!(matches!(error, MintError::Provider(_)), "{error:?}");
    let mut causes = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    let causes = causes.join(": ");
    assert!(causes.contains("the module does not answer"), "{causes}");
    IS_DOWN.store(false, Ordering::SeqCst);
    assert!(auth.auth_token("alice").sign().is_ok());
}

/// The provider only supports RS256, also for keys of other issuers.
#[test]
fn keys_of_other_issuers_that_the_provider_refuses_are_skipped() {
    static ONE: CryptoProvider = CryptoProvider {
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::RS256 => (CRYPTO_PROVIDER.verifier_factory)(algorithm, key),
            _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
        },
        ..GOOD
    };
    let theirs = |auth_type| {
        let config = Config::new("https://theirs.example", auth_type, keys::secret(auth_type));
        support::manager(config.audience("ours").clock(support::frozen()))
    };
    let (rsa, ecdsa) = (theirs(AuthType::RS256), theirs(AuthType::ES256));
    let mut set = rsa.jwk_set();
    set.keys.extend(ecdsa.jwk_set().keys);
    let trusting = |set| {
        let issuer = Issuer::new("https://theirs.example")
            .jwk_set(set)
            .audience("ours");
        let config = Config::for_issuers([issuer]).clock(support::frozen());
        AuthManager::new(config.crypto_provider(&ONE))
    };
    let auth = trusting(json!(set).to_string()).expect("one key is valid");
    let token = |auth: &AuthManager| auth.auth_token("alice").sign().expect("minted");
    assert!(auth.verify_token(token(&rsa).signed()).is_ok());
    assert!(auth.verify_token(token(&ecdsa).signed()).is_err());
    let message = reason(trusting(json!(ecdsa.jwk_set()).to_string()));
    assert!(
        message.contains("refused by the crypto provider"),
        "{message}"
    );

    let secret = Config::new("issuer", AuthType::HS256, SECRET).crypto_provider(&ONE);
    assert!(AuthManager::new(secret).is_err());
}
