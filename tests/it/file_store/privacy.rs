//! Owner and permissions of the file, and other things in its place: `docs/threats.md` 55.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    process::Command,
    sync::Barrier,
    thread,
};
use support::folder::Folder;

use flask_pyjwt::{FileStore, store::StoreError};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
}

#[track_caller]
fn not_private(path: &Path) -> String {
    let error = FileStore::open(path).expect_err("not private");
    assert!(matches!(error, StoreError::NotPrivate { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(&*path.to_string_lossy()), "{message}");
    message
}

#[test]
fn a_file_that_others_can_access_is_refused_until_its_mode_is_changed() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    drop(FileStore::open(&path).expect("created"));
    for wide in [
        0o644, 0o640, 0o604, 0o620, 0o602, 0o660, 0o666, 0o777, 0o610, 0o601,
    ] {
        set_mode(&path, wide);
        let message = not_private(&path);
        let advice = format!("chmod 600 {}", path.display());
        assert!(message.contains(&advice), "{message}");
        assert_eq!(mode(&path), wide, "it is not for this process to change");
    }
    set_mode(&path, 0o600);
    drop(FileStore::open(&path).expect("opened"));
}

#[test]
fn the_file_of_another_user_is_refused() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    drop(FileStore::open(&path).expect("created"));
    let own = fs::metadata(&path).expect("it exists").uid();
    // Only the superuser can change the owner of a file.
    if std::os::unix::fs::chown(&path, Some(own + 12_345), None).is_err() {
        assert_ne!(own, 0);
        return;
    }
    let message = not_private(&path);
    for part in [format!("user {}", own + 12_345), format!("user {own}")] {
        assert!(message.contains(&part), "{message}");
    }
    std::os::unix::fs::chown(&path, Some(own), None).expect("given back");
    drop(FileStore::open(&path).expect("opened"));
}

#[test]
fn a_symbolic_link_in_place_of_the_file_is_not_followed() {
    let folder = Folder::new("file-store");
    let (path, other) = (folder.file("sessions"), folder.file("other"));
    for content in [None, Some(b"somebody's file".as_slice()), Some(b"")] {
        if let Some(content) = content {
            fs::write(&other, content).expect("written");
        }
        symlink(&other, &path).expect("linked");
        assert!(not_private(&path).contains("symbolic link"));
        assert_eq!(fs::read(&other).ok().as_deref(), content);
        fs::remove_file(&path).expect("removed");
    }
    fs::remove_file(&other).expect("removed");
    // Not even a link to a valid file.
    drop(FileStore::open(&other).expect("created"));
    symlink(&other, &path).expect("linked");
    assert!(not_private(&path).contains("symbolic link"));
}

#[test]
fn a_file_with_the_name_of_a_temporary_file_is_not_changed() {
    let folder = Folder::new("file-store");
    let (path, victim) = (folder.file("sessions"), folder.file("victim"));
    fs::write(&victim, "precious").expect("written");
    // The temporary name under which an earlier release created the file.
    symlink(&victim, folder.file("sessions.new")).expect("linked");
    drop(FileStore::open(&path).expect("created"));
    assert_eq!(fs::read(&victim).expect("it exists"), b"precious");
    fs::remove_file(&path).expect("removed");

    fs::remove_file(folder.file("sessions.new")).expect("removed");
    fs::write(folder.file("sessions.new"), "left").expect("written");
    set_mode(&folder.file("sessions.new"), 0o666);
    drop(FileStore::open(&path).expect("created"));
    assert_eq!(
        fs::read(folder.file("sessions.new")).expect("it exists"),
        b"left"
    );
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_pipe_in_place_of_the_file_is_refused_without_waiting() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()));
    set_mode(&path, 0o600);
    let error = FileStore::open(&path).expect_err("a pipe");
    assert!(
        format!("{error:?}").contains("not a regular file"),
        "{error:?}"
    );
}

#[test]
fn one_of_many_concurrent_openers_creates_the_file() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let barrier = Barrier::new(8);
    let results: Vec<_> = thread::scope(|scope| {
        let open = || {
            barrier.wait();
            FileStore::open(&path)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(good.len(), 1, "{bad:?}");
    assert!(
        bad.iter()
            .all(|result| matches!(result, Err(StoreError::InUse))),
        "{bad:?}"
    );
    let names: Vec<_> = fs::read_dir(path.parent().expect("a folder"))
        .expect("read")
        .map(|entry| entry.expect("read").file_name())
        .collect();
    assert_eq!(names, ["sessions"], "nothing else is left");
}

#[test]
fn the_mode_is_0600_whatever_the_umask() {
    for umask in ["000", "022", "077", "377", "777"] {
        let folder = Folder::new("file-store");
        let path = folder.file("sessions");
        let status = Command::new("sh")
            .args([
                "-c",
                "umask \"$1\" && exec \"$2\" --exact file_store::privacy::the_process",
                "sh",
                umask,
            ])
            .arg(std::env::current_exe().expect("this test"))
            .env("FILE_STORE_PATH", &path)
            .output()
            .expect("the process runs");
        assert!(status.status.success(), "{umask}: {status:?}");
        assert_eq!(mode(&path), 0o600, "{umask}");
        drop(FileStore::open(&path).expect("opened"));
    }
}

/// Another test runs this as a separate process.
#[test]
fn the_process() {
    if let Some(path) = std::env::var_os("FILE_STORE_PATH") {
        drop(FileStore::open(path).expect("created"));
    }
}
