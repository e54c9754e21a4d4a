//! `docs/threats.md` 61: cookies whose name, path or domain has changed.

use actix_web::{
    HttpResponse, cookie::Cookie, cookie::SameSite, http::header::SET_COOKIE, test::TestRequest,
    web,
};
use flask_pyjwt::{AuthManager, Cookies, RequireToken, SilentRenewal};

use super::{answer_with, login, set_by, with};
use support::{hs256, site::Site};

/// A browser's cookies, as RFC 6265bis, section 5.7 stores them: by name, domain and path.
#[derive(Default)]
struct Jar(Vec<Cookie<'static>>);

impl Jar {
    fn take(&mut self, set: Vec<Cookie<'static>>) {
        for cookie in set {
            // Section 5.6.3.
            let domain = |cookie: &Cookie<'_>| {
                let domain = cookie.domain()?.to_ascii_lowercase();
                Some(domain.trim_start_matches('.').to_owned())
            };
            self.0.retain(|own| {
                (own.name(), own.path(), domain(own))
                    != (cookie.name(), cookie.path(), domain(&cookie))
            });
            if cookie.max_age().is_none_or(|age| !age.is_zero()) {
                self.0.push(cookie);
            }
        }
    }

    /// What the browser sends to a path. Every host of these tests gets all cookies.
    fn field(&self, path: &str) -> String {
        let is_for = |cookie: &&Cookie<'_>| path.starts_with(cookie.path().unwrap_or("/"));
        let pairs = self.0.iter().filter(is_for);
        let pairs: Vec<_> = pairs
            .map(|cookie| format!("{}={}", cookie.name(), cookie.value()))
            .collect();
        pairs.join("; ")
    }
}

async fn site(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(move |app| {
        let renew = web::resource("/renew")
            .wrap(RequireToken::refresh().cookies())
            .to(HttpResponse::Ok);
        let me = web::resource("/me")
            .wrap(RequireToken::auth().cookies())
            .to(HttpResponse::Ok);
        app.app_data(auth).service(renew).service(me);
    })
    .await
}

/// The changes that are tested: the configuration before, and the one after.
fn moves() -> Vec<(Cookies, Cookies)> {
    let plain = || {
        Cookies::default()
            .auth_name("a")
            .refresh_name("r")
            .csrf_name("c")
    };
    vec![
        (
            Cookies::default(),
            Cookies::default().refresh_path("/renew"),
        ),
        (
            Cookies::default().refresh_path("/renew"),
            Cookies::default(),
        ),
        (plain(), plain().domain("example.com")),
        (plain().domain("example.com"), plain()),
        (
            plain().domain("example.com"),
            plain().domain("app.example.com"),
        ),
        // The same domain in other spellings.
        (
            plain().domain(".example.com"),
            plain().domain("example.com"),
        ),
        (
            plain().domain("Example.com"),
            plain().domain(".example.COM"),
        ),
        (plain(), Cookies::default()),
        (Cookies::default(), plain().refresh_path("/renew")),
        // The name was another cookie's before.
        (
            plain(),
            Cookies::default()
                .auth_name("r")
                .refresh_name("a")
                .csrf_name("c"),
        ),
        (plain().secure(false), plain().same_site(SameSite::None)),
    ]
}

#[actix_web::test]
async fn a_login_or_logout_after_a_change_leaves_one_cookie_of_each_name() {
    for (before, after) in moves() {
        let mut jar = Jar::default();
        let old = with(before.clone());
        jar.take(set_by(&answer_with(&old, &login(&old).await)));

        let auth = with(after.clone().formerly(before.clone()));
        let pair = login(&auth).await;
        jar.take(set_by(&answer_with(&auth, &pair)));
        assert_eq!(jar.0.len(), 3, "{before:?} {after:?}");
        let values: Vec<_> = jar.0.iter().map(Cookie::value).collect();
        assert!(values.contains(&pair.auth.signed()) && values.contains(&pair.refresh.signed()));
        let site = site(&auth).await;
        for path in ["/me", "/renew"] {
            let request = TestRequest::get()
                .uri(path)
                .insert_header(("cookie", jar.field(path)));
            assert_eq!(
                site.ask(request).await.outcome(),
                (200, ""),
                "{path} {before:?}"
            );
        }

        // Even where both are present.
        jar.take(set_by(&answer_with(&old, &login(&old).await)));
        let mut answer = HttpResponse::Ok();
        auth.clear_cookies(&mut answer);
        jar.take(set_by(&answer.finish()));
        assert_eq!(jar.0.len(), 0, "{before:?} {after:?}");
    }
}

