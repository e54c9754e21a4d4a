//! The commands that are sent to Redis: one for a check and one for a change.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use flask_pyjwt::{
    RedisStore,
    store::{Rotated, SessionStore, Standing},
};

use time::Duration;

use super::{
    records::{
        Answers as _, DAY, NOW, auth, connected, lone, opening, patient, refresh, revoke_session,
        revoke_subject, revoke_token, rotation, session,
    },
    server::{Server, needs_redis},
};

/// Everything that a server receives, as `MONITOR` shows it.
pub(crate) struct Monitor(BufReader<TcpStream>);

impl Monitor {
    pub(crate) fn start(server: &Server) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("connected");
        stream.write_all(b"MONITOR\r\n").expect("sent");
        let mut monitor = Self(BufReader::new(stream));
        assert_eq!(monitor.line(), "+OK");
        monitor
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// The names of the commands until now, without those that scripts run, and without those that the client
    /// sends now and then.
    pub(crate) fn commands(&mut self, server: &Server) -> Vec<String> {
        let end = "the-end-of-this-part";
        server.ask::<String>(&format!("ECHO {end}"));
        let mut commands = Vec::new();
        loop {
            let line = self.line();
            if line.contains(end) {
                return commands;
            }
            let (_, command) = line.split_once("] \"").expect("a command");
            let name = command.split('"').next().unwrap_or_default();
            let name = name.to_lowercase();
            let is_own = ["role", "ping", "info", "client", "cluster", "replconf"];
            if !line.contains(" lua] ") && !is_own.contains(&name.as_str()) {
                commands.push(name);
            }
        }
    }
}

#[actix_web::test]
async fn a_check_is_one_command_and_so_is_a_change() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    let now = NOW;
    // Each script is sent in full once.
    store.opens(&session("warm", "1", now), now).await;
    store.rotates(&rotation("warm", "1", "0", "1", now)).await;
    store.revokes(&revoke_session("warm", "1"), now).await;

    let mut monitor = Monitor::start(&server);
    store.opens(&session("ann", "1", now), now).await;
    assert_eq!(monitor.commands(&server), ["evalsha"]);
    for number in 0..200 {
        let next = (number + 1).to_string();
        let rotation = rotation(
            "ann",
            "1",
            &number.to_string(),
            &next,
            now + Duration::milliseconds(number),
        );
        assert!(matches!(store.rotates(&rotation).await, Rotated::Won(_)));
    }
    assert_eq!(monitor.commands(&server), vec!["evalsha"; 200]);
    for number in 0..200 {
        let token = match number % 4 {
            0 => auth("ann", "1", "200"),
            1 => refresh("ann", "1", "200"),
            2 => lone("ann", Some("x"), now),
            _ => lone("ann", None, now),
        };
        assert_eq!(
            store
                .standing_of(&token, now + Duration::milliseconds(200))
                .await,
            Standing::Good
        );
    }
    assert_eq!(monitor.commands(&server), vec!["hmget"; 200]);
    for (session, standing) in [("2", Standing::Revoked), ("1", Standing::Replayed)] {
        let token = refresh("ann", session, "0");
        assert_eq!(store.standing_of(&token, now + DAY).await, standing);
    }
    assert_eq!(monitor.commands(&server), ["hmget", "hmget"]);
    for revocation in [
        revoke_token("ann", "x", now + DAY),
        revoke_session("ann", "1"),
        revoke_subject("ann", now, now + DAY),
    ] {
        store.revokes(&revocation, now).await;
    }
    assert_eq!(monitor.commands(&server), vec!["evalsha"; 3]);
    store.lists("ann", now).await;
    assert_eq!(monitor.commands(&server), ["hrandfield"]);
}

#[actix_web::test]
async fn a_check_that_marks_a_pair_takes_two_commands() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    let mut repeatable = rotation("ann", "1", "0", "1", NOW);
    repeatable.successor.repeatable_until = Some(NOW + DAY);
    store.rotates(&repeatable).await;
    let mut monitor = Monitor::start(&server);
    let token = auth("ann", "1", "1");
    for (standing, commands) in [
        (Standing::Unused, vec!["hmget", "evalsha", "eval"]),
        (Standing::Good, vec!["hmget", "evalsha"]),
    ] {
        assert_eq!(store.standing_of(&token, NOW).await, standing);
        let marked = store.mark_used(&token, NOW).await;
        assert_eq!(marked.expect("marked"), Standing::Good);
        assert_eq!(monitor.commands(&server), commands);
    }
}

#[actix_web::test]
async fn a_script_that_the_server_has_forgotten_is_sent_in_full_once() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    let mut monitor = Monitor::start(&server);
    for _ in 0..2 {
        server.ask::<String>("SCRIPT FLUSH");
        monitor.commands(&server);
        for id in ["1", "2"] {
            store.opens(&session("ann", id, NOW), NOW).await;
        }
        assert_eq!(monitor.commands(&server), ["evalsha", "eval", "evalsha"]);
    }
}

#[actix_web::test]
async fn a_change_and_the_wait_for_replicas_are_sent_together() {
    needs_redis!();
    let primary = Server::start();
    let replica = Server::start();
    let port = primary.port;
    replica.ask::<String>(&format!("REPLICAOF 127.0.0.1 {port}"));
    let builder = patient();
    let store = builder.wait_for_replicas(1).connect(primary.url()).await;
    let store = store.expect("connected");
    super::server::wait_until("a replica has a change", async || {
        store.open(&opening("ann", "1", NOW), NOW).await.is_ok()
    })
    .await;

    let mut monitor = Monitor::start(&primary);
    store.opens(&session("ann", "1", NOW), NOW).await;
    assert_eq!(monitor.commands(&primary), ["evalsha", "wait"]);
    assert_eq!(replica.ask::<i64>("DBSIZE"), 1);
    let retry = rotation("ann", "1", "0", "2", NOW);
    store.rotates(&rotation("ann", "1", "0", "1", NOW)).await;
    assert!(matches!(store.rotates(&retry).await, Rotated::Again(..)));
    assert_eq!(
        store.standing_of(&auth("ann", "1", "1"), NOW).await,
        Standing::Good
    );

    // A change that no replica has is an error, even if it was made before.
    store.revokes(&revoke_session("ann", "2"), NOW).await;
    replica.pause();
    let builder = RedisStore::builder().timeout(time::Duration::SECOND);
    let impatient = builder.wait_for_replicas(1).connect(primary.url()).await;
    let impatient = impatient.expect("connected");
    let gone = revoke_session("ann", "1");
    for _ in 0..2 {
        let error = impatient.revoke(&gone, NOW).await.expect_err("no replica");
        let reason = super::records::reason(&error);
        assert_eq!(
            reason,
            "0 of 1 required replicas have acknowledged the change"
        );
    }
    // Checks do not wait for replicas.
    assert_eq!(
        store.standing_of(&auth("ann", "1", "1"), NOW).await,
        Standing::Revoked
    );
    replica.go_on();
    store.revokes(&gone, NOW).await;
    assert_eq!(replica.ask::<i64>("DBSIZE"), 0);
}
