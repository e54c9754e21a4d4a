//! Section `http`: the cost of a request to a server process, over loopback.

mod apps;
mod figures;
mod in_process;
mod load;

use std::{io, thread, time::Duration};

use self::figures::{Figures, Run};
pub(crate) use self::{
    apps::{Route, Way},
    in_process::requests,
    load::load,
};
use crate::{
    claims::{self, SUBJECT},
    cores::{cores, pin},
    keys::Keys,
    report::{Cell, Chart, Report, Table},
    server::Server,
    settings::Settings,
};

/// How often all servers are restarted: the position of a process in memory is random.
const SESSIONS: usize = 8;
const COLUMNS: [&str; 10] = [
    "way",
    "requests/s",
    "rate / none",
    "p50 µs",
    "p50 / none",
    "p99 µs",
    "p99 / none",
    "CPU µs",
    "CPU / none",
    "CPU above none µs",
];

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let [server, load] = cores();
    if load.is_none() {
        eprintln!("http: server and load generator share a core; requests/s mean little");
    }
    // In a separate thread, so that the other sections do not stay on its core.
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
            Ok(figures) => add_results(report, algorithm, &figures),
            Err(error) => eprintln!("http {algorithm}: {error}"),
        }
    }
}

fn measure(core: Option<usize>, settings: &Settings, keys: &Keys) -> io::Result<Vec<Figures>> {
    let token = claims::mint(&keys.manager(false), SUBJECT);
    // Shorter runs would mostly consist of opening connections.
    let (sessions, rounds, milliseconds) = if settings.quick {
        (1, 1, 25)
    } else {
        (SESSIONS, 5, 150)
    };
    let budget = Duration::from_millis(milliseconds);
    let mut measured = Vec::new();
    for session in 1..=sessions {
        settings.progress(&format!("http {}, session {session}", keys.algorithm));
        let servers: Vec<Server> = Way::ALL
            .into_iter()
            .map(|way| Server::start(&Route(way, keys.clone()), core))
            .collect::<io::Result<_>>()?;
        for round in 0..=rounds {
            let mut runs = [Run::default(); Way::ALL.len()];
            for turn in 0..runs.len() {
                // The order changes, so that no way always follows the same one.
                let place = (round + turn) % runs.len();
                let (way, server) = (Way::ALL[place], &servers[place]);
                let before = server.cpu()?;
                let load = load(server.address, &way.field(token.signed()), budget)?;
                runs[place] = Run::new(load, server.cpu()? - before);
            }
            if round > 0 {
                measured.push(runs);
            } // else to warm up
        }
    }
    let places = 0..Way::ALL.len();
    Ok(places.map(|place| Figures::of(place, &measured)).collect())
}

fn add_results(report: &mut Report, algorithm: &str, figures: &[Figures]) {
    let title = format!("HTTP over loopback, {algorithm}");
    let mut table = Table::new(&title, &COLUMNS);
    for (way, own) in Way::ALL.iter().zip(figures) {
        let numbers = own.best.numbers().into_iter().zip(own.ratio.numbers());
        let cells = numbers
            .zip([0, 1, 1, 2])
            .flat_map(|((best, ratio), decimals)| {
                [Cell::Number(best, decimals), Cell::Number(ratio, 3)]
            });
        table.row(way.name(), cells.chain([Cell::Number(own.cpu_above, 2)]));
    }
    report.table(table);
    report.charts.push(Chart {
        title: format!("CPU of the server per request, {algorithm} (µs)"),
        bars: Way::ALL
            .iter()
            .zip(figures)
            .map(|(way, own)| (way.name().to_owned(), own.best.numbers()[3]))
            .collect(),
    });

    let of = |wanted: Way| {
        let place = Way::ALL.iter().position(|way| *way == wanted);
        &figures[place.unwrap_or(0)]
    };
    let above = |way| of(way).cpu_above / of(Way::Extractor).cpu_above;
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
    let [rate, ..] = of(Way::OursWithTable).ratio.numbers();
    report.at_least(what, 0.97, rate);
}
