//! `protected`: each handler says who may enter, or the application does not start.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, HttpServer, get, guard, post, routes,
    test::{self, TestRequest},
    web,
};
use flask_pyjwt::{
    CurrentToken, Protected, RequireToken, protected, public, require_token,
    testing::{TestAuth, TestRequestExt as _, assert_accepted, assert_refused},
};
use serde_json::json;

/// How often a handler without a guard has run.
static OPEN_RUNS: AtomicUsize = AtomicUsize::new(0);

#[require_token(sub = "name")]
#[get("/users/{name}")]
async fn user(name: web::Path<String>) -> String {
    name.into_inner()
}

#[require_token]
#[routes]
#[get("/a")]
#[delete("/b")]
async fn several(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(optional)]
#[get("/news")]
async fn news() -> &'static str {
    "news"
}

#[public]
#[get("/health")]
async fn health() -> &'static str {
    "ok"
}

#[public]
#[post("/login")]
pub(crate) async fn login() -> &'static str {
    "welcome"
}

#[get("/open")]
async fn open() -> &'static str {
    OPEN_RUNS.fetch_add(1, Ordering::Relaxed);
    "everything"
}

#[get("/below")]
#[require_token]
async fn below() -> &'static str {
    "below"
}

#[require_token(sub = "name")]
async fn guarded() -> &'static str {
    "guarded"
}

async fn plain() -> &'static str {
    OPEN_RUNS.fetch_add(1, Ordering::Relaxed);
    "plain"
}

#[actix_web::test]
async fn what_says_who_may_enter_is_served_as_it_says() {
    let auth = TestAuth::new();
    let admin = RequireToken::auth().scope(json!({"admin": true}));
    let area = protected("/api")
        .guard(guard::fn_guard(|_| true))
        .app_data(web::Data::new(7_u8))
        .service(user)
        .service((several, news, health))
        .configure(more)
        .service(protected("/inner").service(login))
        .guarded("/guarded/{name}", web::get(), guarded)
        .require(admin.clone(), web::resource("/admin").get(plain))
        .require(
            admin,
            web::scope("/scope").route("/x", web::get().to(plain)),
        );
    let app = App::new().app_data(auth.manager()).service(area);
    let app = test::init_service(app).await;
    let get = |path| TestRequest::get().uri(path);
    let alice = auth.token("alice");
    let admin = auth.token("root").scope(json!({"admin": true}));
    for path in [
        "/api/users/alice",
        "/api/a",
        "/api/news",
        "/api/guarded/alice",
    ] {
        assert_accepted!(app, get(path).bearer(alice.clone()));
    }
    for path in [
        "/api/users/bob",
        "/api/guarded/bob",
        "/api/admin",
        "/api/scope/x",
    ] {
        assert_refused!(app, get(path).bearer(alice.clone()), 403);
    }
    for path in ["/api/admin", "/api/scope/x"] {
        assert_accepted!(app, get(path).bearer(admin.clone()));
    }
    for path in ["/api/users/alice", "/api/a", "/api/admin", "/api/scope/x"] {
        assert_refused!(app, get(path), 401);
    }
    for path in ["/api/news", "/api/health", "/api/more"] {
        assert_accepted!(app, get(path));
    }
    assert_accepted!(app, TestRequest::post().uri("/api/inner/login"));
    assert_refused!(app, TestRequest::delete().uri("/api/b"), 401);
}

fn more(area: Protected) -> Protected {
    area.public(web::resource("/more").get(plain))
}

/// Starts the application as a worker does.
async fn start(make: impl Fn() -> Protected) -> Result<(), String> {
    let auth = TestAuth::new();
    let area = catch_unwind(AssertUnwindSafe(make)).expect("making it never panics");
    let app = App::new().app_data(auth.manager()).service(area);
    let starting = tokio_panic(test::init_service(app)).await;
    starting.map(drop)
}

/// The message of a panic in a future.
async fn tokio_panic<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned();
                std::task::Poll::Ready(Err(message.unwrap_or_default()))
            }
        }
    })
    .await
}

#[actix_web::test]
async fn a_handler_that_says_nothing_keeps_the_application_from_starting() {
    type Case = (&'static str, fn() -> Protected, &'static str);
    let what: [Case; 9] = [
        (
            "a handler",
            || protected("/api").service(open),
            "protected::open`",
        ),
        (
            "one of several",
            || protected("/api").service((user, open)),
            "open",
        ),
        (
            "one after others",
            || protected("/api").service(user).service(open),
            "open",
        ),
        (
            "`#[get]` above",
            || protected("/api").service(below),
            "below`",
        ),
        (
            "a resource",
            || protected("/api").service(web::resource("/x").get(plain)),
            "Resource",
        ),
        (
            "a scope",
            || protected("/api").service(web::scope("/x").service(user)),
            "Scope",
        ),
        (
            "a route",
            || protected("/api").route("/x", web::get().to(plain)),
            "the route `/x`",
        ),
        (
            "inside another",
            || protected("/api").service(protected("/inner").service(open)),
            "protected(\"/inner\")",
        ),
        (
            "by a function",
            || protected("/api").configure(|area| area.service(open)),
            "open`",
        ),
    ];
    for (what, make, named) in what {
        let message = start(make).await.expect_err(what);
        assert!(message.contains(named), "{what}: {message}");
        assert!(
            message.contains("`#[require_token]` or `#[public]`"),
            "{message}"
        );
        let names_another = message.contains("protected::user") && what != "one of several";
        assert!(!names_another, "{message}");
    }
    assert!(start(|| protected("/api").service(user)).await.is_ok());
}

/// The whole server, with workers: it accepts no connection.
#[actix_web::test]
async fn a_server_with_a_silent_handler_does_not_run() {
    let before = OPEN_RUNS.load(Ordering::Relaxed);
    let server = HttpServer::new(|| App::new().service(protected("/api").service(open)))
        .workers(2)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a free port");
    let address = server.addrs()[0];
    let outcome = tokio_panic(server.run()).await;
    let runs = matches!(outcome, Ok(Ok(())));
    assert!(!runs, "it has run");
    let answer = std::net::TcpStream::connect(address);
    assert!(answer.is_err(), "it accepts connections");
    assert_eq!(OPEN_RUNS.load(Ordering::Relaxed), before);
}
