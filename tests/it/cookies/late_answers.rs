//! `docs/threats.md` 48: a response arrives late, after another login in the same browser. The new login stays.

use std::sync::mpsc;

use actix_web::{HttpResponse, http::header::SET_COOKIE, web};
use flask_pyjwt::{AuthManager, MemoryStore, TokenPair, testing::FrozenClock};
use time::Duration;

use support::{
    NOW, at, hs256, manager,
    overlap::{Slow, site},
    site::Reply,
    wire::{Server, send_to},
};

/// The cookies of a browser, as `name=value`.
#[derive(Clone, Default)]
struct Browser(Vec<(String, String)>);

impl Browser {
    fn of(auth: &AuthManager, pair: &TokenPair) -> Self {
        let mut answer = HttpResponse::Ok();
        auth.set_cookies(&mut answer, pair).expect("small enough");
        let mut browser = Self::default();
        let answer = answer.finish();
        for field in answer.headers().get_all(SET_COOKIE) {
            browser.set(field.to_str().expect("ASCII"));
        }
        browser
    }

    /// Handles one `Set-Cookie` field as a browser does.
    fn set(&mut self, field: &str) {
        let (name, rest) = field.split_once('=').expect("a cookie");
        let value = rest.split(';').next().expect("a value");
        self.0.retain(|(own, _)| own != name);
        if !value.is_empty() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    fn takes(&mut self, answer: &Reply) {
        for field in answer.headers.get_all(SET_COOKIE) {
            self.set(field.to_str().expect("ASCII"));
        }
    }

    fn fields(&self) -> String {
        let cookies: Vec<_> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
        format!("Cookie: {}\r\n", cookies.join("; "))
    }
}

/// A server, and a browser in which alice's auth token has expired.
struct Scene {
    auth: AuthManager,
    clock: FrozenClock,
    server: Server,
    slow: web::Data<Slow>,
    begun: mpsc::Receiver<()>,
    browser: Browser,
}

impl Scene {
    async fn new() -> Self {
        let clock = FrozenClock::new(at(NOW));
        let config = hs256()
            .clock(clock.clone())
            .session_store(MemoryStore::default());
        let auth = manager(config);
        let (slow, begun) = Slow::new();
        let server = Server::start(site(&auth, &slow));
        let pair = auth.login("alice").await.expect("opened");
        let browser = Browser::of(&auth, &pair);
        clock.advance(Duration::hours(1));
        Self {
            auth,
            clock,
            server,
            slow,
            begun,
            browser,
        }
    }

    /// Sends a slow request, runs `something`, and lets the slow request finish. Returns the late response.
    fn while_it_waits(&mut self, something: impl FnOnce(&mut Self)) -> Reply {
        let (port, fields) = (self.server.port, self.browser.fields());
        let asking = std::thread::spawn(move || {
            let request = format!("GET /renewed/slow HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
            send_to(port, request.as_bytes())
        });
        self.begun.recv().expect("it has started");
        something(self);
        self.slow.gate.open();
        asking.join().expect("answered")
    }

    fn me(&self) -> (u16, String) {
        let reply = self.server.get("/me", self.browser.fields());
        (reply.status, reply.text().to_owned())
    }
}

#[actix_web::test]
async fn a_late_response_to_alice_does_not_replace_bobs_login() {
    for path in ["/renewed/login", "/login"] {
        let mut scene = Scene::new().await;
        let late = scene.while_it_waits(|scene| {
            let answer = scene.server.get(path, scene.browser.fields());
            assert_eq!(answer.status, 200, "{path}");
            scene.browser.takes(&answer);
        });
        assert_eq!((late.status, late.text()), (200, "alice"), "{path}");
        assert!(!late.headers.contains_key(SET_COOKIE), "{path}: {late:?}");
        scene.browser.takes(&late);
        assert_eq!(scene.me(), (200, "bob".to_owned()), "{path}");
        let alice = scene.auth.sessions("alice").await.expect("listed");
        assert_eq!(alice, [], "{path}: the browser cannot use it any more");
    }
}

#[actix_web::test]
async fn a_late_response_does_not_undo_a_logout() {
    let mut scene = Scene::new().await;
    let late = scene.while_it_waits(|scene| {
        let answer = scene.server.get("/logout", scene.browser.fields());
        assert_eq!(answer.status, 200);
        scene.browser.takes(&answer);
    });
    assert!(!late.headers.contains_key(SET_COOKIE));
    assert!(scene.browser.0.is_empty());
}

#[actix_web::test]
async fn a_late_response_does_not_restore_an_older_pair() {
    let mut scene = Scene::new().await;
    let late = scene.while_it_waits(|scene| {
        // Another tab gets the same pair within the grace window, and the next pair an hour later.
        for _ in 0..2 {
            let answer = scene.server.get("/renewed/me", scene.browser.fields());
            assert_eq!(answer.status, 200);
            scene.browser.takes(&answer);
            scene.clock.advance(Duration::hours(1));
        }
    });
    assert!(!late.headers.contains_key(SET_COOKIE), "{late:?}");
    let answer = scene.server.get("/renewed/me", scene.browser.fields());
    assert_eq!((answer.status, answer.text()), (200, "alice"));
}

#[actix_web::test]
async fn a_late_response_does_not_restore_a_pair_that_was_just_rotated() {
    let mut scene = Scene::new().await;
    let late = scene.while_it_waits(|scene| {
        // Another tab gets the same pair. An hour later it gets the next pair and uses it.
        for hours in [1, 0, 0] {
            let answer = scene.server.get("/renewed/me", scene.browser.fields());
            assert_eq!(answer.status, 200);
            scene.browser.takes(&answer);
            scene.clock.advance(Duration::hours(hours));
        }
    });
    assert!(!late.headers.contains_key(SET_COOKIE), "{late:?}");
    scene.browser.takes(&late);
    scene.clock.advance(Duration::minutes(1));
    let answer = scene.server.get("/renewed/me", scene.browser.fields());
    assert_eq!((answer.status, answer.text()), (200, "alice"));
}

#[actix_web::test]
async fn a_response_in_time_sets_the_renewed_cookies() {
    let mut scene = Scene::new().await;
    let answer = scene.while_it_waits(|_| {});
    assert_eq!(answer.headers.get_all(SET_COOKIE).count(), 3);
    scene.browser.takes(&answer);
    assert_eq!(scene.me(), (200, "alice".to_owned()));
}

#[actix_web::test]
async fn a_login_with_invalid_or_forged_cookies_ends_no_session() {
    let scene = Scene::new().await;
    let other = scene.auth.login("alice").await.expect("opened");
    let mut forged = other.refresh.signed().to_owned();
    forged.pop();
    for cookies in [
        String::new(),
        format!("Cookie: __Secure-refresh={forged}\r\n"),
    ] {
        for path in ["/renewed/login", "/login"] {
            assert_eq!(scene.server.get(path, &cookies).status, 200);
        }
    }
    assert_eq!(scene.auth.sessions("alice").await.expect("listed").len(), 2);
    assert_eq!(scene.auth.sessions("bob").await.expect("listed").len(), 4);
}
