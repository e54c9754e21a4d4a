//! Keys in a KMS or an HSM: a signer of the application, which can be slow, broken or hostile.

mod bounds;
mod configured;
mod failures;
#[cfg(feature = "aws-lc-rs")]
mod metered;
mod ring;
mod sessions;

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use flask_pyjwt::{
    AuthManager, AuthType, Config, Key, MintError, SignerFailure, TokenType,
    signer::{RemoteSigner, SignatureFuture, SignerError},
    testing::FrozenClock,
};

use support::{ISSUER, NOW, at, keys, manager};

/// A secret for the seals of sessions.
const LOCAL: &[u8] = b"64 bytes for the seals that no answer or log may show: 0123456789";

type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send>>;

/// A signer with the key of the tests, which answers as the function says. Clones share everything.
#[derive(Clone)]
struct Service {
    auth_type: AuthType,
    public: String,
    /// Gets the number of the call and the right signature.
    answer: Arc<dyn Fn(usize, Vec<u8>) -> Answer + Send + Sync>,
    calls: Arc<AtomicUsize>,
}

impl Service {
    fn new(
        auth_type: AuthType,
        answer: impl Fn(usize, Vec<u8>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            auth_type,
            public: keys::public(auth_type).unwrap_or_default(),
            answer: Arc::new(answer),
            calls: Arc::default(),
        }
    }

    /// A signer that works.
    fn good(auth_type: AuthType) -> Self {
        Self::new(auth_type, |_, signature| now(Ok(signature)))
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn key(&self) -> Key {
        Key::remote(self.clone())
    }

    fn config(&self) -> Config {
        config(self.key())
    }

    fn manager(&self) -> AuthManager {
        manager(self.config())
    }
}

impl RemoteSigner for Service {
    fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    fn public_key(&self) -> String {
        self.public.clone()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> SignatureFuture<'a> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        (self.answer)(number, keys::key(self.auth_type).sign(message))
    }
}

fn now(answer: Result<Vec<u8>, SignerError>) -> Answer {
    Box::pin(std::future::ready(answer))
}

fn never() -> Answer {
    Box::pin(pending())
}

fn config(key: Key) -> Config {
    Config::with_key(ISSUER, key).clock(FrozenClock::new(at(NOW)))
}

/// Why an auth token is not minted.
async fn failure(auth: &AuthManager) -> SignerFailure {
    match auth.auth_token("alice").sign_async().await {
        Err(MintError::Signer(failure)) => failure,
        other => panic!("no failure of the signer: {other:?}"),
    }
}

#[actix_web::test]
async fn tokens_of_every_asymmetric_algorithm_are_minted_and_verified() {
    let remote = AuthType::ALL
        .into_iter()
        .filter(|it| keys::public(*it).is_some());
    let mut count = 0;
    for auth_type in remote {
        let auth = Service::good(auth_type).manager();
        let token = auth.auth_token("alice").claim("team", 7).sign_async().await;
        let token = token.expect("minted");
        assert_eq!(
            auth.verify_token(token.signed()).expect("valid").claims()["team"],
            7
        );
        let refresh = auth
            .refresh_token("alice")
            .sign_async()
            .await
            .expect("minted");
        assert_eq!(refresh.token_type(), TokenType::Refresh);
        assert!(auth.verify_token(refresh.signed()).is_ok());
        // A manager with the private key in its process accepts them, and the other way round.
        let local = manager(
            Config::new(ISSUER, auth_type, keys::secret(auth_type))
                .clock(FrozenClock::new(at(NOW))),
        );
        assert!(local.verify_token(token.signed()).is_ok(), "{auth_type}");
        let token = local.auth_token("alice").sign().expect("minted");
        assert!(auth.verify_token(token.signed()).is_ok(), "{auth_type}");
        count += 1;
    }
    assert_eq!(count, 10);
}

#[actix_web::test]
async fn signing_without_waiting_is_refused_and_says_what_to_call() {
    let service = Service::good(AuthType::ES256);
    let auth = service.manager();
    let error = auth.auth_token("alice").sign().expect_err("remote");
    assert_eq!(error, MintError::NeedsAsync);
    assert!(
        error.to_string().contains("`sign_async().await`"),
        "{error}"
    );
    assert_eq!(
        auth.refresh_token("alice").sign().err(),
        Some(MintError::NeedsAsync)
    );
    assert_eq!(service.calls(), 0);
}

#[actix_web::test]
async fn other_keys_sign_without_waiting_and_by_the_same_rules() {
    let auth = manager(support::hs256());
    let mut minting = Box::pin(auth.auth_token("alice").sign_async());
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(minting.as_mut().poll(context).is_ready());
    let reserved = auth.auth_token("alice").claim("exp", 1).sign_async().await;
    assert!(matches!(reserved, Err(MintError::ReservedClaim { .. })));
    let reserved = Service::good(AuthType::EdDSA).manager();
    let reserved = reserved
        .auth_token("alice")
        .claim("exp", 1)
        .sign_async()
        .await;
    assert!(matches!(reserved, Err(MintError::ReservedClaim { .. })));
}

#[test]
fn futures_can_be_sent_to_other_threads() {
    fn sendable<T: Send>(_: &T) {}
    let auth = Service::good(AuthType::ES256).manager();
    sendable(&auth.auth_token("alice").sign_async());
    sendable(&auth.refresh_token("alice").sign_async());
}

#[test]
fn outside_of_a_runtime_minting_fails_and_does_not_panic() {
    let service = Service::good(AuthType::ES256);
    let auth = service.manager();
    let mut minting = Box::pin(auth.auth_token("alice").sign_async());
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(MintError::Signer(failure))) = minting.as_mut().poll(context)
    else {
        panic!("it has to fail at once");
    };
    assert!(matches!(failure, SignerFailure::NoRuntime));
    assert_eq!(service.calls(), 0);
}
