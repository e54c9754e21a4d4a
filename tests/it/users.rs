//! The user behind a token: what the application's loader returns, and what a request gets.

mod kept;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{HttpRequest, test::TestRequest, web};
use flask_pyjwt::{AuthManager, Config, CurrentToken, CurrentUser, RequireToken, require_token};
use support::{hs256, log::capture, manager, site::Site};

struct User {
    email: String,
}

struct Team(u32);

/// How often a loader was called.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicUsize>);

impl Calls {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Knows alice and bob. The database fails for `broken`.
fn with_users(config: Config, calls: &Calls) -> Config {
    let calls = calls.clone();
    config.user_loader(move |token| {
        calls.0.fetch_add(1, Ordering::Relaxed);
        async move {
            // As a database does, it answers later.
            actix_web::rt::task::yield_now().await;
            match token.sub() {
                "broken" => Err(io::Error::other("the database is gone")),
                name @ ("alice" | "bob") => Ok(Some(User {
                    email: format!("{name}@example.com"),
                })),
                _ => Ok(None),
            }
        }
    })
}

#[require_token]
async fn me(user: CurrentUser<User>) -> String {
    user.email.clone()
}

async fn me_of_scope(user: CurrentUser<User>) -> String {
    user.email.clone()
}

#[require_token]
async fn twice(
    first: CurrentUser<User>,
    second: CurrentUser<User>,
    request: HttpRequest,
) -> actix_web::Result<String> {
    use actix_web::FromRequest as _;
    let third = CurrentUser::<User>::extract(&request).await?;
    let is_one = Arc::ptr_eq(&first.into_shared(), &second.into_shared());
    Ok(format!("{is_one} {}", third.email))
}

#[require_token(optional)]
async fn anybody(user: Option<CurrentUser<User>>) -> String {
    user.map_or("nobody".to_owned(), |user| user.email.clone())
}

#[require_token]
async fn team(user: CurrentUser<User>, team: CurrentUser<Team>) -> String {
    format!("{} {}", user.email, team.0)
}

async fn unguarded(user: CurrentUser<User>) -> String {
    user.email.clone()
}

#[require_token(scope = {"admin": true})]
async fn admin(user: CurrentUser<User>) -> String {
    user.email.clone()
}

async fn site(auth: AuthManager) -> Site {
    Site::new(|app| {
        let scope = web::scope("/wrapped").wrap(RequireToken::auth());
        app.app_data(auth)
            .route("/me", web::get().to(me))
            .route("/twice", web::get().to(twice))
            .route("/anybody", web::get().to(anybody))
            .route("/team", web::get().to(team))
            .route("/unguarded", web::get().to(unguarded))
            .route("/admin", web::get().to(admin))
            .service(scope.route("/me", web::get().to(me_of_scope)));
    })
    .await
}

fn signed(auth: &AuthManager, subject: &str) -> String {
    let token = auth.auth_token(subject).sign().expect("minted");
    token.signed().to_owned()
}

#[actix_web::test]
async fn a_handler_gets_the_user_and_is_not_called_for_one_who_is_gone() {
    let calls = Calls::default();
    let auth = manager(with_users(hs256(), &calls));
    let site = site(auth.clone()).await;
    for path in ["/me", "/wrapped/me", "/anybody"] {
        let reply = site.get(path, &signed(&auth, "alice")).await;
        assert_eq!((reply.status, reply.text()), (200, "alice@example.com"));
    }
    for path in ["/me", "/wrapped/me", "/anybody"] {
        let reply = site.get(path, &signed(&auth, "gone")).await;
        if path == "/anybody" || path == "/me" || path == "/wrapped/me" {
            reply.is_refused(401, "invalid_token", "user_not_found", path);
        }
    }
}

#[actix_web::test]
async fn a_loader_that_fails_is_answered_with_503_and_its_error_is_logged() {
    let auth = manager(with_users(hs256(), &Calls::default()));
    let site = site(auth.clone()).await;
    for path in ["/me", "/wrapped/me", "/anybody"] {
        let log = capture();
        let reply = site.get(path, &signed(&auth, "broken")).await;
        reply.is_refused(503, "temporarily_unavailable", "unavailable", path);
        assert_eq!(reply.field("retry-after"), "1");
        assert!(!reply.text().contains("database"), "{}", reply.text());
        let text = log.text();
        assert!(text.contains("the database is gone"), "{text}");
    }
}

#[actix_web::test]
async fn a_user_is_loaded_once_for_each_request() {
    let calls = Calls::default();
    let auth = manager(with_users(hs256(), &calls));
    let site = site(auth.clone()).await;
    let reply = site.get("/twice", &signed(&auth, "alice")).await;
    assert_eq!(
        (reply.status, reply.text()),
        (200, "true alice@example.com")
    );
    assert_eq!(calls.count(), 1);
    let reply = site.get("/twice", &signed(&auth, "bob")).await;
    assert_eq!((reply.status, reply.text()), (200, "true bob@example.com"));
    assert_eq!(calls.count(), 2);
    let reply = site.get("/twice", &signed(&auth, "gone")).await;
    reply.is_refused(401, "invalid_token", "user_not_found", "/twice");
    assert_eq!(calls.count(), 3);
}

#[actix_web::test]
async fn no_user_is_loaded_before_the_token_is_accepted() {
    let calls = Calls::default();
    let auth = manager(with_users(hs256(), &calls));
    let site = site(auth.clone()).await;
    let refresh = auth.refresh_token("alice").sign().expect("minted");
    for (path, token, status) in [
        ("/me", "a.b.c", 401),
        ("/me", refresh.signed(), 401),
        ("/wrapped/me", "a.b.c", 401),
        ("/anybody", "a.b.c", 401),
        ("/admin", &*signed(&auth, "alice"), 403),
    ] {
        assert_eq!(site.get(path, token).await.status, status, "{path}");
    }
    for (path, status) in [("/me", 401), ("/wrapped/me", 401), ("/anybody", 200)] {
        let reply = site.ask(TestRequest::get().uri(path)).await;
        assert_eq!(reply.status, status, "{path}");
    }
    assert_eq!(calls.count(), 0);
}

#[actix_web::test]
async fn without_credentials_an_optional_user_is_none() {
    let auth = manager(with_users(hs256(), &Calls::default()));
    let site = site(auth).await;
    let reply = site.ask(TestRequest::get().uri("/anybody")).await;
    assert_eq!((reply.status, reply.text()), (200, "nobody"));
}

#[actix_web::test]
async fn each_type_has_its_loader_and_one_without_is_a_mistake_of_the_server() {
    let calls = Calls::default();
    let both =
        with_users(hs256(), &calls).user_loader(|_| async { Ok::<_, io::Error>(Some(Team(7))) });
    let auth = manager(both);
    let token = signed(&auth, "alice");
    let reply = site(auth).await.get("/team", &token).await;
    assert_eq!((reply.status, reply.text()), (200, "alice@example.com 7"));

    let log = capture();
    let one = manager(with_users(hs256(), &calls));
    let reply = site(one).await.get("/team", &token).await;
    reply.is_refused(500, "server_error", "no_user_loader", "/team");
    let text = log.text();
    assert!(
        text.contains("Team") && text.contains("Config::user_loader"),
        "{text}"
    );
}

#[actix_web::test]
async fn a_user_on_a_route_without_a_guard_is_refused_and_not_loaded() {
    let calls = Calls::default();
    let auth = manager(with_users(hs256(), &calls));
    let token = signed(&auth, "alice");
    let reply = site(auth).await.get("/unguarded", &token).await;
    reply.is_refused(500, "server_error", "unguarded", "/unguarded");
    assert_eq!(calls.count(), 0);
}

#[actix_web::test]
async fn a_loader_can_take_its_pool_from_the_applications_data() {
    struct Pool(&'static str);
    let config = hs256().user_loader_with(|token, request: HttpRequest| async move {
        let pool = request.app_data::<web::Data<Pool>>().cloned();
        let pool = pool.ok_or("no pool is registered")?;
        let email = format!("{}@{}", token.sub(), pool.0);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Some(User { email }))
    });
    let auth = manager(config);
    let token = signed(&auth, "alice");
    let site = Site::new(|app| {
        app.app_data(auth)
            .app_data(web::Data::new(Pool("pool.example")))
            .route("/me", web::get().to(me));
    });
    let reply = site.await.get("/me", &token).await;
    assert_eq!((reply.status, reply.text()), (200, "alice@pool.example"));
}

#[actix_web::test]
async fn a_loader_can_call_the_manager() {
    let auth = Arc::new(std::sync::OnceLock::<AuthManager>::new());
    let inside = Arc::clone(&auth);
    let config = hs256().user_loader(move |token| {
        let auth = inside.get().cloned();
        async move {
            let auth = auth.ok_or(io::ErrorKind::NotFound)?;
            let verified = auth
                .verify_token(token.signed())
                .map_err(io::Error::other)?;
            let email = verified.sub().to_owned();
            Ok::<_, io::Error>(Some(User { email }))
        }
    });
    let manager = auth.get_or_init(|| manager(config)).clone();
    let token = signed(&manager, "alice");
    let reply = site(manager).await.get("/me", &token).await;
    assert_eq!((reply.status, reply.text()), (200, "alice"));
}

#[actix_web::test]
async fn the_answer_to_a_user_who_is_gone_is_changed_by_the_hook() {
    let config = with_users(hs256(), &Calls::default()).on_rejection(|rejection, request, _| {
        let who = CurrentToken::get(request).map(|token| token.sub().to_owned());
        actix_web::HttpResponse::Gone().body(format!("{} {who:?}", rejection.reason()))
    });
    let auth = manager(config);
    let reply = site(auth.clone())
        .await
        .get("/me", &signed(&auth, "gone"))
        .await;
    assert_eq!(
        (reply.status, reply.text()),
        (410, r#"user_not_found Some("gone")"#)
    );
}

#[actix_web::test]
async fn a_loader_that_asks_for_its_own_user_is_a_mistake_and_does_not_hang() {
    use actix_web::FromRequest as _;

    let config = hs256().user_loader_with(|_, request: HttpRequest| async move {
        let user = CurrentUser::<User>::extract(&request).await;
        let email = user
            .map(|user| user.email.clone())
            .map_err(|error| error.to_string())?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Some(User { email }))
    });
    let auth = manager(config);
    let log = capture();
    let reply = site(auth.clone())
        .await
        .get("/me", &signed(&auth, "alice"))
        .await;
    assert!(reply.status >= 500, "{reply:?}");
    let text = log.text();
    assert!(
        text.contains("asks for the CurrentUser that it loads"),
        "{text}"
    );
}

/// The subjects of two managers have nothing to do with each other.
#[actix_web::test]
async fn a_manager_does_not_load_the_user_of_a_token_that_another_one_has_accepted() {
    let calls = Calls::default();
    let outer = manager(with_users(hs256(), &calls));
    let inner = manager(with_users(hs256().issuer("https://inner.example"), &calls));
    let token = signed(&outer, "alice");
    let site = Site::new(|app| {
        let scope = web::scope("/b")
            .app_data(inner)
            .route("/me", web::get().to(me_of_scope));
        app.app_data(outer)
            .service(web::scope("").wrap(RequireToken::auth()).service(scope));
    });
    let reply = site.await.get("/b/me", &token).await;
    assert_eq!(reply.status, 500, "{reply:?}");
    assert_eq!(calls.count(), 0);
}
