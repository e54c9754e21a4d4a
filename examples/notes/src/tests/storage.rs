//! The files: restarts, file modes, and one process at a time.

use std::{fs, rc::Rc};

use flask_pyjwt::Config;
use serde_json::json;
use tempfile::TempDir;

use super::{PASSWORD, Server, config, start, start_in, temporary_folder};
use crate::{app::State, secret};

/// Stops an application, as the end of its process would.
async fn stop<S>(server: Server<S>) -> Rc<TempDir> {
    server.state.database.close().await;
    let folder = Rc::clone(&server.folder);
    drop(server);
    folder
}

#[actix_web::test]
async fn a_restart_keeps_users_notes_sessions_and_logouts() {
    let server = start().await;
    server.register("alice").await;
    let kept = server.enter("/login", "alice", PASSWORD).await;
    let ended = server
        .enter("/login", "alice", PASSWORD)
        .await
        .text("auth_token");
    server.save_note(&kept.text("auth_token"), "buy tea").await;
    server.post("/logout", &ended, json!({})).await;
    let folder = stop(server).await;

    let server = start_in(folder).await;
    let notes = server.get("/notes", &kept.text("auth_token")).await;
    assert_eq!(
        (notes.status, &notes.body[0]["text"]),
        (200, &json!("buy tea"))
    );
    assert_eq!(server.get("/me", &ended).await.status, 401);
    let next = server
        .post("/refresh", &kept.text("refresh_token"), json!({}))
        .await;
    assert_eq!(next.status, 200);
    assert_eq!(server.enter("/register", "bob", PASSWORD).await.status, 201);
    let bob = server
        .enter("/login", "bob", PASSWORD)
        .await
        .text("auth_token");
    assert_eq!(server.get("/admin/users", &bob).await.status, 403);
}

#[actix_web::test]
async fn tokens_of_a_deleted_database_are_refused_by_the_next_one() {
    let server = start().await;
    let old = server.enter("/register", "alice", PASSWORD).await;
    let folder = stop(server).await;
    fs::remove_file(folder.path().join("data/notes.db")).expect("the file is there");

    let server = start_in(folder).await;
    assert_eq!(server.get("/me", &old.text("auth_token")).await.status, 401);
    let new = server.register("alice").await;
    assert_eq!(
        server
            .get("/admin/users", &old.text("auth_token"))
            .await
            .status,
        401
    );
    let renewed = server
        .post("/refresh", &old.text("refresh_token"), json!({}))
        .await;
    assert_eq!(renewed.status, 401);
    assert_eq!(server.get("/admin/users", &new).await.status, 200);
}

#[actix_web::test]
async fn a_second_process_is_told_that_the_files_are_in_use() {
    let server = start().await;
    let second = State::open_with(&server.folder.path().join("data/notes.db"), config()).await;
    let error = second.err().expect("the session store is open").to_string();
    assert!(error.contains("in use"), "{error}");
}

#[actix_web::test]
async fn a_store_that_cannot_be_opened_says_why() {
    let folder = temporary_folder();
    let sessions = folder.path().join("notes.db.sessions");
    fs::create_dir(&sessions).expect("a new folder");
    let opened = State::open_with(&folder.path().join("notes.db"), config()).await;
    let error = opened.err().expect("a folder is not a file").to_string();
    let (_, cause) = error.split_once("failed: ").expect("a cause");
    assert!(
        error.contains("notes.db.sessions") && !cause.is_empty(),
        "{error}"
    );
}

#[cfg(unix)]
#[actix_web::test]
async fn no_other_user_can_read_the_files() {
    use std::os::unix::fs::MetadataExt as _;

    let server = start().await;
    server.register("alice").await;
    let data = server.folder.path().join("data");
    let mode = |path: &std::path::Path| fs::metadata(path).map(|it| it.mode() & 0o777);
    assert_eq!(mode(&data).ok(), Some(0o700));
    for file in fs::read_dir(&data).expect("a folder") {
        let path = file.expect("a file").path();
        assert_eq!(mode(&path).ok(), Some(0o600), "{}", path.display());
    }
}

#[test]
fn a_secret_is_made_once() {
    let folder = temporary_folder();
    let path = folder.path().join("notes.db.secret");
    let first = secret::read_or_create(&path).expect("a new secret");
    assert_eq!(first.len(), 64);
    assert_ne!(first, [0; 64]);
    assert_eq!(secret::read_or_create(&path).expect("the same"), first);

    fs::write(&path, "short").expect("the file is there");
    let error = secret::read_or_create(&path).expect_err("it is damaged");
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = temporary_folder();
    let path = folder.path().join("notes.db.secret");
    secret::read_or_create(&path).expect("a new secret");
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(&path, mode).expect("the file is ours");
    let error = secret::read_or_create(&path).expect_err("others can read it");
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[actix_web::test]
async fn without_a_configured_secret_one_is_stored_beside_the_database() {
    let folder = temporary_folder();
    let empty = folder.path().join("empty.env");
    fs::write(&empty, "").expect("a new file");
    let config = Config::from_dotenv(&empty).expect("an empty file is one");
    let opened = State::open_with(&folder.path().join("notes.db"), config).await;
    drop(opened.expect("a new database"));
    let secret = fs::read(folder.path().join("notes.db.secret"));
    let secret = secret.expect("it is created where the environment has no JWT_SECRET");
    assert_eq!(secret.len(), 64);
}
