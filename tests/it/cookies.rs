//! Cookies: how they are set, cleared and read, protected against other sites, and renewed silently.
//! `docs/threats.md` 28, 30, 31.

mod csrf;
mod csrf_keys;
mod late_answers;
mod moved;
mod places;
mod renewal;
mod renewal_pitfalls;
mod upload;

use actix_web::{
    HttpResponse,
    cookie::{Cookie, SameSite, time::SignedDuration},
    http::header::SET_COOKIE,
    test::TestRequest,
};
use flask_pyjwt::{
    AuthManager, Cookies, MemoryStore, Misconfiguration, Rejection, TokenPair, require_token,
    testing::FrozenClock,
};
use time::Duration;

use support::{NOW, at, hs256, manager, site::Site};

fn with(cookies: Cookies) -> AuthManager {
    manager(
        hs256()
            .cookies(cookies)
            .session_store(MemoryStore::default()),
    )
}

async fn login(auth: &AuthManager) -> TokenPair {
    auth.login("alice").await.expect("opened")
}

/// The cookies that a response sets.
fn set_by(answer: &HttpResponse) -> Vec<Cookie<'static>> {
    let fields = answer.headers().get_all(SET_COOKIE);
    fields
        .map(|field| {
            let text = field.to_str().expect("ASCII").to_owned();
            Cookie::parse(text).expect("a cookie")
        })
        .collect()
}

fn answer_with(auth: &AuthManager, pair: &TokenPair) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    auth.set_cookies(&mut answer, pair).expect("small enough");
    answer.finish()
}

#[actix_web::test]
async fn cookies_are_safe_by_default() {
    let auth = with(Cookies::default());
    let pair = login(&auth).await;
    let answer = answer_with(&auth, &pair);
    assert_eq!(
        answer.headers().get("cache-control").expect("it exists"),
        "no-store"
    );
    let [token, refresh, csrf] = <[_; 3]>::try_from(set_by(&answer)).expect("three");
    assert_eq!(
        (token.name(), token.value()),
        ("__Host-auth", pair.auth.signed())
    );
    assert_eq!(
        (refresh.name(), refresh.value()),
        ("__Secure-refresh", pair.refresh.signed())
    );
    assert_eq!(csrf.name(), "__Host-csrf");
    for (cookie, same_site, http_only, age) in [
        (&token, SameSite::Lax, Some(true), Duration::hours(1)),
        (&refresh, SameSite::Strict, Some(true), Duration::days(7)),
        (&csrf, SameSite::Strict, None, Duration::days(7)),
    ] {
        let name = cookie.name();
        assert_eq!(cookie.secure(), Some(true), "{name}");
        assert_eq!(cookie.http_only(), http_only, "{name}");
        assert_eq!(cookie.same_site(), Some(same_site), "{name}");
        assert_eq!(cookie.path(), Some("/"), "{name}");
        assert_eq!(cookie.domain(), None, "{name}");
        let seconds = cookie.max_age().map(SignedDuration::whole_seconds);
        assert_eq!(seconds, Some(age.whole_seconds()), "{name}");
    }
    assert!(
        !csrf
            .value()
            .contains(pair.refresh.session_id().expect("of a session"))
    );
}

#[actix_web::test]
async fn cookies_are_set_as_configured_and_cleared_the_same_way() {
    let cookies = Cookies::default()
        .auth_name("__Secure-a")
        .refresh_name("__Secure-r")
        .csrf_name("c")
        .domain("example.com")
        .refresh_path("/renew")
        .same_site(SameSite::None)
        .session_cookies(true);
    let auth = with(cookies);
    let set = set_by(&answer_with(&auth, &login(&auth).await));
    let mut cleared = HttpResponse::Ok();
    auth.clear_cookies(&mut cleared);
    let cleared = set_by(&cleared.finish());
    let paths = ["/", "/renew", "/"];
    let names = ["__Secure-a", "__Secure-r", "c"];
    for (((set, cleared), path), name) in set.iter().zip(&cleared).zip(paths).zip(names) {
        for cookie in [set, cleared] {
            assert_eq!(cookie.name(), name);
            assert_eq!(cookie.path(), Some(path), "{name}");
            assert_eq!(cookie.domain(), Some("example.com"), "{name}");
            assert_eq!(cookie.same_site(), Some(SameSite::None), "{name}");
            assert_eq!(cookie.secure(), Some(true), "{name}");
        }
        assert_eq!(set.max_age(), None, "{name}");
        let seconds = cleared.max_age().map(SignedDuration::whole_seconds);
        assert_eq!((seconds, cleared.value()), (Some(0), ""), "{name}");
    }
}

