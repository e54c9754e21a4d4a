//! What only the browser's developer tools can see: cookies that are hidden from scripts, and the network.

use std::{collections::HashMap, env, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::chromium::Browser;

/// A command that only ChromeDriver has.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// A response as it came over the network.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) status: u64,
    /// All `Set-Cookie` fields, one per line.
    pub(crate) set_cookies: String,
}

impl Browser {
    /// Sends a command to the tab's developer tools (the Chrome DevTools Protocol).
    pub(crate) async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let command = Command {
            path: "goog/cdp/execute",
            body: json!({"cmd": method, "params": parameters}),
        };
        let answer = self.client.issue_cmd(command).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// All cookies of all sites.
    pub(crate) async fn cookies(&self) -> Vec<Value> {
        let mut answer = self.devtools("Network.getAllCookies", json!({})).await;
        serde_json::from_value(answer["cookies"].take()).expect("a list")
    }

    pub(crate) async fn clear_cookies(&self) {
        self.devtools("Network.clearBrowserCookies", json!({}))
            .await;
    }

    /// Replaces all cookies by these.
    pub(crate) async fn set_cookies(&self, cookies: &[Value]) {
        self.clear_cookies().await;
        self.devtools("Network.setCookies", json!({"cookies": cookies}))
            .await;
    }

    /// Console messages since the last call.
    pub(crate) async fn console(&self) -> Vec<String> {
        self.log("browser").await
    }

    async fn log(&self, kind: &str) -> Vec<String> {
        let command = Command {
            path: "se/log",
            body: json!({"type": kind}),
        };
        let log = self.client.issue_cmd(command).await.expect("a log");
        let entries = log.as_array().expect("a list").iter();
        let messages = entries.map(|entry| entry["message"].as_str().expect("a text").to_owned());
        messages.collect()
    }

    /// Responses in all tabs since the last call.
    pub(crate) async fn answers(&self) -> Vec<Answer> {
        let mut requests = HashMap::new();
        let mut answers = Vec::new();
        for message in self.log("performance").await {
            let event: Value = serde_json::from_str(&message).expect("JSON");
            let event = &event["message"];
            let of = &event["params"];
            let id = of["requestId"].as_str().unwrap_or_default().to_owned();
            match event["method"].as_str() {
                Some("Network.requestWillBeSent") => {
                    let text = |name: &str| of["request"][name].as_str().unwrap_or_default();
                    requests.insert(id, (text("method").to_owned(), text("url").to_owned()));
                }
                // Only this event has the fields of `HttpOnly` cookies.
                Some("Network.responseReceivedExtraInfo") => {
                    let fields = of["headers"].as_object().expect("an object");
                    let set_cookies = fields
                        .iter()
                        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
                        .filter_map(|(_, value)| value.as_str());
                    let set_cookies = set_cookies.collect::<Vec<_>>().join("\n");
                    answers.push((id, of["statusCode"].as_u64(), set_cookies));
                }
                _ => {}
            }
        }
        let answers = answers.into_iter().map(|(id, status, set_cookies)| {
            let (method, url) = requests.get(&id).cloned().unwrap_or_default();
            Answer {
                method,
                url,
                status: status.unwrap_or_default(),
                set_cookies,
            }
        });
        answers.collect()
    }

    /// Saves a screenshot of the whole page in `target/browser`.
    pub(crate) async fn screenshot(&self, name: &str) {
        let picture = self
            .devtools(
                "Page.captureScreenshot",
                json!({"captureBeyondViewport": true}),
            )
            .await;
        let picture = STANDARD.decode(picture["data"].as_str().expect("a text"));
        let folder = pictures();
        fs::create_dir_all(&folder).expect("the folder is created");
        fs::write(
            folder.join(name).with_extension("png"),
            picture.expect("base64"),
        )
        .expect("the file is written");
    }
}

/// `target/browser`.
fn pictures() -> PathBuf {
    let test = env::current_exe().expect("a test has an executable");
    let target = test.ancestors().nth(3).expect("target/<profile>/deps/test");
    target.join("browser")
}
