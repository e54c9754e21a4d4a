//! Configuration from environment variables and a `.env` file.

use std::{
    collections::BTreeMap,
    env,
    fmt::Display,
    fs::Metadata,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use time::Duration;

use super::{Config, Secret, dotenv, key, unread};
use crate::{
    error::{ConfigError, Problem},
    files::{self, LONGEST_KEY},
    keys::{AuthType, Place, UnknownAuthType},
};

/// The name in errors for a `.env` file that was searched for.
pub(super) const FOUND: &str = ".env";

/// The longest `.env` file, in bytes.
const LONGEST_DOTENV: usize = 1 << 20;

/// Finds the `.env` of the working directory or of the nearest parent that has one. Folders of that name are skipped. A
/// file that cannot be read counts: using the next one instead would be wrong.
pub(super) fn find_dotenv() -> Option<PathBuf> {
    let start = env::current_dir().ok()?;
    start
        .ancestors()
        .map(|folder| folder.join(".env"))
        .find(|file| file.symlink_metadata().is_ok() && !file.is_dir())
}

/// Reads a `.env` file, if there is one, and the environment, which wins.
pub(super) fn read(file: Option<&Path>, named_by: &'static str) -> Result<Config, ConfigError> {
    let variables = if let Some(path) = file {
        dotenv_variables(path, named_by == FOUND).map_err(|source| ConfigError::Unreadable {
            key: named_by,
            path: Some(path.to_owned()),
            source,
        })?
    } else {
        let start = env::current_dir().unwrap_or_default();
        let start = start.display();
        tracing::info!(
            "no `.env` is in `{start}` or a folder above it: the configuration is read from the environment alone"
        );
        BTreeMap::new()
    };
    unread::warn(variables.keys().map(String::as_str));
    Ok(from_variables(|name| match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(variables.get(name).cloned().flatten()),
        Err(env::VarError::NotUnicode(_)) => Err(Problem::new("is not UTF-8")),
    }))
}

/// Reads the variables of a `.env` file. Logs which file it is, and warnings about it.
fn dotenv_variables(path: &Path, was_found: bool) -> io::Result<BTreeMap<String, Option<String>>> {
    let content = files::read(path, LONGEST_DOTENV)?;
    if was_found {
        check_owner(path, &content.about)?;
    }
    let wrong = |reason| io::Error::new(ErrorKind::InvalidData, reason);
    if files::is_utf_16(&content.bytes) {
        return Err(wrong("it is text in UTF-16: save it as UTF-8"));
    }
    let text = str::from_utf8(&content.bytes).map_err(|_| wrong("it is not UTF-8"))?;
    let shown = path.display();
    tracing::info!("the configuration is read from `{shown}` and the environment");

    let environment =
        |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let (text, mut has_mark) = files::without_mark(text);
    let mut variables = BTreeMap::new();
    for (key, value) in dotenv::parse(text, &environment) {
        // A byte order mark can also be in the middle, if two files were joined.
        let (key, is_marked) = files::without_mark(&key);
        has_mark |= is_marked;
        variables.insert(key.to_owned(), value);
    }
    if has_mark {
        tracing::warn!(
            "`{shown}` has a byte order mark. It is skipped here, but python-dotenv 0.21 reads it as part of the \
             next key: save the file as UTF-8 without a byte order mark"
        );
    }
    let holds = |key| variables.get(key).is_some_and(Option::is_some);
    if content.is_readable_by_all && (holds(key::SECRET) || holds(key::CSRF_SECRET)) {
        tracing::warn!(
            "every user of this machine can read `{shown}`, which contains a secret: run `chmod o-r` on it"
        );
    }
    Ok(variables)
}

/// Refuses a `.env` that was found, not named, in a folder such as `/tmp`, if another user created it.
fn check_owner(path: &Path, about: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().unwrap_or(path).metadata()?;
        let owner = files::owner(about);
        let is_trusted = [0, files::owner(&folder), files::own_user()?].contains(&owner);
        if files::mode(&folder) & 0o002 != 0 && !is_trusted {
            let reason = format!(
                "it belongs to user {owner} and is in a folder where every user can create files: move it, \
                 or name it with `Config::from_dotenv`"
            );
            return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, about);
    Ok(())
}

/// The result of a lookup: the value of a variable, nothing, or what is wrong with it.
type Found = Result<Option<String>, Problem>;

