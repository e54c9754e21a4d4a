//! Opening the file: once at a time, with the earlier content, and only by its owner.

use std::fs;
use support::folder::Folder;

use flask_pyjwt::{
    FileStore,
    store::{SessionStore as _, Standing, StoreError},
};

use time::Duration;

use super::sessions::{
    NOW, end_session, opening, plain_token, refresh_token, revoke_token, rotation, standing,
};

#[actix_web::test]
async fn acknowledged_changes_are_there_when_the_file_is_reopened() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let store = FileStore::open(&path).expect("created");
    for id in ["kept", "ended"] {
        store
            .open(&opening("alice", id, NOW), NOW)
            .await
            .expect("opened");
    }
    store
        .rotate(&rotation("alice", "kept", 0, NOW))
        .await
        .expect("won");
    store
        .revoke(&end_session("alice", "ended"), NOW)
        .await
        .expect("ended");
    let revocation = revoke_token("alice", "plain", NOW + Duration::MILLISECOND);
    store.revoke(&revocation, NOW).await.expect("revoked");
    let before = store.sessions("alice", 1_000, NOW).await.expect("listed");
    drop(store);

    let store = FileStore::open(&path).expect("opened");
    assert_eq!(
        store.sessions("alice", 1_000, NOW).await.expect("listed"),
        before
    );
    assert_eq!(before.len(), 1);
    for (token, expected) in [
        (refresh_token("alice", "kept", 1), Standing::Good),
        (refresh_token("alice", "kept", 0), Standing::Replayed),
        (refresh_token("alice", "ended", 0), Standing::Revoked),
        (plain_token("alice", "plain", NOW), Standing::Revoked),
        (plain_token("alice", "other", NOW), Standing::Good),
    ] {
        assert_eq!(standing(&store, &token, NOW).await, expected, "{token:?}");
    }
    let mut names: Vec<_> = fs::read_dir(path.parent().expect("a folder"))
        .expect("read")
        .map(|entry| entry.expect("read").file_name())
        .collect();
    assert_eq!(names.pop().expect("a file"), "sessions");
    assert!(names.is_empty(), "one file: {names:?}");
}

#[actix_web::test]
async fn the_file_can_be_opened_once_at_a_time() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let store = FileStore::open(&path).expect("created");
    store
        .open(&opening("alice", "s", NOW), NOW)
        .await
        .expect("opened");
    let error = FileStore::open(&path).expect_err("a second time");
    assert!(matches!(error, StoreError::InUse), "{error:?}");
    assert!(error.to_string().contains("in use"), "{error}");
    let token = refresh_token("alice", "s", 0);
    assert_eq!(standing(&store, &token, NOW).await, Standing::Good);
    drop(store);
    FileStore::open(&path).expect("it is free again");
}

#[test]
fn a_file_of_another_format_is_an_error_and_is_not_changed() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    for content in [
        vec![],
        b"short".to_vec(),
        vec![0; 100_000],
        vec![b'x'; 100_000],
    ] {
        fs::write(&path, &content).expect("written");
        let error = FileStore::open(&path).expect_err("another format");
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        assert_eq!(fs::read(&path).expect("read"), content);
    }
    let in_no_folder = folder.file("missing").join("sessions");
    for path in [folder.file("."), in_no_folder] {
        let error = FileStore::open(&path).expect_err("no file");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_and_write_the_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let _store = FileStore::open(&path).expect("created");
    let mode = fs::metadata(&path).expect("it exists").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
