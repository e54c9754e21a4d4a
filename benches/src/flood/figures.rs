//! The results of the rounds.

use std::{io, time::Instant};

use super::{
    cases::CASES,
    resource::GUARDED,
    sender::{Flood, Order, Outcome},
};
use crate::{
    race::percentile,
    report::{Cell, Report, Table},
    server::Server,
};

/// One case in one round.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Microseconds.
    p50: f64,
    p99: f64,
    seconds: f64,
    /// CPU of the server process in nanoseconds.
    cpu: f64,
    flood: Outcome,
}

pub(super) type Round = [Run; CASES.len()];

/// The results of all sessions.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) rounds: Vec<Round>,
    /// Seconds during which servers were running that were flooded.
    pub(super) seconds: f64,
    /// Cooldowns that had begun.
    pub(super) cooldowns: f64,
    pub(super) fetches: usize,
}

impl Run {
    pub(super) fn of(
        server: &Server,
        ask: impl Fn() -> io::Result<Vec<f64>>,
        order: Option<&Order>,
    ) -> io::Result<Self> {
        let flood = order.map(Flood::start).transpose()?;
        let (began, before) = (Instant::now(), server.cpu()?);
        let times = ask()?;
        let (seconds, cpu) = (began.elapsed().as_secs_f64(), server.cpu()? - before);
        Ok(Self {
            p50: percentile(times.clone(), 50),
            p99: percentile(times, 99),
            seconds,
            cpu: cpu as f64,
            flood: flood.map(Flood::end).transpose()?.unwrap_or_default(),
        })
    }

    /// Requests of the flood per second.
    fn rate(&self) -> f64 {
        self.flood.sent as f64 / self.flood.seconds
    }

    /// As a fraction of a core.
    fn load(&self) -> f64 {
        self.cpu / 1e9 / self.seconds
    }
}

pub(super) fn add_results(report: &mut Report, measured: &Measured) {
    let columns = [
        "honest clients beside",
        "p50 µs",
        "p50 / none",
        "p99 µs",
        "p99 / none",
        "p99 / unguarded",
        "flood, requests/s",
        "answered 401",
        "server CPU",
        "CPU µs of a flood's request",
    ];
    let title =
        "Flood: 10,000 requests/s with unknown kids or issuers; 2,000 honest requests/s, table";
    let mut table = Table::new(title, &columns);
    let median = |number: &dyn Fn(&Round) -> f64| {
        percentile(measured.rounds.iter().map(number).collect(), 50)
    };
    for (place, (name, path)) in CASES.iter().enumerate() {
        let of = |number: fn(&Run) -> f64| median(&|round| number(&round[place]));
        let ratio = |number: fn(&Run) -> f64, to: usize| {
            median(&|round| number(&round[place]) / number(&round[to]))
        };
        let refused = |run: &Run| {
            let answers = run.flood.answers.get(&401).copied().unwrap_or_default();
            answers as f64 / run.flood.sent as f64
        };
        let of_flood = |number: f64| if path.is_some() { number } else { f64::NAN };
        let each = median(&|round| {
            let above = round[place].load() - round[0].load();
            above * 1e6 / round[place].rate()
        });
        let cells = [
            Cell::Number(of(|run| run.p50), 0),
            Cell::Number(ratio(|run| run.p50, 0), 2),
            Cell::Number(of(|run| run.p99), 0),
            Cell::Number(ratio(|run| run.p99, 0), 2),
            Cell::Number(ratio(|run| run.p99, 2), 2),
            Cell::Number(of_flood(of(Run::rate)), 0),
            Cell::Number(of_flood(of(refused)), 4),
            Cell::Number(of(Run::load), 3),
            Cell::Number(of_flood(each), 1),
        ];
        table.row(name, cells);
        if path.is_some_and(|(path, _)| path == GUARDED) {
            let what = format!("{name}: honest p99, of no flood");
            report.at_most(&what, 1.2, ratio(|run| run.p99, 0));
            let what = format!("{name}: honest p99, of a flood of an unguarded route");
            report.at_most(&what, 1.2, ratio(|run| run.p99, 2));
            // All of them, except what pacing loses at the end.
            let what = format!("{name}: requests/s");
            report.at_least(&what, 9_900.0, of(Run::rate));
        }
    }
    report.table(table);

    let columns = [
        "servers",
        "seconds",
        "requests",
        "cooldowns begun",
        "fetches",
    ];
    let mut table = Table::new("Flood: fetches of the key set for unknown keys", &columns);
    let sent = measured.rounds.iter().map(|round| round[1].flood.sent);
    let cells = [
        Cell::Number(measured.seconds, 0),
        Cell::Number(sent.sum::<u64>() as f64, 0),
        Cell::Number(measured.cooldowns, 0),
        Cell::Number(measured.fetches as f64, 0),
    ];
    table.row("all", cells);
    report.table(table);
    let each = measured.fetches as f64 / measured.cooldowns;
    report.at_most(
        "flood of unknown keys: fetches for each cooldown",
        1.0,
        each,
    );
}
