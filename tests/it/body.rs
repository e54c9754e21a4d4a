//! No part of a request's body is read, and no extractor starts, before the token is accepted.

use std::{
    cell::Cell,
    future::{Future, poll_fn, ready},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    rt::{self, task::yield_now},
    test::TestRequest,
    web::{self, Bytes},
};
use flask_pyjwt::{
    AuthManager, Config, CurrentToken, RequireToken, TokenCheckError, require_token,
};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use support::{NOW, claims_with, hs256, manager, site::Site};

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
    static EXTRACTIONS: Cell<usize> = const { Cell::new(0) };
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the extractions that begin.
struct Witness;

impl FromRequest for Witness {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        EXTRACTIONS.set(EXTRACTIONS.get() + 1);
        ready(Ok(Self))
    }
}

/// A body of two chunks that counts how often it is polled.
fn body() -> Payload {
    let mut chunks = [Bytes::from_static(b"\"bo"), Bytes::from_static(b"dy\"")].into_iter();
    let body = stream::poll_fn(move |context| {
        let polls = POLLS.get() + 1;
        POLLS.set(polls);
        if polls % 2 == 1 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(chunks.next().map(Ok::<_, PayloadError>))
    });
    Payload::Stream {
        payload: Box::pin(body),
    }
}

/// What has happened since the last call: polls of the body, extractions, runs of a handler.
fn happened() -> (usize, usize, usize) {
    (POLLS.take(), EXTRACTIONS.take(), RUNS.take())
}

const NOTHING: (usize, usize, usize) = (0, 0, 0);

fn run(text: &str) -> String {
    RUNS.set(RUNS.get() + 1);
    text.to_owned()
}

#[require_token(role = "editor")]
async fn attribute(_: Witness, body: String) -> String {
    run(&body)
}

#[require_token(role = "editor")]
async fn body_before_token(body: web::Bytes, _: Witness, _: CurrentToken) -> String {
    run(std::str::from_utf8(&body).expect("UTF-8"))
}

#[require_token(role = "editor")]
async fn fallible(
    _: Witness,
    body: Result<web::Json<String>, actix_web::Error>,
) -> Result<String, actix_web::Error> {
    Ok(run(&format!("{:?}", body?.0)))
}

#[require_token(role = "editor")]
async fn streamed(mut body: web::Payload, _: Witness) -> String {
    let mut text = Vec::new();
    while let Some(chunk) = body.next().await {
        text.extend(chunk.expect("a chunk"));
    }
    run(std::str::from_utf8(&text).expect("UTF-8"))
}

#[require_token(optional, role = "editor")]
async fn optional(_: Witness, _: Option<CurrentToken>, body: String) -> String {
    run(&body)
}

async fn unprotected(_: Witness, body: String) -> String {
    run(&body)
}

const PATHS: [&str; 7] = [
    "/attribute",
    "/body_before_token",
    "/fallible",
    "/streamed",
    "/optional",
    "/wrapped",
    "/scope/both",
];

async fn site(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(move |app| {
        let guard = || RequireToken::auth().claim("role", "editor");
        app.app_data(auth)
            .route("/attribute", web::post().to(attribute))
            .route("/body_before_token", web::post().to(body_before_token))
            .route("/fallible", web::post().to(fallible))
            .route("/streamed", web::post().to(streamed))
            .route("/optional", web::post().to(optional))
            .service(web::resource("/wrapped").wrap(guard()).to(unprotected))
            .service(
                web::scope("/scope")
                    .wrap(guard())
                    .route("/both", web::post().to(attribute)),
            );
    })
    .await
}

/// A `POST` of JSON with this `Authorization` field, if any.
fn post(path: &str, authorization: Option<&str>) -> TestRequest {
    let request = TestRequest::post().uri(path);
    let request = request.insert_header(("content-type", "application/json"));
    match authorization {
        Some(value) => request.insert_header(("authorization", value)),
        None => request,
    }
}

fn bearer(changes: serde_json::Value) -> String {
    use support::{SECRET, forge};
    let header = support::header(flask_pyjwt::AuthType::HS256);
    let token = forge::forge(header, claims_with(changes), &forge::Key::Hs256(SECRET));
    format!("Bearer {token}")
}

/// What the check of the site waits for, and the verdict that it then returns.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Waiting>>);

/// The verdict, once there is one, and the wakers of those who wait for it.
type Waiting = (Option<Result<(), TokenCheckError>>, Vec<Waker>);

