//! `JWT_KEYS_DIR`: files of unexpected types, sizes, names, permissions and owners.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{
    directory::{KeysFolder, id_of, ids, open, signing_id},
    secret,
};
use support::log;

#[cfg(unix)]
#[test]
fn files_that_are_not_regular_are_refused_without_waiting() {
    use std::os::unix::fs::symlink;
    let folder = KeysFolder::new("no-files");
    let path = |name: &str| folder.path().join(name);
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a valid folder");
    let kinds: [&dyn Fn(&Path); 5] = [
        &|path| {
            let made = Command::new("mkfifo").arg(path).status();
            assert!(made.is_ok_and(|status| status.success()));
        },
        &|path| symlink("/dev/zero", path).expect("linked"),
        &|path| drop(std::os::unix::net::UnixListener::bind(path).expect("bound")),
        &|path| symlink(path, path).expect("linked"),
        &|path| symlink("a.key/nothing", path).expect("linked"),
    ];
    for make in kinds {
        make(&path("b.key"));
        let error = auth.reload_keys().expect_err("no file").to_string();
        assert!(error.contains("`b.key` that cannot be read"), "{error}");
        assert_eq!(ids(&auth), [id_of(1)]);
        assert!(open(&folder).is_err());
        folder.remove("b.key");
    }
    // A folder is not a key, whatever its name. In place of a key file it means that the key was removed.
    folder.write("b.key", secret(2), 300);
    auth.reload_keys().expect("a valid folder");
    let make_folder = |path: &Path| fs::create_dir(path).expect("made");
    for make in kinds.into_iter().chain([&make_folder as &dyn Fn(&Path)]) {
        folder.write("b.key", secret(2), 300);
        auth.reload_keys().expect("a valid folder");
        assert_eq!(auth.keys().len(), 2);
        folder.remove("b.key");
        make(&path("b.key"));
        let _ = auth.reload_keys();
        assert_eq!(ids(&auth), [id_of(1)]);
        fs::remove_file(path("b.key"))
            .or_else(|_| fs::remove_dir(path("b.key")))
            .expect("removed");
    }
}

#[test]
fn the_number_and_size_of_files_are_limited() {
    let folder = KeysFolder::new("bounds");
    folder.write("a.key", secret(1), 300);
    for number in 0..3_000 {
        fs::write(folder.path().join(format!("{number}.txt")), "no key").expect("written");
    }
    // Files that editors leave.
    for name in [
        "a.key~",
        ".a.key.swp",
        "#a.key#",
        "4913",
        ".#a.key",
        "a.key.bak",
        "a.key.tmp",
        "..key",
    ] {
        fs::write(folder.path().join(name), secret(9)).expect("written");
    }
    let auth = open(&folder).expect("a valid folder");
    assert_eq!(ids(&auth), [id_of(1)]);

    let huge = fs::File::create(folder.path().join("b.key")).expect("created");
    huge.set_len(1 << 40).expect("sparse");
    assert!(
        auth.reload_keys()
            .is_err_and(|error| error.to_string().contains("64 KiB"))
    );
    folder.remove("b.key");
    // All of them appear at once: the watch must not see only the first few.
    let many = KeysFolder::new("bounds-many");
    many.write("a.key", secret(1), 300);
    for number in 0..1_000 {
        fs::write(many.path().join(format!("{number}.key")), secret(2)).expect("written");
    }
    let aside = many.path().with_extension("aside");
    for (from, to) in [
        (folder.path(), &*aside),
        (many.path(), folder.path()),
        (&*aside, many.path()),
    ] {
        fs::rename(from, to).expect("moved");
    }
    let error = auth.reload_keys().expect_err("too many");
    assert!(format!("{error:?}").contains("1000 keys"), "{error:?}");
    assert_eq!(ids(&auth), [id_of(1)]);
}

#[cfg(target_os = "linux")]
#[test]
fn file_names_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = KeysFolder::new("names");
    folder.write("a.key", secret(1), 300);
    let path = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"b\xff.key"));
    fs::rename(folder.path().join("a.key"), path).expect("renamed");
    assert_eq!(
        signing_id(&open(&folder).expect("a valid folder")),
        id_of(1)
    );
}

#[cfg(unix)]
#[test]
fn files_and_folders_that_others_can_access_are_logged() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = KeysFolder::new("modes");
    folder.write("a.key", secret(1), 300);
    let mode = |name: &str, mode| {
        let path = folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    let logged = || {
        let captured = log::capture();
        drop(open(&folder).expect("a valid folder"));
        captured.text()
    };
    mode("a.key", 0o640);
    assert!(!logged().contains("chmod"));
    // As Kubernetes and Docker mount secrets.
    for shared in [0o644, 0o444] {
        mode("a.key", shared);
        assert!(logged().contains("chmod o-r"));
    }
    mode("a.key", 0o600);
    mode("", 0o777);
    assert!(logged().contains("chmod o-w"));
    mode("", 0o755);
    mode("a.key", 0o646);
    let error = open(&folder)
        .expect_err("a key that others can write")
        .to_string();
    assert!(
        error.contains("`a.key`") && error.contains("chmod o-w"),
        "{error}"
    );
}

/// Set where another user runs this test.
#[cfg(unix)]
const OTHER_USER: &str = "KEY_RING_TEST_OTHER_USER";

/// `docs/threats.md` 51. The superuser can read every file, so the test runs as another user.
#[cfg(unix)]
#[test]
fn a_file_that_becomes_readable_is_used() {
    use std::os::unix::process::CommandExt as _;
    let is_superuser = Command::new("id")
        .arg("-u")
        .output()
        .expect("reported")
        .stdout
        == b"0\n";
    let folder = KeysFolder::new("other-user");
    let copy = folder.path().join("test");
    fs::copy(std::env::current_exe().expect("this test"), &copy).expect("copied");
    let mut command = Command::new(&copy);
    command
        .args(["--exact", "key_ring::odd_files::the_other_user"])
        .env(OTHER_USER, "1")
        .stdout(Stdio::piped());
    if is_superuser {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
}

/// The test above runs it as another user.
#[cfg(unix)]
#[test]
fn the_other_user() {
    use std::os::unix::fs::PermissionsExt as _;
    if std::env::var_os(OTHER_USER).is_none() {
        return;
    }
    let folder = KeysFolder::new("readable");
    folder.write("a.key", secret(1), 300);
    folder.write("b.key", secret(2), 200);
    let auth = open(&folder).expect("a valid folder");
    let mode = |name: &str, mode| {
        let path = folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    folder.write("c.key", secret(3), 100);
    mode("c.key", 0);
    let error = auth.reload_keys().expect_err("unreadable").to_string();
    assert!(error.contains("`c.key` that cannot be read"), "{error}");
    assert_eq!(signing_id(&auth), id_of(2));
    assert!(open(&folder).is_err());
    mode("c.key", 0o400);
    auth.reload_keys().expect("a valid folder");
    assert_eq!(signing_id(&auth), id_of(3));

    // A key in use stays if its file becomes unreadable. If the file is removed, the key is dropped.
    mode("c.key", 0);
    folder.remove("b.key");
    auth.reload_keys().expect_err("unreadable");
    assert_eq!((signing_id(&auth), auth.keys().len()), (id_of(3), 2));
    mode("", 0);
    auth.reload_keys().expect_err("an unreadable folder");
    assert_eq!((signing_id(&auth), auth.keys().len()), (id_of(3), 2));
    mode("", 0o700);
    mode("c.key", 0o400);
    auth.reload_keys().expect("a valid folder");
}
