//! The hook of refusals and subscribers of events can call the library, and are not called again because of it.

use std::{
    cell::{Cell, RefCell},
    future::IntoFuture as _,
    panic::AssertUnwindSafe,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    FromRequest as _, HttpRequest, ResponseError as _,
    http::header::{HeaderName, HeaderValue},
    test::TestRequest,
    web,
};
use flask_pyjwt::{AuthManager, CurrentToken, Rejection, Token, require_token};
use futures_util::FutureExt as _;
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{
    ask, bearer, config, field,
    routes::{Member, routes},
    token,
};
use support::{NOW, log, manager, site::Site};

/// A hook that does everything with the request that a hook can do.
pub(crate) fn curious(request: &HttpRequest, rejection: &Rejection, auth: Option<&AuthManager>) {
    let extracted = <CurrentToken>::extract(request).now_or_never();
    drop(
        extracted
            .expect("it finishes at once")
            .map_err(|error| error.error_response()),
    );
    let typed = CurrentToken::<Member>::extract(request).now_or_never();
    drop(
        typed
            .expect("it finishes at once")
            .map_err(|error| error.error_response()),
    );
    let optional = Option::<CurrentToken>::extract(request).now_or_never();
    drop(optional.expect("it finishes at once"));
    drop(AuthManager::extract(request).now_or_never());
    drop(rejection.respond(request));
    drop(rejection.error_response());
    if let Some(auth) = auth {
        drop(auth.check_origin(request));
        drop(auth.verify_token("nonsense"));
        let token = auth.auth_token("alice").sign().expect("minted");
        drop(auth.refresh(&token).into_future().now_or_never());
    }
}

#[actix_web::test]
async fn a_hook_that_reads_the_token_is_called_once_for_each_refusal() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let own = Arc::new(OnceLock::<AuthManager>::new());
    let known = Arc::clone(&own);
    let auth = manager(config().on_rejection(move |rejection, request, answer| {
        counted.fetch_add(1, Ordering::Relaxed);
        curious(request, rejection, known.get());
        answer
    }));
    own.set(auth.clone()).expect("not yet");
    let site = Site::new(|app| routes(app.app_data(auth))).await;
    let log = log::capture();
    for path in [
        "/plain",
        "/member",
        "/perhaps_member",
        "/optional_but_wanted",
        "/unguarded",
        "/wrapped/plain",
        "/wrapped/member",
        "/wrapped/optional_but_wanted",
    ] {
        for fields in [
            vec![],
            vec![field("authorization", "Bearer a.b.c")],
            bearer(json!({})),
            bearer(json!({"exp": NOW})),
        ] {
            calls.store(0, Ordering::Relaxed);
            let reply = ask(&site, path, &fields).await;
            let refused = usize::from(reply.status != 200);
            assert_eq!(calls.load(Ordering::Relaxed), refused, "{path} {fields:?}");
            let lines = log.take();
            assert_eq!(lines.len(), refused, "{path} {fields:?}: {lines:?}");
        }
    }
}

