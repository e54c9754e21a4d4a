//! `JWT_KEYS_DIR` while its files change: what is noticed, what is dropped and what stays.

use std::{fs, time::SystemTime};

use flask_pyjwt::{AuthType, MintError};

use super::{
    directory::{KeysFolder, id_of, ids, open, signing_id},
    outcome, secret,
};
use support::{keys, log};

/// `docs/threats.md` 51.
#[test]
fn new_content_with_the_same_name_length_and_time_is_noticed() {
    let folder = KeysFolder::new("same");
    folder.write("a.key", secret(1), 100);
    let auth = open(&folder).expect("a valid folder");
    let (old, before) = (
        auth.auth_token("old").sign().expect("minted"),
        signing_id(&auth),
    );
    let path = folder.path().join("a.key");
    let modified = fs::metadata(&path)
        .and_then(|about| about.modified())
        .expect("it exists");

    // In place, and as `cp -p` and `rsync` do: a new file that is renamed.
    for (number, name) in [(2, "a.key"), (3, "other")] {
        let new = folder.path().join(name);
        fs::write(&new, secret(number)).expect("written");
        fs::File::options()
            .append(true)
            .open(&new)
            .and_then(|file| file.set_modified(modified))
            .expect("set");
        fs::rename(&new, &path).expect("renamed");
        auth.reload_keys().expect("a valid folder");
        assert_eq!(signing_id(&auth), id_of(number));
        assert_ne!(signing_id(&auth), before);
        assert_eq!(auth.keys().len(), 1);
        assert!(outcome(&auth, old.signed()).is_err());
    }
}

/// `docs/threats.md` 51.
#[cfg(unix)]
#[test]
fn a_secret_that_kubernetes_replaces_by_a_link_is_noticed() {
    use std::os::unix::fs::symlink;
    let folder = KeysFolder::new("kubernetes");
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
    let auth = open(&folder).expect("a valid folder");
    assert_eq!(
        signing_id(&auth),
        id_of(1),
        "of the same time, the last by name"
    );
    assert_eq!(auth.keys().len(), 2);

    version(1, &["a.key", "b.key"]);
    fs::remove_dir_all(folder.path().join("..2026_0")).expect("removed");
    auth.reload_keys().expect("a valid folder");
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
    auth.reload_keys().expect("a valid folder");
    assert_eq!(ids(&auth), [id_of(20)]);
}

/// `docs/threats.md` 51.
#[test]
fn a_key_that_is_removed_while_another_file_is_broken_is_dropped() {
    let folder = KeysFolder::new("removed");
    folder.write("a.key", secret(1), 300);
    folder.write("b.key", secret(2), 200);
    let auth = open(&folder).expect("a valid folder");
    let of_b = auth.auth_token("of b").sign().expect("minted");
    assert_eq!(outcome(&auth, of_b.signed()), Ok("of b".to_owned()));

    folder.write("c.key", b"short", 100);
    folder.remove("b.key");
    let error = auth.reload_keys().expect_err("a broken file").to_string();
    assert!(error.contains("`c.key`"), "{error}");
    assert!(outcome(&auth, of_b.signed()).is_err());
    assert_eq!(signing_id(&auth), id_of(1), "the one before signs again");

    // A valid new file is used although another one is broken.
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
    auth.reload_keys().expect("a valid folder");
    assert_eq!(signing_id(&auth), id_of(3));
}

/// `docs/threats.md` 51.
#[test]
fn a_half_written_file_never_signs() {
    let folder = KeysFolder::new("half");
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a valid folder");
    // Half of a secret is a secret, too. Only time can show that it is complete: while the file is being
    // written, it is not used.
    folder.write("b.key", secret(9), 0);
    let reloading = std::thread::spawn({
        let auth = auth.clone();
        move || auth.reload_keys()
    });
    let mut number = 0;
    while !reloading.is_finished() {
        number += 1;
        folder.write("b.key", format!("{number:040}").as_bytes(), 0);
    }
    let reloaded = reloading.join().expect("no panic");
    let error = reloaded.expect_err("still being written").to_string();
    assert!(error.contains("`b.key`"), "{error}");
    assert_eq!(ids(&auth), [id_of(1)]);
    // Nobody writes to the file any more: it is used if it is the same a second later.
    folder.write("b.key", secret(2), 0);
    auth.reload_keys().expect("a valid folder");
    assert_eq!(signing_id(&auth), id_of(2));
    folder.write("b.key", secret(2), 10);
    auth.reload_keys().expect("a valid folder");
    assert_eq!(signing_id(&auth), id_of(2));

    let pem = keys::ecdsa_private(&keys::P256);
    for length in (1..pem.trim_end().len()).step_by(7) {
        folder.write("c.ES256.pem", &pem[..length], 10);
        auth.reload_keys().expect_err("half of a key");
        assert_eq!(signing_id(&auth), id_of(2), "{length}");
    }
    folder.write("c.ES256.pem", &pem, 10);
    auth.reload_keys().expect("a valid folder");
    assert_eq!(auth.auth_type(), AuthType::ES256);
}

#[test]
fn a_start_right_after_a_key_was_written_waits_for_it() {
    let folder = KeysFolder::new("start");
    fs::write(folder.path().join("a.key"), secret(1)).expect("written");
    let auth = open(&folder).expect("a valid folder");
    assert_eq!(signing_id(&auth), id_of(1));
}

#[test]
fn a_key_verifies_while_its_file_is_renamed() {
    let folder = KeysFolder::new("renamed");
    folder.write("a.key", secret(1), 300);
    folder.write("b.next.key", secret(2), 200);
    let auth = open(&folder).expect("a valid folder");
    let old = auth.auth_token("old").sign().expect("minted");
    // As docs/guide/keys.md describes it: touched, and then renamed.
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

    // Two files swap their names.
    let third = folder.path().join("third");
    fs::rename(folder.path().join("a.key"), &third).expect("renamed");
    fs::rename(&to, folder.path().join("a.key")).expect("renamed");
    fs::rename(&third, &to).expect("renamed");
    auth.reload_keys().expect("a valid folder");
    assert_eq!(auth.keys().len(), 2);
    // A copy is not a second key, and does not replace one that is removed.
    fs::copy(&to, folder.path().join("c.key")).expect("copied");
    let error = auth.reload_keys().expect_err("a copy").to_string();
    assert!(
        error.contains("`c.key`") && error.contains("same key ID as another file"),
        "{error}"
    );
    folder.remove("c.key");
    folder.remove("b.key");
    auth.reload_keys().expect("a valid folder");
    assert_eq!(ids(&auth), [id_of(2)]);
}

#[test]
fn a_missing_folder_changes_nothing_and_an_empty_one_drops_all_keys() {
    let folder = KeysFolder::new("away");
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a valid folder");
    let token = auth.auth_token("alice").sign().expect("minted");
    let aside = folder.path().with_extension("aside");
    fs::rename(folder.path(), &aside).expect("renamed");
    assert!(auth.reload_keys().is_err());
    assert_eq!(ids(&auth), [id_of(1)]);
    fs::rename(&aside, folder.path()).expect("renamed");
    auth.reload_keys().expect("a valid folder");
    assert!(outcome(&auth, token.signed()).is_ok());

    folder.remove("a.key");
    assert!(
        auth.reload_keys()
            .is_err_and(|error| error.to_string().contains("has no key"))
    );
    assert!(auth.keys().is_empty() && outcome(&auth, token.signed()).is_err());
    assert!(auth.auth_token("alice").sign().is_err());
}
