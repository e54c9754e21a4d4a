//! `JWT_KEYS_DIR` while files change in it: what is noticed, what is dropped and what stays.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::SystemTime,
};

use flask_pyjwt::{AuthManager, AuthType, MintError};

use super::{
    common::{keys, log},
    directory::{Folder, open, signing_id},
    outcome, secret,
};

/// The id of the key that a secret is.
fn id_of(number: u8) -> String {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let folder = Folder::new(&format!("id-{}", CALLS.fetch_add(1, Ordering::Relaxed)));
    folder.write("a.key", secret(number), 100);
    signing_id(&open(&folder).expect("a good folder"))
}

fn ids(auth: &AuthManager) -> Vec<String> {
    let mut ids: Vec<_> = auth.keys().iter().map(|key| key.id().to_owned()).collect();
    ids.sort();
    ids
}

/// THREATS 51.
#[test]
fn another_content_of_the_same_name_length_and_time_is_noticed() {
    let folder = Folder::new("same");
    folder.write("a.key", secret(1), 100);
    let auth = open(&folder).expect("a good folder");
    let (old, before) = (
        auth.auth_token("old").sign().expect("minted"),
        signing_id(&auth),
    );
    let path = folder.path().join("a.key");
    let modified = fs::metadata(&path)
        .and_then(|about| about.modified())
        .expect("there");

    // In place, and as `cp -p` and `rsync` do: beside it, and renamed.
    for (number, name) in [(2, "a.key"), (3, "other")] {
        let new = folder.path().join(name);
        fs::write(&new, secret(number)).expect("written");
        fs::File::options()
            .append(true)
            .open(&new)
            .and_then(|file| file.set_modified(modified))
            .expect("set");
        fs::rename(&new, &path).expect("renamed");
        auth.reload_keys().expect("a good folder");
        assert_eq!(signing_id(&auth), id_of(number));
        assert_ne!(signing_id(&auth), before);
        assert_eq!(auth.keys().len(), 1);
        assert!(outcome(&auth, old.signed()).is_err());
    }
}

/// THREATS 51.
#[cfg(unix)]
#[test]
fn a_secret_that_kubernetes_swaps_by_a_link_is_noticed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("kubernetes");
    let version = |version: u8, names: &[&str]| {
        let inner = folder.path().join(format!("..2026_{version}"));
        fs::create_dir(&inner).expect("made");
        for (number, name) in names.iter().enumerate() {
            let number = u8::try_from(number).expect("small") + 10 * version;
            folder.write(&format!("..2026_{version}/{name}"), secret(number), 1_000);
        }
        symlink(
            format!("..2026_{version}"),
            folder.path().join("..data_tmp"),
        )
        .expect("linked");
        fs::rename(
            folder.path().join("..data_tmp"),
            folder.path().join("..data"),
        )
        .expect("swapped");
    };
    version(0, &["a.key", "b.key"]);
    for name in ["a.key", "b.key"] {
        symlink(format!("..data/{name}"), folder.path().join(name)).expect("linked");
    }
    let auth = open(&folder).expect("a good folder");
    assert_eq!(
        signing_id(&auth),
        id_of(1),
        "of the same time, the last by name"
    );
    assert_eq!(auth.keys().len(), 2);

    version(1, &["a.key", "b.key"]);
    fs::remove_dir_all(folder.path().join("..2026_0")).expect("removed");
    auth.reload_keys().expect("a good folder");
    assert_eq!((signing_id(&auth), auth.keys().len()), (id_of(11), 2));

    // A version without one of the keys, whose link is removed later.
    version(2, &["a.key"]);
    let error = auth
        .reload_keys()
        .expect_err("a link to nothing")
        .to_string();
    assert!(error.contains("`b.key`"), "{error}");
    assert_eq!(ids(&auth), [id_of(20)]);
    fs::remove_file(folder.path().join("b.key")).expect("removed");
    auth.reload_keys().expect("a good folder");
    assert_eq!(ids(&auth), [id_of(20)]);
}

