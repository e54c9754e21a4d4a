//! Clocks, stores, checks and types of the application can call the library without endless recursion.

use std::{
    cell::RefCell,
    fmt,
    future::IntoFuture as _,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    FromRequest as _, HttpMessage as _, HttpRequest, HttpResponse, Responder, body::BoxBody,
    test::TestRequest, web,
};
use flask_pyjwt::{
    AuthManager, CurrentToken, MemoryStore, Rejection, RequireToken, SessionError, SessionEvent,
    Token, TokenCheckError, TokenError, require_token,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
    },
    testing::Clock,
};
use futures_util::FutureExt as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{hooks::curious, token};
use support::{NOW, at, frozen, guarded, hs256, log, manager, site::Site};

/// A clock that verifies a token before it returns the time.
struct Checking(Arc<OnceLock<(AuthManager, String)>>);

impl Clock for Checking {
    fn now(&self) -> OffsetDateTime {
        if let Some((auth, token)) = self.0.get() {
            let verified = auth.verify_token(token).map(drop);
            assert_eq!(verified, Err(TokenError::Clock));
            assert!(auth.auth_token("alice").sign().is_err());
        }
        at(NOW)
    }
}

#[actix_web::test]
async fn a_clock_that_verifies_a_token_gets_an_error_and_works() {
    let own = Arc::new(OnceLock::new());
    let auth = manager(hs256().clock(Checking(Arc::clone(&own))));
    let token = token(json!({}));
    assert!(own.set((auth.clone(), token.clone())).is_ok());
    for _ in 0..3 {
        assert!(auth.verify_token(&token).is_ok());
    }
    assert!(auth.auth_token("alice").sign().is_ok());
}

#[actix_web::test]
async fn a_check_that_verifies_its_token_is_called_once() {
    let own = Arc::new(OnceLock::<AuthManager>::new());
    let known = Arc::clone(&own);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let config = hs256().session_store(MemoryStore::default());
    let auth = manager(config.token_check(move |token| {
        counted.fetch_add(1, Ordering::Relaxed);
        let auth = known.get().expect("set").clone();
        async move {
            assert!(auth.check_revocation(&token).await.is_ok());
            assert!(auth.verify_token(token.signed()).is_ok());
            assert_eq!(
                auth.sessions(token.sub()).await.map(|them| them.len()),
                Ok(1)
            );
            assert!(auth.csrf_proof(&token).is_ok());
            Ok(())
        }
    }));
    own.set(auth.clone()).expect("not yet");
    let token = auth.login("alice").await.expect("opened").auth;
    let site = Site::new(guarded(&auth)).await;
    for expected in 1..=3 {
        site.accepts(token.signed(), "a good one").await;
        assert_eq!(calls.load(Ordering::Relaxed), expected);
    }
}

#[actix_web::test]
async fn a_refusal_inside_a_check_is_not_logged_in_addition_to_that_of_the_guard() {
    let own = Arc::new(OnceLock::<AuthManager>::new());
    let known = Arc::clone(&own);
    let config = hs256().session_store(MemoryStore::default());
    let auth = manager(config.token_check(move |token| {
        let auth = known.get().expect("set").clone();
        // Before and while the check waits, whatever else is called.
        assert!(auth.auth_cookie(&large(&auth)).is_err());
        async move {
            let without_session = auth.auth_token("bob").sign().expect("minted");
            match auth.logout(&without_session).await {
                Err(_) if token.sub() == "mallory" => Err(TokenCheckError::Revoked),
                _ => Ok(()),
            }
        }
    }));
    own.set(auth.clone()).expect("not yet");
    let site = Site::new(guarded(&auth)).await;
    for (subject, expected) in [
        ("mallory", vec![Some("token_revoked".to_owned())]),
        ("alice", vec![]),
    ] {
        let token = auth.login(subject).await.expect("opened").auth;
        let log = log::capture();
        let reply = site.get("/", token.signed()).await;
        assert_eq!(reply.status == 200, expected.is_empty(), "{subject}");
        let logged = log.take();
        let refused = logged
            .into_iter()
            .filter(|line| line.target == Rejection::EVENT_TARGET);
        let reasons: Vec<_> = refused.map(|line| line.reason).collect();
        assert_eq!(reasons, expected, "{subject}");
    }
}

/// A token that is too large for a cookie.
fn large(auth: &AuthManager) -> Token {
    let token = auth.auth_token("alice").claim("x", "y".repeat(5_000));
    token.sign().expect("minted")
}

/// A store that verifies a token with the manager before it answers.
#[derive(Default)]
struct Nosy {
    inner: MemoryStore,
    asks: Arc<Mutex<Option<(AuthManager, Token)>>>,
}

