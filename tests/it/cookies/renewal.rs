//! Silent renewal: once for all tabs, together with any request of the browser.

use std::cell::Cell;

use actix_web::{
    App, HttpResponse,
    body::to_bytes,
    cookie::Cookie,
    dev::ServiceResponse,
    http::{Method, header::SET_COOKIE},
    test::{self, TestRequest},
    web,
};
use flask_pyjwt::{
    AuthManager, CurrentToken, MemoryStore, SilentRenewal, TokenPair, require_token,
    testing::FrozenClock,
};
use futures_util::stream;
use time::Duration;

use support::{NOW, at, hs256, manager};

#[require_token("auth", "cookies")]
async fn me(token: CurrentToken) -> String {
    format!("{} {}", token.sub(), token.iat().unix_timestamp())
}

#[require_token("auth", "cookies")]
async fn streamed() -> HttpResponse {
    let parts =
        ["one ", "two ", "three"].map(|part| Ok::<_, actix_web::Error>(web::Bytes::from(part)));
    HttpResponse::Ok()
        .insert_header(("cache-control", "public, max-age=60"))
        .streaming(stream::iter(parts))
}

#[require_token("auth", "cookies")]
async fn logout(
    auth: AuthManager,
    token: CurrentToken,
) -> Result<HttpResponse, flask_pyjwt::Rejection> {
    auth.logout(&token).await?;
    let mut answer = HttpResponse::Ok();
    auth.clear_cookies(&mut answer);
    Ok(answer.finish())
}

#[require_token("refresh", "cookies")]
async fn renew(
    auth: AuthManager,
    token: CurrentToken,
) -> Result<HttpResponse, flask_pyjwt::Rejection> {
    let pair = auth.refresh(&token).await?;
    let mut answer = HttpResponse::Ok();
    auth.set_cookies(&mut answer, &pair)?;
    Ok(answer.finish())
}

async fn public() -> &'static str {
    "for all"
}

struct Browser {
    clock: FrozenClock,
    auth: AuthManager,
}

impl Browser {
    fn new() -> Self {
        Self::with_auth_max_age(Duration::hours(1))
    }

    fn with_auth_max_age(age: Duration) -> Self {
        let clock = FrozenClock::new(at(NOW));
        let config = hs256()
            .clock(clock.clone())
            .auth_max_age(age)
            .session_store(MemoryStore::default());
        let auth = manager(config);
        Self { clock, auth }
    }
}

macro_rules! answer {
    ($app:expr, $request:expr) => {
        test::call_service(&$app, $request.to_request())
    };
}

/// The application, with silent renewal around everything.
macro_rules! app {
    ($browser:expr) => {
        test::init_service(
            App::new()
                .app_data($browser.auth.clone())
                .wrap(SilentRenewal::new())
                .route("/me", web::get().to(me))
                .route("/streamed", web::get().to(streamed))
                .route("/logout", web::post().to(logout))
                .route("/renew", web::post().to(renew))
                .route("/public", web::get().to(public)),
        )
        .await
    };
}

fn with_cookies(request: TestRequest, auth: Option<&str>, refresh: Option<&str>) -> TestRequest {
    let auth = auth.map(|token| format!("__Host-auth={token}"));
    let refresh = refresh.map(|token| format!("__Secure-refresh={token}"));
    let csrf = Some(format!("__Host-csrf={}", PROOF.take())).filter(|csrf| csrf.len() > 12);
    if let Some(csrf) = &csrf {
        PROOF.set(csrf["__Host-csrf=".len()..].to_owned());
    }
    let cookies: Vec<_> = auth.into_iter().chain(refresh).chain(csrf).collect();
    request.insert_header(("cookie", cookies.join("; ")))
}

fn get(path: &str, auth: Option<&str>, refresh: Option<&str>) -> TestRequest {
    with_cookies(TestRequest::with_uri(path), auth, refresh)
}

/// The names and values of the cookies that a response sets.
fn set_by(answer: &ServiceResponse) -> Vec<(String, String)> {
    let fields = answer.headers().get_all(SET_COOKIE);
    fields
        .map(|field| {
            let cookie =
                Cookie::parse(field.to_str().expect("ASCII").to_owned()).expect("a cookie");
            (cookie.name().to_owned(), cookie.value().to_owned())
        })
        .collect()
}

thread_local!(
    /// The CSRF proof in the browser's cookie.
    static PROOF: Cell<String> = const { Cell::new(String::new()) }
);

