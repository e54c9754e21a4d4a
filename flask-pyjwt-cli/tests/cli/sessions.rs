use actix_web::rt::System;
use flask_pyjwt::{AuthManager, AuthType, Config, FileStore, store::SessionStore};
use support::folder::Folder;

use crate::program::{Program, SECRET};

/// Opens sessions of `alice` with these labels, and one of `bob`.
pub(crate) async fn open(store: impl SessionStore, labels: impl IntoIterator<Item = String>) {
    let config = Config::new("https://issuer.example", AuthType::HS256, SECRET);
    let auth =
        AuthManager::new(config.session_store(store).max_sessions(1_000)).expect("a manager");
    for label in labels {
        auth.login("alice").label(label).await.expect("a session");
    }
    auth.login("bob").await.expect("a session");
}

/// Lists and ends the sessions of [`open`], which are three.
pub(crate) fn list_and_end(program: &Program<'_>, store: &[&str]) {
    let run = |arguments: &[&str]| program.run(&[&["sessions"], arguments, store].concat());
    let listed = run(&["list", "alice", "--json"]).ends_with(0).json();
    let sessions = listed["sessions"].as_array().expect("sessions");
    assert_eq!(sessions.len(), 3);
    let id = sessions[0]["id"].as_str().expect("an ID");
    // An ID can begin with a hyphen.
    run(&["end", "alice", "-n0-such-session"]).ends_with(1);
    run(&["end", "alice", "--json-", "--json"]).ends_with(1);
    let text = run(&["list", "alice"]).ends_with(0).out;
    assert_eq!(text.lines().count(), 3);
    assert!(
        text.contains(id) && text.contains("expires in ") && text.contains("phone"),
        "{text}"
    );

    run(&["end", "bob", id]).ends_with(1);
    run(&["end", "alice", id]).ends_with(0);
    let again = run(&["end", "alice", id, "--json"]).ends_with(1);
    assert_eq!(again.json()["ended"], 0);
    let ended = run(&["end-all", "alice", "--json"]).ends_with(0).json();
    assert_eq!(ended["ended"], 2);
    assert_eq!(
        run(&["end-all", "alice"]).ends_with(0).out,
        "0 sessions ended\n"
    );
    assert_eq!(run(&["list", "alice"]).ends_with(0).out, "");
    assert_eq!(run(&["list", "bob"]).ends_with(0).out.lines().count(), 1);
}

pub(crate) fn three() -> impl Iterator<Item = String> {
    ["phone", "laptop", "tablet"].into_iter().map(str::to_owned)
}

#[test]
fn sessions_of_a_file_are_listed_and_ended() {
    let folder = Folder::new("sessions");
    let path = folder.file("sessions.redb");
    System::new().block_on(async { open(FileStore::open(&path).expect("a store"), three()).await });
    let store = format!("file:{}", path.display());
    list_and_end(&Program::good(&folder), &["--store", &store]);
    let by_variable = Program::good(&folder).with(&[("STORE", "file:sessions.redb")]);
    by_variable.run(&["sessions", "list", "bob"]).ends_with(0);
    let report = by_variable.run(&["doctor"]).ends_with(0);
    assert!(report.out.contains("the file answers"), "{report:?}");
}

#[test]
fn all_pages_are_listed() {
    let folder = Folder::new("pages");
    let path = folder.file("sessions.redb");
    let labels = (0..230).map(|number| format!("device {number}\u{9b}"));
    System::new().block_on(async { open(FileStore::open(&path).expect("a store"), labels).await });
    let run =
        Program::good(&folder).run(&["sessions", "list", "alice", "--store", "file:sessions.redb"]);
    assert_eq!(run.out.lines().count(), 230, "{}", run.err);
    assert!(!run.out.contains('\u{9b}'));
}

#[test]
fn a_store_that_cannot_be_used_is_refused() {
    let folder = Folder::new("stores");
    let program = Program::good(&folder);
    for (store, code, said) in [
        (&["--store", "memory"][..], 2, "memory"),
        (&["--store", "mysql://a"], 2, "a store is"),
        (&["--store", "file:"], 2, "a store is"),
        (&["--store", "postgres:"], 2, "a store is"),
        (&["--store", "postgres://"], 2, "a store is"),
        (&["--store", "postgres:/alice@h/db"], 2, "a store is"),
        (&["--store", "redis:"], 2, "a store is"),
        (&["--store", "redis://h:notaport"], 2, "malformed"),
        (&["--store", "postgres://h:notaport/x"], 2, "malformed"),
        (&[], 2, "STORE"),
        (&["--store", "file:missing"], 1, "no such file"),
        (&["--store", "redis://127.0.0.1:1"], 1, "Redis"),
        (&["--store", "postgres://a@127.0.0.1:1/a"], 1, "PostgreSQL"),
    ] {
        let run = program
            .run(&[&["sessions", "list", "alice"], store].concat())
            .ends_with(code);
        assert!(
            run.err.contains(said) && run.out.is_empty(),
            "{store:?}: {run:?}"
        );
    }
    assert!(!folder.file("missing").exists());
    let open = FileStore::open(folder.file("open.redb")).expect("a store");
    let run = program
        .run(&["sessions", "list", "alice", "--store", "file:open.redb"])
        .ends_with(1);
    assert!(run.err.contains("in use"), "{run:?}");
    drop(open);
}
