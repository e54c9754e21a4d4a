//! A connection that breaks after a script has run and before its answer has arrived: the store sends the script
//! again.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use flask_pyjwt::store::{Rotated, SessionStore as _, Standing};

use time::Duration;

use super::{
    records::{
        Answers as _, GRACE, HOUR, NOW, auth, connected, generation, patient, rotation, session,
    },
    server::{Server, needs_redis},
};

/// Forwards bytes between a store and a server. It cuts a connection before an answer with a certain text
/// reaches the store, so many times.
pub(super) struct Cutter {
    pub(super) port: u16,
    /// How many connections are still to be cut.
    pub(super) remaining: Arc<AtomicUsize>,
}

impl Cutter {
    pub(super) fn to(server: &Server, text: &'static str, times: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let remaining = Arc::new(AtomicUsize::new(times));
        let (target, left) = (server.port, Arc::clone(&remaining));
        thread::spawn(move || {
            for near in listener.incoming() {
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(("127.0.0.1", target))) else {
                    return;
                };
                let streams = [&near, &far, &far, &near].map(TcpStream::try_clone);
                let [up_from, up_to, down_from, down_to] = streams.map(|it| it.expect("a stream"));
                thread::spawn(move || pass(up_from, up_to, |_| false));
                let left = Arc::clone(&left);
                let is_cut = move |bytes: &[u8]| {
                    let mut windows = bytes.windows(text.len());
                    windows.any(|it| it == text.as_bytes())
                        && left
                            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |it| {
                                it.checked_sub(1)
                            })
                            .is_ok()
                };
                thread::spawn(move || pass(down_from, down_to, is_cut));
            }
        });
        Self { port, remaining }
    }
}

/// Forwards bytes until one side closes the connection, or until it is to be cut.
fn pass(mut from: TcpStream, mut to: TcpStream, is_cut: impl Fn(&[u8]) -> bool) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if is_cut(&bytes[..count]) || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // The other thread may have done so already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// `docs/threats.md` 46.
#[actix_web::test]
async fn a_rotation_whose_answer_was_lost_wins_when_the_script_is_sent_again() {
    needs_redis!();
    let server = Server::start();
    let direct = connected(&server).await;
    let zero = Duration::ZERO;
    for (number, (grace, window)) in [(zero, zero), (zero, HOUR), (GRACE, zero), (GRACE, HOUR)]
        .into_iter()
        .enumerate()
    {
        let subject = format!("ann{number}");
        direct.opens(&session(&subject, "1", NOW), NOW).await;
        let cutter = Cutter::to(&server, "r-next", 1);
        let url = format!("redis://127.0.0.1:{}", cutter.port);
        let store = patient().connect(url).await.expect("connected");
        let mut attempt = rotation(&subject, "1", "0", "next", NOW);
        attempt.grace = grace;
        attempt.successor.repeatable_until = window.is_positive().then_some(NOW + window);
        let Rotated::Won(won) = store.rotates(&attempt).await else {
            panic!("the same attempt, with a grace of {grace}, and {window}");
        };
        assert_eq!(cutter.remaining.load(Ordering::Acquire), 0, "it was cut");
        assert_eq!(won.current(), Some(&attempt.successor));
        assert_eq!(direct.lists(&subject, NOW).await, [won]);

        // Another attempt is not the same one.
        let mut other = attempt.clone();
        other.successor = generation("other", NOW + GRACE);
        let expected_lost = window.is_positive();
        let answer = direct.rotates(&other).await;
        assert_eq!(matches!(answer, Rotated::LostAnswer(..)), expected_lost);
        assert_eq!(answer == Rotated::Replayed, !expected_lost);
    }
}

#[actix_web::test]
async fn a_mark_whose_answer_was_lost_is_made_when_the_script_is_sent_again() {
    needs_redis!();
    let server = Server::start();
    let direct = connected(&server).await;
    direct.opens(&session("ann", "1", NOW), NOW).await;
    let mut first = rotation("ann", "1", "0", "next", NOW);
    first.successor.repeatable_until = Some(NOW + HOUR);
    direct.rotates(&first).await;
    let token = auth("ann", "1", "next");
    assert_eq!(direct.standing_of(&token, NOW).await, Standing::Unused);

    let cutter = Cutter::to(&server, "r-next", 1);
    let url = format!("redis://127.0.0.1:{}", cutter.port);
    let store = patient().connect(url).await.expect("connected");
    let marked = store.mark_used(&token, NOW).await;
    assert_eq!(marked.expect("sent again"), Standing::Good);
    assert_eq!(cutter.remaining.load(Ordering::Acquire), 0, "it was cut");
    assert_eq!(direct.standing_of(&token, NOW).await, Standing::Good);
}

/// Data of an earlier version is read as before: its pairs count as used.
#[actix_web::test]
async fn a_session_without_marks_is_read_rotated_and_replayed() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    let (now, end) = (NOW.milliseconds(), (NOW + HOUR).milliseconds());
    let stored = format!(
        "[{now},{end},{end},[[\"r-0\",\"a-0\",{now}],[\"r-1\",\"a-1\",{now}]]]\nnull\n{{}}",
    );
    let mut set = redis::cmd("HSET");
    set.arg("flask-pyjwt:YW5u").arg("s:1").arg(stored);
    let client = redis::Client::open(server.url()).expect("a URL");
    let mut connection = client.get_connection().expect("connected");
    set.exec(&mut connection).expect("set");
    assert_eq!(
        store.standing_of(&auth("ann", "1", "1"), NOW).await,
        Standing::Good
    );
    let won = store.rotates(&rotation("ann", "1", "1", "2", NOW)).await;
    assert!(matches!(won, Rotated::Won(_)), "{won:?}");
    let late = rotation("ann", "1", "1", "x", NOW + GRACE);
    assert_eq!(store.rotates(&late).await, Rotated::Replayed);
}