impl SessionStore for Nosy {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.inner.open(opening, now)
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.inner.rotate(rotation)
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        let asks = self.asks.lock().expect("not poisoned").clone();
        Box::pin(async move {
            if let Some((auth, about)) = asks {
                let answer = auth.check_revocation(&about).await;
                answer.map_err(|error| StoreError::unavailable(error.to_string()))?;
            }
            self.inner.standing(token, now).await
        })
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.inner.mark_used(token, now)
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.inner.revoke(revocation, now)
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.inner.sessions(subject, most, now)
    }
}

#[actix_web::test]
async fn a_store_that_calls_the_manager_recursively_is_503_and_one_event() {
    let store = Nosy::default();
    let asks = Arc::clone(&store.asks);
    let auth = manager(hs256().session_store(store));
    let token = auth.login("alice").await.expect("opened").auth;
    *asks.lock().expect("not poisoned") = Some((auth.clone(), token.clone()));
    let log = log::capture();
    assert!(matches!(
        auth.check_revocation(&token).await,
        Err(SessionError::TooDeep | SessionError::Store(_))
    ));
    let logged = log.take();
    let logged = logged
        .iter()
        .filter(|line| line.target == Rejection::EVENT_TARGET);
    assert_eq!(logged.count(), 1);
    let site = Site::new(guarded(&auth)).await;
    let reply = site.get("/", token.signed()).await;
    assert_eq!(reply.outcome(), (503, "unavailable"));
    *asks.lock().expect("not poisoned") = None;
    site.accepts(token.signed(), "the store answers").await;
}

#[actix_web::test]
async fn a_session_hook_that_causes_another_event_is_not_called_for_it() {
    let own = Arc::new(OnceLock::<(AuthManager, Token)>::new());
    let known = Arc::clone(&own);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let clock = frozen();
    let auth = manager(
        hs256()
            .clock(clock.clone())
            .session_store(MemoryStore::default())
            .on_session_event(move |event: &SessionEvent| {
                let SessionEvent::Replayed { .. } = event else {
                    return;
                };
                counted.fetch_add(1, Ordering::Relaxed);
                let (auth, old) = known.get().expect("set");
                let again = auth.refresh(old).into_future().now_or_never();
                assert!(again.expect("the store answers at once").is_err());
            }),
    );
    let old = auth.login("alice").await.expect("opened").refresh;
    let next = auth.refresh(&old).await.expect("rotated").refresh;
    auth.refresh(&next).await.expect("rotated");
    clock.advance(Duration::seconds(60));
    assert!(own.set((auth.clone(), old.clone())).is_ok());
    assert!(auth.refresh(&old).await.is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

thread_local!(static AUTH: RefCell<Option<(AuthManager, HttpRequest)>> = const { RefCell::new(None) });

/// Calls everything while it is deserialized, serialized or displayed.
struct Asking;

fn ask_for_everything() {
    let known = AUTH.with_borrow(Clone::clone);
    if let Some((auth, request)) = known {
        let token = auth.auth_token("bob").claim("x", 1).sign().expect("minted");
        assert!(auth.verify_token(token.signed()).is_ok());
        drop(CurrentToken::get(&request));
        curious(&request, &Rejection::MissingCredentials, Some(&auth));
        // The library holds no borrow of the request.
        drop(request.extensions_mut());
    }
}

impl<'de> Deserialize<'de> for Asking {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ask_for_everything();
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl Serialize for Asking {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ask_for_everything();
        serializer.serialize_unit()
    }
}

impl fmt::Display for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ask_for_everything();
        f.write_str("alice")
    }
}

impl Responder for Asking {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        ask_for_everything();
        let token = CurrentToken::get(request);
        HttpResponse::Ok().body(token.map_or_else(String::new, |token| token.sub().to_owned()))
    }
}

#[actix_web::test]
async fn application_types_can_call_the_manager_while_they_are_read_and_written() {
    #[require_token]
    async fn attribute(request: HttpRequest, auth: AuthManager) -> actix_web::Result<Asking> {
        AUTH.set(Some((auth, request.clone())));
        Ok(CurrentToken::<Asking>::extract(&request)
            .await?
            .into_typed())
    }
    async fn wrapped(request: HttpRequest, auth: AuthManager) -> actix_web::Result<Asking> {
        AUTH.set(Some((auth, request.clone())));
        Ok(CurrentToken::<Asking>::extract(&request)
            .await?
            .into_typed())
    }
    let auth = manager(hs256());
    let request = TestRequest::default().to_http_request();
    AUTH.set(Some((auth.clone(), request)));
    let token = auth.auth_token(Asking).claim("asking", Asking);
    let token = token.sign().expect("minted");
    let site = Site::new(|app| {
        app.app_data(auth)
            .route("/attribute", web::get().to(attribute))
            .service(
                web::resource("/wrapped")
                    .wrap(RequireToken::auth())
                    .to(wrapped),
            );
    })
    .await;
    for path in ["/attribute", "/wrapped"] {
        let reply = site.get(path, token.signed()).await;
        assert_eq!((reply.status, reply.text()), (200, "alice"), "{path}");
    }
    AUTH.set(None);
}
