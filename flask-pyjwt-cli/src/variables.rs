//! The `JWT_…` variables, as the server finds them: in the environment, then in a `.env` file.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use crate::arguments::Global;

/// Every variable that a server reads.
pub(crate) const KNOWN: [&str; 18] = [
    "JWT_ISSUER",
    "JWT_AUTHTYPE",
    "JWT_SECRET",
    "JWT_SECRET_FILE",
    "JWT_PUBLICKEY",
    "JWT_PUBLICKEY_FILE",
    "JWT_AUTHMAXAGE",
    "JWT_REFRESHMAXAGE",
    "JWT_AUDIENCE",
    "JWT_LEEWAY",
    "JWT_KEYID",
    "JWT_KEYS_DIR",
    "JWT_ALLOW_WEAK_SECRET",
    "JWT_SESSIONMAXAGE",
    "JWT_SESSIONIDLE",
    "JWT_REFRESHGRACE",
    "JWT_LOSTANSWERWINDOW",
    "JWT_CSRFSECRET",
];

/// The variables that configure a key.
const KEYS: [&str; 5] = [
    "JWT_SECRET",
    "JWT_SECRET_FILE",
    "JWT_PUBLICKEY",
    "JWT_PUBLICKEY_FILE",
    "JWT_KEYS_DIR",
];

/// The longest `.env` file that a server reads, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// Where a variable is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Environment,
    File,
}

/// All variables whose names begin with `JWT_`.
#[derive(Default)]
pub(crate) struct Variables {
    /// The `.env` file that is read, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// Whether that file could be read.
    pub(crate) is_file_read: bool,
    found: BTreeMap<String, (String, Source)>,
}

impl Variables {
    /// Reads the variables. A file that a server would refuse has none: `Config` says why.
    pub(crate) fn read(global: &Global) -> Self {
        let file = global.env_file.clone().or_else(find);
        let mut found = BTreeMap::new();
        let content = file.as_deref().and_then(content);
        let is_file_read = content.is_some();
        let text = content.unwrap_or_default();
        let environment =
            |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let text = text.trim_start_matches('\u{feff}');
        for (name, value) in flask_pyjwt::__private::dotenv(text, &environment) {
            if let (true, Some(value)) = (name.starts_with("JWT_"), value) {
                found.insert(name, (value, Source::File));
            }
        }
        for (name, value) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("JWT_") {
                let value = value.to_string_lossy().into_owned();
                found.insert(name, (value, Source::Environment));
            }
        }
        Self {
            file,
            is_file_read,
            found,
        }
    }

    /// The value of a variable. An empty one counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (value, _) = self.found.get(name)?;
        (!value.is_empty()).then_some(value)
    }

    /// The names of all variables, with where they are set.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, Source)> {
        self.found
            .iter()
            .map(|(name, (_, source))| (name.as_str(), *source))
    }

    /// Whether short secrets are accepted.
    pub(crate) fn allow_weak_secrets(&self) -> bool {
        self.get("JWT_ALLOW_WEAK_SECRET")
            .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// Whether the `.env` file has a secret in it.
    pub(crate) fn has_secret_in_file(&self) -> bool {
        let is_in_file = |name: &str| {
            let found = self.found.get(name);
            found.is_some_and(|(_, source)| *source == Source::File)
        };
        ["JWT_SECRET", "JWT_CSRFSECRET"].into_iter().any(is_in_file)
    }

    /// Whether any key is configured.
    pub(crate) fn have_key(&self) -> bool {
        KEYS.iter().any(|name| self.get(name).is_some())
    }
}

/// The `.env` of the working directory, or of the nearest parent that has one.
fn find() -> Option<PathBuf> {
    let start = env::current_dir().ok()?;
    start
        .ancestors()
        .map(|folder| folder.join(".env"))
        .find(|file| file.symlink_metadata().is_ok() && !file.is_dir())
}

fn content(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    // Reading a pipe could wait for ever.
    if !about.is_file() || about.len() > LONGEST_FILE {
        return None;
    }
    fs::read_to_string(path).ok()
}
