//! Signs in a real SoftHSM (Debian's package `softhsm2`). Each test has a folder of tokens and a process of its own: the
//! module reads `SOFTHSM2_CONF` when it is loaded, and its state belongs to the process.

#[path = "softhsm/hsm.rs"]
mod hsm;

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use flask_pyjwt_core::{
    AuthManager, AuthType, Config, Key, MemoryStore, MintError, SignerFailure,
    signer::{RemoteSigner as _, SignerError},
};
use flask_pyjwt_pkcs11::{Pkcs11Error, Pkcs11Signer};
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};

use hsm::{Hsm, PIN, TOKEN, isolated, with_pin};

const ISSUER: &str = "https://accounts.example";

fn manager(key: Key) -> AuthManager {
    AuthManager::new(Config::with_key(ISSUER, key)).expect("a good key")
}

/// Why no auth token is minted.
async fn failure(auth: &AuthManager) -> SignerError {
    match auth.auth_token("alice").sign_async().await {
        Err(MintError::Signer(SignerFailure::Failed(error))) => error,
        other => panic!("no failure of the signer: {other:?}"),
    }
}

/// Verifies by another library with the published key set.
fn verified_by_another_library(
    set: &JwkSet,
    token: &str,
    algorithm: Algorithm,
) -> serde_json::Value {
    let key = DecodingKey::from_jwk(&set.keys[0]).expect("a public key");
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&[ISSUER]);
    let decoded = jsonwebtoken::decode::<serde_json::Value>(token, &key, &rules);
    decoded.expect("a valid token").claims
}

#[test]
fn tokens_are_signed_in_the_hsm_and_verified_by_another_library() {
    isolated(
        "tokens_are_signed_in_the_hsm_and_verified_by_another_library",
        async |hsm: Hsm| {
            for (auth_type, algorithm) in [
                (AuthType::ES256, Algorithm::ES256),
                (AuthType::ES384, Algorithm::ES384),
                (AuthType::EdDSA, Algorithm::EdDSA),
                (AuthType::RS256, Algorithm::RS256),
                (AuthType::RS512, Algorithm::RS512),
                (AuthType::PS256, Algorithm::PS256),
                (AuthType::PS384, Algorithm::PS384),
            ] {
                let name = auth_type.name();
                hsm.generate(auth_type, name, &[7]);
                let signer = with_pin().key_label(name).open(auth_type).expect("opened");
                let auth = manager(Key::remote(signer));
                let token = auth.auth_token("alice").claim("team", 7).sign_async().await;
                let token = token.unwrap_or_else(|error| panic!("{name}: {error:?}"));
                assert!(auth.verify_token(token.signed()).is_ok());
                let claims =
                    verified_by_another_library(&auth.jwk_set(), token.signed(), algorithm);
                assert_eq!(
                    (&claims["sub"], &claims["team"]),
                    (&"alice".into(), &7.into()),
                    "{name}"
                );
            }
            // `jsonwebtoken` does not know it.
            hsm.generate(AuthType::ES512, "ES512", &[7]);
            let signer = with_pin()
                .key_label("ES512")
                .open(AuthType::ES512)
                .expect("opened");
            let auth = manager(Key::remote(signer));
            let token = auth.auth_token("alice").sign_async().await.expect("signed");
            assert!(auth.verify_token(token.signed()).is_ok());
        },
    );
}

#[test]
fn sessions_are_opened_and_refreshed() {
    isolated("sessions_are_opened_and_refreshed", async |hsm: Hsm| {
        hsm.generate(AuthType::ES256, "jwt", &[1]);
        let signer = with_pin()
            .key_id([1])
            .open(AuthType::ES256)
            .expect("opened");
        let key =
            Key::remote(signer).local_secret("a secret for the seals of sessions, of many bytes");
        let config = Config::with_key(ISSUER, key).session_store(MemoryStore::default());
        let auth = AuthManager::new(config).expect("a good key");
        let first = auth.login("alice").await.expect("opened");
        let second = auth.refresh(&first.refresh).await.expect("refreshed");
        assert!(auth.check_revocation(&second.auth).await.is_ok());
    });
}

