//! `JWT_KEYS_DIR`: a folder with one file for each key.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime},
};
use support::folder::Folder;

use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError, Key};

use super::{kid, outcome, secret};
use support::{ISSUER, keys};

/// A folder that is removed at the end of the test.
pub(crate) struct KeysFolder(Folder);

impl KeysFolder {
    pub(crate) fn new(name: &str) -> Self {
        Self(Folder::new(name))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that was last modified so many seconds ago.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>, seconds_ago: u64) {
        let path = self.0.file(name);
        fs::write(&path, content).expect("the file is written");
        let file = fs::File::options()
            .append(true)
            .open(path)
            .expect("it exists");
        let then = SystemTime::now() - Duration::from_secs(seconds_ago);
        file.set_modified(then).expect("its time is set");
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.0.file(name)).expect("it exists");
    }

    fn config(&self) -> Config {
        Config::with_keys_dir(ISSUER, AuthType::HS256, self.path())
    }
}

/// A manager whose keys come from a folder alone.
pub(crate) fn open(folder: &KeysFolder) -> Result<AuthManager, ConfigError> {
    AuthManager::new(folder.config())
}

pub(crate) fn signing_id(auth: &AuthManager) -> String {
    let keys = auth.keys();
    let signing: Vec<_> = keys.iter().filter(|key| key.signs()).collect();
    let [key] = signing[..] else {
        panic!("one key signs: {keys:?}");
    };
    let token = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(kid(&token).as_deref(), Some(key.id()));
    key.id().to_owned()
}

/// The ID of the key made of this secret.
pub(crate) fn id_of(number: u8) -> String {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let folder = KeysFolder::new(&format!("id-{}", CALLS.fetch_add(1, Ordering::Relaxed)));
    folder.write("a.key", secret(number), 100);
    signing_id(&open(&folder).expect("a valid folder"))
}

