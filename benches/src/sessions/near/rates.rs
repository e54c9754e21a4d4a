//! Checks a second, and the commands that they cost the server.

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use actix_web::rt::System;
use flask_pyjwt::{
    MemoryStore,
    store::{Opening, Revocation, Rotated, SessionStore, Standing},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        DAY, NOW, RedisServer, Store, fill, generation, id, rotation, scattered, session, subject,
        token,
    },
    SESSIONS, store,
};
use crate::{
    process::{self, Process},
    report::{Cell, Report, Table},
    settings::Settings,
};

/// The argument that starts the bench as a process that measures.
pub(crate) const MODE: &str = "measure-near";
/// Of so many checks, one is followed by a refresh: a client that sends a request every two seconds and has a new
/// auth token every quarter of an hour.
const CHECKS_TO_A_REFRESH: usize = 450;
/// Of so many checks, one is followed by a logout and a login.
const CHECKS_TO_A_LOGIN: usize = 4_500;

#[derive(Serialize, Deserialize)]
struct Order {
    name: String,
    budget: Duration,
}

#[derive(Serialize, Deserialize)]
struct Measured {
    /// Checks a second in one thread.
    one: f64,
    /// Checks a second in as many threads as there are cores, for each core.
    each: f64,
    /// Commands for each check, with changes.
    commands: f64,
}

pub(super) fn run(settings: &Settings, report: &mut Report) -> io::Result<()> {
    let columns = [
        "store, 1000 sessions",
        "checks/s",
        "for each core, all cores",
        "of redis",
        "commands for a check",
    ];
    let mut table = Table::new("Near cache: checks", &columns);
    let mut redis = f64::NAN;
    for name in ["redis", "redis with near cache", "memory"] {
        let budget = settings.budget(3.0);
        let order = Order {
            name: name.to_owned(),
            budget,
        };
        let answer = Process::start(&[], MODE, &order)?.line()?;
        let measured: Measured = serde_json::from_str(&answer).map_err(io::Error::other)?;
        if name == "redis" {
            redis = measured.one;
        }
        let of_redis = measured.one / redis;
        let cells = [
            Cell::Number(measured.one, 0),
            Cell::Number(measured.each, 0),
            Cell::Number(of_redis, 1),
            Cell::Number(measured.commands, 4),
        ];
        table.row(name, cells);
        if name == "redis with near cache" {
            report.at_least("near cache: checks/s in a thread", 300_000.0, measured.one);
            report.at_least("near cache: checks/s, of redis", 20.0, of_redis);
            let what = "near cache: commands for a check, with changes";
            report.at_most(what, 0.02, measured.commands);
        }
    }
    report.table(table);
    Ok(())
}

/// The body of the process.
pub(crate) fn carry_out() -> io::Result<()> {
    let order: Order = process::order()?;
    let measured = System::new().block_on(measure(&order));
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

async fn measure(order: &Order) -> Measured {
    let server = RedisServer::start().expect("it was there");
    let tested: Store = match &*order.name {
        "memory" => Arc::new(MemoryStore::default()),
        "redis" => Arc::new(store(&server.url(), false).await),
        _ => Arc::new(store(&server.url(), true).await),
    };
    fill(&tested, SESSIONS).await;
    checks(&tested, order.budget / 10).await;
    let one = checks(&tested, order.budget).await;
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let all = thread::scope(|scope| {
        let thread = |_| {
            let tested = &tested;
            scope.spawn(move || System::new().block_on(checks(tested, order.budget)))
        };
        let threads: Vec<_> = (0..cores).map(thread).collect();
        threads
            .into_iter()
            .map(|it| it.join().expect("no panic"))
            .sum::<f64>()
    });
    Measured {
        one,
        each: all / cores as f64,
        commands: commands(&server, &tested, order.budget).await,
    }
}

/// Checks a second, one after the other.
async fn checks(store: &Store, budget: Duration) -> f64 {
    let tokens: Vec<_> = (0..SESSIONS).map(token).collect();
    let (began, mut done) = (Instant::now(), 0);
    while began.elapsed() < budget {
        for _ in 0..64 {
            let token = &tokens[scattered(done) % SESSIONS];
            let standing = store.standing(token, NOW).await.expect("an answer");
            assert_eq!(standing, Standing::Good);
            done += 1;
        }
    }
    done as f64 / began.elapsed().as_secs_f64()
}

/// Commands that a server receives for each check, while sessions are refreshed, ended and opened. Includes those
/// that change something, and the signs of life.
async fn commands(server: &RedisServer, store: &Store, budget: Duration) -> f64 {
    let received = || {
        let calls = |name: &str| server.calls(name).unwrap_or_default();
        // A script that refreshes or marks a pair runs `HMGET`, too.
        calls("hmget") + calls("evalsha") + calls("role")
    };
    let mut generations = vec![0_u32; SESSIONS];
    let (before, began, mut checked) = (received(), Instant::now(), 0_usize);
    while began.elapsed() < budget || checked < 20 * CHECKS_TO_A_LOGIN {
        let number = scattered(checked) % SESSIONS;
        let mut token = token(number);
        token.id = Some(generation(number, generations[number]).auth_id);
        if store.standing(&token, NOW).await.expect("an answer") == Standing::Unused {
            store.mark_used(&token, NOW).await.expect("marked");
        }
        checked += 1;
        if checked.is_multiple_of(CHECKS_TO_A_LOGIN) {
            let revocation = Revocation::of_session(subject(number), id(number));
            store.revoke(&revocation, NOW).await.expect("revoked");
            let opening = Opening::new(session(number), 1_000);
            store.open(&opening, NOW).await.expect("opened");
            generations[number] = 0;
        } else if checked.is_multiple_of(CHECKS_TO_A_REFRESH) {
            let mut rotation = rotation(number, generations[number]);
            rotation.successor.repeatable_until = Some(NOW + DAY);
            let rotated = store.rotate(&rotation).await.expect("an answer");
            assert!(matches!(rotated, Rotated::Won(_)), "{rotated:?}");
            generations[number] += 1;
        }
    }
    (received() - before) / checked as f64
}
