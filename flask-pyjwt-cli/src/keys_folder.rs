//! The folder of keys: its files, as a server reads them, and how a new file gets into it.

#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::{
    env, fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, jsonwebtoken::jwk::AlgorithmParameters,
    testing::FrozenClock,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::{arguments::Folder, failure::Failure, seconds, terminal, variables::Variables};

/// The longest key file that a server reads, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Where the keys folder is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// Whether it is in the arguments. The value of a variable may be a secret in the wrong place.
    is_argument: bool,
}

impl Place {
    pub(crate) fn of_argument(path: PathBuf) -> Self {
        Self {
            path,
            is_argument: true,
        }
    }

    /// The folder for an error about it.
    fn named(&self) -> String {
        if self.is_argument {
            format!("the keys folder `{}`", self.path.display())
        } else {
            "the folder that `JWT_KEYS_DIR` names (the variable takes a path, not the value itself)"
                .to_owned()
        }
    }
}

/// The folder of the configuration.
pub(crate) fn configured(variables: &Variables) -> Option<Place> {
    let path = variables.get("JWT_KEYS_DIR")?;
    Some(Place {
        path: path.into(),
        is_argument: false,
    })
}

/// The folder of the arguments, or that of the configuration.
pub(crate) fn place(folder: &Folder, variables: &Variables) -> Option<Place> {
    let configured = || configured(variables);
    folder
        .dir
        .clone()
        .map(Place::of_argument)
        .or_else(configured)
}

/// The same, where a command needs one.
pub(crate) fn required(folder: &Folder, variables: &Variables) -> Result<Place, Failure> {
    place(folder, variables).ok_or_else(|| {
        Failure::usage("there is no keys folder: give `--dir FOLDER`, or set JWT_KEYS_DIR")
    })
}

/// One file with a key.
#[derive(Debug, Clone)]
pub(crate) struct KeyFile {
    pub(crate) name: String,
    pub(crate) auth_type: AuthType,
    /// Whether it does not sign yet.
    pub(crate) is_next: bool,
    /// Whether it has a private part, so that it can sign.
    pub(crate) is_private: bool,
    pub(crate) modified: SystemTime,
    pub(crate) id: String,
    /// The size of an RSA key.
    pub(crate) bits: Option<u32>,
}

/// A folder that a server can use, and what is in it.
pub(crate) struct KeysFolder {
    pub(crate) place: Place,
    /// The newest file first.
    pub(crate) files: Vec<KeyFile>,
    config: Config,
}

impl KeysFolder {
    /// Reads a folder, and checks that a server can use every file of it. A folder without keys is not an error.
    pub(crate) fn read(place: Place, variables: &Variables) -> Result<Self, Failure> {
        let config = config(&place.path, variables)?;
        let files = files(&place, variables)?;
        let folder = Self {
            place,
            files,
            config,
        };
        if !folder.files.is_empty() {
            folder.manager(OffsetDateTime::now_utc())?;
        }
        Ok(folder)
    }

    /// The manager of a server that starts with this folder at a moment.
    pub(crate) fn manager(&self, now: OffsetDateTime) -> Result<AuthManager, Failure> {
        let config = self.config.clone().clock(FrozenClock::new(now));
        AuthManager::new(config).map_err(|error| match error {
            // It may be another folder than that of the variable.
            ConfigError::Invalid {
                key: "JWT_KEYS_DIR",
                reason,
            } => Failure::wrong(format!("{} {reason}", self.place.named())),
            ConfigError::Unreadable { source, .. } => {
                Failure::wrong(format!("{} cannot be read: {source}", self.place.named()))
            }
            error => error.into(),
        })
    }

    /// The file whose key signs: the newest private key that is not the next one.
    pub(crate) fn signing(&self) -> Option<&KeyFile> {
        self.files
            .iter()
            .find(|file| file.is_private && !file.is_next)
    }

    /// The private keys that do not sign yet.
    pub(crate) fn next(&self) -> Vec<&KeyFile> {
        let files = self.files.iter();
        files
            .filter(|file| file.is_private && file.is_next)
            .collect()
    }

