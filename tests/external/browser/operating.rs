//! The page of `examples/sessions.rs`: users end their own sessions, and an administrator those of anybody.

use std::process::Command;

use serde_json::json;

use super::{
    chromium::until,
    looks::look_at,
    page::{Page, with_page_of},
};

/// Runs a script and asks another server, if a page shows it as HTML.
const HOSTILE: &str =
    "<img src=//203.0.113.9/x onerror=document.title='run'> Firefox/1 'Linux' \"&amp;";

/// Logs alice in from another device, whose `User-Agent` is this.
fn log_in_elsewhere(page: &Page, agent: &str) {
    let login = Command::new("curl")
        .args(["-sf", "--max-time", "30", "-A", agent, "-d"])
        .args(["username=alice&password=wonderland", "-o", "/dev/null"])
        .arg(format!("{}/login", page.url))
        .status();
    assert!(login.expect("curl is installed").success());
}

#[actix_web::test]
async fn a_user_sees_and_ends_sessions_and_hostile_texts_stay_texts() {
    with_page_of("sessions", &[], async |page: &Page| {
        page.open().await;
        page.shows("#login-title", "Log in").await;
        look_at(page, "sessions-login").await;
        page.fill_in("#username", "alice").await;
        page.fill_in("#password", "wrong").await;
        page.press("#login button").await;
        page.shows("#message", "The name or the password is wrong.")
            .await;

        log_in_elsewhere(page, HOSTILE);
        log_in_elsewhere(page, &format!("{HOSTILE}{}", "x".repeat(2_000)));
        log_in_elsewhere(page, "<b onclick=1>");
        page.log_in("alice", "wonderland").await;
        page.shows("#message", "Welcome, alice.").await;
        page.count("#own li", 4).await;
        page.count("#own .badge", 1).await;
        page.shows("#own", "<b onclick=1>").await;
        page.count("#admin", 0).await;
        look_at(page, "sessions-own").await;

        page.press("#own li:not(:has(.badge:not([hidden]))) button")
            .await;
        page.shows("#message", "That session has ended.").await;
        page.count("#own li", 3).await;
        page.press("#end-others").await;
        page.shows("#message", "2 sessions have ended.").await;
        page.count("#own li", 1).await;
        page.count("#end-others", 0).await;

        page.press("#own button").await;
        page.shows("#message", "This session has ended.").await;
        page.count("#signed-in", 0).await;
        assert_eq!(
            page.run("return document.title").await,
            "Sessions · flask-pyjwt"
        );
        assert_eq!(page.run("return document.images.length").await, 0);
        only_refused_logins_in_the_console(page).await;
    })
    .await;
}

#[actix_web::test]
async fn an_administrator_sees_the_sessions_of_anybody_page_by_page_and_ends_them() {
    with_page_of("sessions", &[], async |page: &Page| {
        for number in 0..23 {
            log_in_elsewhere(page, &format!("{number} {HOSTILE}"));
        }
        page.open().await;
        page.log_in("root", "correct-horse").await;
        page.fill_in("#subject", "<b>nobody").await;
        page.press("#search button").await;
        page.shows("#message", "<b>nobody has no open session.")
            .await;
        page.fill_in("#subject", "alice").await;
        page.press("#search button").await;
        for (left, more) in [(10, 1), (10, 1), (3, 0)] {
            page.count("#any li", left).await;
            page.count("#more", more).await;
            if more > 0 {
                look_at(page, "sessions-admin").await;
                page.press("#any button").await;
                page.shows("#message", "That session has ended.").await;
                page.count("#any li", left - 1).await;
                page.press("#more").await;
            }
        }
        page.shows("#end-any", "End all of alice").await;
        page.press("#end-any").await;
        page.shows("#message", "21 sessions have ended.").await;
        page.count("#any li", 0).await;
        page.shows("#name", "root").await;
        page.press("#logout").await;
        page.shows("#message", "You are logged out.").await;
        only_refused_logins_in_the_console(page).await;
    })
    .await;
}

/// The page renews its token by itself, with one refresh for several requests at once.
#[actix_web::test]
async fn the_page_refreshes_an_expired_token_and_says_when_its_session_was_ended() {
    let variables = [("JWT_AUTHMAXAGE", "1"), ("JWT_LEEWAY", "0")];
    with_page_of("sessions", &variables, async |page: &Page| {
        page.open().await;
        page.log_in("root", "correct-horse").await;
        page.fill_in("#subject", "root").await;
        // Again and again, until a token has expired in between.
        until(async || {
            page.press("#search button").await;
            page.count("#any li", 1).await;
            let refreshed = page
                .run("return document.querySelector('#any .hint').textContent")
                .await;
            let refreshed = refreshed.as_str().unwrap_or_default().to_owned();
            let is_refreshed = refreshed.contains("last refresh");
            is_refreshed.then_some(()).ok_or(refreshed)
        })
        .await;
        page.press("#end-any").await;
        page.shows("#message", "One session has ended.").await;
        page.shows("#login-title", "Log in").await;
        let shown = page.run("return document.querySelectorAll('#any li, #own li').length");
        assert_eq!(shown.await, json!(0));
    })
    .await;
}

/// The page's own policy blocked nothing, and nothing was asked of another server.
async fn only_refused_logins_in_the_console(page: &Page) {
    let console = page.browser.console().await;
    let complaints = console
        .iter()
        .filter(|line| !line.contains("status of 401"));
    assert_eq!(complaints.collect::<Vec<_>>(), Vec::<&String>::new());
}
