//! A process of its own, whose environment and working directory are what a test wants.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError, FrozenClock, UnverifiedToken};
use serde_json::{Value, json};

use super::common::{NOW, at, log};

/// What marks the process's one line among the test harness's.
const MARK: &str = "probe: ";

/// What a process with these variables, in this folder, makes of its configuration.
#[derive(Default)]
pub(crate) struct Probe {
    variables: Vec<(String, std::ffi::OsString)>,
    folder: Option<PathBuf>,
}

impl Probe {
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        variables
            .iter()
            .fold(Self::default(), |probe, (name, value)| {
                probe.with(name, value)
            })
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables
            .push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// `Config::from_dotenv` in place of `Config::from_env`.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        self.with("PROBE_DOTENV", path)
    }

    /// Issuer, algorithm and secret are said in code as well.
    pub(crate) fn with_code(self) -> Self {
        self.with("PROBE_CODE", "1")
    }

    pub(crate) fn run(&self) -> Value {
        let empty = Folder::new();
        let test = std::env::current_exe().expect("this test");
        let output = Command::new(test)
            .args([
                "--exact",
                "configuration::probe::the_process",
                "--ignored",
                "--nocapture",
            ])
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.as_deref().unwrap_or(&empty.0))
            .output()
            .expect("the process runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        let line = printed
            .lines()
            .find_map(|line| Some(line.split_once(MARK)?.1));
        let line =
            line.unwrap_or_else(|| panic!("{printed} {}", String::from_utf8_lossy(&output.stderr)));
        serde_json::from_str(line).expect("JSON")
    }
}

/// A folder for one test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("flask-pyjwt-configuration-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("written");
        path
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(&path).expect("a folder");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The secret that code gives.
pub(crate) const CODE_SECRET: &str = "a secret that stands in code, 32 bytes and more";

#[test]
#[ignore = "other tests run it as a process of its own"]
fn the_process() {
    let log = log::capture();
    let config = match std::env::var_os("PROBE_DOTENV") {
        Some(path) => Config::from_dotenv(path),
        None => Config::from_env(),
    };
    let config = config.map(|config| match std::env::var_os("PROBE_CODE") {
        Some(_) => config
            .issuer("code")
            .auth_type(AuthType::HS256)
            .secret(CODE_SECRET),
        None => config,
    });
    let shown = format!("{config:?}");
    let result =
        config.and_then(|config| AuthManager::new(config.clock(FrozenClock::new(at(NOW)))));
    let told = match result {
        Ok(auth) => told(&auth),
        Err(error) => json!({
            "kind": match error {
                ConfigError::Missing { .. } => "missing",
                ConfigError::Invalid { .. } => "invalid",
                ConfigError::Unreadable { .. } => "unreadable",
                _ => "other",
            },
            "key": error.key(),
            "message": format!("{error} {error:?}"),
        }),
    };
    let told = json!({"told": told, "shown": shown, "log": log.text()});
    println!("\n{MARK}{told}");
}

/// Everything that can be seen of a manager from outside.
fn told(auth: &AuthManager) -> Value {
    let minted = auth.auth_token("alice").sign();
    let decoded = minted
        .as_ref()
        .ok()
        .map(|token| UnverifiedToken::decode(token.signed()).expect("a token"));
    json!({
        "kind": "manager",
        "issuer": auth.issuer(),
        "auth_type": auth.auth_type().name(),
        "auth_max_age": auth.auth_max_age().whole_seconds(),
        "refresh_max_age": auth.refresh_max_age().whole_seconds(),
        "token": minted.as_ref().map(|token| token.signed().to_owned()).unwrap_or_default(),
        "header": decoded.as_ref().map(|token| token.header().clone()),
        "claims": decoded.as_ref().map(|token| token.claims().clone()),
    })
}
