//! Many checks at the same time.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use flask_pyjwt::store::{SessionStore as _, Standing};
use futures_util::{future::join_all, poll};

use super::{hears, kept, near, near_to};
use crate::redis_store::records::{
    Answers as _, NOW, auth, connected, lone, revoke_session, session,
};
use support::redis::{Server, needs_redis, wait_until};

/// How many questions about subjects a server has answered.
fn questions(server: &Server) -> usize {
    let stats = server.info("commandstats", "cmdstat_hmget");
    let stats = stats.unwrap_or_default();
    let calls = stats.split(',').find_map(|it| it.strip_prefix("calls="));
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}

#[actix_web::test]
async fn a_thousand_checks_of_one_subject_after_a_change_are_a_few_questions() {
    needs_redis!();
    let server = Server::start();
    let (store, other) = (near_to(&server).await, connected(&server).await);
    for round in 0..5 {
        let ids: Vec<_> = (0..10).map(|number| format!("{round}-{number}")).collect();
        for id in &ids {
            store.opens(&session("ann", id, NOW), NOW).await;
        }
        let tokens: Vec<_> = ids.iter().map(|id| auth("ann", id, "0")).collect();
        kept(&store, &tokens[0]).await;
        other.revokes(&revoke_session("ann", &ids[0]), NOW).await;
        hears(&store).await;
        let before = questions(&server);
        let checks = (0..1_000).map(|number| store.standing(&tokens[number % 10], NOW));
        for (number, answer) in join_all(checks).await.into_iter().enumerate() {
            let is_revoked = answer.expect("an answer") == Standing::Revoked;
            assert_eq!(is_revoked, number % 10 == 0);
        }
        let asked = questions(&server) - before;
        assert!((1..=12).contains(&asked), "{asked} questions");
        // And no more afterwards.
        let before = questions(&server);
        for token in &tokens {
            store.standing_of(token, NOW).await;
        }
        assert_eq!(questions(&server), before);
    }
}

/// Passes bytes on, and those from the server later.
struct Distance {
    port: u16,
    is_long: Arc<AtomicBool>,
    /// How often the store has sent something since then.
    sent: Arc<AtomicUsize>,
}

const DELAY: Duration = Duration::from_secs(1);

impl Distance {
    fn to(server: &Server) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (is_long, sent) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (is, count, target) = (Arc::clone(&is_long), Arc::clone(&sent), server.port);
        thread::spawn(move || {
            for near in listener.incoming() {
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(("127.0.0.1", target))) else {
                    return;
                };
                let copy = |stream: &TcpStream| stream.try_clone().expect("a stream");
                let (mut up, mut to) = (copy(&near), copy(&far));
                let (is, count) = (Arc::clone(&is), Arc::clone(&count));
                thread::spawn(move || {
                    let mut bytes = [0; 4_096];
                    while let Ok(read @ 1..) = up.read(&mut bytes) {
                        count.fetch_add(1, Ordering::AcqRel);
                        if to.write_all(&bytes[..read]).is_err() {
                            break;
                        }
                    }
                });
                thread::spawn(move || pass_late(far, near, &is));
            }
        });
        Self {
            port,
            is_long,
            sent,
        }
    }
}

/// Passes bytes on in order, each after the delay.
fn pass_late(mut from: TcpStream, mut to: TcpStream, is_long: &AtomicBool) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        while let Ok((due, bytes)) = receiver.recv() {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
    });
    let mut bytes = [0; 4_096];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let delay = if is_long.load(Ordering::Acquire) {
            DELAY
        } else {
            Duration::ZERO
        };
        if sender
            .send((Instant::now() + delay, bytes[..read].to_vec()))
            .is_err()
        {
            break;
        }
    }
}

/// Whoever asks while a question is on its way does not wait for that answer and then for his own: with a store
/// timeout of less than two answers, that would be an error.
#[actix_web::test]
async fn checks_that_meet_on_a_slow_server_wait_for_one_answer_not_for_two() {
    needs_redis!();
    let server = Server::start();
    let distance = Distance::to(&server);
    let timeout = DELAY * 9 / 5;
    let store = near().timeout(timeout.try_into().expect("short"));
    let url = format!("redis://127.0.0.1:{}", distance.port);
    let store = store.connect(url).await.expect("connected");
    let subjects: Vec<_> = (0..5).map(|number| format!("subject {number}")).collect();
    for subject in &subjects {
        store.opens(&session(subject, "1", NOW), NOW).await;
    }
    distance.is_long.store(true, Ordering::Release);
    let tokens: Vec<_> = subjects.iter().map(|it| auth(it, "1", "0")).collect();
    let before = distance.sent.load(Ordering::Acquire);
    let mut first: Vec<_> = tokens
        .iter()
        .map(|token| store.standing(token, NOW))
        .collect();
    for check in &mut first {
        assert!(poll!(check).is_pending());
    }
    wait_until("the first questions are sent", async || {
        distance.sent.load(Ordering::Acquire) > before
    })
    .await;
    let others: Vec<_> = subjects.iter().map(|it| lone(it, Some("x"), NOW)).collect();
    let second = tokens.iter().chain(&others).cycle().take(200);
    let second = second.map(|token| store.standing(token, NOW));
    let (first, second) = futures_util::join!(join_all(first), join_all(second));
    for answer in first.into_iter().chain(second) {
        assert_eq!(answer.expect("in time"), Standing::Good);
    }
}
