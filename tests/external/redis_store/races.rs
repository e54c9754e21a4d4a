//! `docs/threats.md` 37: a thousand concurrent rotations with one token, in one process and in four.

use std::{
    collections::HashSet,
    env,
    io::{BufRead as _, BufReader, Write as _, stdin},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use flask_pyjwt::{
    RedisStore,
    store::{Rotated, SessionStore, Standing},
};
use futures_util::future::join_all;

use time::Duration;

use super::{
    records::{Answers as _, GRACE, NOW, milliseconds, patient, refresh, rotation, session},
    server::{Server, needs_redis},
};

const ROUNDS: usize = 50;
const AT_A_TIME: usize = 1_000;
const PROCESSES: usize = 4;
/// The variable with the URL of the server, for a child process.
pub(crate) const URL: &str = "FLASK_PYJWT_RACE_URL";
/// The start of each answer of a child process.
const ANSWER: &str = "outcome:";

/// The test is about who wins, not about speed.
async fn store(url: &str) -> RedisStore {
    let builder = patient();
    builder.connect(url).await.expect("connected")
}

/// How many rotations won, and which successors were returned.
pub(crate) async fn rotate_all(
    store: &impl SessionStore,
    round: usize,
    who: &str,
) -> (usize, HashSet<String>) {
    let subject = format!("round {round}");
    // Some of them start a little later than the others.
    let attempts = (0..AT_A_TIME).map(|number| {
        let late = i64::try_from(number).expect("small") % milliseconds(GRACE);
        let now = NOW + Duration::milliseconds(late);
        rotation(&subject, "1", "0", &format!("{who}-{number}"), now)
    });
    let attempts: Vec<_> = attempts.collect();
    let answers = join_all(attempts.iter().map(|it| store.rotates(it))).await;
    let mut won = 0;
    let mut successors = HashSet::new();
    for (answer, attempt) in answers.into_iter().zip(&attempts) {
        match answer {
            Rotated::Won(session) => {
                won += 1;
                assert_eq!(session.current(), Some(&attempt.successor));
                successors.insert(attempt.successor.refresh_id.clone());
            }
            Rotated::Again(_, successor) => drop(successors.insert(successor.refresh_id)),
            other => panic!("round {round}: {other:?}"),
        }
    }
    (won, successors)
}

/// Only one successor is left, and it can be rotated.
pub(crate) async fn is_one_line(
    store: &impl SessionStore,
    round: usize,
    successors: &HashSet<String>,
) {
    let subject = format!("round {round}");
    assert_eq!(successors.len(), 1, "{subject}: {successors:?}");
    let sessions = store.lists(&subject, NOW).await;
    assert_eq!(sessions.len(), 1, "{subject}");
    let current = sessions[0].current().expect("a generation");
    assert!(successors.contains(&current.refresh_id), "{subject}");
    let name = current.refresh_id.trim_start_matches("r-");
    let token = refresh(&subject, "1", name);
    assert_eq!(
        store.standing_of(&token, NOW).await,
        Standing::Good,
        "{subject}"
    );
}

#[actix_web::test]
async fn threat_37_one_of_a_thousand_concurrent_rotations_in_one_process_wins() {
    needs_redis!();
    let server = Server::start();
    let store = store(&server.url()).await;
    for round in 0..ROUNDS {
        store
            .opens(&session(&format!("round {round}"), "1", NOW), NOW)
            .await;
        let (won, successors) = rotate_all(&store, round, "one").await;
        assert_eq!(won, 1, "round {round}");
        is_one_line(&store, round, &successors).await;
    }
}

/// Another process that rotates on command.
pub(crate) struct Racer {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Racer {
    /// Starts a process that runs only this test.
    fn start(test: &str, url: &str) -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", test, "--nocapture"])
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

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("it listens");
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
        panic!("a process of the race has ended");
    }
}

impl Drop for Racer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets processes that run this test rotate at the same time. Exactly one of all rotations must win.
pub(crate) async fn race(store: &impl SessionStore, test: &str, url: &str, rounds: usize) {
    let mut racers: Vec<_> = (0..PROCESSES).map(|_| Racer::start(test, url)).collect();
    for racer in &mut racers {
        assert_eq!(racer.answer(), ["ready"]);
    }
    for round in 0..rounds {
        store
            .opens(&session(&format!("round {round}"), "1", NOW), NOW)
            .await;
        for (number, racer) in racers.iter_mut().enumerate() {
            racer.order(&format!("{round} racer{number}"));
        }
        let mut won = 0;
        let mut successors = HashSet::new();
        for racer in &mut racers {
            let answer = racer.answer();
            won += answer[0].parse::<usize>().expect("a number");
            successors.extend(answer.into_iter().skip(1));
        }
        assert_eq!(won, 1, "round {round}");
        is_one_line(store, round, &successors).await;
    }
}

/// What such a process does: it rotates on command.
pub(crate) async fn take_part(store: &impl SessionStore) {
    println!("{ANSWER} ready");
    for order in stdin().lines() {
        let order = order.expect("an order");
        let (round, who) = order.split_once(' ').expect("round and name");
        let (won, successors) = rotate_all(store, round.parse().expect("a number"), who).await;
        let successors: Vec<_> = successors.into_iter().collect();
        println!("{ANSWER} {won} {}", successors.join(" "));
    }
}

#[actix_web::test]
async fn threat_37_one_of_four_thousand_concurrent_rotations_in_four_processes_wins() {
    needs_redis!();
    let server = Server::start();
    let store = store(&server.url()).await;
    let test = "redis_store::races::a_process_of_the_race";
    race(&store, test, &server.url(), ROUNDS).await;
}

/// The child process of the test above. Without its variable it does nothing.
#[actix_web::test]
async fn a_process_of_the_race() {
    if let Ok(url) = env::var(URL) {
        take_part(&store(&url).await).await;
    }
}