impl Gate {
    fn open(&self, verdict: Result<(), TokenCheckError>) {
        let wakers = {
            let mut gate = self.0.lock().expect("not poisoned");
            gate.0 = Some(verdict);
            std::mem::take(&mut gate.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn is_waited_for(&self) -> bool {
        !self.0.lock().expect("not poisoned").1.is_empty()
    }

    fn verdict(&self) -> impl Future<Output = Result<(), TokenCheckError>> + use<> {
        let gate = self.clone();
        poll_fn(move |context| {
            let mut gate = gate.0.lock().expect("not poisoned");
            if let Some(verdict) = gate.0 {
                return Poll::Ready(verdict);
            }
            gate.1.push(context.waker().clone());
            Poll::Pending
        })
    }

    fn guards(&self) -> Config {
        let gate = self.clone();
        hs256().token_check(move |_| gate.verdict())
    }
}

#[actix_web::test]
async fn threat_40_the_body_of_a_refused_request_is_not_read() {
    let site = site(&manager(hs256())).await;
    let bad = [
        (None, 401, "missing_credentials"),
        (Some("Basic eDp5".to_owned()), 401, "missing_credentials"),
        (Some("Bearer".to_owned()), 401, "malformed_credentials"),
        (Some("Bearer a.b.c".to_owned()), 401, "token_encoding"),
        (
            Some("Bearer a, Bearer b".to_owned()),
            400,
            "several_authorizations",
        ),
        (Some(bearer(json!({"exp": NOW}))), 401, "token_expired"),
        (
            Some(bearer(json!({"type": "refresh"}))),
            401,
            "token_wrong_type",
        ),
        (Some(bearer(json!({}))), 403, "claim_not_met"),
        (
            Some(bearer(json!({"role": "reader"}))),
            403,
            "claim_not_met",
        ),
    ];
    for path in PATHS {
        for (authorization, status, reason) in &bad {
            let request = post(path, authorization.as_deref());
            let reply = site.ask_with(request, body()).await;
            if path == "/optional" && *reason == "missing_credentials" {
                assert_eq!((reply.status, reply.text()), (200, "\"body\""));
                assert_ne!(happened(), NOTHING);
                continue;
            }
            assert_eq!(reply.outcome(), (*status, *reason), "{path}");
            assert_eq!(happened(), NOTHING, "{path} {reason}");
        }
    }
}

#[actix_web::test]
async fn threat_40_an_accepted_handler_gets_the_whole_body() {
    for yields in [0, 1, 5] {
        let auth = manager(hs256().token_check(move |_| async move {
            for _ in 0..yields {
                yield_now().await;
            }
            Ok(())
        }));
        let site = site(&auth).await;
        let good = bearer(json!({"role": "editor"}));
        for path in PATHS {
            let reply = site.ask_with(post(path, Some(&good)), body()).await;
            assert_eq!(
                (reply.outcome(), reply.text()),
                ((200, ""), "\"body\""),
                "{path}"
            );
            let (polls, extractions, runs) = happened();
            assert_eq!((extractions, runs), (1, 1), "{path}");
            assert!(polls >= 4, "{path}: {polls}");
        }
    }
}

#[actix_web::test]
async fn threat_40_the_body_is_not_read_while_a_check_is_pending() {
    let unavailable = TokenCheckError::Unavailable {
        retry_after: time::Duration::SECOND,
    };
    for (verdict, role, status, reason) in [
        (Ok(()), "editor", 200, ""),
        (Ok(()), "reader", 403, "claim_not_met"),
        (
            Err(TokenCheckError::Revoked),
            "editor",
            401,
            "token_revoked",
        ),
        (Err(unavailable), "editor", 503, "unavailable"),
    ] {
        for path in PATHS {
            let gate = Gate::default();
            let site = site(&manager(gate.guards())).await;
            let request = post(path, Some(&bearer(json!({"role": role}))));
            let asked = site.clone();
            let reply = rt::spawn(async move { asked.ask_with(request, body()).await });
            while !gate.is_waited_for() {
                yield_now().await;
            }
            for _ in 0..10 {
                yield_now().await;
            }
            assert_eq!(
                happened(),
                NOTHING,
                "{path} {reason}: while the check waits"
            );
            assert!(!reply.is_finished(), "{path} {reason}");
            gate.open(verdict);
            let reply = reply.await.expect("no panic");
            assert_eq!(reply.outcome(), (status, reason), "{path}");
            if status == 200 {
                assert_eq!(reply.text(), "\"body\"", "{path}");
                let (polls, extractions, runs) = happened();
                // Both guards of a route run the check, and the handler runs once.
                assert_eq!((extractions, runs), (1, 1), "{path}");
                assert!(polls >= 4, "{path}: {polls}");
            } else {
                assert_eq!(happened(), NOTHING, "{path} {reason}");
            }
        }
    }
}

#[actix_web::test]
async fn threat_40_nothing_is_left_of_a_client_that_disconnects_during_a_check() {
    let gate = Gate::default();
    let site = site(&manager(gate.guards())).await;
    let good = bearer(json!({"role": "editor"}));
    for path in PATHS {
        {
            let mut asked = pin!(site.ask_with(post(path, Some(&good)), body()));
            let polled = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context))).await;
            assert!(polled.is_pending(), "{path}");
        }
        assert_eq!(happened(), NOTHING, "{path}");
    }
    gate.open(Ok(()));
    for path in PATHS {
        let reply = site.ask_with(post(path, Some(&good)), body()).await;
        assert_eq!(
            (reply.outcome(), reply.text()),
            ((200, ""), "\"body\""),
            "{path}"
        );
    }
}
