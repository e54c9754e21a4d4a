//! A process with the environment and the working directory that a test chooses.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};
use support::folder::Folder;

use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, UnverifiedToken, testing::FrozenClock,
};
use serde_json::{Value, json};

use support::{NOW, at, log};

/// The variable that makes [`the_process`] run as one.
const IN_A_PROCESS: &str = "PROBE";

/// Marks the line of the process among those of the test harness.
const MARK: &str = "probe: ";

/// A process with these variables, in this folder, which prints what it makes of its configuration.
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

    /// Uses `Config::from_dotenv` in place of `Config::from_env`.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        self.with("PROBE_DOTENV", path)
    }

    /// Sets issuer, algorithm and secret in code as well.
    pub(crate) fn with_code(self) -> Self {
        self.with("PROBE_CODE", "1")
    }

    pub(crate) fn run(&self) -> Value {
        let empty = Folder::new("configuration");
        let test = std::env::current_exe().expect("this test");
        let output = Command::new(test)
            .args([
                "--exact",
                "configuration::probe::the_process",
                "--nocapture",
            ])
            .env_clear()
            .env(IN_A_PROCESS, "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.as_deref().unwrap_or(empty.path()))
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

/// The secret that is set in code.
pub(crate) const CODE_SECRET: &str = "a secret that stands in code, 32 bytes and more";

/// Other tests run this as a separate process.
#[test]
fn the_process() {
    if std::env::var_os(IN_A_PROCESS).is_none() {
        return;
    }
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
    let reported = match result {
        Ok(auth) => describe(&auth),
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
    let reported = json!({"reported": reported, "shown": shown, "log": log.text()});
    println!("\n{MARK}{reported}");
}

/// Everything that can be observed of a manager.
fn describe(auth: &AuthManager) -> Value {
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
