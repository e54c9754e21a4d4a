//! The executables of `examples/`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{folder::Folder, process::Process};

/// A running example, in an empty folder of its own. Both end with the value.
pub struct Example {
    // Ends before its folder goes.
    pub process: Process,
    _folder: Folder,
}

impl Example {
    /// Starts an example with these variables alone, on any port.
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

/// `target/<profile>/examples/<name>`. Cargo builds it for a test run that has the package `examples` in it.
/// For any other run it is built here.
pub fn executable(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has an executable");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/test");
    let example = profile.join("examples").join(name);
    let sources = repository().join("examples");
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
    let cargo = Command::new(env!("CARGO"))
        .current_dir(repository())
        .args(["build", "--quiet", "--locked", "--package", "examples"])
        .args(["--example", example, "--profile", name, "--target-dir"])
        .arg(profile.parent().expect("target/<profile>"))
        .status();
    assert!(
        cargo.is_ok_and(|status| status.success()),
        "the example {example} does not compile"
    );
}
