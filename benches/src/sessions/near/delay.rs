//! How long it takes until a process refuses what another one has revoked, under load.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use actix_web::rt::{System, spawn, task::yield_now};
use flask_pyjwt::store::{Revocation, SessionStore as _, Standing};
use serde::{Deserialize, Serialize};

use super::{
    super::{CALLERS, NOW, RedisServer, Store, fill, id, rotation, scattered, subject, token},
    SESSIONS, store,
};
use crate::{
    process::{self, Process},
    race::percentile,
    report::{Cell, Report, Table},
    settings::Settings,
};

/// The argument that starts the bench as a process that watches sessions.
pub(crate) const MODE: &str = "watch-near";
/// Checks of other sessions for each check of the watched one.
const OTHERS: usize = 16;

/// The sessions from `SESSIONS` on are watched, one after the other.
#[derive(Serialize, Deserialize)]
struct Order {
    url: String,
    watched: usize,
}

pub(super) fn run(settings: &Settings, report: &mut Report) -> io::Result<()> {
    let watched = if settings.quick { 100 } else { 3_000 };
    let times = System::new().block_on(measure(watched))?;
    let [half, most, all] = [50, 99, 100].map(|it| percentile(times.clone(), it));
    let columns = ["two processes, under load", "p50 ms", "p99 ms", "most ms"];
    let mut table = Table::new("Near cache: from revoked to refused", &columns);
    table.row(
        &format!("{watched} sessions"),
        [half, most, all].map(|it| Cell::Number(it, 2)),
    );
    report.table(table);
    let what = "near cache: p99 of revoked to refused, ms";
    report.at_most(what, 5.0, most);
    Ok(())
}

/// Milliseconds from the call that revokes to the first refusal in the other process.
async fn measure(watched: usize) -> io::Result<Vec<f64>> {
    let server = RedisServer::start().ok_or(io::ErrorKind::NotFound)?;
    let own: Store = Arc::new(store(&server.url(), true).await);
    fill(&own, SESSIONS + watched).await;
    let order = Order {
        url: server.url(),
        watched,
    };
    let mut process = Process::start(&[], MODE, &order)?;
    let load = Load::start(&own);
    let mut times = Vec::with_capacity(watched);
    for number in SESSIONS..SESSIONS + watched {
        // It has kept the answer about this session.
        process.line()?;
        // Elsewhere in its loop, and the load goes on.
        for _ in 0..scattered(number) % 64 {
            yield_now().await;
        }
        let began = SystemTime::now();
        let revocation = Revocation::of_session(subject(number), id(number));
        own.revoke(&revocation, NOW).await.expect("revoked");
        let refused: Duration = serde_json::from_str(&process.line()?).map_err(io::Error::other)?;
        let refused = SystemTime::UNIX_EPOCH + refused;
        let time = refused.duration_since(began).unwrap_or_default();
        times.push(time.as_secs_f64() * 1e3);
    }
    load.stop();
    Ok(times)
}

/// Other sessions are checked and refreshed all the time, on a thread of its own.
struct Load {
    stops: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Load {
    fn start(store: &Store) -> Self {
        let (stops, store) = (Arc::<AtomicBool>::default(), Arc::clone(store));
        let is_stopped = Arc::clone(&stops);
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let task = |caller| {
                    spawn(use_session(
                        caller,
                        Arc::clone(&store),
                        Arc::clone(&is_stopped),
                    ))
                };
                for task in (0..CALLERS / 4).map(task).collect::<Vec<_>>() {
                    task.await.expect("it ends");
                }
            });
        });
        Self { stops, thread }
    }

    fn stop(self) {
        self.stops.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic");
    }
}

async fn use_session(number: usize, store: Store, is_stopped: Arc<AtomicBool>) {
    for step in 0.. {
        if is_stopped.load(Ordering::Relaxed) {
            return;
        }
        let rotated = store.rotate(&rotation(number, step)).await;
        rotated.expect("an answer");
        for _ in 0..OTHERS {
            let other = token(number);
            store.standing(&other, NOW).await.expect("an answer");
            yield_now().await;
        }
    }
}

/// The body of the process: says when it has kept an answer, and when it has first refused the token.
pub(crate) fn watch() -> io::Result<()> {
    let order: Order = process::order()?;
    System::new().block_on(async move {
        let store = store(&order.url, true).await;
        let mut others = 0;
        for number in SESSIONS..SESSIONS + order.watched {
            let token_of_it = token(number);
            let is_good = async || {
                let standing = store.standing(&token_of_it, NOW).await;
                standing.expect("an answer") == Standing::Good
            };
            assert!(is_good().await, "{number}");
            println!("kept");
            while is_good().await {
                for _ in 0..OTHERS {
                    others += 1;
                    let other = token(scattered(others) % SESSIONS);
                    store.standing(&other, NOW).await.expect("an answer");
                }
                yield_now().await;
            }
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            println!("{}", serde_json::to_string(&now.unwrap_or_default())?);
        }
        Ok(())
    })
}
