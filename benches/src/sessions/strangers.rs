//! Section `strangers`: how one account that uses as many resources as it can affects others.

use std::{
    io,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use actix_web::rt::{System, time};
use flask_pyjwt::store::Standing;
use serde::{Deserialize, Serialize};

use super::{
    NOW, Room, Store, Subject,
    attack::{Attack, log_in, open},
    own_process::Order,
    session, token,
};
use crate::{
    process::{self, Process},
    race::percentile,
    report::{Cell, Report, Table},
    settings::Settings,
};

/// The argument that starts the bench as a process that measures one store.
pub(crate) const MODE: &str = "measure-strangers";

/// How many other accounts send checks in turn, and how long each waits between two checks.
const STRANGERS: usize = 64;
const PAUSE: Duration = Duration::from_millis(1);
/// A check without an answer by then is refused.
const TIMEOUT: Duration = Duration::from_millis(250);
/// How often the others are measured alone and together with the account.
const ROUNDS: u32 = 20;

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let columns = [
        "store",
        "checks/s alone",
        "p99 µs",
        "checks/s beside it",
        "p99 µs",
        "of alone",
        "no answer in time",
        "its lists/s",
        "its logins/s",
    ];
    let title = "Sessions: a stranger's checks beside an account of 100,000 logins that lists four times at once";
    let mut table = Table::new(title, &columns);
    for name in ["memory", "file", "redis"] {
        let count = if settings.quick { 1_000 } else { 100_000 };
        settings.progress(&format!("strangers: {name}"));
        let order = Order {
            name: name.to_owned(),
            count,
            budget: settings.budget(20.0),
        };
        let measured = match carried_out(&order) {
            Ok(Some(measured)) => measured,
            Ok(None) => {
                eprintln!("strangers: redis-server is not installed: it is skipped");
                continue;
            }
            Err(error) => {
                eprintln!("strangers: {name}: {error}");
                continue;
            }
        };
        let Measured { alone, beside, .. } = &measured;
        let cells = [
            Cell::Number(alone.per_second, 0),
            Cell::Number(alone.p99, 0),
            Cell::Number(beside.per_second, 0),
            Cell::Number(beside.p99, 0),
            Cell::Number(measured.ratio, 3),
            Cell::Number(beside.unanswered, 0),
            Cell::Number(measured.lists, 0),
            Cell::Number(measured.logins, 0),
        ];
        table.row(name, cells);
        let what = format!("{name}: a stranger's checks/s beside such an account, of alone");
        report.at_least(what, 0.9, measured.ratio);
    }
    report.table(table);
}

/// The results of the other accounts.
#[derive(Serialize, Deserialize)]
struct Answers {
    per_second: f64,
    /// In microseconds, without the pause before.
    p99: f64,
    unanswered: f64,
}

impl Answers {
    /// The medians of many rounds, and the total number without an answer.
    fn of(rounds: &[Self]) -> Self {
        Self {
            per_second: median(rounds.iter().map(|it| it.per_second)),
            p99: median(rounds.iter().map(|it| it.p99)),
            unanswered: rounds.iter().map(|it| it.unanswered).sum(),
        }
    }
}

fn median(samples: impl Iterator<Item = f64>) -> f64 {
    percentile(samples.collect(), 50)
}

#[derive(Serialize, Deserialize)]
struct Measured {
    alone: Answers,
    beside: Answers,
    /// The median of the rounds' ratios.
    ratio: f64,
    lists: f64,
    logins: f64,
}

fn carried_out(order: &Order) -> io::Result<Option<Measured>> {
    let answer = Process::start(&[], MODE, order)?.line()?;
    serde_json::from_str(&answer).map_err(io::Error::other)
}

/// The body of such a process.
pub(crate) fn carry_out() -> io::Result<()> {
    let order: Order = process::order()?;
    let measured = System::new().block_on(measure(&order))?;
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

async fn measure(order: &Order) -> io::Result<Option<Measured>> {
    let Some(subject) = Subject::fresh(&order.name).await else {
        return Ok(None);
    };
    for number in 0..STRANGERS {
        open(&subject.store, session(number)).await;
    }
    log_in(&subject.store, order.count).await;
    put_first(std::process::id());
    if let Room::Redis(server) = &subject.room {
        put_first(server.id());
    }
    let budget = order.budget / (2 * ROUNDS);
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let (mut lists, mut logins, mut attacked) = (0.0, 0.0, Duration::ZERO);
    for _ in 0..ROUNDS {
        alone.push(strangers(&subject.store, budget).await);
        let attack = Attack::start(&subject)?;
        let began = Instant::now();
        beside.push(strangers(&subject.store, budget).await);
        let taken = attack.end()?;
        attacked += began.elapsed();
        lists += f64::from(taken.lists);
        logins += f64::from(taken.logins);
    }
    let ratios = alone.iter().zip(&beside);
    Ok(Some(Measured {
        ratio: median(ratios.map(|(alone, beside)| beside.per_second / alone.per_second)),
        alone: Answers::of(&alone),
        beside: Answers::of(&beside),
        lists: lists / attacked.as_secs_f64(),
        logins: logins / attacked.as_secs_f64(),
    }))
}

/// Gives a process real-time priority if possible, so that other processes of the machine are not measured.
fn put_first(process: u32) {
    let tried = Command::new("chrt")
        .args(["--all-tasks", "--rr", "--pid", "1", &process.to_string()])
        .stderr(Stdio::null())
        .status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!(
            "strangers: no real-time priority (chrt, as root): other processes count as well"
        );
    }
}

/// Checks of other accounts, one after the other, each after a pause.
async fn strangers(store: &Store, budget: Duration) -> Answers {
    let began = Instant::now();
    let (mut times, mut unanswered) = (Vec::new(), 0.0);
    for number in 0.. {
        if began.elapsed() >= budget {
            break;
        }
        time::sleep(PAUSE).await;
        let token = token(number % STRANGERS);
        let asked = Instant::now();
        match time::timeout(TIMEOUT, store.standing(&token, NOW)).await {
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
