//! What can go wrong with a pair from silent renewal: a route of another manager, a response that does not
//! arrive whole, a cookie that somebody else has set.

use actix_web::{
    App, Error, HttpResponse,
    body::BoxBody,
    cookie::Cookie,
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorTooManyRequests,
    http::header::SET_COOKIE,
    middleware::{Next, from_fn},
    test::{self, TestRequest},
    web,
};
use flask_pyjwt::{
    AuthManager, Config, CurrentToken, MemoryStore, RequireToken, SilentRenewal, TokenCheckError,
    TokenPair, require_token, testing::FrozenClock,
};
use time::Duration;

use support::{NOW, at, hs256, manager};

#[require_token("auth", "cookies")]
async fn me(token: CurrentToken) -> String {
    format!("{} {}", token.iss(), token.sub())
}

/// Sets one of the three cookies itself.
async fn csrf_page(auth: AuthManager, token: CurrentToken) -> HttpResponse {
    let cookie = auth.csrf_cookie(&token).expect("small enough");
    HttpResponse::Ok().cookie(cookie).finish()
}

async fn fails(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    Err(ErrorTooManyRequests("later"))
}

fn configured() -> (FrozenClock, Config) {
    let clock = FrozenClock::new(at(NOW));
    let config = hs256().clock(clock.clone());
    (clock, config.session_store(MemoryStore::default()))
}

/// A `GET` with the cookies of a refresh token and of a CSRF proof.
fn get(path: &str, refresh: &str, proof: &str) -> TestRequest {
    let cookies = format!("__Secure-refresh={refresh}; __Host-csrf={proof}");
    TestRequest::with_uri(path).insert_header(("cookie", cookies))
}

fn of(auth: &AuthManager, path: &str, pair: &TokenPair) -> TestRequest {
    let proof = auth.csrf_proof(&pair.refresh).expect("made");
    get(path, pair.refresh.signed(), &proof)
}

/// The names and values of the cookies that a response sets.
fn set_by<B>(answer: &ServiceResponse<B>) -> Vec<(String, String)> {
    let fields = answer.headers().get_all(SET_COOKIE);
    fields
        .map(|field| {
            let text = field.to_str().expect("ASCII").to_owned();
            let cookie = Cookie::parse(text).expect("a cookie");
            (cookie.name().to_owned(), cookie.value().to_owned())
        })
        .collect()
}

#[actix_web::test]
async fn a_renewed_pair_is_refused_by_routes_of_another_manager() {
    let (clock, config) = configured();
    let customers = manager(config.issuer("customers").secret([1; 64]));
    let admins = manager(hs256().clock(clock).issuer("admins").secret([2; 64]));
    let admin = web::scope("/admin")
        .app_data(admins)
        .route("/me", web::get().to(me));
    let app = App::new()
        .app_data(customers.clone())
        .wrap(SilentRenewal::new())
        .service(admin)
        .route("/me", web::get().to(me));
    let app = test::init_service(app).await;
    let pair = customers.login("mallory").await.expect("opened");
    for (path, status) in [("/admin/me", 401), ("/me", 200)] {
        let request = of(&customers, path, &pair).to_request();
        let answer = test::call_service(&app, request).await;
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[actix_web::test]
async fn a_response_that_sets_one_cookie_itself_gets_the_others() {
    let (clock, config) = configured();
    let auth = manager(config);
    let form = web::resource("/form")
        .wrap(RequireToken::auth().cookies())
        .route(web::get().to(csrf_page));
    let app = App::new()
        .app_data(auth.clone())
        .wrap(SilentRenewal::new())
        .service(form);
    let app = test::init_service(app).await;
    let pair = auth.login("alice").await.expect("opened");
    clock.advance(Duration::hours(1));
    let answer = test::call_service(&app, of(&auth, "/form", &pair).to_request()).await;
    let mut names: Vec<_> = set_by(&answer).into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["__Host-auth", "__Host-csrf", "__Secure-refresh"]);
}

#[actix_web::test]
async fn an_error_of_an_inner_layer_does_not_lose_the_pair() {
    let (clock, config) = configured();
    let auth = manager(config);
    let app = App::new()
        .app_data(auth.clone())
        .wrap(from_fn(fails))
        .wrap(SilentRenewal::new());
    let app = test::init_service(app).await;
    let pair = auth.login("alice").await.expect("opened");
    clock.advance(Duration::hours(1));
    let request = of(&auth, "/", &pair).to_request();
    let error = test::try_call_service(&app, request)
        .await
        .expect_err("a failure");
    let answer = error.error_response();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers().get_all(SET_COOKIE).count(), 3);
}

#[actix_web::test]
async fn two_renewal_layers_renew_once() {
    let (clock, config) = configured();
    let auth = manager(config.refresh_grace(Duration::ZERO));
    let scope = web::scope("")
        .wrap(SilentRenewal::new())
        .route("/me", web::get().to(me));
    let app = App::new()
        .app_data(auth.clone())
        .wrap(SilentRenewal::new())
        .service(scope);
    let app = test::init_service(app).await;
    let pair = auth.login("alice").await.expect("opened");
    clock.advance(Duration::hours(1));
    let answer = test::call_service(&app, of(&auth, "/me", &pair).to_request()).await;
    assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (200, 3));
    assert_eq!(auth.sessions("alice").await.expect("listed").len(), 1);
}

#[actix_web::test]
async fn renewal_runs_the_token_check_on_the_refresh_token() {
    let (clock, config) = configured();
    let config = config.token_check(async |token| match token.claim("rid") {
        Some(_) => Err(TokenCheckError::Revoked),
        None => Ok(()),
    });
    let auth = manager(config);
    let app = App::new()
        .app_data(auth.clone())
        .wrap(SilentRenewal::new())
        .route("/me", web::get().to(me));
    let app = test::init_service(app).await;
    let pair = auth.login("alice").await.expect("opened");
    clock.advance(Duration::hours(1));
    let answer = test::call_service(&app, of(&auth, "/me", &pair).to_request()).await;
    assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (401, 0));
}

/// A sibling domain can set `__Secure-refresh`, and cannot set `__Host-csrf`.
#[actix_web::test]
async fn threat_31_a_refresh_cookie_from_a_sibling_domain_is_not_renewed() {
    let (clock, config) = configured();
    let auth = manager(config);
    let app = App::new()
        .app_data(auth.clone())
        .wrap(SilentRenewal::new())
        .route("/me", web::get().to(me));
    let app = test::init_service(app).await;
    let alice = auth.login("alice").await.expect("opened");
    let mallory = auth.login("mallory").await.expect("opened");
    clock.advance(Duration::hours(1));
    let proof = auth.csrf_proof(&alice.refresh).expect("made");
    for proof in [&*proof, "", "a.b"] {
        let request = get("/me", mallory.refresh.signed(), proof);
        let answer = test::call_service(&app, request.to_request()).await;
        assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (401, 0));
    }
    let request = get("/me", alice.refresh.signed(), &proof);
    let answer = test::call_service(&app, request.to_request()).await;
    assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (200, 3));
}
