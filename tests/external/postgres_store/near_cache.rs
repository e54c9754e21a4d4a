//! The near cache: changes by other processes and by hand, and a server that stops announcing them.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdin},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
};

use flask_pyjwt::{
    NearCache, PostgresStore, PostgresStoreBuilder,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreFuture, TokenIdentity,
    },
};
use time::Duration;

use super::{
    records::{connected, patient},
    server::{Bouncer, Server, needs_postgres},
};
use crate::redis_store::{
    records::{
        Answers as _, DAY, NOW, auth, lone, reason, revoke_session, revoke_subject, revoke_token,
        rotation, session,
    },
    same::histories_agree,
};
use support::redis::{wait_for, wait_until};

const SILENCE: Duration = Duration::milliseconds(400);

fn near(url: &str) -> PostgresStoreBuilder {
    patient(url).near_cache(NearCache::new().max_silence(SILENCE))
}

async fn near_store(server: &Server) -> PostgresStore {
    let store = near(&server.url()).build().expect("valid settings");
    store.migrate().await.expect("migrated");
    wait_until("changes are announced", async || {
        store.near_cache_ready().await.is_ok()
    })
    .await;
    store
}

fn hits(store: &PostgresStore) -> u64 {
    store.near_cache_counts().expect("a near cache").hits
}

/// Checks a good token until it is answered from the cache.
async fn warm(store: &PostgresStore, subject: &str) {
    let token = auth(subject, "1", "0");
    wait_until("a check is answered from the cache", async || {
        let before = hits(store);
        let standing = store.standing(&token, NOW).await;
        standing.is_ok_and(|it| it == Standing::Good) && hits(store) > before
    })
    .await;
}

async fn is_refused(store: &PostgresStore, subject: &str) {
    let token = auth(subject, "1", "0");
    wait_until("a token is refused", async || {
        let standing = store.standing(&token, NOW).await;
        standing.is_ok_and(|it| it == Standing::Revoked)
    })
    .await;
}

/// A revocation of each kind, of the token `a-0` of the session `1`.
fn revocations(subject: &str) -> [Revocation; 3] {
    [
        revoke_session(subject, "1"),
        revoke_token(subject, "a-0", NOW + DAY),
        revoke_subject(subject, NOW, NOW + DAY),
    ]
}

#[actix_web::test]
async fn the_store_itself_sees_its_changes_at_once() {
    needs_postgres!();
    let server = Server::start();
    let store = Arc::new(near_store(&server).await);
    let clear = || {
        let emptied = || store.near_cache_counts().expect("a near cache").emptied;
        let before = emptied();
        server.ask("TRUNCATE flask_pyjwt_sessions, flask_pyjwt_tokens, flask_pyjwt_subjects");
        wait_for("it is announced", || (emptied() > before).then_some(()));
    };
    histories_agree(&Twice(Arc::clone(&store)), 8, clear).await;
    assert!(hits(&store) > 20);
}

/// Checks each token twice: the second answer is from the cache, unless the token is an unused or a refresh token.
struct Twice(Arc<PostgresStore>);

impl SessionStore for Twice {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.0.open(opening, now)
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.0.rotate(rotation)
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let first = self.0.standing(token, now).await?;
            assert_eq!(self.0.standing(token, now).await?, first, "{token:?}");
            Ok(first)
        })
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.0.mark_used(token, now)
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.0.revoke(revocation, now)
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.0.sessions(subject, most, now)
    }
    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        self.0.adopt(subject, sessions, now)
    }
}

