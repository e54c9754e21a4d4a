//! The programs of PostgreSQL, and an empty database cluster.

use std::{
    env, fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::folder::Folder;

/// Where Debian installs the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with the programs of PostgreSQL.
fn programs() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("POSTGRES_BIN") {
        return Some(folder.into());
    }
    let versions = fs::read_dir(DEBIAN).ok()?.filter_map(Result::ok);
    let version = |path: PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions
        .map(|it| it.path())
        .filter(|it| it.join("bin/postgres").exists())
        .max_by_key(|it| version(it.clone()))?;
    Some(newest.join("bin"))
}

/// Whether PostgreSQL is installed. With `CI=true` it must be.
pub fn is_there() -> bool {
    let is_there = programs().is_some();
    let is_ci = env::var("CI").is_ok_and(|it| it == "true");
    assert!(is_there || !is_ci, "PostgreSQL is not installed");
    if !is_there {
        println!("skipped: PostgreSQL is not installed");
    }
    is_there
}

/// Ends a test if PostgreSQL is not installed.
#[macro_export]
macro_rules! needs_postgres {
    () => {
        if !$crate::postgres::is_there() {
            return;
        }
    };
}
/// The user and the group of the server, if this process is root: PostgreSQL refuses to run as root.
pub(super) fn server_user() -> Option<(u32, u32)> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
    let id = |option: &str| {
        let id = Command::new("id").args([option, "postgres"]).output();
        let id = String::from_utf8(id.expect("the program `id`").stdout);
        id.ok()?.trim().parse().ok()
    };
    is_root.then(|| {
        let ids = id("-u").zip(id("-g"));
        ids.expect("a user `postgres`, which Debian's package creates")
    })
}

/// A program of PostgreSQL, as the user of the server.
pub(super) fn program(name: &str) -> Command {
    let path = programs().expect("PostgreSQL is installed").join(name);
    let mut command = match server_user() {
        None => Command::new(path),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command
                .args([&format!("--reuid={user}"), &format!("--regid={group}")])
                .args(["--clear-groups", "--"])
                .arg(path);
            command
        }
    };
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[track_caller]
pub(super) fn succeed(command: &mut Command) {
    let output = command.stderr(Stdio::piped()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// A folder that the server may use.
pub(super) fn owned_folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    own(folder.path());
    folder
}

fn own(path: &Path) {
    if let Some((user, group)) = server_user() {
        chown(path, Some(user), Some(group)).expect("a new owner");
    }
}

pub(super) fn copy(from: &Path, to: &Path) {
    succeed(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// An empty database cluster, which is made once and copied for each server.
pub(super) fn template() -> PathBuf {
    let target = env::current_exe().expect("this program");
    let target = target.ancestors().nth(2).expect("the target folder");
    let version = programs().expect("PostgreSQL is installed");
    let version = version.display().to_string().replace('/', "-");
    let template = target.join(format!("postgres{version}"));
    if !template.exists() {
        let folder = owned_folder("initdb");
        let data = folder.file("data");
        succeed(
            program("initdb")
                .arg("-D")
                .arg(&data)
                .args(["--no-sync", "--auth=trust", "--username=postgres"])
                .args(["--encoding=UTF8", "--locale=C", "--wal-segsize=1"]),
        );
        // Another process may do the same.
        let copied = target.join(format!("postgres{version}-{}", std::process::id()));
        copy(&data, &copied);
        if fs::rename(&copied, &template).is_err() {
            fs::remove_dir_all(&copied).ok();
        }
    }
    template
}