/// Reads every variable. Invalid ones are kept for `AuthManager::new`, which reports them.
fn from_variables(variable: impl Fn(&'static str) -> Found) -> Config {
    let mut reader = Reader {
        variable,
        problems: BTreeMap::new(),
    };
    let mut config = Config::empty();

    // As in Flask_PyJWT, empty values of these count as not set.
    config.issuer = reader.text(key::ISSUER).filter(|text| !text.is_empty());
    config.auth_type = reader
        .text(key::AUTH_TYPE)
        .filter(|text| !text.is_empty())
        .and_then(|name| reader.noted(key::AUTH_TYPE, auth_type(&name)));
    config.secret = reader.text_or_file(key::SECRET, key::SECRET_FILE);
    config.public_key = reader.text_or_file(key::PUBLIC_KEY, key::PUBLIC_KEY_FILE);

    if let Some(age) = reader.seconds(key::AUTH_MAX_AGE) {
        config.auth_max_age = age;
    }
    if let Some(age) = reader.seconds(key::REFRESH_MAX_AGE) {
        config.refresh_max_age = age;
    }
    if let Some(leeway) = reader.seconds(key::LEEWAY) {
        config.leeway = leeway;
    }
    config.sessions.lifetime = reader.seconds(key::SESSION_MAX_AGE);
    config.sessions.idle = reader.seconds(key::SESSION_IDLE);
    if let Some(grace) = reader.seconds(key::REFRESH_GRACE) {
        config.sessions.grace = grace;
    }
    if let Some(window) = reader.seconds(key::LOST_ANSWER_WINDOW) {
        config.sessions.lost_answer_window = window;
    }
    config.browser.csrf_secret = reader.text(key::CSRF_SECRET).map(Secret::new);
    config.audience = reader.text(key::AUDIENCE);
    config.key_id = reader.text(key::KEY_ID);
    config.keys.directory = reader
        .text(key::KEYS_DIR)
        .filter(|path| !path.is_empty())
        .map(Place::in_variable);
    if let Some(allow) = reader.switch(key::ALLOW_WEAK_SECRET) {
        config.allow_weak_secret = allow;
    }
    config.problems = reader.problems;
    config
}

/// The algorithm of this name, or what is wrong with the name.
fn auth_type(name: &str) -> Result<AuthType, &'static str> {
    let parsed = name.parse();
    parsed.map_err(|UnknownAuthType| UnknownAuthType::PROBLEM)
}

struct Reader<F> {
    variable: F,
    problems: BTreeMap<&'static str, Arc<ConfigError>>,
}