#[test]
fn wrong_names_and_settings_are_named() {
    isolated("wrong_names_and_settings_are_named", async |hsm: Hsm| {
        hsm.generate(AuthType::ES256, "jwt", &[1]);
        hsm.generate(AuthType::ES256, "twice", &[2]);
        hsm.generate(AuthType::ES256, "twice", &[3]);
        let open = |builder: flask_pyjwt_pkcs11::Pkcs11Builder| {
            builder.open(AuthType::ES256).expect_err("refused")
        };
        let error = open(with_pin().key_label("missing"));
        assert!(
            matches!(error, Pkcs11Error::NoKey { kind: "private" }),
            "{error}"
        );
        let error = open(with_pin().key_label("jwt").key_id([9]));
        assert!(matches!(error, Pkcs11Error::NoKey { .. }), "{error}");
        let error = open(with_pin().key_label("twice"));
        assert!(matches!(error, Pkcs11Error::SeveralKeys { .. }), "{error}");
        assert!(
            with_pin()
                .key_label("twice")
                .key_id([3])
                .open(AuthType::ES256)
                .is_ok()
        );
        let error = open(with_pin().key_label("jwt").token_label("missing"));
        assert!(
            matches!(&error, Pkcs11Error::NoToken { label } if label == "missing"),
            "{error}"
        );
        // A key of another type or curve.
        let error = with_pin()
            .key_label("jwt")
            .open(AuthType::EdDSA)
            .expect_err("refused");
        assert!(matches!(error, Pkcs11Error::NoKey { .. }), "{error}");
        let error = with_pin()
            .key_label("jwt")
            .open(AuthType::ES384)
            .expect_err("refused");
        assert!(
            matches!(error, Pkcs11Error::UnfitKey(AuthType::ES384)),
            "{error}"
        );
        let error = with_pin()
            .key_label("jwt")
            .open(AuthType::HS256)
            .expect_err("refused");
        assert!(
            matches!(error, Pkcs11Error::Algorithm(AuthType::HS256)),
            "{error}"
        );
        for (builder, missing) in [
            (with_pin(), "`key_label` or `key_id`"),
            (with_pin().key_label("jwt").threads(0), "`threads`"),
            (with_pin().key_label("jwt").threads(65), "`threads`"),
            (
                Pkcs11Signer::builder(hsm::MODULE)
                    .key_label("jwt")
                    .pin_env("X"),
                "`token_label`",
            ),
            (
                Pkcs11Signer::builder(hsm::MODULE)
                    .token_label(TOKEN)
                    .key_label("jwt"),
                "`pin_file`",
            ),
        ] {
            let error = open(builder);
            assert!(error.to_string().contains(missing), "{error}");
        }
        let module = Pkcs11Signer::builder("/nowhere/module.so")
            .token_label(TOKEN)
            .key_label("jwt");
        let error = open(module.pin_with(|| Ok(PIN.to_owned())));
        assert!(error.to_string().contains("cannot be loaded"), "{error}");
    });
}

#[test]
fn a_wrong_pin_is_sent_once_and_never_shown() {
    isolated(
        "a_wrong_pin_is_sent_once_and_never_shown",
        async |hsm: Hsm| {
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            let wrong = "98765432";
            let builder = with_pin()
                .key_label("jwt")
                .pin_with(move || Ok(wrong.to_owned()));
            assert!(!format!("{builder:?}").contains(wrong));
            let error = builder.open(AuthType::ES256).expect_err("refused");
            assert!(format!("{error:?}").contains("PinIncorrect"), "{error:?}");
            assert!(!format!("{error:?}").contains(wrong));
            assert!(!SignerError::from(error).is_temporary());

            // The sources of PINs, of which the file has a line break at its end.
            let file = hsm.folder().join("pin");
            fs::write(&file, format!("{PIN}\n")).expect("written");
            let signer = with_pin()
                .key_label("jwt")
                .pin_file(&file)
                .open(AuthType::ES256);
            let signer = signer.expect("opened");
            assert!(!format!("{signer:?}").contains(PIN));
            let error = with_pin()
                .key_label("jwt")
                .pin_file(hsm.folder().join("missing"));
            let error = error.open(AuthType::ES256);
            // Others in the process are logged in already, so no PIN is read.
            assert!(error.is_ok(), "{error:?}");

            // While the server runs: the PIN was changed, and every thread has to log in again.
            let reads = Arc::<AtomicUsize>::default();
            let counted = Arc::clone(&reads);
            let changed = with_pin().key_label("jwt").threads(2).pin_with(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(wrong.to_owned())
            });
            let auth =
                manager(Key::remote(changed.open(AuthType::ES256).expect("logged in")).retries(0));
            assert_eq!(reads.load(Ordering::SeqCst), 0);
            hsm.log_out();
            let first = failure(&auth).await;
            assert!(!first.is_temporary(), "{first:?}");
            assert!(format!("{first:?}").contains("PinIncorrect"), "{first:?}");
            for _ in 0..5 {
                let again = failure(&auth).await;
                assert!(format!("{again:?}").contains("not sent again"), "{again:?}");
            }
            // The first signer has the right PIN.
            let auth = manager(Key::remote(signer));
            assert!(auth.auth_token("alice").sign_async().await.is_ok());
        },
    );
}

