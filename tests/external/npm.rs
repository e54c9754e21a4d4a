//! Programs of the npm registry, run with Node.js. Their packages are those of a lock file.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder under `target` with the files of a folder of tests/external and its packages, which are installed on first
/// use. Prints why if that cannot be done, and returns `None`. With `CI=true` it panics.
pub(crate) fn installed(source: &str, name: &str) -> Option<PathBuf> {
    match install(source, name) {
        Ok(folder) => Some(folder),
        Err(reason) => {
            let ci = env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!ci, "{name} cannot be run: {reason}");
            println!("skipped, {name} cannot be run: {reason}");
            None
        }
    }
}

fn install(source: &str, name: &str) -> Result<PathBuf, String> {
    let text_of = |error: io::Error| error.to_string();
    // The packages may be there from a run with Node.js.
    let node = Command::new("node").arg("--version").output();
    node.map_err(|error| format!("node: {error}"))?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("external")
        .join(source);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).map_err(text_of)?;
    // Tests run concurrently, in threads or processes: one installs it, and the others wait.
    let lock = fs::File::create(folder.with_extension("lock")).map_err(text_of)?;
    lock.lock().map_err(text_of)?;
    copy_changed(&source, &folder).map_err(text_of)?;
    let wanted = fs::read_to_string(source.join("package-lock.json")).map_err(text_of)?;
    let made = folder.join("made-of.json");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(folder);
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if !npm.status.success() {
        return Err(String::from_utf8_lossy(&npm.stderr).into_owned());
    }
    fs::write(made, wanted).map_err(text_of)?;
    Ok(folder)
}

/// Copies the scripts and package files that have changed: another test may be reading the others.
fn copy_changed(source: &Path, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        let is_copied = path
            .extension()
            .is_some_and(|it| it == "mjs" || it == "json");
        let (true, Some(name)) = (is_copied, path.file_name()) else {
            continue;
        };
        let (wanted, copy) = (fs::read(&path)?, folder.join(name));
        if fs::read(&copy).ok().as_ref() != Some(&wanted) {
            fs::write(copy, wanted)?;
        }
    }
    Ok(())
}

/// Runs a script of tests/external/oauth, which is a client, and returns what it has printed. It has to succeed.
/// Returns `None` if it cannot be run.
pub(crate) fn client(
    script: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Option<String> {
    let folder = installed("oauth", "openid-client")?;
    let output = Command::new("node")
        .arg(folder.join(script))
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("Node.js starts");
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{script} {arguments:?}: {out}\n{error}"
    );
    Some(out)
}

/// Runs a script that checks a server, and asserts that it has come to its end.
pub(crate) fn check(script: &str, arguments: &[&str], variables: &[(&str, &str)]) {
    if let Some(output) = client(script, arguments, variables) {
        assert_eq!(output, "done", "{script} {arguments:?}");
    }
}
