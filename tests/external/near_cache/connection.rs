//! Servers that are killed, hang, or close connections.

use std::{rc::Rc, thread};

use actix_web::rt::spawn;
use flask_pyjwt::{
    RedisStore,
    store::{SessionStore as _, Standing},
};

use super::{hears, impatient, kept, key, near_to};
use crate::redis_store::{
    load::{Load, subjects},
    records::{Answers as _, NOW, auth, connected, revoke_session, session},
};
use support::redis::{Server, needs_redis, wait_until};

async fn impatient_to(server: &Server) -> RedisStore {
    impatient().connect(server.url()).await.expect("connected")
}

/// Waits until a check has no answer. From then on, none has one.
async fn refuses(store: &RedisStore, subjects: &[String]) {
    let first = auth(&subjects[0], "1", "0");
    wait_until("the fault is noticed", async || {
        store.standing(&first, NOW).await.is_err()
    })
    .await;
    for subject in subjects {
        let answer = store.standing(&auth(subject, "1", "0"), NOW).await;
        assert!(answer.is_err(), "{subject}: {answer:?}");
    }
}

/// Waits until the store can ask its server again.
async fn recovers(store: &RedisStore) {
    wait_until("the server answers", async || {
        let new = auth("somebody else", "1", "0");
        store.standing(&new, NOW).await.is_ok()
    })
    .await;
}

#[actix_web::test]
async fn nothing_is_answered_while_the_server_is_down_and_nothing_old_afterwards() {
    needs_redis!();
    for is_durable in [false, true] {
        let mut server = if is_durable {
            Server::durable()
        } else {
            Server::start()
        };
        let (store, other) = (impatient_to(&server).await, connected(&server).await);
        let all = subjects(10);
        for subject in &all {
            store.opens(&session(subject, "1", NOW), NOW).await;
            store.opens(&session(subject, "2", NOW), NOW).await;
            for id in ["1", "2"] {
                let token = auth(subject, id, "0");
                assert_eq!(kept(&store, &token).await, Standing::Good);
            }
        }
        for subject in &all {
            other.revokes(&revoke_session(subject, "2"), NOW).await;
        }
        server.kill();
        refuses(&store, &all).await;
        server.restart();
        recovers(&store).await;
        for subject in &all {
            // Without its file, the server knows no session.
            let expected = if is_durable {
                Standing::Good
            } else {
                Standing::Revoked
            };
            assert_eq!(kept(&store, &auth(subject, "1", "0")).await, expected);
            let ended = auth(subject, "2", "0");
            assert_eq!(kept(&store, &ended).await, Standing::Revoked);
        }
    }
}

#[actix_web::test]
async fn a_server_that_hangs_is_an_error_and_what_was_kept_is_not_used_afterwards() {
    needs_redis!();
    let server = Server::with(&["--save", "", "--enable-debug-command", "yes"]);
    for hang in ["SIGSTOP", "CLIENT PAUSE 1500 ALL", "DEBUG SLEEP 1.5"] {
        let (store, other) = (impatient_to(&server).await, connected(&server).await);
        let all = subjects(10);
        for subject in &all {
            store.opens(&session(subject, "1", NOW), NOW).await;
            let token = auth(subject, "1", "0");
            assert_eq!(kept(&store, &token).await, Standing::Good, "{hang}");
        }
        if hang == "SIGSTOP" {
            server.pause();
        } else {
            let mut command = redis::Cmd::new();
            command.arg(hang.split(' ').collect::<Vec<_>>());
            let mut connection = server.connect();
            // The server answers after it has slept.
            thread::spawn(move || command.exec(&mut connection));
        }
        refuses(&store, &all[..2]).await;
        let revoking = spawn(async move {
            for subject in subjects(10) {
                other.revokes(&revoke_session(&subject, "1"), NOW).await;
            }
        });
        if hang == "SIGSTOP" {
            server.go_on();
        }
        revoking.await.expect("revoked");
        recovers(&store).await;
        hears(&store).await;
        for subject in &all {
            let standing = store.standing_of(&auth(subject, "1", "0"), NOW).await;
            assert_eq!(standing, Standing::Revoked, "{hang}");
        }
    }
}

