//! Three processes move the same users from one prefix to another at the same time.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdin},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use flask_pyjwt::{
    MigratingStore, RedisStore,
    store::{Rotated, Standing},
};
use futures_util::future::join_all;

use super::{
    records::{Answers as _, NOW, auth, patient, refresh, revoke_session, rotation, session},
    server::{Server, needs_redis},
};

const USERS: usize = 300;
const PROCESSES: usize = 3;
/// The variable with the URL of the server, for a child process.
const URL: &str = "FLASK_PYJWT_MOVE_URL";
/// The start of each answer of a child process.
const ANSWER: &str = "outcome:";

async fn store(url: &str, prefix: &str) -> RedisStore {
    patient()
        .prefix(prefix)
        .connect(url)
        .await
        .expect("connected")
}

async fn moving(url: &str) -> MigratingStore {
    MigratingStore::new(store(url, "old").await, store(url, "new").await)
}

/// Refreshes one session of a user and ends another one. Returns whether the refresh won.
async fn use_sessions(store: &MigratingStore, user: usize, who: &str) -> bool {
    let user = format!("user {user}");
    let rotation = rotation(&user, "refreshed", "0", who, NOW);
    let ending = revoke_session(&user, "ended");
    let (rotated, _) = futures_util::join!(store.rotates(&rotation), store.revokes(&ending, NOW));
    let standing = store.standing_of(&auth(&user, "ended", "0"), NOW).await;
    assert_eq!(standing, Standing::Revoked, "{user}: it is back");
    for session in ["refreshed", "other"] {
        let standing = store.standing_of(&auth(&user, session, "0"), NOW).await;
        assert_eq!(standing, Standing::Good, "{user}, {session}: logged out");
    }
    match rotated {
        Rotated::Won(_) => true,
        Rotated::Again(..) => false,
        other => panic!("{user}: {other:?}"),
    }
}

/// A process that moves all users on command.
struct Mover {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Mover {
    fn start(url: &str) -> Self {
        let name = "redis_store::moves::a_process_of_the_move";
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", name, "--nocapture"])
            .env(URL, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let orders = child.stdin.take().expect("its input");
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        Self {
            child,
            orders,
            answers,
        }
    }

    /// The words of its next answer.
    fn answer(&mut self) -> Vec<String> {
        let mut line = String::new();
        while self.answers.read_line(&mut line).expect("it answers") > 0 {
            if let Some((_, answer)) = line.split_once(ANSWER) {
                return answer.split_whitespace().map(str::to_owned).collect();
            }
            line.clear();
        }
        panic!("a process of the move has failed");
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[actix_web::test]
async fn of_three_processes_that_move_a_user_one_wins_the_refresh_and_each_logout_is_final() {
    needs_redis!();
    let server = Server::start();
    let old = store(&server.url(), "old").await;
    for user in 0..USERS {
        for id in ["refreshed", "ended", "other"] {
            old.opens(&session(&format!("user {user}"), id, NOW), NOW)
                .await;
        }
    }
    let mut movers: Vec<_> = (0..PROCESSES)
        .map(|_| Mover::start(&server.url()))
        .collect();
    for mover in &mut movers {
        assert_eq!(mover.answer(), ["ready"]);
    }
    for (number, mover) in movers.iter_mut().enumerate() {
        writeln!(mover.orders, "of-{number}").expect("it listens");
    }
    let mut winners = [const { None }; USERS];
    for (number, mover) in movers.iter_mut().enumerate() {
        for user in mover.answer() {
            let user: usize = user.parse().expect("a number");
            let other = winners[user].replace(number);
            assert_eq!(other, None, "two processes have won for user {user}");
        }
    }
    // The new store alone has all of it.
    let new = store(&server.url(), "new").await;
    for (user, winner) in winners.into_iter().enumerate() {
        let winner = format!("of-{}", winner.expect("one process has won"));
        let user = format!("user {user}");
        let listed = new.lists(&user, NOW).await;
        let ids: Vec<_> = listed.iter().map(|it| &*it.id).collect();
        assert_eq!(ids, ["other", "refreshed"], "{user}");
        let current = refresh(&user, "refreshed", &winner);
        assert_eq!(new.standing_of(&current, NOW).await, Standing::Good);
        let ended = auth(&user, "ended", "0");
        assert_eq!(new.standing_of(&ended, NOW).await, Standing::Revoked);
    }
}

/// The child process of the test above. Without its variable it does nothing. Its answer is the users for whom it has
/// won.
#[actix_web::test]
async fn a_process_of_the_move() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let store = moving(&url).await;
    println!("{ANSWER} ready");
    for who in stdin().lines() {
        let who = who.expect("an order");
        let all = join_all((0..USERS).map(|user| use_sessions(&store, user, &who))).await;
        let won = all.into_iter().enumerate().filter(|(_, won)| *won);
        let won: Vec<_> = won.map(|(user, _)| user.to_string()).collect();
        println!("{ANSWER} {}", won.join(" "));
    }
}