#[test]
fn pins_that_cannot_be_read_are_named_by_their_place() {
    isolated(
        "pins_that_cannot_be_read_are_named_by_their_place",
        async |hsm: Hsm| {
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            hsm.log_out();
            let empty = hsm.folder().join("empty");
            fs::write(&empty, "\n").expect("written");
            for (builder, place) in [
                (with_pin().pin_file(hsm.folder().join("missing")), "missing"),
                (with_pin().pin_file(&empty), "empty"),
                (
                    with_pin().pin_env("PIN_THAT_IS_NOT_SET"),
                    "`PIN_THAT_IS_NOT_SET`",
                ),
                (
                    with_pin().pin_with(|| Err("the vault is closed".into())),
                    "`pin_with`",
                ),
                (
                    with_pin().pin_with(|| Ok("1".repeat(10_000_000))),
                    "`pin_with`",
                ),
            ] {
                let error = builder
                    .key_label("jwt")
                    .open(AuthType::ES256)
                    .expect_err("no PIN");
                assert!(matches!(error, Pkcs11Error::Pin { .. }), "{error:?}");
                assert!(error.to_string().contains(place), "{error:?}");
                assert!(SignerError::from(error).is_temporary());
            }
        },
    );
}

#[test]
fn many_tokens_are_signed_at_the_same_time_with_few_sessions() {
    isolated(
        "many_tokens_are_signed_at_the_same_time_with_few_sessions",
        async |hsm: Hsm| {
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            let signer = with_pin().key_label("jwt").threads(3).open(AuthType::ES256);
            let auth = manager(Key::remote(signer.expect("opened")).concurrency(500));
            let tokens = join_all((0..500).map(|user| auth.auth_token(user).sign_async())).await;
            let subjects: BTreeSet<_> = tokens
                .into_iter()
                .map(|token| {
                    let token = token.expect("signed");
                    auth.verify_token(token.signed())
                        .expect("valid")
                        .sub()
                        .to_owned()
                })
                .collect();
            assert_eq!(subjects.len(), 500);
            assert_eq!(hsm::threads(), 3);
            drop(auth);
            // They have ended. The kernel may list them for a moment longer.
            while hsm::threads() > 0 {
                std::thread::yield_now();
            }
        },
    );
}

#[test]
fn more_signatures_than_the_queue_holds_are_refused_at_once() {
    isolated(
        "more_signatures_than_the_queue_holds_are_refused_at_once",
        async |hsm: Hsm| {
            hsm.generate(AuthType::RS256, "jwt", &[1]);
            let open = with_pin()
                .key_label("jwt")
                .threads(1)
                .pin_with(|| Ok(PIN.to_owned()));
            let signer = open.open(AuthType::RS256).expect("opened");
            // One signature of RSA takes far longer than handing over a message.
            let mut all: Vec<_> = (0..3_000).map(|_| signer.sign(b"message")).collect();
            let mut refused = 0;
            for future in &mut all {
                if let Poll::Ready(Err(error)) = futures_util::poll!(future.as_mut()) {
                    assert!(error.is_temporary(), "{error:?}");
                    refused += 1;
                }
            }
            assert!(refused > 0);
            // Those that are given up are not signed, and the next one gets its turn.
            drop(all);
            while let Err(error) = signer.sign(b"message").await {
                assert!(error.is_temporary(), "{error:?}");
                std::thread::yield_now();
            }
        },
    );
}

