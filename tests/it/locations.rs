//! Where tokens are read from: headers of other names, and the locations that the configuration or the guard
//! around a scope sets. `docs/threats.md` 28, 29, 31.

mod inherited;
mod named_header;

use actix_web::{HttpRequest, http::Method, test::TestRequest, web};
use flask_pyjwt::{
    AuthManager, Config, CurrentToken, MemoryStore, RequireToken, TokenLocation, TokenPair,
    require_token,
};

use support::{hs256, manager, site::Site};

#[require_token]
async fn by_attribute(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(location = "header")]
async fn by_header(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn by_hand(request: HttpRequest) -> Result<String, actix_web::Error> {
    let token = CurrentToken::extract(&request).await?;
    Ok(token.sub().to_owned())
}

fn places() -> [TokenLocation; 2] {
    [TokenLocation::Header, TokenLocation::DefaultCookie]
}

fn with(config: impl FnOnce(Config) -> Config) -> AuthManager {
    manager(config(hs256().session_store(MemoryStore::default())))
}

async fn login(auth: &AuthManager, subject: &'static str) -> TokenPair {
    auth.login(subject).await.expect("opened")
}

fn in_cookie(method: Method, path: &str, pair: &TokenPair) -> TestRequest {
    let cookie = format!("__Host-auth={}", pair.auth.signed());
    TestRequest::with_uri(path)
        .method(method)
        .insert_header(("cookie", cookie))
}

fn bearer(pair: &TokenPair) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", pair.auth.signed()))
}

#[actix_web::test]
async fn guards_without_a_location_use_the_configured_ones() {
    let auth = with(|config| config.locations(places()));
    let pair = login(&auth, "alice").await;
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/attribute", web::to(by_attribute))
            .route("/header", web::to(by_header))
            .service(
                web::resource("/wrapped")
                    .wrap(RequireToken::auth())
                    .to(by_hand),
            );
    })
    .await;
    for (path, in_a_cookie) in [
        ("/attribute", (200, "")),
        ("/wrapped", (200, "")),
        ("/header", (401, "missing_credentials")),
    ] {
        let get = |path| in_cookie(Method::GET, path, &pair);
        let reply = site.ask(get(path)).await;
        assert_eq!(reply.outcome(), in_a_cookie, "{path} cookie");
        let reply = site.get(path, pair.auth.signed()).await;
        assert_eq!(reply.outcome(), (200, ""), "{path} header");
        let both = site.ask(get(path).insert_header(bearer(&pair))).await;
        let expected = if in_a_cookie.0 == 200 {
            (400, "several_places")
        } else {
            (200, "")
        };
        assert_eq!(both.outcome(), expected, "{path} both");
        let without_proof = site.ask(in_cookie(Method::POST, path, &pair)).await;
        let status = if in_a_cookie.0 == 200 { 403 } else { 401 };
        assert_eq!(without_proof.status, status, "{path} POST");
    }
}

#[test]
fn locations_that_cannot_work_are_refused_at_startup() {
    let named = |name: &str| TokenLocation::NamedHeader(name.to_owned());
    for wrong in [
        vec![],
        vec![named("")],
        vec![named("x token")],
        vec![TokenLocation::Header, named("Cookie")],
        vec![TokenLocation::Cookie(String::new())],
        vec![TokenLocation::Query(String::new())],
    ] {
        let error = AuthManager::new(hs256().locations(wrong.clone())).expect_err("refused");
        assert_eq!(error.key(), "locations", "{wrong:?}");
        let built = std::panic::catch_unwind(|| RequireToken::auth().locations(wrong.clone()));
        assert!(built.is_err(), "{wrong:?}");
    }
    assert!(std::panic::catch_unwind(|| RequireToken::auth().header("x\ry")).is_err());
}

#[actix_web::test]
async fn a_guard_can_be_made_outside_the_workers_closure() {
    fn shared<T: Clone + Send + Sync + 'static>(value: T) -> T {
        value
    }
    let auth = with(|config| config);
    let pair = login(&auth, "alice").await;
    let guard = shared(RequireToken::auth().cookies().claim("sub", "alice"));
    let server = actix_web::HttpServer::new(move || {
        actix_web::App::new().app_data(auth.clone()).service(
            web::resource("/")
                .wrap(guard.clone())
                .to(actix_web::HttpResponse::Ok),
        )
    });
    drop(server);
    assert!(pair.auth.is_signed());
}

#[actix_web::test]
async fn the_token_is_extracted_from_a_request_without_naming_a_type() {
    #[derive(serde::Deserialize)]
    struct Member {
        team: u32,
    }
    async fn typed(request: HttpRequest) -> Result<String, actix_web::Error> {
        use actix_web::FromRequest as _;
        let token = CurrentToken::<Member>::extract(&request).await?;
        let plain = CurrentToken::extract(&request).await?;
        Ok(format!("{} {}", plain.sub(), token.typed().team))
    }
    let auth = with(|config| config);
    let token = auth.auth_token("alice").claim("team", 7);
    let token = token.sign().expect("minted");
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .service(web::resource("/typed").wrap(RequireToken::auth()).to(typed))
            .route("/unguarded", web::to(by_hand));
    })
    .await;
    assert_eq!(site.get("/typed", token.signed()).await.text(), "alice 7");
    let reply = site.get("/unguarded", token.signed()).await;
    assert_eq!(reply.status, 500);
}