    /// Refuses to make a key sign while an older one would go on signing.
    pub(crate) fn check_time(&self, now: SystemTime) -> Result<(), Failure> {
        match self.signing() {
            Some(signing) if signing.modified > now => Err(Failure::wrong(format!(
                "`{}` was modified in the future, so it would go on signing: correct the clock, or run `touch` on the \
                 file",
                signing.name
            ))),
            _ => Ok(()),
        }
    }
}

/// The key files of a folder, the newest first.
pub(crate) fn files(place: &Place, variables: &Variables) -> Result<Vec<KeyFile>, Failure> {
    let auth_type = default_auth_type(variables)?;
    let mut files = Vec::new();
    for name in names(place)? {
        files.push(key_file(&place.path, name, auth_type, variables)?);
    }
    files.sort_by(|a, b| (b.modified, &b.name).cmp(&(a.modified, &a.name)));
    Ok(files)
}

/// A configuration of this folder alone, with the ages that are configured.
fn config(path: &Path, variables: &Variables) -> Result<Config, Failure> {
    let seconds = |name: &str, default: i64| match variables.get(name) {
        None => Ok(Duration::seconds(default)),
        Some(text) => seconds::parse(text)
            .ok_or_else(|| Failure::wrong(format!("`{name}` is not a whole number of seconds"))),
    };
    let auth = seconds("JWT_AUTHMAXAGE", 3_600)?;
    let refresh = seconds("JWT_REFRESHMAXAGE", 604_800)?;
    // Without a session store, the library leaves the age of a session's refresh tokens out.
    let idle = seconds("JWT_SESSIONIDLE", refresh.whole_seconds())?;
    let config = Config::with_keys_dir("flask-pyjwt", default_auth_type(variables)?, path)
        .auth_max_age(auth)
        .refresh_max_age(refresh.max(idle))
        .leeway(seconds("JWT_LEEWAY", 0)?)
        .allow_weak_secret(variables.allow_weak_secrets());
    Ok(config)
}

/// The algorithm of files that name none.
pub(crate) fn default_auth_type(variables: &Variables) -> Result<AuthType, Failure> {
    let Some(name) = variables.get("JWT_AUTHTYPE") else {
        return Ok(AuthType::EdDSA);
    };
    name.parse()
        .map_err(|error| Failure::wrong(format!("`JWT_AUTHTYPE` cannot be used: {error}")))
}

/// The names of the key files. The rules are those of the server.
fn names(place: &Place) -> Result<Vec<String>, Failure> {
    let unreadable = |error| Failure::wrong(format!("{} cannot be read: {error}", place.named()));
    let mut names = Vec::new();
    for entry in fs::read_dir(&place.path).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy().into_owned();
        let is_key = matches!(name.rsplit('.').next(), Some("pem" | "key"));
        if is_key && !name.starts_with('.') && !place.path.join(&name).is_dir() {
            names.push(name);
        }
    }
    Ok(names)
}

fn key_file(
    folder: &Path,
    name: String,
    default: AuthType,
    variables: &Variables,
) -> Result<KeyFile, Failure> {
    let path = folder.join(&name);
    let parts = || {
        name.rsplit_once('.')
            .map_or("", |(parts, _)| parts)
            .split('.')
    };
    let auth_type = parts()
        .find_map(|part| part.parse().ok())
        .unwrap_or(default);
    let is_next = parts().any(|part| part == "next");
    let unreadable =
        |error| Failure::wrong(format!("the key file `{name}` cannot be read: {error}"));
    let about = fs::metadata(&path).map_err(unreadable)?;
    if !about.is_file() || about.len() > LONGEST {
        return Err(Failure::wrong(format!(
            "`{name}` in the keys folder is not a key: it is no regular file, or longer than 64 KiB"
        )));
    }
    let content = Zeroizing::new(fs::read(&path).map_err(unreadable)?);
    let text = content.strip_suffix(b"\n").unwrap_or(&content);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let of =
        |config: Config| AuthManager::new(config.allow_weak_secret(variables.allow_weak_secrets()));
    let with_private = of(Config::new("flask-pyjwt", auth_type, text));
    let is_private = with_private.is_ok();
    let auth = match with_private {
        Ok(auth) => auth,
        Err(reason) => of(Config::verify_only("flask-pyjwt", auth_type, text)).map_err(|_| {
            Failure::wrong(format!(
                "`{name}` in the keys folder cannot be used as a key for {auth_type}: it {}",
                reason_of(reason)
            ))
        })?,
    };
    let id = auth.keys().first().map(|key| key.id().to_owned());
    Ok(KeyFile {
        auth_type,
        is_next,
        is_private,
        modified: about.modified().map_err(unreadable)?,
        id: id.unwrap_or_default(),
        bits: bits(&auth),
        name,
    })
}

