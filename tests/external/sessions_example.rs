//! `examples/sessions.rs` with each store that `STORE` can name: every `curl` line that it prints gets the status in its
//! comment.

#![cfg(unix)]

use std::process::Command;

use support::{
    example::{Example, executable},
    folder::Folder,
    postgres::{self, needs_postgres},
    redis::{Server, needs_redis},
};

use crate::curl;

/// Runs the example with a store, and then all lines that it prints.
fn assert_works_with(store: &str, place: &str) {
    let mut example = Example::start("sessions", &[("STORE", store)]);
    let explanation = example.process.read_until("Ctrl-C ends it.");
    let expected = format!("Sessions are kept in {place}.");
    assert!(explanation.contains(&expected), "{store}:\n{explanation}");
    let lines = explanation.lines();
    let lines = lines.filter(|line| line.contains("curl ") || line.contains("=$("));
    let lines = lines.map(str::to_owned).collect::<Vec<_>>();
    let promised = curl::assert_kept(store, &lines);
    for status in ["200", "204", "401"] {
        assert!(promised.contains(&Some(status.to_owned())), "{status}");
    }
    example.process.interrupt();
    assert!(example.process.wait().success(), "{store}");
}

#[test]
fn it_works_in_memory_and_in_a_file() {
    let folder = Folder::new("sessions");
    let file = folder.file("sessions.redb");
    assert_works_with("memory", "memory");
    assert_works_with(&format!("file:{}", file.display()), "a file");
    assert!(file.exists());
}

#[test]
fn it_works_in_redis() {
    needs_redis!();
    let server = Server::start();
    let url = server.url();
    assert_works_with(&url, "Redis");
    assert_works_with(&format!("{url}?near_cache=0"), "Redis");
    let near = "Redis, with a near cache in this process";
    assert_works_with(&format!("{url}?near_cache=1"), near);
}

#[test]
fn it_works_in_postgres() {
    needs_postgres!();
    let server = postgres::Server::start();
    let url = server.url();
    let added = if url.contains('?') { '&' } else { '?' };
    assert_works_with(&url, "PostgreSQL");
    let near = "PostgreSQL, with a near cache in this process";
    assert_works_with(&format!("{url}{added}near_cache=1"), near);
}

#[test]
fn an_unknown_store_and_an_unknown_value_end_it_with_an_error_that_says_what_is_allowed() {
    for (store, reason) in [
        ("", "STORE is `memory`"),
        ("memory:", "STORE is `memory`"),
        ("file:", "STORE is `memory`"),
        ("mysql://127.0.0.1/x", "STORE is `memory`"),
        ("redis://127.0.0.1:1/?near_cache=2", "is 0 or 1"),
        ("redis://127.0.0.1:1/?near_cache", "is 0 or 1"),
        (
            "redis://127.0.0.1:1/?near_cache=1&near_cache=1",
            "is 0 or 1",
        ),
    ] {
        let mut command = Command::new(executable("sessions"));
        let ended = command.env("STORE", store).env("PORT", "0").output();
        let ended = ended.expect("it starts");
        assert!(!ended.status.success(), "{store}");
        let printed = String::from_utf8_lossy(&ended.stderr);
        assert!(printed.contains(reason), "{store}: {printed}");
    }
}