async fn login(browser: &Browser) -> TokenPair {
    let pair = browser.auth.login("alice").await.expect("opened");
    PROOF.set(browser.auth.csrf_proof(&pair.refresh).expect("made"));
    pair
}

#[actix_web::test]
async fn an_expired_auth_token_is_renewed_once_for_all_tabs() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    let (auth, refresh) = (pair.auth.signed(), pair.refresh.signed());
    let answer = answer!(app, get("/me", Some(auth), Some(refresh))).await;
    assert_eq!(
        (answer.status().as_u16(), set_by(&answer).len()),
        (200, 0),
        "still good"
    );

    browser.clock.advance(Duration::hours(1));
    let mut renewed = Vec::new();
    // Some browsers drop the expired cookie, others do not.
    for auth in [Some(auth), None, Some(auth)] {
        let answer = answer!(app, get("/me", auth, Some(refresh))).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.headers().get("cache-control").expect("it exists"),
            "no-store"
        );
        let mut cookies = set_by(&answer);
        let names: Vec<_> = cookies.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["__Host-auth", "__Secure-refresh", "__Host-csrf"]);
        cookies.pop(); // each proof is another
        renewed.push(cookies);
        let body = test::read_body(answer).await;
        assert_eq!(
            body,
            format!("alice {}", NOW + 3_600),
            "the handler sees the new token"
        );
    }
    assert!(
        renewed.iter().all(|cookies| *cookies == renewed[0]),
        "one successor"
    );
    let (auth, next) = (&renewed[0][0].1, &renewed[0][1].1);
    let answer = answer!(app, get("/me", Some(auth), Some(next))).await;
    assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (200, 0));
    let open = browser.auth.sessions("alice").await.expect("listed");
    assert_eq!(open.len(), 1);
}

/// `docs/threats.md` 46: the guard behind the renewal sees a token that the browser does not have yet.
#[actix_web::test]
async fn a_renewal_whose_response_was_lost_sets_the_same_cookies_again() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    let refresh = pair.refresh.signed();
    browser.clock.advance(Duration::hours(1));
    let mut renewed = Vec::new();
    for _ in 0..3 {
        let answer = answer!(app, get("/me", None, Some(refresh))).await;
        assert_eq!(answer.status(), 200);
        let mut cookies = set_by(&answer);
        cookies.pop(); // each proof is another
        renewed.push(cookies);
        browser.clock.advance(Duration::minutes(15));
    }
    assert!(renewed.iter().all(|cookies| *cookies == renewed[0]));

    // The browser has the new cookies. From now on, the old cookie is a replay.
    let (auth, next) = (&renewed[0][0].1, &renewed[0][1].1);
    let answer = answer!(app, get("/me", Some(auth), Some(next))).await;
    assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (200, 0));
    let answer = answer!(app, get("/me", None, Some(refresh))).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(browser.auth.sessions("alice").await, Ok(vec![]));
}

/// The auth token is valid for a shorter time than lost responses are repeated.
#[actix_web::test]
async fn a_lost_renewal_whose_auth_token_has_expired_is_renewed_again() {
    let browser = Browser::with_auth_max_age(Duration::minutes(5));
    let app = app!(browser);
    let pair = login(&browser).await;
    let refresh = pair.refresh.signed();
    for minutes in [5, 20] {
        browser.clock.advance(Duration::minutes(minutes));
        let answer = answer!(app, get("/me", None, Some(refresh))).await;
        assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (200, 3));
    }
}

#[actix_web::test]
async fn a_token_that_is_about_to_expire_is_renewed() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    let (auth, refresh) = (pair.auth.signed(), pair.refresh.signed());
    browser.clock.advance(Duration::seconds(3_569));
    let answer = answer!(app, get("/me", Some(auth), Some(refresh))).await;
    assert_eq!(set_by(&answer).len(), 0, "31 seconds are left");
    browser.clock.advance(Duration::seconds(1));
    let answer = answer!(app, get("/public", Some(auth), Some(refresh))).await;
    assert_eq!(set_by(&answer).len(), 3, "30 seconds are left");
}

#[actix_web::test]
async fn a_streamed_response_sets_renewed_cookies_and_arrives_whole_and_uncached() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    browser.clock.advance(Duration::hours(2));
    let request = get("/streamed", None, Some(pair.refresh.signed()));
    let answer = answer!(app, request).await;
    assert_eq!(set_by(&answer).len(), 3);
    assert_eq!(
        answer.headers().get("cache-control").expect("it exists"),
        "no-store"
    );
    let body = to_bytes(answer.into_body()).await.expect("not poisoned");
    assert_eq!(body, "one two three");
}

