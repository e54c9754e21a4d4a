//! Section `verify`: verifying and minting per algorithm, compared with other packages and with the floors.

use crate::{
    allocations::Allocations,
    candidates::{Field, name},
    claims::PAYLOAD_SIZE,
    http::Way,
    keys::{ALGORITHMS, Keys},
    race::{Candidate, race},
    report::{Cell, Chart, Report, Table},
    settings::Settings,
};

const COLUMNS: [&str; 4] = ["candidate", "ns", "of jsonwebtoken, map", "allocations"];

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let counted = Allocations::count(settings);
    for algorithm in ALGORITHMS {
        settings.progress(&format!("verify {algorithm}"));
        let field = Field::new(&Keys::generate(algorithm));
        let mut candidates = field.verify();
        let times = race(&mut candidates, settings.budget(8.0));
        let title = format!("Verify {algorithm}, a payload of {PAYLOAD_SIZE} bytes");
        let allocations = counted.of("verify", algorithm);
        report.table(table(&title, &candidates, &times, allocations));
        report.charts.push(Chart {
            title,
            bars: candidates
                .iter()
                .zip(&times)
                .map(|(candidate, time)| (candidate.name.clone(), *time))
                .collect(),
        });
        judge(report, algorithm, &candidates, &times);
        settings.progress(&format!("mint {algorithm}"));
        let mut candidates = field.mint();
        let times = race(&mut candidates, settings.budget(4.0));
        let title = format!("Mint {algorithm}");
        let allocations = counted.of("mint", algorithm);
        report.table(table(&title, &candidates, &times, allocations));
    }
    requests(&counted, report);
}

/// Allocations for a whole request, including the extractor.
fn requests(counted: &Allocations, report: &mut Report) {
    let counts = counted.of("http", "HS256");
    let columns = ["way", "allocations", "above none"];
    let mut table = Table::new(
        "Allocations for a request, HS256, without a socket",
        &columns,
    );
    let of = |way: Way| counts.get(way.name()).copied().unwrap_or(f64::NAN);
    let above = |way| of(way) - of(Way::Nothing);
    for way in Way::ALL {
        table.row(
            way.name(),
            [of(way), above(way)].map(|count| Cell::Number(count, 1)),
        );
    }
    report.table(table);
    let what = "allocations for a table hit, the extractor included";
    report.at_most(what, 3.0, above(Way::OursWithTable));
}

fn table(
    title: &str,
    candidates: &[Candidate<'_>],
    times: &[f64],
    allocations: &std::collections::BTreeMap<String, f64>,
) -> Table {
    let mut table = Table::new(title, &COLUMNS);
    for (candidate, time) in candidates.iter().zip(times) {
        let count = allocations.get(&candidate.name);
        let cells = [
            Cell::Number(*time, 0),
            Cell::Number(time / times[0], 3),
            Cell::Number(count.copied().unwrap_or(f64::NAN), 1),
        ];
        table.row(&candidate.name, cells);
    }
    table
}

fn judge(report: &mut Report, algorithm: &str, candidates: &[Candidate<'_>], times: &[f64]) {
    let time = |name| {
        let index = candidates.iter().position(|other| other.name == name);
        index.map_or(f64::NAN, |index| times[index])
    };
    let (ours, map, floor) = (time(name::OURS), time(name::MAP), time(name::FLOOR_MAP));
    let what = |of: &str| format!("verify {algorithm}, no table, of {of}");
    if algorithm == "HS256" {
        report.at_most(what("jsonwebtoken into a map"), 0.45, ours / map);
        report.at_most(what("jsonwebtoken into a map (the aim)"), 0.25, ours / map);
        report.at_most(what("the map floor"), 1.2, ours / floor);
    } else {
        report.at_most(what("the map floor"), 1.05, ours / floor);
    }
}
