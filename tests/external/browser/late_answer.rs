//! `docs/threats.md` 48: a response to alice that arrives after the login as bob, in a browser that keeps the
//! cookies.

use flask_pyjwt::{MemoryStore, testing::FrozenClock};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::chromium::Browser;
use support::{
    hs256, manager,
    overlap::{Slow, site},
    wire::Server,
};

/// Runs a script, which may await something, in the page.
async fn run(browser: &Browser, script: &str) -> Value {
    let script = format!("return (async function () {{ {script} }}).apply(null, arguments)");
    let answer = browser.client.execute(&script, Vec::new()).await;
    answer.unwrap_or_else(|error| panic!("{script}: {error}"))
}

#[actix_web::test]
async fn the_new_login_stays_when_a_response_to_the_earlier_one_arrives_late() {
    for login in ["/renewed/login", "/login"] {
        let Some(browser) = Browser::start().await else {
            return;
        };
        let clock = FrozenClock::new(OffsetDateTime::now_utc());
        let config = hs256().clock(clock.clone());
        let auth = manager(config.session_store(MemoryStore::default()));
        let (slow, begun) = Slow::new();
        let server = Server::start(site(&auth, &slow));
        let url = format!("http://127.0.0.1:{}/alice", server.port);
        browser.client.goto(&url).await.expect("it exists");
        assert_eq!(text(&browser, "/me").await, json!("alice"));
        clock.advance(Duration::hours(1));
        run(
            &browser,
            "window.late = fetch('/renewed/slow').then((answer) => answer.text());",
        )
        .await;
        begun.recv().expect("it has started");
        run(&browser, &format!("await fetch('{login}');")).await;
        assert_eq!(text(&browser, "/me").await, json!("bob"), "{login}");
        slow.gate.open();
        let late = run(&browser, "return window.late;").await;
        assert_eq!(late, json!("alice"), "{login}");
        assert_eq!(text(&browser, "/me").await, json!("bob"), "{login}");
        browser.close().await;
    }
}

/// The text that the browser gets at a path.
async fn text(browser: &Browser, path: &str) -> Value {
    let script = format!("return (await fetch('{path}')).text();");
    run(browser, &script).await
}