#[actix_web::test]
async fn a_response_that_sets_the_cookies_itself_is_not_changed() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    browser.clock.advance(Duration::hours(2));
    let proof = browser.auth.csrf_proof(&pair.auth).expect("made");
    let post = |path: &str, refresh: &str| {
        let request = TestRequest::with_uri(path).method(Method::POST);
        let request = request.insert_header(("x-csrf-token", proof.as_str()));
        with_cookies(request, None, Some(refresh))
    };
    let answer = answer!(app, post("/renew", pair.refresh.signed())).await;
    assert_eq!(answer.status(), 200);
    let cookies = set_by(&answer);
    assert_eq!(cookies.len(), 3, "those of the handler");
    let refresh = &cookies[1].1;
    browser.clock.advance(Duration::hours(2));
    let answer = answer!(app, post("/logout", refresh)).await;
    assert_eq!(answer.status(), 200);
    let cookies = set_by(&answer);
    assert_eq!(cookies.len(), 3);
    assert!(cookies.iter().all(|(_, value)| value.is_empty()), "cleared");
}

#[actix_web::test]
async fn a_request_that_cannot_be_renewed_is_refused() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    let plain = browser.auth.refresh_token("alice").sign().expect("minted");
    browser.clock.advance(Duration::hours(2));
    let (auth, refresh) = (pair.auth.signed(), pair.refresh.signed());
    let twice = with_cookies(TestRequest::with_uri("/me"), None, Some(refresh))
        .append_header(("cookie", format!("__Secure-refresh={auth}")));
    for (request, expected) in [
        (get("/me", Some(auth), None), 401),
        (get("/me", Some(auth), Some(auth)), 401),
        (get("/me", Some(auth), Some(plain.signed())), 401),
        (get("/me", None, Some("a.b.c")), 401),
        (get("/me", None, Some(&refresh[..refresh.len() - 2])), 401),
        (twice, 401),
    ] {
        let answer = answer!(app, request).await;
        assert_eq!(
            (answer.status().as_u16(), set_by(&answer).len()),
            (expected, 0)
        );
    }
    browser.auth.logout(&pair.refresh).await.expect("ended");
    let answer = answer!(app, get("/me", None, Some(refresh))).await;
    assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (401, 0));
    let answer = answer!(app, get("/public", None, Some(refresh))).await;
    assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (200, 0));
}

#[actix_web::test]
async fn a_replayed_refresh_cookie_ends_the_session() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    let next = browser.auth.refresh(&pair.refresh).await.expect("rotated");
    browser.clock.advance(Duration::hours(2));
    let answer = answer!(app, get("/me", None, Some(pair.refresh.signed()))).await;
    assert_eq!(answer.status(), 401);
    let answer = answer!(app, get("/me", None, Some(next.refresh.signed()))).await;
    assert_eq!(answer.status(), 401);
}

#[actix_web::test]
async fn a_missing_session_store_is_reported_once_for_each_manager() {
    let auth = manager(hs256());
    let other = manager(hs256());
    let token = auth.auth_token("alice").sign().expect("minted");
    let log = support::log::capture();
    for (auth, expected) in [(&auth, 1), (&auth, 0), (&other, 1)] {
        let app = App::new()
            .app_data(auth.clone())
            .wrap(SilentRenewal::new())
            .route("/me", web::get().to(me));
        let app = test::init_service(app).await;
        for _ in 0..2 {
            let answer = answer!(app, get("/me", Some(token.signed()), None)).await;
            assert_eq!((answer.status().as_u16(), set_by(&answer).len()), (200, 0));
        }
        let lines = log.take();
        let errors = lines.iter().filter(|line| line.level == "ERROR");
        let errors: Vec<_> = errors.map(|line| line.text.as_str()).collect();
        assert_eq!(errors.len(), expected, "{lines:?}");
        assert!(
            errors
                .iter()
                .all(|text| text.contains("Config::session_store"))
        );
    }
}

#[actix_web::test]
async fn with_a_session_store_nothing_is_reported() {
    let browser = Browser::new();
    let app = app!(browser);
    let pair = login(&browser).await;
    let log = support::log::capture();
    let answer = answer!(app, get("/me", Some(pair.auth.signed()), None)).await;
    assert_eq!(answer.status(), 200);
    assert!(log.take().iter().all(|line| line.level != "ERROR"));
}