impl<F: Fn(&'static str) -> Found> Reader<F> {
    /// The value, or `None` after noting what is wrong with it.
    fn noted<T>(&mut self, key: &'static str, found: Result<T, impl Display>) -> Option<T> {
        found
            .map_err(|reason| {
                self.problems
                    .insert(key, Arc::new(ConfigError::invalid(key, reason.to_string())))
            })
            .ok()
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        let found = (self.variable)(key);
        self.noted(key, found).flatten()
    }

    /// A value from a variable, or from the file that another variable names.
    fn text_or_file(&mut self, key: &'static str, file_key: &'static str) -> Option<Secret> {
        let text = self.text(key).filter(|text| !text.is_empty());
        let path = self.text(file_key).filter(|path| !path.is_empty());
        match (text, path) {
            (Some(_), Some(_)) => {
                let both =
                    Problem::new(format!("is set, and so is `{file_key}`: keep one of them"));
                self.noted::<Secret>(key, Err(both))
            }
            (Some(text), None) => Some(Secret::new(text)),
            (None, Some(path)) => match files::read(path.as_ref(), LONGEST_KEY) {
                Ok(content) => {
                    if content.is_readable_by_all && key == key::SECRET {
                        tracing::warn!(
                            "every user of this machine can read the file that `{file_key}` names: run \
                             `chmod o-r` on it"
                        );
                    }
                    let secret = files::secret(&content.bytes).map(Secret::new);
                    self.noted(file_key, secret)
                }
                Err(source) => {
                    let unreadable = ConfigError::Unreadable {
                        key: file_key,
                        path: None,
                        source,
                    };
                    self.problems.insert(file_key, Arc::new(unreadable));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// A whole number of seconds, written as Python's `int` takes it.
    fn seconds(&mut self, key: &'static str) -> Option<Duration> {
        let text = self.text(key)?;
        let number = python_int(&text).ok_or("is not a whole number of seconds");
        self.noted(key, number).map(Duration::seconds)
    }

    fn switch(&mut self, key: &'static str) -> Option<bool> {
        let text = self.text(key)?;
        let value = match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("is neither `true` nor `false`"),
        };
        self.noted(key, value)
    }
}

/// An integer as Python's `int` reads it: spaces around it, a sign, single underscores.
fn python_int(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_plain = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if is_plain {
        text.replace('_', "").parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuthManager;

    const SECRET: &str = "a secret of 32 bytes, at the least";

    fn config(variables: &[(&str, &str)]) -> Config {
        from_variables(|name| {
            Ok(variables
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, v)| (*v).to_owned()))
        })
    }

    fn error_of(variables: &[(&str, &str)]) -> String {
        AuthManager::new(config(variables))
            .expect_err("a wrong configuration")
            .to_string()
    }

    #[test]
    fn every_wrong_variable_is_named() {
        let good = [
            ("JWT_ISSUER", "i"),
            ("JWT_AUTHTYPE", "HS256"),
            ("JWT_SECRET", SECRET),
        ];
        assert!(AuthManager::new(config(&good)).is_ok());
        for wrong in [
            ("JWT_ISSUER", ""),
            ("JWT_AUTHTYPE", ""),
            ("JWT_AUTHTYPE", "hs256"),
            ("JWT_AUTHTYPE", "none"),
            ("JWT_SECRET", ""),
            ("JWT_SECRET", "short"),
            ("JWT_AUTHMAXAGE", ""),
            ("JWT_AUTHMAXAGE", "0"),
            ("JWT_AUTHMAXAGE", "-1"),
            ("JWT_AUTHMAXAGE", "1h"),
            ("JWT_AUTHMAXAGE", "1__0"),
            ("JWT_AUTHMAXAGE", "99999999999999999999"),
            ("JWT_AUTHMAXAGE", "9223372036854775807"),
            ("JWT_REFRESHMAXAGE", "0"),
            ("JWT_LEEWAY", "-1"),
            ("JWT_LEEWAY", "301"),
            ("JWT_AUDIENCE", ""),
            ("JWT_KEYID", ""),
            ("JWT_ALLOW_WEAK_SECRET", "maybe"),
            ("JWT_CSRFSECRET", ""),
            ("JWT_SESSIONMAXAGE", "0"),
            ("JWT_SESSIONIDLE", "1h"),
            ("JWT_REFRESHGRACE", "-1"),
            ("JWT_REFRESHGRACE", "301"),
            ("JWT_LOSTANSWERWINDOW", "-1"),
            ("JWT_LOSTANSWERWINDOW", "86401"),
            ("JWT_SECRET_FILE", "/there/is/no/such/file"),
        ] {
            let mut variables = vec![wrong];
            variables.extend(good);
            let error = error_of(&variables);
            assert!(
                error.contains(wrong.0) || wrong.0 == "JWT_SECRET_FILE",
                "{wrong:?}: {error}"
            );
            assert!(!error.contains(SECRET), "{error}");
        }
        assert!(error_of(&good[..2]).contains("JWT_SECRET"));
        assert!(error_of(&[good[0], ("JWT_AUTHTYPE", "RS256")]).contains("JWT_SECRET"));
        assert!(error_of(&[good[0], good[1], ("JWT_SECRET_FILE", "/no/file")]).contains("_FILE"));
    }

    #[test]
    fn code_wins_over_a_wrong_variable() {
        let config = config(&[
            ("JWT_AUTHTYPE", "x"),
            ("JWT_SECRET", "short"),
            ("JWT_LEEWAY", "x"),
        ]);
        assert!(AuthManager::new(config.clone()).is_err());
        let config = config.issuer("i").auth_type(AuthType::HS256).secret(SECRET);
        assert!(AuthManager::new(config.clone()).is_err());
        assert!(AuthManager::new(config.leeway(Duration::ZERO)).is_ok());
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("60", Some(60)),
            (" 60 ", Some(60)),
            ("+60", Some(60)),
            ("-60", Some(-60)),
            ("3_600", Some(3600)),
            ("_1", None),
            ("1_", None),
            ("+-1", None),
            ("6e1", None),
            ("60.0", None),
            ("", None),
        ] {
            assert_eq!(python_int(text), expected, "{text}");
        }
    }
}
