//! `docs/threats.md` 26 and 39, and what a server's author can get wrong besides: it fails closed, and
//! at the start where that is possible.

use actix_web::{FromRequest as _, HttpRequest, HttpResponse, test::TestRequest, web};
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

/// The attribute sees the route's own `{id}`; the router finds the enclosing scope's before it.
#[actix_web::test]
async fn threat_26_a_variable_that_is_there_twice_is_a_mistake() {
    let auth = manager(hs256());
    let site = Site::new(|app| {
        let wrapped = RequireToken::auth().sub_from_path("id");
        app.app_data(auth.clone()).service(
            web::scope("/org/{id}")
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

/// Extracts by hand what its arguments do not name.
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
async fn threat_39_an_extraction_by_hand_is_answered_like_one_by_argument() {
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
fn a_table_of_absurd_size_is_refused_at_the_start_or_works() {
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

#[actix_web::test]
async fn web_data_of_a_manager_that_is_registered_as_it_is_says_what_to_take() {
    let auth = manager(hs256());
    let token = token_of(&auth, "alice");
    let site = Site::new(|app| {
        app.route("/data", web::get().to(with_data))
            .route("/json", web::get().to(with_json))
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
    // Another extractor's error is none of ours.
    let log = log::capture();
    assert_eq!(site.get("/json", &token).await.status, 400);
    assert_eq!(log.take().len(), 0);
}

/// What the closure of `HttpServer::new` does for each worker.
#[test]
fn managers_that_several_threads_make_are_noticed() {
    let config = |issuer: &str| Config::new(issuer, AuthType::HS256, SECRET);
    let elsewhere = |config: Config| {
        let made = std::thread::spawn(|| AuthManager::new(config).expect("a manager"));
        made.join().expect("no panic")
    };
    let log = log::capture();
    let _first = elsewhere(config("https://per-worker.example"));
    let _other = AuthManager::new(config("https://other-issuer.example"));
    assert_eq!(log.take().len(), 0, "another issuer");
    let _second = AuthManager::new(config("https://per-worker.example"));
    assert!(
        log.text()
            .contains("make the AuthManager before HttpServer::new")
    );
    log.take();
    let _third = AuthManager::new(config("https://per-worker.example"));
    assert_eq!(log.take().len(), 0, "said once");
    // One thread may have several, and one that is gone does not count.
    let _two = [1, 2].map(|_| AuthManager::new(config("https://one-thread.example")));
    drop(elsewhere(config("https://gone.example")));
    let _left = AuthManager::new(config("https://gone.example"));
    assert_eq!(log.take().len(), 0);
    // With sessions in memory, it is worse, and said so.
    let with_sessions = || config("https://memory.example").session_store(MemoryStore::default());
    let _first = elsewhere(with_sessions());
    let _second = AuthManager::new(with_sessions());
    assert!(log.text().contains("users are logged out at random"));
}
