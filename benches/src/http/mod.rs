//! Section `http`: the cost of a request to a server process, over loopback.

mod apps;
mod in_process;
mod load;
mod server;

use std::{io, thread, time::Duration};

pub(crate) use self::{
    apps::Way,
    in_process::requests,
    server::{MODE, serve},
};
use self::{
    load::load,
    server::{Server, cores, pin},
};
use crate::{
    claims::{self, SUBJECT},
    keys::Keys,
    race::percentile,
    report::{Cell, Chart, Report, Table},
    settings::Settings,
};

/// How often all servers are started anew: where a process lies in memory is luck.
const SESSIONS: usize = 3;
const COLUMNS: [&str; 9] = [
    "way",
    "requests/s",
    "of none",
    "p50 µs",
    "of none",
    "p99 µs",
    "CPU µs",
    "of none",
    "CPU above none µs",
];

/// What was measured of one way, one number for every run.
#[derive(Default)]
struct Samples {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    cpu: Vec<f64>,
}

/// The undisturbed decile of each.
struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
    cpu: f64,
}

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let [server, load] = cores();
    if load.is_none() {
        eprintln!("http: server and load generator share a core; requests/s mean little");
    }
    // A thread of its own, so that the other sections are not kept on its core.
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(load);
            measure_all(server, settings, report);
        });
    });
}

fn measure_all(core: Option<usize>, settings: &Settings, report: &mut Report) {
    for algorithm in ["HS256", "RS256", "EdDSA"] {
        let keys = Keys::generate(algorithm);
        match measure(core, settings, &keys) {
            Ok(figures) => tell(report, algorithm, &figures),
            Err(error) => eprintln!("http {algorithm}: {error}"),
        }
    }
}

fn measure(core: Option<usize>, settings: &Settings, keys: &Keys) -> io::Result<Vec<Figures>> {
    let token = claims::mint(&keys.manager(false), SUBJECT);
    // Shorter runs than these would be mostly the opening of connections.
    let (rounds, milliseconds) = if settings.quick { (1, 25) } else { (12, 250) };
    let budget = Duration::from_millis(milliseconds);
    let mut samples: Vec<Samples> = Way::ALL.iter().map(|_| Samples::default()).collect();
    for session in 1..=SESSIONS {
        settings.progress(&format!("http {}, session {session}", keys.algorithm));
        let servers: Vec<Server> = Way::ALL
            .into_iter()
            .map(|way| Server::start(way, keys, core))
            .collect::<io::Result<_>>()?;
        for round in 0..=rounds {
            for ((way, server), samples) in Way::ALL.iter().zip(&servers).zip(&mut samples) {
                let before = server.cpu()?;
                let load = load(server.address, &way.field(token.signed()), budget)?;
                let used = server.cpu()? - before;
                if round > 0 {
                    samples.add(load, used);
                } // else to warm up
            }
        }
    }
    Ok(samples.into_iter().map(Samples::figures).collect())
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
impl Samples {
    fn add(&mut self, load: load::Load, cpu: u64) {
        let requests = load.latencies.len() as f64;
        self.rate.push(requests / load.seconds);
        self.cpu.push(cpu as f64 / requests / 1e3);
        self.p50.push(percentile(load.latencies.clone(), 50) / 1e3);
        self.p99.push(percentile(load.latencies, 99) / 1e3);
    }

    fn figures(self) -> Figures {
        Figures {
            rate: percentile(self.rate, 90),
            p50: percentile(self.p50, 10),
            p99: percentile(self.p99, 10),
            cpu: percentile(self.cpu, 10),
        }
    }
}

fn tell(report: &mut Report, algorithm: &str, figures: &[Figures]) {
    let title = format!("HTTP over loopback, {algorithm}");
    let mut table = Table::new(&title, &COLUMNS);
    let none = &figures[0];
    for (way, own) in Way::ALL.iter().zip(figures) {
        let cells = [
            Cell::Number(own.rate, 0),
            Cell::Number(own.rate / none.rate, 3),
            Cell::Number(own.p50, 0),
            Cell::Number(own.p50 / none.p50, 2),
            Cell::Number(own.p99, 0),
            Cell::Number(own.cpu, 2),
            Cell::Number(own.cpu / none.cpu, 3),
            Cell::Number(own.cpu - none.cpu, 2),
        ];
        table.row(way.name(), cells);
    }
    report.table(table);
    report.charts.push(Chart {
        title: format!("CPU of the server per request, {algorithm} (µs)"),
        bars: Way::ALL
            .iter()
            .zip(figures)
            .map(|(way, own)| (way.name().to_owned(), own.cpu))
            .collect(),
    });

    let of = |wanted: Way| {
        let index = Way::ALL.iter().position(|way| *way == wanted);
        &figures[index.unwrap_or(0)]
    };
    let above = |way| (of(way).cpu - none.cpu) / (of(Way::Extractor).cpu - none.cpu);
    let what =
        |table: &str| format!("HTTP {algorithm}, CPU above none, {table}, of the extractor's");
    match algorithm {
        "HS256" => {
            report.at_most(what("table"), 0.15, above(Way::OursWithTable));
            report.at_most(what("no table"), 0.5, above(Way::Ours));
        }
        "RS256" => report.at_most(what("table"), 0.05, above(Way::OursWithTable)),
        _ => {}
    }
    let what = format!("HTTP {algorithm}, requests/s with the table, of none");
    report.at_least(what, 0.97, of(Way::OursWithTable).rate / none.rate);
}
