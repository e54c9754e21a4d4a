//! Runs the program.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use support::folder::Folder;

/// Long, and in no output.
pub(crate) const SECRET: &str = "kq3Vt0yXGmWc7PzRb5uHnE9sLfJ2aD8iToQ1x4YwNvU";

/// A configuration that a server accepts.
pub(crate) const GOOD: &[(&str, &str)] = &[
    ("JWT_ISSUER", "https://issuer.example"),
    ("JWT_AUTHTYPE", "HS256"),
    ("JWT_SECRET", SECRET),
];

/// What a run has printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Both outputs.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A run of the program that is being prepared.
pub(crate) struct Program<'a> {
    folder: &'a Folder,
    variables: Vec<(String, String)>,
    input: Vec<u8>,
}

impl<'a> Program<'a> {
    /// Without a configuration.
    pub(crate) fn bare(folder: &'a Folder) -> Self {
        Self {
            folder,
            variables: Vec::new(),
            input: Vec::new(),
        }
    }

    /// With a good configuration.
    pub(crate) fn good(folder: &'a Folder) -> Self {
        Self::bare(folder).with(GOOD)
    }

    /// With the keys folder `keys`.
    pub(crate) fn on_keys(folder: &'a Folder) -> Self {
        Self::bare(folder).with(&[
            ("JWT_ISSUER", "https://issuer.example"),
            ("JWT_AUTHTYPE", "EdDSA"),
            ("JWT_KEYS_DIR", "keys"),
        ])
    }

    pub(crate) fn with(mut self, variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.variables.extend(variables.iter().map(owned));
        self
    }

    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_flask-pyjwt"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that does not read its input closes the pipe.
        stdin.write_all(&self.input).ok();
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        Run {
            code: output.status.code().expect("no signal"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// The names of the files in the folder `keys`, in order.
pub(crate) fn key_files(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.file("keys")).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let mut names: Vec<_> = entries
        .map(|entry| name(entry.expect("an entry")))
        .collect();
    names.sort();
    names
}

/// The path of a file in the folder `keys`.
pub(crate) fn key_file(folder: &Folder, name: &str) -> PathBuf {
    folder.file("keys").join(name)
}

/// Sets the modification time of a file to so long ago.
pub(crate) fn age(path: &Path, seconds: u64) {
    let moment = SystemTime::now() - Duration::from_secs(seconds);
    let file = fs::File::open(path).expect("a file");
    file.set_modified(moment).expect("a time");
}

/// The permission bits.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).expect("a file").mode() & 0o7777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}
