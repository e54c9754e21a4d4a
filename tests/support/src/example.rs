//! The executables of `examples/` and of the guide.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use super::{folder::Folder, process::Process};

/// A running example in its own empty folder. Both are removed when it is dropped.
pub struct Example {
    // Stopped before its folder is removed.
    pub process: Process,
    _folder: Folder,
}

impl Example {
    /// Starts an example on any port, with only these variables.
    pub fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new(name);
        let process = Process::start(
            Command::new(executable(name))
                .current_dir(folder.path())
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

/// The folder of the whole repository.
pub fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    tests.and_then(Path::parent).expect("tests/support")
}

/// The executable of an example.
pub fn executable(name: &str) -> PathBuf {
    let sources = repository().join("examples");
    let sources = [sources.join(name).with_extension("rs"), sources.join(name)];
    let package = if name == "sessions" {
        "sessions-example"
    } else {
        "examples"
    };
    built(package, name, &sources)
}

/// The executable with the programs of the guide.
pub fn guide() -> PathBuf {
    let sources = ["docs/guide", "tests/guide"].map(|it| repository().join(it));
    built("guide-programs", "guide", &sources)
}

/// `target/<profile>/examples/<name>`. Cargo builds it for a test run that includes its package. For any other
/// run it is built here if it is older than its sources.
fn built(package: &str, name: &str, sources: &[PathBuf]) -> PathBuf {
    let test = env::current_exe().expect("a test has an executable");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/test");
    let executable = profile.join("examples").join(name);
    let newest = sources.iter().filter_map(|source| changed(source)).max();
    let built = fs::metadata(&executable).and_then(|file| file.modified());
    if built.ok() < newest {
        build(package, name, profile);
    }
    executable
}

/// When a file, or the newest file in a folder, was modified.
fn changed(path: &Path) -> Option<SystemTime> {
    match fs::read_dir(path) {
        Ok(folder) => folder
            .filter_map(|entry| changed(&entry.ok()?.path()))
            .max(),
        Err(_) => fs::metadata(path).ok()?.modified().ok(),
    }
}

fn build(package: &str, example: &str, profile: &Path) {
    let name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let cargo = Command::new(env!("CARGO"))
        .current_dir(repository())
        .args(["build", "--quiet", "--locked", "--package", package])
        .args(["--example", example, "--profile", name, "--target-dir"])
        .arg(profile.parent().expect("target/<profile>"))
        .status();
    assert!(
        cargo.is_ok_and(|status| status.success()),
        "the example {example} does not compile"
    );
}
