//! `docs/threats.md` 26 and 39, and other mistakes of a server's author: they fail closed, at startup where
//! possible.

use std::{sync::mpsc, thread};

use actix_web::{
    App, FromRequest as _, HttpRequest, HttpResponse, HttpServer,
    dev::Service as _,
    rt::{Runtime, System},
    test::TestRequest,
    web,
};
use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, CurrentToken, MemoryStore, RequireToken,
    require_token,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use support::{SECRET, hs256, log, manager, site::Site};

fn token_of(auth: &AuthManager, subject: &str) -> String {
    let token = auth.auth_token(subject).sign().expect("minted");
    token.signed().to_owned()
}

async fn second(ids: web::Path<(String, String)>) -> String {
    ids.1.clone()
}

#[require_token(sub = "id")]
async fn own_variable(ids: web::Path<(String, String)>) -> String {
    ids.1.clone()
}

/// The attribute sees the route's own `{id}`, but the router finds the one first that middleware has put there, or an
/// enclosing scope. (Here it is middleware: with the feature `test-kit`, actix-web refuses such scopes at the start.)
#[actix_web::test]
async fn threat_26_a_duplicate_route_variable_is_a_500() {
    let auth = manager(hs256());
    let site = Site::new(|app| {
        let wrapped = RequireToken::auth().sub_from_path("id");
        app.app_data(auth.clone()).service(
            web::scope("/org/{org}")
                .wrap_fn(|mut request, service| {
                    let alice = request.match_info().get("org") == Some("alice");
                    let outer = if alice { "alice" } else { "bob" };
                    request.match_info_mut().add_static("id", outer);
                    service.call(request)
                })
                .route("/attribute/{id}", web::get().to(own_variable))
                .service(web::resource("/wrapped/{id}").wrap(wrapped).to(second)),
        );
    })
    .await;
    let alice = token_of(&auth, "alice");
    for kind in ["attribute", "wrapped"] {
        for (org, own) in [
            ("alice", "bob"),
            ("bob", "alice"),
            ("alice", "alice"),
            ("bob", "bob"),
        ] {
            let path = format!("/org/{org}/{kind}/{own}");
            let reply = site.get(&path, &alice).await;
            reply.is_refused(500, "server_error", "route_mistake", &path);
        }
    }
}

#[derive(Debug, Deserialize)]
struct Member {
    #[expect(dead_code, reason = "only asked for")]
    team: u32,
}

/// Extracts the token from the request, not as an argument.
async fn by_hand<C: DeserializeOwned + 'static>(request: HttpRequest) -> HttpResponse {
    match CurrentToken::<C>::extract(&request).await {
        Ok(token) => HttpResponse::Ok().body(token.sub().to_owned()),
        Err(error) => error.error_response(),
    }
}

#[require_token(optional)]
async fn any_by_hand(request: HttpRequest) -> HttpResponse {
    by_hand::<Value>(request).await
}

#[require_token]
async fn member_by_hand(request: HttpRequest) -> HttpResponse {
    by_hand::<Member>(request).await
}

#[actix_web::test]
async fn threat_39_a_token_extracted_in_the_handler_is_refused_as_one_in_an_argument() {
    let auth = manager(hs256());
    let site = Site::new(|app| {
        let resource = |path, guard| web::resource(path).wrap(guard);
        let optional = RequireToken::auth().optional(true);
        app.app_data(auth.clone())
            .route("/any", web::get().to(any_by_hand))
            .route("/member", web::get().to(member_by_hand))
            .service(resource("/wrapped/any", optional).to(by_hand::<Value>))
            .service(resource("/wrapped/member", RequireToken::auth()).to(by_hand::<Member>));
    })
    .await;
    let stranger = token_of(&auth, "alice");
    let member = auth.auth_token("alice").claim("team", 7);
    let member = member.sign().expect("minted");
    for prefix in ["/wrapped", ""] {
        let log = log::capture();
        let path = format!("{prefix}/any");
        let reply = site.ask(TestRequest::get().uri(&path)).await;
        reply.is_refused(401, "unauthorized", "missing_credentials", &path);
        let path = format!("{prefix}/member");
        let reply = site.get(&path, &stranger).await;
        reply.is_refused(403, "insufficient_scope", "claims_do_not_fit", &path);
        assert_eq!(log.take().len(), 2, "{path}");
        let reply = site.get(&path, member.signed()).await;
        assert_eq!((reply.outcome(), reply.text()), ((200, ""), "alice"));
        assert_eq!(log.text(), "", "{path}");
    }
}

