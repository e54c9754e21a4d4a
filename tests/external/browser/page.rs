//! The example's page, as a person uses it.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    rc::Rc,
    time::Duration,
};

use actix_web::rt::time::timeout;
use fantoccini::Locator;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::chromium::{Browser, until};
use support::example::Example;

pub(crate) const AUTH: &str = "__Host-auth";
pub(crate) const REFRESH: &str = "__Secure-refresh";
pub(crate) const CSRF: &str = "__Host-csrf";

/// Much longer than a test takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser, and the example that it shows.
pub(crate) struct Page {
    pub(crate) browser: Browser,
    /// The address of the server, without a path.
    pub(crate) url: String,
    pub(crate) server: Rc<Example>,
}

/// Starts the example with these variables and a browser, and runs the test. It is skipped if there is no
/// browser.
pub(crate) async fn with_page(variables: &[(&str, &str)], test: impl AsyncFnOnce(&Page)) {
    with_page_of("browser", variables, test).await;
}

/// The same with the page of any example.
pub(crate) async fn with_page_of(
    example: &str,
    variables: &[(&str, &str)],
    test: impl AsyncFnOnce(&Page),
) {
    let server = Example::start(example, variables);
    let output = server.process.read_until("Listening on");
    let url = output
        .split_whitespace()
        .find(|word| word.starts_with("http"));
    let url = url.expect("an address").trim_end_matches('.').to_owned();
    let Some(browser) = Browser::start().await else {
        return;
    };
    let page = Page {
        browser,
        url,
        server: Rc::new(server),
    };
    let test = AssertUnwindSafe(test(&page)).catch_unwind();
    let outcome = timeout(PATIENCE, test).await;
    page.browser.close().await;
    if let Err(panic) = outcome.expect("the test ends") {
        resume_unwind(panic);
    }
}

impl Page {
    /// The same page in another browser.
    pub(crate) async fn in_another_browser(&self) -> Self {
        Self {
            browser: Browser::start().await.expect("there is one"),
            url: self.url.clone(),
            server: Rc::clone(&self.server),
        }
    }

    pub(crate) async fn open(&self) {
        self.goto(&self.url).await;
    }

    pub(crate) async fn goto(&self, url: &str) {
        let gone = self.browser.client.goto(url).await;
        gone.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Fills in and submits the login form, and waits for the next state.
    pub(crate) async fn log_in(&self, name: &str, password: &str) {
        self.fill_in("#username", name).await;
        self.fill_in("#password", password).await;
        self.press("#login button").await;
        self.shows("#name", name).await;
    }

    /// Fills in a field as soon as it is visible.
    pub(crate) async fn fill_in(&self, css: &str, text: &str) {
        self.is_visible(css).await;
        let field = self.browser.client.find(Locator::Css(css)).await;
        let field = field.unwrap_or_else(|error| panic!("{css}: {error}"));
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    /// Clicks on an element as soon as it is visible.
    pub(crate) async fn press(&self, css: &str) {
        self.is_visible(css).await;
        let button = self.browser.client.find(Locator::Css(css)).await;
        let button = button.unwrap_or_else(|error| panic!("{css}: {error}"));
        button.click().await.expect("it can be clicked on");
    }

    async fn is_visible(&self, css: &str) {
        let script = "return Boolean(document.querySelector(arguments[0])?.checkVisibility())";
        until(async || match self.run_with(script, css).await {
            Value::Bool(true) => Ok(()),
            _ => Err(format!("{css} is not shown")),
        })
        .await;
    }

    /// Waits until the element has this text.
    pub(crate) async fn shows(&self, css: &str, text: &str) {
        let script = "const found = document.querySelector(arguments[0]);
            return found?.checkVisibility() ? found.innerText : null;";
        until(async || match self.run_with(script, css).await {
            Value::String(shown) if shown.contains(text) => Ok(()),
            instead => Err(format!("{css} shows {instead}, not {text:?}")),
        })
        .await;
    }

    /// Records all texts of an element from now on.
    pub(crate) async fn record_texts(&self, css: &str) {
        let script = "window.shown = [];
            const place = document.querySelector(arguments[0]);
            const listener = new MutationObserver(() => shown.push(place.textContent));
            listener.observe(place, {childList: true});";
        self.run_with(script, css).await;
    }

    /// Waits until the element has had this text, even briefly, since then.
    pub(crate) async fn has_shown(&self, text: &str) {
        until(async || match self.run("return shown").await {
            Value::Array(shown) if shown.iter().any(|line| line == text) => Ok(()),
            shown => Err(format!("{text:?} is not among {shown}")),
        })
        .await;
    }

    /// Waits until this many elements are visible.
    pub(crate) async fn count(&self, css: &str, expected: u64) {
        let script = "return [...document.querySelectorAll(arguments[0])]
            .filter((found) => found.checkVisibility()).length;";
        until(async || match self.run_with(script, css).await.as_u64() {
            Some(number) if number == expected => Ok(()),
            instead => Err(format!("{css}: {instead:?}, not {expected}")),
        })
        .await;
    }

    /// Runs a script in the page, which may await something, and returns its result.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.run_with(script, Value::Null).await
    }

    /// The same with an argument.
    pub(crate) async fn run_with(&self, script: &str, argument: impl Into<Value>) -> Value {
        let script = format!("return (async function () {{ {script} }}).apply(null, arguments)");
        let done = self.browser.client.execute(&script, vec![argument.into()]);
        done.await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// The status of a response to the page's own script, which sends the CSRF proof.
    pub(crate) async fn status(&self, method: &str, path: &str) -> u64 {
        let script = "const [method, path] = arguments[0];
            const proof = document.cookie.split('__Host-csrf=')[1] ?? '';
            const headers = {'X-CSRF-Token': proof};
            return (await fetch(path, {method, headers})).status;";
        let status = self.run_with(script, json!([method, path])).await;
        status.as_u64().expect("a status")
    }

    pub(crate) async fn cookie(&self, name: &str) -> Option<Value> {
        let cookies = self.browser.cookies().await;
        cookies.into_iter().find(|cookie| cookie["name"] == name)
    }

    /// The value of a cookie that must exist.
    pub(crate) async fn cookie_value(&self, name: &str) -> String {
        let cookie = self.cookie(name).await.expect(name);
        cookie["value"].as_str().expect("a text").to_owned()
    }
}