#[actix_web::test]
async fn a_browser_with_both_cookies_is_refused_once_and_accepted_afterwards() {
    let before = Cookies::default();
    let after = Cookies::default().refresh_path("/renew");
    let (old, auth) = (with(before.clone()), with(after.formerly(before)));
    let mut jar = Jar::default();
    // Both were set before the server knew which one to remove.
    jar.take(set_by(&answer_with(&old, &login(&old).await)));
    let current = set_by(&answer_with(&auth, &login(&auth).await));
    jar.take(current.into_iter().take(3).collect());
    let site = site(&auth).await;
    let ask = async |jar: &Jar| {
        let request = TestRequest::get()
            .uri("/renew")
            .insert_header(("cookie", jar.field("/renew")));
        site.ask(request).await
    };
    let refused = ask(&jar).await;
    assert_eq!(refused.outcome(), (400, "several_cookies"));
    let removed = refused.headers.get_all(SET_COOKIE).map(|field| {
        let text = field.to_str().expect("ASCII").to_owned();
        Cookie::parse(text).expect("a cookie")
    });
    jar.take(removed.collect());
    assert_eq!(ask(&jar).await.outcome(), (200, ""));
}

/// An expired auth token is not sent, so that the guard does not see two of them.
#[actix_web::test]
async fn a_browser_with_two_refresh_cookies_is_renewed_at_the_next_request() {
    for (before, after) in moves() {
        let (old, auth) = (
            with(before.clone()),
            with(after.clone().formerly(before.clone())),
        );
        let pair = login(&auth).await;
        let refresh = auth.refresh_cookie(&pair.refresh).expect("small enough");
        if refresh.path() != Some("/") {
            continue; // the middleware does not work with it
        }
        let mut jar = Jar::default();
        jar.take(set_by(&answer_with(&old, &login(&old).await)));
        let current = set_by(&answer_with(&auth, &pair));
        jar.take(current.into_iter().take(3).collect());
        let expired = auth.auth_cookie(&pair.auth).expect("small enough");
        jar.0.retain(|cookie| cookie.name() != expired.name());
        let auth_of_site = auth.clone();
        let site = Site::new(move |app| {
            let me = web::resource("/renew")
                .wrap(RequireToken::auth().cookies())
                .wrap(SilentRenewal::new())
                .to(HttpResponse::Ok);
            app.app_data(auth_of_site).service(me);
        })
        .await;
        let mut statuses = Vec::new();
        for _ in 0..2 {
            let request = TestRequest::get()
                .uri("/renew")
                .insert_header(("cookie", jar.field("/renew")));
            let reply = site.ask(request).await;
            let set = reply.headers.get_all(SET_COOKIE).map(|field| {
                let text = field.to_str().expect("ASCII").to_owned();
                Cookie::parse(text).expect("a cookie")
            });
            jar.take(set.collect());
            statuses.push(reply.status);
        }
        assert_eq!(statuses[1], 200, "{before:?} {after:?} {statuses:?}");
    }
}

#[actix_web::test]
async fn each_former_cookie_is_removed_once_and_their_number_is_limited() {
    let earlier = |n: usize| Cookies::default().refresh_path(format!("/renew{n}"));
    let cookies = (0..8)
        .map(earlier)
        .fold(Cookies::default(), Cookies::formerly);
    let auth = with(cookies.clone());
    let former = auth.former_cookies();
    assert_eq!(former.len(), 8, "the other two are where they were");
    assert!(
        former
            .iter()
            .all(|cookie| cookie.name() == "__Secure-refresh" && cookie.path() != Some("/"))
    );
    assert_eq!(
        set_by(&answer_with(&auth, &login(&auth).await)).len(),
        3 + 8
    );
    assert_eq!(
        with(Cookies::default().formerly(Cookies::default()))
            .former_cookies()
            .len(),
        0
    );
    // An earlier configuration that names cookies itself is recorded, too.
    let nested = Cookies::default().formerly(earlier(1).formerly(earlier(2)));
    assert_eq!(with(nested).former_cookies().len(), 2);
    for wrong in [
        cookies.formerly(earlier(9)),
        Cookies::default().formerly(Cookies::default().domain("example.com")),
    ] {
        assert!(AuthManager::new(hs256().cookies(wrong)).is_err());
    }
}