/// A table that cannot be allocated would end the process at the first verified token.
#[test]
fn a_table_of_absurd_size_is_refused_at_startup_or_works() {
    let sizes = [0, 1, 7, 100, 4_096, 1 << 20, usize::MAX / 2, usize::MAX];
    for entries in sizes {
        for bytes in sizes {
            let auth = match AuthManager::new(hs256().token_table(entries, bytes)) {
                Ok(auth) => auth,
                Err(ConfigError::Invalid { .. }) if entries.max(bytes) > 1 << 20 => continue,
                Err(error) => panic!("{entries} {bytes}: {error}"),
            };
            for name in 0..3 {
                let token = auth.auth_token(name).sign().expect("minted");
                for _ in 0..2 {
                    let verified = auth.verify_token(token.signed());
                    assert!(verified.is_ok(), "{entries} {bytes}");
                }
            }
        }
    }
}

#[require_token]
async fn with_data(auth: web::Data<AuthManager>) -> String {
    auth.issuer().to_owned()
}

#[require_token]
async fn with_json(_: web::Json<Value>, _: AuthManager) -> &'static str {
    ""
}

#[require_token]
async fn with_json_and_data(
    _: web::Json<Value>,
    _: Option<web::Data<AuthManager>>,
) -> &'static str {
    ""
}

#[actix_web::test]
async fn web_data_of_a_manager_that_is_registered_directly_logs_the_right_argument() {
    let auth = manager(hs256());
    let token = token_of(&auth, "alice");
    let site = Site::new(|app| {
        app.route("/data", web::get().to(with_data))
            .route("/json", web::get().to(with_json))
            .route("/both", web::get().to(with_json_and_data))
            .app_data(auth.clone());
    })
    .await;
    let log = log::capture();
    assert_eq!(site.get("/data", &token).await.status, 500);
    assert!(
        log.text()
            .contains("take it as the argument `auth: AuthManager`")
    );
    drop(log);
    // The error of another extractor is not changed or logged.
    for path in ["/json", "/both"] {
        let log = log::capture();
        assert_eq!(site.get(path, &token).await.status, 400);
        assert_eq!(log.take().len(), 0, "{path}");
    }
}

/// Runs a server with two workers whose closure makes a manager each, and returns the log.
async fn log_of_workers(make: fn() -> AuthManager) -> String {
    let (sender, logs) = mpsc::channel();
    let server = HttpServer::new(move || {
        let log = log::capture();
        let auth = make();
        sender.send(log.text()).expect("the test waits");
        App::new().app_data(auth)
    });
    let server = server.workers(2).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).expect("a free port").run();
    let handle = server.handle();
    let text = thread::spawn(move || {
        let text: String = logs.iter().take(2).collect();
        drop(handle.stop(false)); // the call sends the command
        text
    });
    server.await.expect("a server");
    text.join().expect("no panic")
}

fn of_issuer(issuer: &str) -> AuthManager {
    AuthManager::new(Config::new(issuer, AuthType::HS256, SECRET)).expect("a manager")
}

#[test]
fn managers_that_workers_make_are_noticed() {
    const WARNING: &str = "make the AuthManager before HttpServer::new";
    let make = || of_issuer("https://per-worker.example");
    let log = System::new().block_on(log_of_workers(make));
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    // Without actix-web's runtime, the workers are other threads.
    let make = || of_issuer("https://per-worker-in-tokio.example");
    let tokio = Runtime::new().expect("a runtime");
    let log = tokio.block_on(log_of_workers(make));
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    // With sessions in memory, users are logged out.
    let make = || {
        let config = Config::new("https://memory.example", AuthType::HS256, SECRET);
        AuthManager::new(config.session_store(MemoryStore::default())).expect("a manager")
    };
    let log = System::new().block_on(log_of_workers(make));
    assert!(log.contains("users are logged out at random"), "{log}");
}

/// A job that renews the configuration, or tests that run in parallel.
#[test]
fn managers_of_other_threads_are_not_noticed() {
    let log = log::capture();
    let elsewhere = || {
        let made = thread::spawn(|| of_issuer("https://several-threads.example"));
        made.join().expect("no panic")
    };
    let _managers = [
        elsewhere(),
        of_issuer("https://several-threads.example"),
        of_issuer("https://several-threads.example"),
    ];
    assert_eq!(log.text(), "");
}