#[actix_web::test]
async fn a_hook_gets_the_token_of_a_request_with_a_valid_token() {
    #[require_token(fresh = true)]
    async fn fresh() -> &'static str {
        "in"
    }
    #[require_token("auth", "cookies")]
    async fn note() -> &'static str {
        "in"
    }
    fn named(token: Option<Token>) -> String {
        token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
    }
    let auth = manager(config().on_rejection(|_, request, mut answer| {
        let extracted = <CurrentToken>::extract(request).now_or_never();
        let extracted = extracted
            .expect("it finishes at once")
            .ok()
            .map(CurrentToken::into_token);
        let got = named(CurrentToken::get(request));
        assert_eq!(named(extracted), got);
        let name = HeaderName::from_static("x-sub");
        let value = HeaderValue::try_from(got).expect("ASCII");
        answer.headers_mut().insert(name, value);
        answer
    }));
    let site = Site::new(|app| {
        let look_afterwards = web::scope("/layers").wrap_fn(|request, service| {
            let answer = actix_web::dev::Service::call(service, request);
            async {
                let answer = answer.await?;
                // A refused token is not handed to a later layer.
                assert!(CurrentToken::get(answer.request()).is_none());
                Ok(answer)
            }
        });
        app.app_data(auth)
            .configure(routes)
            .route("/fresh", web::get().to(fresh))
            .route("/note", web::post().to(note))
            .service(look_afterwards.configure(routes));
    })
    .await;
    for (path, changes, status, sub) in [
        ("/plain", json!({}), 403, "alice"),
        ("/plain", json!({"role": "editor"}), 403, "alice"),
        ("/layers/plain", json!({}), 403, "alice"),
        ("/layers/wrapped/plain", json!({}), 403, "alice"),
        ("/member", json!({}), 403, "alice"),
        ("/wrapped/plain", json!({}), 403, "alice"),
        ("/wrapped/member", json!({}), 403, "alice"),
        ("/fresh", json!({}), 401, "alice"),
        ("/plain", json!({"exp": NOW}), 401, "nobody"),
        ("/plain", json!({"type": "refresh"}), 401, "nobody"),
        ("/plain", json!({"sub": "revoked"}), 401, "nobody"),
        ("/plain", json!({"sub": "down"}), 503, "nobody"),
        ("/unguarded", json!({}), 500, "nobody"),
    ] {
        // Once verified, and once from the table of verified tokens.
        for _ in 0..2 {
            let reply = ask(&site, path, &bearer(changes.clone())).await;
            let what = format!("{path} {changes}");
            assert_eq!(
                (reply.status, reply.field("x-sub")),
                (status, sub),
                "{what}"
            );
        }
    }
    let cookie = format!("__Host-auth={}", token(json!({})));
    let request = TestRequest::post()
        .uri("/note")
        .insert_header(("cookie", cookie));
    let reply = site.ask(request).await;
    assert_eq!((reply.status, reply.field("x-sub")), (403, "alice"));
}

#[actix_web::test]
async fn a_hook_that_panics_is_called_for_the_next_refusal() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let auth = manager(config().on_rejection(move |_, _, answer| {
        assert!(counted.fetch_add(1, Ordering::Relaxed) > 0, "the first one");
        answer
    }));
    let site = Site::new(|app| routes(app.app_data(auth))).await;
    let log = log::capture();
    let forbidden = bearer(json!({}));
    let asked = AssertUnwindSafe(ask(&site, "/plain", &forbidden)).catch_unwind();
    assert!(asked.await.is_err());
    assert_eq!(ask(&site, "/plain", &forbidden).await.status, 403);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(log.take().len(), 2);
}

/// A subscriber that looks for the token of the current request.
struct Looking;

thread_local! {
    static SERVED: RefCell<Option<HttpRequest>> = const { RefCell::new(None) };
    static EVENTS: Cell<usize> = const { Cell::new(0) };
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Looking {
    fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let served = SERVED.with_borrow(Clone::clone);
        if let Some(request) = served {
            EVENTS.set(EVENTS.get() + 1);
            curious(&request, &Rejection::MissingCredentials, None);
        }
    }
}

#[actix_web::test]
async fn a_subscriber_that_reads_the_token_sees_each_refusal_once() {
    // `tracing` stops recursion for subscribers of one thread, but not for this global one.
    let subscriber = tracing_subscriber::registry().with(Looking);
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let hooks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hooks);
    let auth = manager(config().on_rejection(move |_, _, answer| {
        counted.fetch_add(1, Ordering::Relaxed);
        answer
    }));
    let request = TestRequest::default().app_data(auth).to_http_request();
    SERVED.set(Some(request.clone()));
    for expected in 1..=3 {
        let extracted = <CurrentToken>::extract(&request).await;
        assert!(extracted.is_err());
        assert_eq!(EVENTS.get(), expected);
        assert_eq!(hooks.load(Ordering::Relaxed), expected);
    }
    SERVED.set(None);
}
