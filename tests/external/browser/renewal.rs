//! Tokens that expire while the page is open.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    chromium::until,
    gate::Gate,
    page::{AUTH, Page, REFRESH, with_page},
};

/// Auth tokens that are valid for three seconds.
const SHORT: &[(&str, &str)] = &[("JWT_AUTHMAXAGE", "3")];

/// A script for a tab with a given name: at a message from any tab, it sends two requests.
const ASK_AT_A_WORD: &str = "
    const tab = arguments[0];
    window.answers = [];
    window.ask = () => {
        for (const path of ['/me', '/sessions']) {
            answers.push(fetch(`${path}?${tab}`).then((answer) => answer.status));
        }
    };
    window.channel = new BroadcastChannel('now');
    channel.onmessage = ask;";

#[actix_web::test]
async fn threat_37_two_tabs_at_the_same_time_renew_an_expired_token_silently_and_once() {
    with_page(SHORT, async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;

        // Two tabs on the page's host that send nothing by themselves.
        let server = page.url.rsplit(':').next().expect("a port");
        let gate = Gate::before(server.parse().expect("a port"));
        let quiet = format!("http://127.0.0.1:{}/style.css", gate.port);
        let first_tab = page.browser.tab().await;
        page.goto(&quiet).await;
        page.run_with(ASK_AT_A_WORD, "one").await;
        let second_tab = page.browser.new_tab().await;
        page.goto(&quiet).await;
        page.run_with(ASK_AT_A_WORD, "two").await;
        until(async || match page.cookie(AUTH).await {
            None => Ok(()),
            Some(cookie) => Err(format!("the browser still has {cookie}")),
        })
        .await;
        let expired = page.cookie_value(REFRESH).await;
        page.browser.answers().await;

        // All four requests have left the browser with the old cookies before one is answered.
        gate.close_until(4);
        page.run("channel.postMessage('now'); ask();").await;
        for tab in [&first_tab, &second_tab] {
            page.browser.switch_to(tab).await;
            let answers = until(
                async || match page.run("return Promise.all(answers)").await {
                    Value::Array(answers) if answers.len() == 2 => Ok(answers),
                    instead => Err(instead.to_string()),
                },
            );
            assert_eq!(answers.await, vec![json!(200); 2]);
        }

        // All were renewed to the same successor, and the browser keeps that one.
        let answers = page.browser.answers().await;
        let renewals = answers.iter().filter_map(|answer| {
            let mut lines = answer.set_cookies.lines();
            let cookie = lines.find_map(|line| line.strip_prefix(REFRESH)?.strip_prefix('='))?;
            Some((answer.url.as_str(), cookie.split(';').next()?.to_owned()))
        });
        let (asked, successors): (BTreeSet<_>, BTreeSet<_>) = renewals.unzip();
        assert_eq!(asked.len(), 4, "{asked:?}");
        let kept = page.cookie_value(REFRESH).await;
        assert_ne!(kept, expired);
        assert_eq!(successors, BTreeSet::from([kept]));

        // It is the same session, and it is still open.
        let sessions = "return (await fetch('/sessions')).json()";
        let sessions = page.run(sessions).await;
        assert_eq!(sessions.as_array().map(Vec::len), Some(1), "{sessions}");
        assert_eq!(page.status("POST", "/renew").await, 204);
    })
    .await;
}

#[actix_web::test]
async fn the_page_stays_logged_in_while_its_tokens_expire() {
    with_page(SHORT, async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        page.shows("#message", "renewed your auth token silently")
            .await;
        page.shows("#name", "alice").await;
        page.count("#sessions li", 1).await;
        page.browser.screenshot("renewed-silently").await;
    })
    .await;
}

#[actix_web::test]
async fn a_websocket_is_closed_when_its_token_expires() {
    with_page(SHORT, async |page: &Page| {
        page.open().await;
        page.log_in("alice", "wonderland").await;
        // A WebSocket of the test shows what the server sends when it closes.
        let socket = page.run(
            "const socket = new WebSocket(`ws://${location.host}/ws`);
             const times = [];
             socket.onmessage = ({data}) => times.push(Number(data));
             const end = await new Promise((ended) => socket.onclose = ended);
             return {code: end.code, reason: end.reason, clean: end.wasClean, times: times.length};",
        );
        let socket = socket.await;
        let times = socket["times"].as_u64().expect("a number");
        assert!((1..=5).contains(&times), "{socket}");
        assert_eq!(socket["code"], 1008, "a policy is violated: {socket}");
        assert_eq!(socket["reason"], "token_expired", "{socket}");
        assert_eq!(socket["clean"], true, "{socket}");

        // The page's own WebSocket is closed, too. The next handshake has a renewed token.
        page.shows("#clock-status", "the token it was opened with has expired")
            .await;
        page.browser.screenshot("clock-closed-at-expiry").await;
        page.record_texts("#clock-status").await;
        page.press("#clock-start").await;
        page.has_shown("Live").await;
    })
    .await;
}