#[test]
fn sessions_that_the_hsm_has_closed_are_opened_again() {
    isolated(
        "sessions_that_the_hsm_has_closed_are_opened_again",
        async |hsm: Hsm| {
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            let signer = with_pin().key_label("jwt").threads(2).open(AuthType::ES256);
            let auth = manager(Key::remote(signer.expect("opened")).retries(0));
            assert!(auth.auth_token("alice").sign_async().await.is_ok());
            // No session is logged in any more.
            hsm.log_out();
            for _ in 0..8 {
                auth.auth_token("alice")
                    .sign_async()
                    .await
                    .expect("logged in again");
            }
            // The library of the HSM is shut down by another part of the process.
            hsm.finalize();
            for _ in 0..8 {
                auth.auth_token("alice")
                    .sign_async()
                    .await
                    .expect("initialized again");
            }
        },
    );
}

#[test]
fn a_token_that_is_removed_is_an_error_until_it_is_back() {
    isolated(
        "a_token_that_is_removed_is_an_error_until_it_is_back",
        async |hsm: Hsm| {
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            let signer = with_pin().key_label("jwt").threads(2).open(AuthType::ES256);
            let auth = manager(Key::remote(signer.expect("opened")).retries(0));
            let before = auth.auth_token("alice").sign_async().await.expect("signed");
            let tokens = hsm.folder().join("tokens");
            fs::rename(&tokens, hsm.folder().join("away")).expect("moved");
            fs::create_dir(&tokens).expect("a folder");
            hsm.finalize();
            for _ in 0..4 {
                let error = failure(&auth).await;
                assert!(error.is_temporary(), "{error:?}");
                assert!(
                    format!("{error:?}").contains("no token has the label"),
                    "{error:?}"
                );
            }
            assert!(
                auth.verify_token(before.signed()).is_ok(),
                "verifying needs no HSM"
            );
            fs::remove_dir_all(&tokens).expect("removed");
            fs::rename(hsm.folder().join("away"), &tokens).expect("moved back");
            hsm.finalize();
            for _ in 0..4 {
                auth.auth_token("alice")
                    .sign_async()
                    .await
                    .expect("it is back");
            }
        },
    );
}

#[test]
fn a_key_that_is_destroyed_is_an_error_and_signs_nothing() {
    isolated(
        "a_key_that_is_destroyed_is_an_error_and_signs_nothing",
        async |hsm: Hsm| {
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            let signer = with_pin().key_label("jwt").threads(2).open(AuthType::ES256);
            let auth = manager(Key::remote(signer.expect("opened")).retries(1));
            auth.auth_token("alice").sign_async().await.expect("signed");
            hsm.destroy("jwt");
            for _ in 0..4 {
                let error = failure(&auth).await;
                assert!(format!("{error:?}").contains("no private key"), "{error:?}");
            }
            // Another key under the same name makes signatures that the published key does not verify.
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            match auth.auth_token("alice").sign_async().await {
                Err(MintError::Signer(SignerFailure::WrongSignature)) => {}
                other => panic!("{other:?}"),
            }
        },
    );
}

#[test]
fn a_public_key_can_be_given_and_one_that_does_not_match_signs_nothing() {
    isolated(
        "a_public_key_can_be_given_and_one_that_does_not_match_signs_nothing",
        async |hsm: Hsm| {
            hsm.generate(AuthType::ES256, "jwt", &[1]);
            hsm.generate(AuthType::ES256, "other", &[2]);
            let open = |name: &str| {
                with_pin()
                    .key_label(name)
                    .open(AuthType::ES256)
                    .expect("opened")
            };
            let (own, other) = (open("jwt").public_key(), open("other").public_key());
            let with = |public: &str| {
                let builder = with_pin().key_label("jwt").public_key(public);
                manager(Key::remote(builder.open(AuthType::ES256).expect("opened")))
            };
            assert!(with(&own).auth_token("alice").sign_async().await.is_ok());
            match with(&other).auth_token("alice").sign_async().await {
                Err(MintError::Signer(SignerFailure::WrongSignature)) => {}
                answer => panic!("{answer:?}"),
            }
        },
    );
}
