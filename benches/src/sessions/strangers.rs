//! Section `strangers`: what others notice of one account that takes all it can get.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_web::rt::{System, spawn, time::sleep};
use flask_pyjwt::{Opening, SessionRecord, Standing};
use serde::{Deserialize, Serialize};

use super::{AT_ONCE, NOW, Store, Subject, own_process::Order, session, token};
use crate::{
    process::{self, Process},
    race::percentile,
    report::{Cell, Report, Table},
    settings::Settings,
};

/// The argument that makes the bench a process that measures one store.
pub(crate) const MODE: &str = "measure-strangers";

/// How many strangers ask in turn, and how long each waits before it asks.
const STRANGERS: usize = 64;
const PAUSE: Duration = Duration::from_millis(1);
/// Whoever has no answer by then is turned away.
const TIMEOUT: Duration = Duration::from_millis(250);
/// How many calls list the sessions of the account at a time.
const LISTS: usize = 4;
/// How many sessions a subject may have: the default.
const MOST: usize = 100;

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let columns = [
        "store",
        "checks/s alone",
        "p99 µs",
        "checks/s beside it",
        "p99 µs",
        "of alone",
        "no answer in time",
        "lists/s",
        "logins/s",
    ];
    let title = "Sessions: a stranger's checks beside an account of 100,000 logins and four lists at a time";
    let mut table = Table::new(title, &columns);
    for name in ["memory", "file", "redis"] {
        let count = if settings.quick { 1_000 } else { 100_000 };
        settings.progress(&format!("strangers: {name}"));
        let order = Order {
            name: name.to_owned(),
            count,
            budget: settings.budget(5.0),
        };
        let measured = match carried_out(&order) {
            Ok(Some(measured)) => measured,
            Ok(None) => {
                eprintln!("strangers: redis-server is not there; it is left out");
                continue;
            }
            Err(error) => {
                eprintln!("strangers: {name}: {error}");
                continue;
            }
        };
        let Measured { alone, beside, .. } = &measured;
        let ratio = beside.per_second / alone.per_second;
        let cells = [
            Cell::Number(alone.per_second, 0),
            Cell::Number(alone.p99, 0),
            Cell::Number(beside.per_second, 0),
            Cell::Number(beside.p99, 0),
            Cell::Number(ratio, 3),
            Cell::Number(beside.unanswered, 0),
            Cell::Number(measured.lists, 0),
            Cell::Number(measured.logins, 0),
        ];
        table.row(name, cells);
        let what = format!("{name}: a stranger's checks/s beside such an account, of alone");
        report.at_least(what, 0.9, ratio);
    }
    report.table(table);
}

/// What strangers got.
#[derive(Serialize, Deserialize)]
struct Answers {
    per_second: f64,
    /// In microseconds, the pause before it left out.
    p99: f64,
    unanswered: f64,
}

#[derive(Serialize, Deserialize)]
struct Measured {
    alone: Answers,
    beside: Answers,
    lists: f64,
    logins: f64,
}

fn carried_out(order: &Order) -> io::Result<Option<Measured>> {
    let answer = Process::start(&[], MODE, order)?.line()?;
    serde_json::from_str(&answer).map_err(io::Error::other)
}

/// What such a process does.
pub(crate) fn carry_out() -> io::Result<()> {
    let order: Order = process::order()?;
    let measured = System::new().block_on(measure(&order));
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

async fn measure(order: &Order) -> Option<Measured> {
    let subject = Subject::fresh(&order.name).await?;
    let store = &subject.store;
    for number in 0..STRANGERS {
        open(store, session(number)).await;
    }
    let alone = strangers(store, order.budget).await;
    let logins = log_in(store, order.count).await;
    let lists = Lists::start(store);
    let beside = strangers(store, order.budget).await;
    Some(Measured {
        alone,
        beside,
        lists: lists.end() / order.budget.as_secs_f64(),
        logins,
    })
}

async fn open(store: &Store, session: SessionRecord) {
    let opening = Opening::new(session, MOST);
    store.open(&opening, NOW).await.expect("opened");
}

/// A session of the account that takes all it can.
fn own(number: usize) -> SessionRecord {
    SessionRecord {
        subject: "mallory".to_owned(),
        ..session(number)
    }
}

/// Logs the account in so many times; gives how many a second.
async fn log_in(store: &Store, count: usize) -> f64 {
    let began = Instant::now();
    for first in (0..count).step_by(AT_ONCE) {
        let opening: Vec<_> = (first..count.min(first + AT_ONCE))
            .map(|number| {
                let store = Arc::clone(store);
                spawn(async move { open(&store, own(number)).await })
            })
            .collect();
        for opening in opening {
            opening.await.expect("it ends");
        }
    }
    count as f64 / began.elapsed().as_secs_f64()
}

/// Checks of strangers, one after the other, each after a pause.
async fn strangers(store: &Store, budget: Duration) -> Answers {
    let began = Instant::now();
    let (mut times, mut unanswered) = (Vec::new(), 0.0);
    for number in 0.. {
        if began.elapsed() >= budget {
            break;
        }
        sleep(PAUSE).await;
        let token = token(number % STRANGERS);
        let asked = Instant::now();
        let standing = actix_web::rt::time::timeout(TIMEOUT, store.standing(&token, NOW)).await;
        match standing {
            Ok(Ok(Standing::Good)) => times.push(asked.elapsed().as_secs_f64() * 1e6),
            Ok(Ok(other)) => panic!("{other:?}"),
            Ok(Err(_)) | Err(_) => unanswered += 1.0,
        }
    }
    Answers {
        per_second: times.len() as f64 / began.elapsed().as_secs_f64(),
        p99: percentile(times, 99),
        unanswered,
    }
}

/// Four calls at a time, on a thread of their own, that list the account's sessions without a pause.
struct Lists {
    ends: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    thread: thread::JoinHandle<()>,
}

impl Lists {
    fn start(store: &Store) -> Self {
        let (ends, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (store, has_ended, counted) = (Arc::clone(store), Arc::clone(&ends), Arc::clone(&done));
        let thread = thread::spawn(move || {
            System::new().block_on(async {
                let calls: Vec<_> = (0..LISTS)
                    .map(|_| {
                        let (store, ends, done) = (
                            Arc::clone(&store),
                            Arc::clone(&has_ended),
                            Arc::clone(&counted),
                        );
                        spawn(async move {
                            while !ends.load(Ordering::Relaxed) {
                                let listed = store.sessions("mallory", MOST, NOW).await;
                                assert_eq!(listed.expect("listed").len(), MOST);
                                done.fetch_add(1, Ordering::Relaxed);
                                // An answer that is there at once must not keep the others from theirs.
                                tokio::task::yield_now().await;
                            }
                        })
                    })
                    .collect();
                for call in calls {
                    call.await.expect("it ends");
                }
            });
        });
        Self { ends, done, thread }
    }

    /// Ends it; gives how many lists there were.
    fn end(self) -> f64 {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().expect("it ends");
        self.done.load(Ordering::Relaxed) as f64
    }
}