/// THREATS 51.
#[test]
fn a_key_that_is_removed_beside_a_broken_file_neither_verifies_nor_signs() {
    let folder = Folder::new("removed");
    folder.write("a.key", secret(1), 300);
    folder.write("b.key", secret(2), 200);
    let auth = open(&folder).expect("a good folder");
    let of_b = auth.auth_token("of b").sign().expect("minted");
    assert_eq!(outcome(&auth, of_b.signed()), Ok("of b".to_owned()));

    folder.write("c.key", b"short", 100);
    folder.remove("b.key");
    let error = auth.reload_keys().expect_err("a broken file").to_string();
    assert!(error.contains("`c.key`"), "{error}");
    assert!(outcome(&auth, of_b.signed()).is_err());
    assert_eq!(signing_id(&auth), id_of(1), "the one before signs again");

    // A good one beside a broken one is used.
    folder.write("d.key", secret(4), 50);
    auth.reload_keys().expect_err("a broken file");
    assert_eq!(signing_id(&auth), id_of(4));

    let of_d = auth.auth_token("of d").sign().expect("minted");
    folder.remove("a.key");
    folder.remove("d.key");
    let captured = log::capture();
    auth.reload_keys().expect_err("a broken file");
    let logged = captured.text();
    assert!(
        logged.contains("ERROR") && logged.contains("nothing can be minted"),
        "{logged}"
    );
    assert!(auth.keys().is_empty());
    assert!(outcome(&auth, of_d.signed()).is_err());
    let minted = auth.auth_token("nobody").sign();
    assert!(
        matches!(minted, Err(MintError::MissingSigner)),
        "{minted:?}"
    );

    folder.write("c.key", secret(3), 100);
    auth.reload_keys().expect("a good folder");
    assert_eq!(signing_id(&auth), id_of(3));
}

/// THREATS 51.
#[test]
fn a_half_written_file_never_signs() {
    let folder = Folder::new("half");
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a good folder");
    // Half of a secret is a secret. Nothing but time tells that it is complete.
    folder.write("b.key", &secret(2)[..40], 0);
    let error = auth.reload_keys().expect_err("just written").to_string();
    assert!(
        error.contains("`b.key`") && error.contains("just now"),
        "{error}"
    );
    assert_eq!(ids(&auth), [id_of(1)]);
    folder.write("b.key", secret(2), 0);
    auth.reload_keys().expect_err("just written");
    assert_eq!(ids(&auth), [id_of(1)]);
    folder.write("b.key", secret(2), 10);
    auth.reload_keys().expect("a good folder");
    assert_eq!(signing_id(&auth), id_of(2));

    let pem = keys::ecdsa_private(&keys::P256);
    for length in (1..pem.trim_end().len()).step_by(7) {
        folder.write("c.ES256.pem", &pem[..length], 10);
        auth.reload_keys().expect_err("half of a key");
        assert_eq!(signing_id(&auth), id_of(2), "{length}");
    }
    folder.write("c.ES256.pem", &pem, 10);
    auth.reload_keys().expect("a good folder");
    assert_eq!(auth.auth_type(), AuthType::ES256);
}

#[test]
fn a_start_right_after_a_key_was_written_waits_and_works() {
    let folder = Folder::new("start");
    fs::write(folder.path().join("a.key"), secret(1)).expect("written");
    let auth = open(&folder).expect("a good folder");
    assert_eq!(signing_id(&auth), id_of(1));
}

#[test]
fn a_key_is_renamed_without_a_gap() {
    let folder = Folder::new("renamed");
    folder.write("a.key", secret(1), 300);
    folder.write("b.next.key", secret(2), 200);
    let auth = open(&folder).expect("a good folder");
    let old = auth.auth_token("old").sign().expect("minted");
    // As docs/rotation.md has it: touched, renamed.
    let (from, to) = (
        folder.path().join("b.next.key"),
        folder.path().join("b.key"),
    );
    fs::File::options()
        .append(true)
        .open(&from)
        .and_then(|file| file.set_modified(SystemTime::now()))
        .expect("touched");
    fs::rename(&from, &to).expect("renamed");
    auth.reload_keys().expect("it is known");
    assert_eq!(signing_id(&auth), id_of(2));
    assert!(outcome(&auth, old.signed()).is_ok());

    // Two files change names.
    let third = folder.path().join("third");
    fs::rename(folder.path().join("a.key"), &third).expect("renamed");
    fs::rename(&to, folder.path().join("a.key")).expect("renamed");
    fs::rename(&third, &to).expect("renamed");
    auth.reload_keys().expect("a good folder");
    assert_eq!(auth.keys().len(), 2);
    // A copy is no second key, and does not stand in for one that is removed.
    fs::copy(&to, folder.path().join("c.key")).expect("copied");
    let error = auth.reload_keys().expect_err("a copy").to_string();
    assert!(
        error.contains("`c.key`") && error.contains("id of another key"),
        "{error}"
    );
    folder.remove("c.key");
    folder.remove("b.key");
    auth.reload_keys().expect("a good folder");
    assert_eq!(ids(&auth), [id_of(2)]);
}

