//! A process that is killed while it changes sessions.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use flask_pyjwt::{
    PostgresStore,
    store::{Rotated, SessionStore as _, Standing},
};
use futures_util::future::join_all;

use super::{
    records::{connected, patient, pool},
    server::{Server, needs_postgres},
};
use crate::redis_store::records::{
    Answers as _, NOW, auth, refresh, revoke_session, rotation, session,
};

const URL: &str = "FLASK_PYJWT_KILLED_URL";
const ANSWER: &str = "acknowledged:";
const SUBJECTS: usize = 8;

#[actix_web::test]
async fn a_process_that_is_killed_loses_no_acknowledged_change_and_locks_nobody_out() {
    needs_postgres!();
    let server = Server::start();
    connected(&server).await;
    // With the default timeout: nothing may wait for what the process has left.
    let store = PostgresStore::new(pool(&server.url())).expect("a store");
    for round in 0..5 {
        let test = "postgres_store::killed::a_process_that_is_killed";
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", test, "--nocapture"])
            .env(URL, server.url())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut acknowledged = Vec::new();
        for line in lines.map_while(Result::ok) {
            if let Some((_, change)) = line.split_once(ANSWER) {
                acknowledged.push(change.trim().to_owned());
            }
            if acknowledged.len() == 40 + round {
                child.kill().expect("it runs");
            }
        }
        child.wait().expect("it has ended");
        assert!(acknowledged.len() >= 40 + round);
        for change in &acknowledged {
            let mut words = change.split(' ');
            let mut word = || words.next().expect("a word");
            let (what, subject, id) = (word(), word(), word());
            let patient = patient(&server.url()).build().expect("valid settings");
            if what == "revoked" {
                let standing = patient.standing_of(&auth(subject, id, "0"), NOW).await;
                assert_eq!(standing, Standing::Revoked, "{change}");
            } else {
                // It was rotated, and may have been revoked after that.
                let standing = patient
                    .standing(&refresh(subject, id, "0"), NOW + 11 * SECOND)
                    .await;
                let standing = standing.expect("an answer");
                assert!(
                    matches!(standing, Standing::Replayed | Standing::Revoked),
                    "{change}"
                );
            }
        }
        // All of its subjects can be used at once.
        for number in 0..SUBJECTS {
            let opened = session(&format!("subject-{number}"), "mine", NOW);
            let opening = flask_pyjwt::store::Opening::new(opened, 1_000);
            let mut is_open = store.open(&opening, NOW).await.is_ok();
            // The first connections may take longer than the timeout.
            for _ in 0..100 {
                if is_open {
                    break;
                }
                is_open = store.open(&opening, NOW).await.is_ok();
            }
            assert!(is_open);
        }
        server.ask("TRUNCATE flask_pyjwt_sessions");
    }
}

const SECOND: time::Duration = time::Duration::SECOND;

/// The child process of the test above. Without its variable it does nothing.
#[actix_web::test]
async fn a_process_that_is_killed() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let store = &patient(&url).build().expect("valid settings");
    join_all((0..SUBJECTS).map(async |number| {
        let subject = format!("subject-{number}");
        for id in 0..1_000 {
            let id = id.to_string();
            store.opens(&session(&subject, &id, NOW), NOW).await;
            let rotated = store.rotates(&rotation(&subject, &id, "0", "1", NOW)).await;
            assert!(matches!(rotated, Rotated::Won(_)));
            println!("{ANSWER} rotated {subject} {id}");
            store.revokes(&revoke_session(&subject, &id), NOW).await;
            println!("{ANSWER} revoked {subject} {id}");
        }
    }))
    .await;
}