/// Another process with a near cache, which checks on command.
struct Checker {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const URL: &str = "FLASK_PYJWT_NEAR_URL";
const ANSWER: &str = "checked:";

impl Checker {
    fn start(url: &str) -> Self {
        let test = "postgres_store::near_cache::a_process_that_checks";
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

    /// Whether the token of this subject is good, and whether the answer was in the cache.
    fn check(&mut self, subject: &str) -> (bool, bool) {
        writeln!(self.orders, "{subject}").expect("it listens");
        let mut line = String::new();
        while self.answers.read_line(&mut line).expect("it answers") > 0 {
            if let Some((_, answer)) = line.split_once(ANSWER) {
                return (answer.contains("good"), answer.contains("known"));
            }
            line.clear();
        }
        panic!("a process has ended");
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[actix_web::test]
async fn what_one_process_revokes_is_refused_by_two_others() {
    needs_postgres!();
    let server = Server::start();
    let store = near_store(&server).await;
    let mut checkers = [Checker::start(&server.url()), Checker::start(&server.url())];
    for number in 0..30 {
        let subject = format!("subject-{number}");
        store.opens(&session(&subject, "1", NOW), NOW).await;
        for checker in &mut checkers {
            wait_for("the answer is in the cache", || {
                let (is_good, is_known) = checker.check(&subject);
                assert!(is_good, "{subject}");
                is_known.then_some(())
            });
        }
        let revocation = &revocations(&subject)[number % 3];
        store.revokes(revocation, NOW).await;
        for checker in &mut checkers {
            wait_for("it is refused", || {
                (!checker.check(&subject).0).then_some(())
            });
            assert!(!checker.check(&subject).0, "it stays refused");
        }
    }
}

/// The child process of the test above. Without its variable it does nothing.
#[actix_web::test]
async fn a_process_that_checks() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let store = near(&url).build().expect("valid settings");
    wait_until("changes are announced", async || {
        store.near_cache_ready().await.is_ok()
    })
    .await;
    for subject in stdin().lines() {
        let token = auth(&subject.expect("an order"), "1", "0");
        let before = hits(&store);
        let standing = store.standing_of(&token, NOW).await;
        let word = if standing == Standing::Good {
            "good"
        } else {
            "refused"
        };
        let place = if hits(&store) > before {
            "known"
        } else {
            "asked"
        };
        println!("{ANSWER} {word} {place}");
    }
}

#[actix_web::test]
async fn changes_by_hand_are_announced() {
    needs_postgres!();
    let server = Server::start();
    let store = near_store(&server).await;
    let key = "sha256('ann')";
    for change in [
        format!("DELETE FROM flask_pyjwt_sessions WHERE key = {key}"),
        format!("INSERT INTO flask_pyjwt_tokens VALUES ({key}, 'a-0', 9000000000000)"),
        "TRUNCATE flask_pyjwt_sessions".to_owned(),
        format!(
            "SET session_replication_role = replica; DELETE FROM flask_pyjwt_sessions WHERE key = {key}"
        ),
        format!("UPDATE flask_pyjwt_sessions SET id = '2' WHERE key = {key}"),
    ] {
        server.ask("TRUNCATE flask_pyjwt_tokens");
        store.opens(&session("ann", "1", NOW), NOW).await;
        warm(&store, "ann").await;
        server.ask(&change);
        is_refused(&store, "ann").await;
    }
    // A token without a session.
    let token = lone("ann", None, NOW);
    assert_eq!(store.standing_of(&token, NOW).await, Standing::Good);
    server.ask(&format!(
        "INSERT INTO flask_pyjwt_subjects VALUES ({key}, 9000000000000, 9000000000000)"
    ));
    wait_until("it is refused", async || {
        store.standing_of(&token, NOW).await == Standing::Revoked
    })
    .await;
    // Anybody can announce anything. It only makes the cache forget.
    store.opens(&session("bob", "1", NOW), NOW).await;
    for payload in ["", "garbage", "é", &"0".repeat(7_000)] {
        warm(&store, "bob").await;
        let before = store.near_cache_counts().expect("a near cache").emptied;
        server.ask(&format!("NOTIFY flask_pyjwt_changes, '{payload}'"));
        wait_until("everything is forgotten", async || {
            store.near_cache_counts().expect("a near cache").emptied > before
        })
        .await;
    }
    warm(&store, "bob").await;
}

#[actix_web::test]
async fn a_paused_server_ends_the_use_of_the_cache() {
    needs_postgres!();
    let server = Server::start();
    let store = near(&server.url()).timeout(Duration::milliseconds(300));
    let store = store.build().expect("valid settings");
    connected(&server)
        .await
        .opens(&session("ann", "1", NOW), NOW)
        .await;
    wait_until("migrated", async || store.migrate().await.is_ok()).await;
    let token = auth("ann", "1", "0");
    for _ in 0..3 {
        warm(&store, "ann").await;
        server.pause();
        wait_until("checks fail", async || {
            store.standing(&token, NOW).await.is_err()
        })
        .await;
        for _ in 0..5 {
            assert!(store.standing(&token, NOW).await.is_err());
        }
        server.go_on();
    }
    warm(&store, "ann").await;
}

#[actix_web::test]
async fn a_listening_connection_that_is_ended_is_replaced_and_misses_nothing() {
    needs_postgres!();
    let server = Server::start();
    let store = near_store(&server).await;
    let other = connected(&server).await;
    for number in 0..12 {
        let subject = format!("subject {number}");
        other.opens(&session(&subject, "1", NOW), NOW).await;
        warm(&store, &subject).await;
        server.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE query LIKE 'NOTIFY%' OR query LIKE 'LISTEN%'",
        );
        other.revokes(&revocations(&subject)[number % 3], NOW).await;
        is_refused(&store, &subject).await;
    }
}

#[actix_web::test]
async fn after_a_crash_of_the_server_nothing_old_is_used() {
    needs_postgres!();
    let mut server = Server::start();
    let store = near_store(&server).await;
    let other = connected(&server).await;
    for number in 0..3 {
        let subject = format!("subject {number}");
        other.opens(&session(&subject, "1", NOW), NOW).await;
        warm(&store, &subject).await;
        server.restart();
        wait_until("it is revoked", async || {
            other
                .revoke(&revocations(&subject)[number], NOW)
                .await
                .is_ok()
        })
        .await;
        is_refused(&store, &subject).await;
    }
    other.opens(&session("ann", "1", NOW), NOW).await;
    warm(&store, "ann").await;
    // A refresh changes nothing for the auth token of the pair before.
    other.rotates(&rotation("ann", "1", "0", "1", NOW)).await;
    warm(&store, "ann").await;
}

#[actix_web::test]
async fn without_triggers_nothing_is_kept() {
    needs_postgres!();
    let server = Server::start();
    let other = connected(&server).await;
    other.opens(&session("ann", "1", NOW), NOW).await;
    let store = near(&server.url()).build().expect("valid settings");
    let error = store.near_cache_ready().await.expect_err("no triggers");
    assert!(reason(&error).contains("triggers"), "{error:?}");
    for _ in 0..3 {
        let standing = store.standing_of(&auth("ann", "1", "0"), NOW).await;
        assert_eq!(standing, Standing::Good);
    }
    assert_eq!(hits(&store), 0);
    assert!(store.migration().contains("CREATE TRIGGER"));
    assert!(!other.migration().contains("CREATE TRIGGER"));
    for number in 0..2 {
        store.migrate().await.expect("migrated");
        warm(&store, "ann").await;
        server.ask(if number == 0 {
            "ALTER TABLE flask_pyjwt_tokens DISABLE TRIGGER flask_pyjwt_announce"
        } else {
            "DROP FUNCTION flask_pyjwt_announce CASCADE"
        });
        wait_until("it is noticed", async || {
            store.near_cache_ready().await.is_err()
        })
        .await;
        let before = hits(&store);
        let standing = store.standing_of(&auth("ann", "1", "0"), NOW).await;
        assert_eq!((standing, hits(&store)), (Standing::Good, before));
    }
}

#[actix_web::test]
async fn behind_pgbouncer_the_cache_needs_a_connection_of_its_own() {
    needs_postgres!();
    if !Bouncer::is_there() {
        return;
    }
    let server = Server::start();
    let bouncer = Bouncer::start(&server, "transaction");
    let url = server.url_at(bouncer.port);
    let store = near(&url).build().expect("valid settings");
    store.migrate().await.expect("migrated");
    let error = store.near_cache_ready().await.expect_err("a pooler");
    assert!(
        reason(&error).contains("`near_cache_connection`"),
        "{error:?}"
    );
    // No connection of the pooler listens, so that no other client gets the notifications.
    store.opens(&session("bob", "1", NOW), NOW).await;
    for _ in 0..20 {
        let standing = store.standing_of(&auth("bob", "1", "0"), NOW).await;
        assert_eq!(standing, Standing::Good);
    }
    drop(store);

    let direct = server.url().parse().expect("a URL");
    let store = near(&url)
        .near_cache_connection(direct)
        .build()
        .expect("valid settings");
    store.opens(&session("ann", "1", NOW), NOW).await;
    wait_until("changes are announced", async || {
        store.near_cache_ready().await.is_ok()
    })
    .await;
    warm(&store, "ann").await;
    connected(&server)
        .await
        .revokes(&revoke_session("ann", "1"), NOW)
        .await;
    is_refused(&store, "ann").await;
}

#[actix_web::test]
async fn announcements_of_another_server_are_not_enough() {
    needs_postgres!();
    let (server, another) = (Server::start(), Server::start());
    for server in [&server, &another] {
        let store = near(&server.url()).build().expect("valid settings");
        store.migrate().await.expect("migrated");
    }
    let elsewhere = another.url().parse().expect("a URL");
    let store = near(&server.url()).near_cache_connection(elsewhere).build();
    let store = store.expect("valid settings");
    let error = store.near_cache_ready().await.expect_err("another server");
    assert!(
        reason(&error).contains("another PostgreSQL server"),
        "{error:?}"
    );
    store.opens(&session("ann", "1", NOW), NOW).await;
    for _ in 0..3 {
        let standing = store.standing_of(&auth("ann", "1", "0"), NOW).await;
        assert_eq!(standing, Standing::Good);
    }
    assert_eq!(hits(&store), 0);
}
