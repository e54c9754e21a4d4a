//! The page of `examples/browser.rs` in a real Chromium: the cookies that the browser keeps, and the requests
//! that it sends.
//!
//! Screenshots of every state are left in `target/browser`.

#![cfg(unix)]

mod allowed_origin;
mod bound;
mod chromium;
mod cross_site;
mod devtools;
mod gate;
mod late_answer;
mod looks;
mod operating;
mod page;
mod proxied;
mod renewal;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use self::page::{AUTH, CSRF, Page, REFRESH, with_page};

#[actix_web::test]
async fn a_login_sets_cookies_with_the_right_attributes() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;

        let cookies = page.browser.cookies().await;
        assert_eq!(cookies.len(), 3, "{cookies:?}");
        let now = OffsetDateTime::now_utc() - OffsetDateTime::UNIX_EPOCH;
        for (name, http_only, same_site, age) in [
            (AUTH, true, "Lax", 3_600),
            (REFRESH, true, "Strict", 604_800),
            (CSRF, false, "Strict", 604_800),
        ] {
            let cookie = page.cookie(name).await.expect(name);
            // A host without a leading dot: the cookie is sent to this host only.
            let expected = json!({
                "domain": "127.0.0.1", "path": "/", "secure": true, "session": false,
                "httpOnly": http_only, "sameSite": same_site,
            });
            for (attribute, value) in expected.as_object().expect("an object") {
                assert_eq!(&cookie[attribute], value, "{name}: {attribute}");
            }
            let expires = cookie["expires"].as_f64().expect("a number");
            let left = Duration::seconds_f64(expires) - now;
            let late = age - left.whole_seconds();
            assert!((0..60).contains(&late), "{name} expires in {left}");
        }
    })
    .await;
}

#[actix_web::test]
async fn scripts_can_neither_read_nor_set_a_token() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        let auth = page.cookie_value(AUTH).await;
        let refresh = page.cookie_value(REFRESH).await;

        let readable = page
            .run(
                "const answers = await Promise.all(['/me', '/sessions', '/notes'].map(
                    (path) => fetch(path).then((answer) => answer.text())));
                 const html = document.documentElement.outerHTML;
                 return [document.cookie, JSON.stringify({...localStorage, ...sessionStorage}),
                    html, ...answers];",
            )
            .await;
        let readable: Vec<String> = serde_json::from_value(readable).expect("texts");
        assert_eq!(readable.len(), 6);
        for text in &readable {
            for token in [&auth, &refresh] {
                // Neither the token nor its claims.
                let claims = token.split('.').nth(1).expect("three segments");
                assert!(!text.contains(claims), "{text}");
            }
        }
        let csrf = page.cookie_value(CSRF).await;
        assert_eq!(readable[0], format!("{CSRF}={csrf}"));

        // The browser drops a cookie that a script sets in place of a token.
        let written = format!(
            "document.cookie = '{AUTH}=a.b.c; Secure; Path=/';
             document.cookie = '{REFRESH}=a.b.c; Secure; Path=/';
             return document.cookie;"
        );
        assert_eq!(page.run(&written).await, json!(readable[0]));
        assert_eq!(page.cookie_value(AUTH).await, auth);
        assert_eq!(page.cookie_value(REFRESH).await, refresh);
    })
    .await;
}

#[actix_web::test]
async fn a_logout_clears_the_cookies_and_revokes_every_copy() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("root", "correct-horse").await;
        page.shows("#admin", "admin").await;
        let copies = page.browser.cookies().await;

        page.press("#logout").await;
        page.shows("#message", "You are logged out.").await;
        page.shows("#login-title", "Log in").await;
        assert_eq!(page.browser.cookies().await, Vec::<Value>::new());

        page.browser.set_cookies(&copies).await;
        for (method, path) in [("GET", "/me"), ("GET", "/ws"), ("POST", "/renew")] {
            assert_eq!(page.status(method, path).await, 401, "{path}");
        }
        page.open().await;
        page.shows("#login-title", "Log in").await;
    })
    .await;
}

#[actix_web::test]
async fn a_session_ended_in_another_browser_loses_its_websocket_and_its_access() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        page.shows("#clock-status", "Live").await;
        page.record_texts("#clock-status").await;
        let cookies = page.browser.cookies().await;
        let other = page.in_another_browser().await;
        other.open().await;
        other.log_in("alice", "wonderland").await;

        // The list marks its own session. The other one is ended.
        other.count("#sessions li", 2).await;
        other.count("#sessions .badge:not([hidden])", 1).await;
        other.press("#sessions li:has(.badge[hidden]) button").await;
        other.shows("#message", "That session has ended.").await;
        other.count("#sessions li", 1).await;
        other.shows("#clock-status", "Live").await;

        // An open WebSocket is closed, and the session has no cookies left.
        page.has_shown("The server closed the clock: the session was ended.")
            .await;
        page.shows("#message", "Your session has ended. Please log in again.")
            .await;
        page.shows("#login-title", "Log in").await;
        page.browser.screenshot("session-ended-elsewhere").await;
        assert_eq!(page.browser.cookies().await, cookies);
        for (method, path) in [("GET", "/me"), ("POST", "/renew"), ("POST", "/note")] {
            assert_eq!(page.status(method, path).await, 401, "{path}");
        }

        // All sessions at once.
        page.log_in("alice", "wonderland").await;
        page.shows("#clock-status", "Live").await;
        page.press("#end-all").await;
        page.shows("#message", "All your sessions have ended.")
            .await;
        assert_eq!(page.browser.cookies().await, Vec::<Value>::new());
        other
            .shows("#message", "Your session has ended. Please log in again.")
            .await;
        other.browser.close().await;
    })
    .await;
}

#[actix_web::test]
async fn a_server_with_an_open_websocket_stops_at_ctrl_c() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        page.shows("#clock-status", "Live").await;
        page.server.process.interrupt();
        let rest = page.server.process.read_to_end();
        assert!(rest.lines().any(|line| line == "stopped"), "{rest}");
        page.shows("#clock-status", "The clock has lost its connection.")
            .await;
        page.shows("#message", "the server cannot be reached").await;
        page.browser.screenshot("server-gone").await;
    })
    .await;
}
