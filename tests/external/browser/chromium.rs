//! A headless Chromium with its own profile, driven through ChromeDriver. Both end when the value is dropped.

use std::{
    env,
    future::Future,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use support::folder::Folder;

use actix_web::rt::time::interval;
use fantoccini::{Client, ClientBuilder, wd::WindowHandle};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use support::process::{Process, signal};

/// Much longer than a page needs to show anything.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Browser {
    pub(crate) client: Client,
    chromium: Chromium,
    // The order matters: the processes end before their folder is removed.
    _driver: Process,
    _folder: Folder,
}

/// The process that ChromeDriver has started. It ends even if ChromeDriver does not end it.
struct Chromium(Option<u32>);

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(process) = self.0 {
            signal("KILL", process);
        }
    }
}

impl Browser {
    /// Returns `None` and prints why if there is no Chromium. With `CI=true` it panics.
    pub(crate) async fn start() -> Option<Self> {
        let chromium = installed("chromium")?;
        let folder = Folder::new("chromium");
        let driver = Process::start(
            Command::new(installed("chromedriver")?)
                .arg("--port=0")
                .env("TMPDIR", folder.path())
                .env("HOME", folder.path())
                .stderr(Stdio::null()),
        );
        let output = driver.read_until("started successfully on port");
        let port = output.trim_end().trim_end_matches('.').rsplit(' ').next();
        let url = format!("http://127.0.0.1:{}", port.expect("a port"));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&chromium, &folder))
            .connect(&url)
            .await
            .expect("Chromium starts");
        let process = client
            .capabilities()
            .and_then(|capabilities| capabilities.get("goog:processID")?.as_u64());
        let process = process.and_then(|id| u32::try_from(id).ok());
        Some(Self {
            chromium: Chromium(Some(process.expect("ChromeDriver prints it"))),
            client,
            _driver: driver,
            _folder: folder,
        })
    }

    /// Closes the browser in the regular way.
    pub(crate) async fn close(mut self) {
        self.client.clone().close().await.expect("Chromium ends");
        self.chromium.0 = None;
    }

    /// The current tab.
    pub(crate) async fn tab(&self) -> WindowHandle {
        self.client.window().await.expect("a tab")
    }

    /// Opens another tab and switches to it.
    pub(crate) async fn new_tab(&self) -> WindowHandle {
        let tab = self.client.new_window(true).await.expect("a tab").handle;
        self.switch_to(&tab).await;
        tab
    }

    pub(crate) async fn switch_to(&self, tab: &WindowHandle) {
        let switched = self.client.switch_to_window(tab.clone()).await;
        switched.expect("there is this tab");
    }
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let programs = env::split_paths(&path).map(|folder| folder.join(program));
    let found = programs.into_iter().find(|program| program.is_file());
    if found.is_none() {
        let ci = env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!ci, "{program} is not installed");
        println!("skipped, {program} is not installed");
    }
    found
}

fn capabilities(chromium: &Path, folder: &Folder) -> serde_json::Map<String, Value> {
    let profile = format!(
        "--user-data-dir={}",
        folder.path().join("profile").display()
    );
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": chromium,
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--no-proxy-server",
                "--window-size=1200,900", profile,
            ],
        },
        // Record network events and console messages.
        "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
    });
    let Value::Object(capabilities) = capabilities else {
        unreachable!("it is an object");
    };
    capabilities
}

/// Repeats `ask` until it succeeds.
pub(crate) async fn until<T, F: Future<Output = Result<T, String>>>(ask: impl Fn() -> F) -> T {
    let mut polls = interval(Duration::from_millis(50));
    let most = PATIENCE.as_millis() / polls.period().as_millis();
    let mut last = String::new();
    for _ in 0..most {
        polls.tick().await;
        match ask().await {
            Ok(answer) => return answer,
            Err(instead) => last = instead,
        }
    }
    panic!("timed out: {last}");
}