#[actix_web::test]
async fn a_cookie_that_a_browser_would_reject_is_an_error() {
    let auth = with(Cookies::default());
    let size = |length: usize| {
        let token = auth.auth_token("alice").claim("long", "x".repeat(length));
        let token = token.sign().expect("minted");
        auth.auth_cookie(&token)
            .map(|cookie| cookie.to_string().len())
    };
    let largest = (2_000..4_000).rev().find_map(|length| size(length).ok());
    assert!(
        (4_090..=4_093).contains(&largest.expect("one of them")),
        "{largest:?}"
    );
    match size(4_000) {
        Err(Rejection::Misconfigured(Misconfiguration::CookieTooLarge { name, size })) => {
            assert_eq!(name, "__Host-auth");
            assert!(size > 4_093);
        }
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn a_cookie_expires_with_its_token() {
    let clock = FrozenClock::new(at(NOW));
    let config = hs256()
        .clock(clock.clone())
        .session_store(MemoryStore::default());
    let auth = manager(config);
    let pair = login(&auth).await;
    clock.advance(Duration::minutes(59));
    let cookie = auth.auth_cookie(&pair.auth).expect("small enough");
    assert_eq!(
        cookie.max_age().map(SignedDuration::whole_seconds),
        Some(60)
    );
    clock.advance(Duration::minutes(2));
    let cookie = auth.auth_cookie(&pair.auth).expect("small enough");
    assert_eq!(cookie.max_age().map(SignedDuration::whole_seconds), Some(0));
}

#[require_token("auth", "cookies")]
async fn usual() -> &'static str {
    "in"
}

/// A `GET` with these cookies, each in a field of its own.
async fn get(site: &Site, path: &str, cookies: &[String]) -> (u16, String) {
    let mut request = TestRequest::get().uri(path);
    for cookie in cookies {
        request = request.append_header(("cookie", cookie.as_str()));
    }
    let reply = site.ask(request).await;
    let (status, reason) = reply.outcome();
    (status, reason.to_owned())
}

#[actix_web::test]
async fn the_tokens_cookie_is_found_among_malformed_ones() {
    let auth = with(Cookies::default());
    let pair = login(&auth).await;
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/", actix_web::web::get().to(usual));
    })
    .await;
    let token = pair.auth.signed();
    let own = format!("__Host-auth={token}");
    let many = |own: &str| {
        let others = (0..200).map(|n| format!("other{n}=value{n}"));
        others
            .chain([own.to_owned()])
            .collect::<Vec<_>>()
            .join("; ")
    };
    let ok = (200, "");
    for (cookies, expected) in [
        (vec![own.clone()], ok),
        (vec![many(&own)], ok),
        (
            vec![format!("{}={}; {own}", "long", "x".repeat(60_000))],
            ok,
        ),
        (vec![format!("=; \"; %ZZ=%; {own}; =x")], ok),
        (vec!["x=1".to_owned(), own.clone(), "y=2".to_owned()], ok),
        (
            vec![format!("__host-auth={token}")],
            (401, "missing_credentials"),
        ),
        (vec![format!("auth={token}")], (401, "missing_credentials")),
        (
            vec![format!("__Host-auth=\"{token}\"")],
            (401, "token_encoding"),
        ),
        (vec![own.replace('.', "%2E")], (401, "token_form")),
        (
            vec![format!("__Secure-refresh={}", pair.refresh.signed())],
            (401, "missing_credentials"),
        ),
        (
            vec![format!("__Host-auth={}", pair.refresh.signed())],
            (401, "token_wrong_type"),
        ),
        (vec![own.clone(), own.clone()], ok),
        (vec![format!("{own}; {own}; x=y"), own.clone()], ok),
        (
            vec![format!("{own}; __Host-auth=x")],
            (400, "several_cookies"),
        ),
        (
            vec![format!("__Host-auth=; {own}")],
            (400, "several_cookies"),
        ),
    ] {
        let found = get(&site, "/", &cookies).await;
        let expected = (expected.0, expected.1.to_owned());
        assert_eq!(found, expected, "{:.80}", cookies.join(" | "));
    }
}
