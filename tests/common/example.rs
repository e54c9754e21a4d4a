//! The executables of `examples/`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::process::Process;

/// A running example, in an empty folder of its own. Both end with the value.
pub(crate) struct Example {
    // Ends before its folder goes.
    pub(crate) process: Process,
    _folder: Folder,
}

impl Example {
    /// Starts an example with these variables alone, on any port.
    pub(crate) fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new(name);
        let process = Process::start(
            Command::new(executable(name))
                .current_dir(&folder.0)
                .env_clear()
                .env("PORT", "0")
                .envs(variables.iter().copied()),
        );
        Self {
            process,
            _folder: folder,
        }
    }
}

/// An empty folder of one test, which goes with its value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("flask-pyjwt-{name}-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// `target/<profile>/examples/<name>`. Cargo builds it for a whole `cargo test` and not for one test
/// alone: then it is built here.
fn executable(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has an executable");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/test");
    let example = profile.join("examples").join(name);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files = vec![sources.join(name).with_extension("rs")];
    if let Ok(folder) = fs::read_dir(sources.join(name)) {
        files.extend(folder.filter_map(Result::ok).map(|entry| entry.path()));
    }
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let newest = files.iter().filter_map(|file| changed(file)).max();
    if changed(&example) < newest {
        build(name, profile);
    }
    example
}

fn build(example: &str, profile: &Path) {
    let name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let features = [
        ("aws-lc-rs", cfg!(feature = "aws-lc-rs")),
        ("rust-crypto", cfg!(feature = "rust-crypto")),
        ("memory-store", cfg!(feature = "memory-store")),
    ];
    let features = features.into_iter().filter(|(_, enabled)| *enabled);
    let features = features.map(|(name, _)| name).collect::<Vec<_>>();
    let cargo = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--example", example, "--profile", name])
        .args(["--no-default-features", "--features", &features.join(",")])
        .arg("--target-dir")
        .arg(profile.parent().expect("target/<profile>"))
        .status();
    assert!(
        cargo.is_ok_and(|status| status.success()),
        "the example {example} does not compile"
    );
}