/// The size of the key, if it is for RSA.
fn bits(auth: &AuthManager) -> Option<u32> {
    let set = auth.jwk_set();
    match &set.keys.first()?.algorithm {
        AlgorithmParameters::RSA(key) => u32::try_from(key.n.len() * 3 / 4 * 8).ok(),
        _ => None,
    }
}

/// What is wrong with the content of a file, without the variable that would hold it elsewhere.
fn reason_of(error: ConfigError) -> String {
    match error {
        ConfigError::Invalid { reason, .. } => reason,
        other => format!("cannot be used: {other:?}"),
    }
}

/// Makes the folder, if it is not there, for its owner alone.
pub(crate) fn create(place: &Place) -> Result<(), Failure> {
    let folder = &place.path;
    if folder.is_dir() {
        return Ok(());
    }
    if folder.to_string_lossy().contains("-----BEGIN ") {
        return Err(Failure::wrong(
            "`JWT_KEYS_DIR` is a key: it takes the path of a folder",
        ));
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| Failure::wrong(format!("{} cannot be created: {error}", place.named())))?;
    #[cfg(unix)]
    if let (Ok(about), Some(Ok(parent))) = (folder.metadata(), parent(folder).map(fs::metadata))
        && about.uid() == 0
        && parent.uid() != 0
    {
        terminal::warning(
            "the new keys folder belongs to root, and the folder above it to another user: give it to the user of the server with \
             `chown -R`",
        );
    }
    Ok(())
}

/// The folder above a folder.
#[cfg(unix)]
fn parent(folder: &Path) -> Option<&Path> {
    let parent = folder.parent()?;
    Some(if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    })
}

/// Writes a new file, complete from the moment when it has its name. Never overwrites one.
pub(crate) fn add(folder: &Path, name: &str, content: &str) -> Result<PathBuf, Failure> {
    let path = folder.join(name);
    let unwritable = |error: std::io::Error| {
        let path = path.display();
        Failure::wrong(if error.kind() == ErrorKind::AlreadyExists {
            format!("`{path}` exists, and is not overwritten")
        } else {
            format!("`{path}` cannot be written: {error}")
        })
    };
    // Servers ignore hidden files.
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary).map_err(unwritable)?;
    // A link, unlike a rename, fails if there is such a file.
    give_to_owner(&file, folder);
    let result = file
        .write_all(content.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&temporary, &path));
    fs::remove_file(&temporary).ok();
    result.map_err(unwritable)?;
    Ok(path)
}

/// Gives a file, which only its owner can read, to the owner of the folder: that is who the server runs as, if an
/// administrator makes the key.
#[cfg(unix)]
fn give_to_owner(file: &fs::File, folder: &Path) {
    let (Ok(about), Ok(folder)) = (file.metadata(), folder.metadata()) else {
        return;
    };
    if about.uid() == folder.uid() {
        return;
    }
    // Only the administrator can give a file away.
    let is_given = about.uid() == 0
        && std::os::unix::fs::fchown(file, Some(folder.uid()), Some(folder.gid())).is_ok();
    if !is_given {
        terminal::warning(
            "the keys folder belongs to another user, who cannot read the new file: give it to the user of the server \
             with `chown`",
        );
    }
}

#[cfg(not(unix))]
fn give_to_owner(_: &fs::File, _: &Path) {}

/// Says that a server accepts a file only when it has not changed for a while, which this command waits for as well.
pub(crate) fn announce_wait() {
    terminal::progress(
        "the folder is being read as a server reads it, which takes up to three seconds",
    );
}

/// A path as it can be given to another command.
pub(crate) fn shown(path: &Path) -> String {
    let current = env::current_dir().ok();
    let short = current.and_then(|current| path.strip_prefix(current).ok());
    terminal::escaped_line(&short.unwrap_or(path).display().to_string())
}