#[test]
fn a_folder_that_is_away_for_a_moment_changes_nothing_and_an_empty_one_drops_all() {
    let folder = Folder::new("away");
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a good folder");
    let token = auth.auth_token("alice").sign().expect("minted");
    let aside = folder.path().with_extension("aside");
    fs::rename(folder.path(), &aside).expect("renamed");
    assert!(auth.reload_keys().is_err());
    assert_eq!(ids(&auth), [id_of(1)]);
    fs::rename(&aside, folder.path()).expect("renamed");
    auth.reload_keys().expect("a good folder");
    assert!(outcome(&auth, token.signed()).is_ok());

    folder.remove("a.key");
    assert!(
        auth.reload_keys()
            .is_err_and(|error| error.to_string().contains("has no key"))
    );
    assert!(auth.keys().is_empty() && outcome(&auth, token.signed()).is_err());
    assert!(auth.auth_token("alice").sign().is_err());
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_waited_for() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("no-files");
    let path = |name: &str| folder.path().join(name);
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a good folder");
    let kinds: [&dyn Fn(&Path); 4] = [
        &|path| {
            assert!(
                Command::new("mkfifo")
                    .arg(path)
                    .status()
                    .is_ok_and(|status| status.success())
            )
        },
        &|path| symlink("/dev/zero", path).expect("linked"),
        &|path| drop(std::os::unix::net::UnixListener::bind(path).expect("bound")),
        &|path| symlink(path, path).expect("linked"),
    ];
    for make in kinds {
        make(&path("b.key"));
        let error = auth.reload_keys().expect_err("no file").to_string();
        assert!(error.contains("`b.key` that cannot be read"), "{error}");
        assert_eq!(ids(&auth), [id_of(1)]);
        assert!(open(&folder).is_err());
        folder.remove("b.key");
    }
    // A folder is no key, whatever it is called. In the place of a key it has that removed.
    folder.write("b.key", secret(2), 300);
    auth.reload_keys().expect("a good folder");
    let make_folder = |path: &Path| fs::create_dir(path).expect("made");
    for make in [kinds[0], &make_folder] {
        folder.write("b.key", secret(2), 300);
        auth.reload_keys().expect("a good folder");
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
fn a_folder_is_read_within_bounds() {
    let folder = Folder::new("bounds");
    folder.write("a.key", secret(1), 300);
    for number in 0..3_000 {
        fs::write(folder.path().join(format!("{number}.txt")), "no key").expect("written");
    }
    // What editors leave behind.
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
    let auth = open(&folder).expect("a good folder");
    assert_eq!(ids(&auth), [id_of(1)]);

    let huge = fs::File::create(folder.path().join("b.key")).expect("created");
    huge.set_len(1 << 40).expect("sparse");
    assert!(
        auth.reload_keys()
            .is_err_and(|error| error.to_string().contains("64 KiB"))
    );
    folder.remove("b.key");
    for number in 0..1_000 {
        fs::write(folder.path().join(format!("{number}.key")), secret(2)).expect("written");
    }
    let error = auth.reload_keys().expect_err("too many");
    assert!(format!("{error:?}").contains("1000 keys"), "{error:?}");
    assert_eq!(ids(&auth), [id_of(1)]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_utf_8_is_a_name() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = Folder::new("names");
    folder.write("a.key", secret(1), 300);
    let path = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"b\xff.key"));
    fs::rename(folder.path().join("a.key"), path).expect("renamed");
    assert_eq!(signing_id(&open(&folder).expect("a good folder")), id_of(1));
}

#[cfg(unix)]
#[test]
fn what_others_can_do_with_the_files_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("modes");
    folder.write("a.key", secret(1), 300);
    let mode = |name: &str, mode| {
        let path = folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    let logged = || {
        let captured = log::capture();
        drop(open(&folder).expect("a good folder"));
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
    let error = open(&folder).expect_err("anybody's key").to_string();
    assert!(
        error.contains("`a.key`") && error.contains("chmod o-w"),
        "{error}"
    );
}

/// THREATS 51. The superuser can read everything, so that another user looks.
#[cfg(unix)]
#[test]
fn a_file_that_becomes_readable_is_noticed() {
    use std::os::unix::process::CommandExt as _;
    let is_superuser = Command::new("id").arg("-u").output().expect("told").stdout == b"0\n";
    let folder = Folder::new("other-user");
    let copy = folder.path().join("test");
    fs::copy(std::env::current_exe().expect("this test"), &copy).expect("copied");
    let mut command = Command::new(&copy);
    command
        .args(["--exact", "changes::the_other_user", "--ignored"])
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

#[cfg(unix)]
#[test]
#[ignore = "another test runs it as another user"]
fn the_other_user() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("readable");
    folder.write("a.key", secret(1), 300);
    folder.write("b.key", secret(2), 200);
    let auth = open(&folder).expect("a good folder");
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
    auth.reload_keys().expect("a good folder");
    assert_eq!(signing_id(&auth), id_of(3));

    // A key that is in use stays when its file cannot be read; one that is removed goes.
    mode("c.key", 0);
    folder.remove("b.key");
    auth.reload_keys().expect_err("unreadable");
    assert_eq!((signing_id(&auth), auth.keys().len()), (id_of(3), 2));
    mode("", 0);
    auth.reload_keys().expect_err("an unreadable folder");
    assert_eq!((signing_id(&auth), auth.keys().len()), (id_of(3), 2));
    mode("", 0o700);
    mode("c.key", 0o400);
    auth.reload_keys().expect("a good folder");
}