pub(crate) fn ids(auth: &AuthManager) -> Vec<String> {
    let mut ids: Vec<_> = auth.keys().iter().map(|key| key.id().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn the_newest_file_signs_and_tokens_stay_valid_while_files_are_added_and_removed() {
    let folder = KeysFolder::new("rotation");
    folder.write("a.key", secret(1), 300);
    folder.write("b.EdDSA.pem", keys::secret(AuthType::EdDSA), 200);
    folder.write("notes.txt", "no key", 0);
    folder.write(".hidden.pem", "no key", 0);
    let auth = open(&folder).expect("a valid folder");
    assert_eq!((auth.auth_type(), auth.keys().len()), (AuthType::EdDSA, 2));
    let of_b = auth.auth_token("of b").sign().expect("minted");

    // Published, but not signing yet, although it is the newest.
    folder.write("c.ES256.next.pem", keys::secret(AuthType::ES256), 100);
    auth.reload_keys().expect("a valid folder");
    assert_eq!((auth.auth_type(), auth.keys().len()), (AuthType::EdDSA, 3));

    fs::rename(
        folder.path().join("c.ES256.next.pem"),
        folder.path().join("c.ES256.pem"),
    )
    .expect("renamed");
    auth.reload_keys().expect("a valid folder");
    assert_eq!((auth.auth_type(), auth.keys().len()), (AuthType::ES256, 3));
    let of_c = signing_id(&auth);
    assert_eq!(outcome(&auth, of_b.signed()), Ok("of b".to_owned()));
    let retiring = auth
        .keys()
        .iter()
        .filter(|key| key.retires_at().is_some())
        .count();
    assert_eq!(retiring, 2);

    folder.remove("b.EdDSA.pem");
    auth.reload_keys().expect("a valid folder");
    assert!(
        outcome(&auth, of_b.signed()).is_err(),
        "tokens of a deleted key file are refused"
    );
    assert_eq!(signing_id(&auth), of_c);
    // The newest file is removed: the key before it signs again.
    folder.remove("c.ES256.pem");
    auth.reload_keys().expect("a valid folder");
    assert_eq!(auth.auth_type(), AuthType::HS256);
    assert_eq!(auth.keys()[0].retires_at(), None);
}

#[test]
fn a_key_whose_last_token_has_expired_is_not_loaded() {
    let folder = KeysFolder::new("expired");
    folder.write("a.key", secret(1), 900_000);
    folder.write("b.key", secret(2), 700_000);
    folder.write("c.key", secret(3), 10);
    let auth = open(&folder).expect("a valid folder");
    // `a` was replaced 700,000 seconds ago, and refresh tokens are valid for 604,800.
    assert_eq!(auth.keys().len(), 2);
}

#[test]
fn a_broken_file_never_replaces_a_good_ring() {
    let folder = KeysFolder::new("broken");
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a valid folder");
    let before = auth.keys();
    let pem = keys::ecdsa_private(&keys::P256);
    let public = keys::public(AuthType::ES256).expect("a public key");
    for (name, content, reason) in [
        ("b.key", b"short".to_vec(), "needs 32 or more"),
        ("b.key", vec![], "is empty"),
        (
            "b.key",
            public.clone().into_bytes(),
            "in PEM, SSH, JWK or DER form",
        ),
        ("b.ES256.pem", b"no PEM".to_vec(), "has no PEM block"),
        (
            "b.ES256.pem",
            pem.as_bytes()[..100].to_vec(),
            "a damaged PEM block",
        ),
        (
            "b.ES384.pem",
            pem.clone().into_bytes(),
            "the type and curve that the algorithm needs",
        ),
        (
            "b.ES256.pem",
            [pem.as_bytes(), public.as_bytes()].concat(),
            "more than one PEM key",
        ),
        ("b.key", vec![b'x'; 70_000], "longer than 64 KiB"),
        ("b.key", secret(1), "has the same key ID as another file"),
    ] {
        folder.write(name, content, 0);
        let error = auth.reload_keys().expect_err(reason).to_string();
        assert!(
            error.contains(reason) && error.contains("JWT_KEYS_DIR"),
            "{error}"
        );
        assert_eq!(auth.keys(), before, "{error}");
        assert!(open(&folder).is_err(), "{error}");
        folder.remove(name);
    }
    assert!(auth.reload_keys().is_ok());
    assert_eq!(auth.keys(), before);
}

#[test]
fn a_folder_excludes_keys_from_other_settings() {
    let folder = KeysFolder::new("alone");
    folder.write("a.key", secret(1), 300);
    folder.write(
        "b.ES256.pem",
        keys::public(AuthType::ES256).expect("a public key"),
        0,
    );
    let auth = open(&folder).expect("a valid folder");
    assert_eq!(
        auth.auth_type(),
        AuthType::HS256,
        "a public key does not sign"
    );
    for result in [
        auth.rotate(Key::new(AuthType::HS256, secret(2))).map(drop),
        auth.prepublish(Key::new(AuthType::HS256, secret(2)))
            .map(drop),
        auth.remove_key("x"),
    ] {
        assert!(result.is_err_and(|error| error.to_string().contains("JWT_KEYS_DIR")));
    }
    for (config, key) in [
        (folder.config().secret(secret(2)), "JWT_SECRET"),
        (folder.config().public_key("x"), "JWT_PUBLICKEY"),
        (folder.config().key_id("x"), "JWT_KEYID"),
        (
            folder
                .config()
                .verification_key(Key::new(AuthType::HS256, secret(2))),
            "verification_key",
        ),
        (
            folder.config().keys_dir("/there/is/no/such/folder"),
            "JWT_KEYS_DIR",
        ),
    ] {
        let error = AuthManager::new(config).expect_err(key);
        assert_eq!(error.key(), key, "{error}");
    }
}

/// The signal makes it read the folder, and no call does: there is no other change to notice.
#[cfg(unix)]
#[test]
fn the_signal_sighup_reloads_the_folder() {
    let folder = KeysFolder::new("hangup");
    folder.write("a.key", secret(1), 300);
    let auth = open(&folder).expect("a valid folder");
    let old = signing_id(&auth);
    folder.write("b.key", secret(2), 0);
    let hang_up = || {
        let status = std::process::Command::new("sh")
            .args([
                "-c",
                "kill -HUP \"$1\"",
                "sh",
                &std::process::id().to_string(),
            ])
            .status();
        assert!(status.is_ok_and(|status| status.success()));
    };
    hang_up();
    let patience = Instant::now() + Duration::from_secs(60);
    while auth.keys().iter().any(|key| key.signs() && key.id() == old) {
        assert!(Instant::now() < patience, "the folder is not read");
        std::thread::yield_now();
    }
}
