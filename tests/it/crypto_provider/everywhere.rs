//! The provider gets keys wherever they come from: from a folder, and from the server of another issuer.

use std::sync::atomic::{AtomicBool, Ordering};

use flask_pyjwt::{
    AuthManager, AuthType, CRYPTO_PROVIDER, Config, Issuer,
    jsonwebtoken::{
        self, Algorithm,
        crypto::{CryptoProvider, KeyUtils},
        errors::ErrorKind,
    },
};
use serde_json::json;

use super::{accepts_its_tokens_only, reason};
use crate::{
    key_ring::directory::KeysFolder,
    remote_keys::server::{Answer, BadServer},
};
use support::{ISSUER, frozen, keys};

/// It supports ES256 and nothing else.
static MODULE: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => (CRYPTO_PROVIDER.signer_factory)(algorithm, key),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => (CRYPTO_PROVIDER.verifier_factory)(algorithm, key),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

#[test]
fn keys_of_a_folder_go_to_the_provider() {
    let folder = KeysFolder::new("crypto-provider");
    let open = || {
        let config = Config::with_keys_dir(ISSUER, AuthType::ES256, folder.path());
        AuthManager::new(config.crypto_provider(&MODULE))
    };
    folder.write("a.ES256.pem", keys::secret(AuthType::ES256), 60);
    let auth = open().expect("the module has ES256");
    let token = auth.auth_token("alice").sign().expect("minted");
    accepts_its_tokens_only(&auth, token.signed());
    folder.write("b.EdDSA.pem", keys::secret(AuthType::EdDSA), 50);
    let message = reason(open());
    assert!(
        message.contains("refused by the crypto provider"),
        "{message}"
    );
    assert!(auth.reload_keys().is_err(), "the key that was there stays");
    assert!(auth.auth_token("alice").sign().is_ok());
}

/// `docs/threats.md` 51
#[test]
fn a_deleted_key_is_dropped_while_the_provider_is_down() {
    static IS_DOWN: AtomicBool = AtomicBool::new(false);
    fn up() -> Result<(), jsonwebtoken::errors::Error> {
        let is_down = IS_DOWN.load(Ordering::SeqCst);
        let down = ErrorKind::Provider("the module does not answer".to_owned());
        if is_down { Err(down.into()) } else { Ok(()) }
    }
    static FAILING: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| {
            up()?;
            (CRYPTO_PROVIDER.signer_factory)(algorithm, key)
        },
        verifier_factory: |algorithm, key| {
            up()?;
            (CRYPTO_PROVIDER.verifier_factory)(algorithm, key)
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    let folder = KeysFolder::new("crypto-provider-down");
    let signed_by = |name: &str, key: &[u8], age| {
        folder.write(name, key, age);
        let auth = support::manager(Config::new(ISSUER, AuthType::HS256, key));
        auth.auth_token("alice").sign().expect("minted")
    };
    let tokens = [
        signed_by("a.key", &[b'a'; 32], 90),
        signed_by("b.key", &[b'b'; 32], 60),
        signed_by("c.key", &[b'c'; 32], 30),
    ];
    let config = Config::with_keys_dir(ISSUER, AuthType::HS256, folder.path());
    let auth = support::manager(config.crypto_provider(&FAILING));
    let accepted = || {
        tokens
            .each_ref()
            .map(|it| auth.verify_token(it.signed()).is_ok())
    };
    assert_eq!(accepted(), [true, true, true]);

    IS_DOWN.store(true, Ordering::SeqCst);
    folder.remove("a.key");
    assert!(auth.reload_keys().is_err(), "the module is down");
    assert_eq!(accepted(), [false, true, true]);
    assert!(auth.auth_token("alice").sign().is_ok(), "it has the key");
    folder.remove("c.key");
    assert!(auth.reload_keys().is_err(), "the module is down");
    assert_eq!(accepted(), [false, true, false]);
    assert!(
        auth.auth_token("alice").sign().is_err(),
        "no key is left that signs"
    );

    IS_DOWN.store(false, Ordering::SeqCst);
    auth.reload_keys().expect("the module is back");
    assert_eq!(accepted(), [false, true, false]);
    assert!(auth.auth_token("alice").sign().is_ok());
}

#[actix_web::test]
async fn fetched_keys_go_to_the_provider() {
    let server = BadServer::start();
    let issuer = server.url("/issuer");
    let theirs = |auth_type| {
        let config = Config::new(&issuer, auth_type, keys::secret(auth_type));
        support::manager(config.audience("ours").always_key_id(true).clock(frozen()))
    };
    let (ecdsa, ed25519) = (theirs(AuthType::ES256), theirs(AuthType::EdDSA));
    let mut set = ecdsa.jwk_set();
    set.keys.extend(ed25519.jwk_set().keys);
    server.answers("/jwks.json", Answer::json(json!(set)));
    let trusted = Issuer::new(&issuer)
        .audience("ours")
        .allow_http_on_loopback(true)
        .jwks_url(server.url("/jwks.json"));
    let config = Config::for_issuers([trusted]).clock(frozen());
    let auth = support::manager(config.crypto_provider(&MODULE));
    let states = auth.fetch_keys().await;
    assert_eq!(states[0].key_ids(), [ecdsa.keys()[0].id()]);
    let token = |auth: &AuthManager| auth.auth_token("alice").sign().expect("minted");
    accepts_its_tokens_only(&auth, token(&ecdsa).signed());
    assert!(auth.verify_token(token(&ed25519).signed()).is_err());
}

/// A key that was fetched before is not prepared again, because the provider can be unavailable.
#[actix_web::test]
async fn a_fetched_key_stays_if_the_provider_refuses_it_later() {
    static IS_DOWN: AtomicBool = AtomicBool::new(false);
    static FAILING: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| (CRYPTO_PROVIDER.signer_factory)(algorithm, key),
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::EdDSA if IS_DOWN.load(Ordering::SeqCst) => {
                Err(ErrorKind::Provider("the module does not answer".to_owned()).into())
            }
            _ => (CRYPTO_PROVIDER.verifier_factory)(algorithm, key),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    let server = BadServer::start();
    let issuer = server.url("/issuer");
    let theirs = |auth_type| {
        let config = Config::new(&issuer, auth_type, keys::secret(auth_type));
        support::manager(config.audience("ours").always_key_id(true).clock(frozen()))
    };
    let (ecdsa, ed25519) = (theirs(AuthType::ES256), theirs(AuthType::EdDSA));
    let mut set = ecdsa.jwk_set();
    set.keys.extend(ed25519.jwk_set().keys);
    server.answers("/jwks.json", Answer::json(json!(set)));
    let trusted = Issuer::new(&issuer)
        .audience("ours")
        .allow_http_on_loopback(true)
        .jwks_url(server.url("/jwks.json"));
    let config = Config::for_issuers([trusted]).clock(frozen());
    let auth = support::manager(config.token_table(0, 0).crypto_provider(&FAILING));
    let token = ed25519.auth_token("alice").sign().expect("minted");
    for is_down in [false, true] {
        IS_DOWN.store(is_down, Ordering::SeqCst);
        let states = auth.fetch_keys().await;
        assert_eq!(states[0].key_ids().len(), 2, "{states:?}");
        accepts_its_tokens_only(&auth, token.signed());
    }
    assert!(server.requests() >= 2, "it is fetched again");
}
