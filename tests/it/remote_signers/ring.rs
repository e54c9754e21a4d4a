//! Remote keys in the ring: published, rotated to and from, replaced while they sign.

use std::sync::{Arc, Mutex};

use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, signer::SignerError};
use support::{ISSUER, frozen, hs256, keys, manager};

use super::{Service, config, now};

#[actix_web::test]
async fn the_public_key_is_published_and_other_servers_accept_the_tokens() {
    let auth =
        manager(config(Service::good(AuthType::ES256).key().id("hsm-1")).audience("our-api"));
    let token = auth.auth_token("alice").sign_async().await.expect("minted");
    assert_eq!(token.header()["kid"], "hsm-1");
    let issuer = Issuer::new(ISSUER).jwks(auth.jwk_set()).audience("our-api");
    let other = manager(Config::for_issuers([issuer]).clock(frozen()));
    assert!(other.verify_token(token.signed()).is_ok());
}

#[actix_web::test]
async fn the_id_of_the_signer_is_used_unless_the_key_has_one() {
    struct Named(Service);
    impl flask_pyjwt::signer::RemoteSigner for Named {
        fn auth_type(&self) -> AuthType {
            self.0.auth_type
        }
        fn public_key(&self) -> String {
            self.0.public.clone()
        }
        fn key_id(&self) -> Option<String> {
            Some("of the signer".to_owned())
        }
        fn sign<'a>(&'a self, message: &'a [u8]) -> flask_pyjwt::signer::SignatureFuture<'a> {
            self.0.sign(message)
        }
    }
    let key = || Key::remote(Named(Service::good(AuthType::EdDSA)));
    for (key, id) in [(key(), "of the signer"), (key().id("mine"), "mine")] {
        let auth = manager(config(key));
        let token = auth.auth_token("alice").sign_async().await.expect("minted");
        assert_eq!(token.header()["kid"], id);
    }
}

#[actix_web::test]
async fn rotation_from_a_local_key_to_a_remote_one_and_back() {
    let auth = manager(hs256());
    let before = auth.auth_token("alice").sign().expect("minted");
    let service = Service::good(AuthType::ES256);
    auth.prepublish(service.key()).expect("published");
    assert!(
        auth.auth_token("alice").sign().is_ok(),
        "it does not sign yet"
    );
    let id = auth.rotate(service.key()).expect("rotated");
    let remote = auth.auth_token("alice").sign_async().await.expect("minted");
    assert_eq!(remote.header()["kid"], id);
    assert!(auth.auth_token("alice").sign().is_err());
    auth.rotate(Key::new(AuthType::EdDSA, keys::secret(AuthType::EdDSA)).id("local"))
        .expect("rotated");
    let after = auth.auth_token("alice").sign().expect("minted");
    for token in [&before, &remote, &after] {
        assert!(auth.verify_token(token.signed()).is_ok());
    }
    auth.remove_key(&id).expect("removed");
    assert!(auth.verify_token(remote.signed()).is_err());
    assert!(auth.verify_token(after.signed()).is_ok());
}

/// A manager whose key is replaced while its signer signs, which then answers in this way.
async fn replaced_while_signing(is_disabled: bool) {
    let manager_of_signer = Arc::<Mutex<Option<AuthManager>>>::default();
    let rotating = Arc::clone(&manager_of_signer);
    let service = Service::new(AuthType::ES256, move |_, signature| {
        let auth = rotating.lock().expect("not poisoned").clone().expect("set");
        auth.rotate(Key::new(AuthType::EdDSA, keys::secret(AuthType::EdDSA)).id("new"))
            .expect("rotated");
        now(if is_disabled {
            Err(SignerError::permanent("the key is disabled"))
        } else {
            Ok(signature)
        })
    });
    let auth = service.manager();
    *manager_of_signer.lock().expect("not poisoned") = Some(auth.clone());
    let token = auth.auth_token("alice").sign_async().await.expect("minted");
    assert_eq!(token.header()["kid"], "new");
    assert!(auth.verify_token(token.signed()).is_ok());
    assert_eq!(service.calls(), 1);
    *manager_of_signer.lock().expect("not poisoned") = None;
}

#[actix_web::test]
async fn a_token_is_signed_again_if_its_key_was_replaced_in_the_meantime() {
    replaced_while_signing(false).await;
}

#[actix_web::test]
async fn a_key_that_was_disabled_after_its_replacement_makes_no_error() {
    replaced_while_signing(true).await;
}

#[actix_web::test]
async fn a_remote_key_as_a_verification_key_only_verifies() {
    let service = Service::good(AuthType::ES256);
    let token = service
        .manager()
        .auth_token("alice")
        .sign_async()
        .await
        .expect("minted");
    let auth = manager(hs256().verification_key(service.key()));
    assert!(auth.verify_token(token.signed()).is_ok());
    let calls = service.calls();
    assert_eq!(
        auth.auth_token("alice").sign().expect("minted").header()["alg"],
        "HS256"
    );
    assert_eq!(service.calls(), calls);
}