/// Closes the connections on which changes are announced.
fn close_announcing(server: &Server) {
    let clients: String = server.ask("CLIENT LIST");
    let field = |client: &str, name: &str| {
        let mut fields = client.split(' ');
        Some(fields.find_map(|it| it.strip_prefix(name))?.to_owned())
    };
    let announcing = clients.lines().filter(|client| {
        let flags = field(client, "flags=").expect("each client has flags");
        flags.contains('t')
    });
    let ids: Vec<_> = announcing.filter_map(|it| field(it, "id=")).collect();
    assert!(!ids.is_empty(), "{clients}");
    for id in ids {
        server.ask::<i64>(&format!("CLIENT KILL ID {id}"));
    }
}

#[actix_web::test]
async fn a_closed_connection_causes_no_error_and_its_answers_are_not_used() {
    needs_redis!();
    let server = Server::start();
    let (store, other) = (near_to(&server).await, connected(&server).await);
    let token = auth("ann", "1", "0");
    for round in 0..10 {
        store.opens(&session("ann", "1", NOW), NOW).await;
        assert_eq!(kept(&store, &token).await, Standing::Good);
        if round % 2 == 0 {
            close_announcing(&server);
        } else {
            server.ask::<i64>("CLIENT KILL TYPE normal SKIPME yes");
        }
        other.revokes(&revoke_session("ann", "1"), NOW).await;
        // Nothing was announced: the store has to notice that the connection is closed.
        hears(&store).await;
        let standing = store.standing_of(&token, NOW).await;
        assert_eq!(standing, Standing::Revoked, "round {round}");
        assert_eq!(kept(&store, &token).await, Standing::Revoked);
    }
}

#[actix_web::test]
async fn a_connection_with_too_many_announcements_is_closed_and_nothing_is_overlooked() {
    needs_redis!();
    let server = Server::start();
    let store = near_to(&server).await;
    let all = subjects(2_000);
    for subject in &all {
        store.opens(&session(subject, "1", NOW), NOW).await;
    }
    for subject in &all {
        store.standing_of(&auth(subject, "1", "0"), NOW).await;
    }
    assert_eq!(kept(&store, &auth(&all[0], "1", "0")).await, Standing::Good);
    let emptied = || store.near_cache_counts().expect("a near cache").emptied;
    let before = emptied();
    let mut limit = redis::cmd("CONFIG");
    let limits = ["SET", "client-output-buffer-limit", "normal 1024 0 0"];
    limit.arg(&limits).exec(&mut server.connect()).expect("set");
    let mut delete = redis::cmd("DEL");
    for subject in &all {
        delete.arg(key(subject));
    }
    let deleted: usize = delete.query(&mut server.connect()).expect("deleted");
    assert_eq!(deleted, all.len());
    hears(&store).await;
    for subject in &all {
        let standing = store.standing_of(&auth(subject, "1", "0"), NOW).await;
        assert_eq!(standing, Standing::Revoked, "{subject}");
    }
    assert!(emptied() > before, "the connection was not closed");
}

#[actix_web::test]
async fn acknowledged_changes_are_seen_while_the_server_hangs_and_is_killed() {
    needs_redis!();
    let mut server = Server::durable();
    let store = Rc::new(impatient_to(&server).await);
    let load = Load::start(&store, subjects(20));
    for round in 0..4 {
        load.wait_for_steps(300).await;
        if round % 2 == 0 {
            server.pause();
            load.fails(20).await;
            server.go_on();
        } else {
            server.kill();
            load.fails(20).await;
            server.restart();
        }
    }
    load.wait_for_steps(300).await;
    load.stop().await;
}
