//! The program that runs under callgrind: one case, so many times, in one function that is counted.

use std::hint::black_box;

use crate::{
    candidates::{Field, name},
    http::{Way, requests},
    keys::Keys,
    race::Candidate,
    refused,
};

/// The cases, by their names in `callgrind.sh`.
const CASES: [(&str, Case); 14] = [
    ("verify", Case::Verify(name::OURS)),
    ("verify-map", Case::Verify(name::OURS_MAP)),
    ("verify-hit", Case::Verify(name::TABLE)),
    ("verify-jsonwebtoken", Case::Verify(name::MAP)),
    ("verify-floor-map", Case::Verify(name::FLOOR_MAP)),
    ("verify-floor-borrowed", Case::Verify(name::FLOOR_BORROWED)),
    ("verify-signature", Case::Verify(name::SIGNATURE)),
    ("mint", Case::Mint(name::MINT)),
    ("mint-jsonwebtoken", Case::Mint(name::MAP)),
    ("mint-signature", Case::Mint(name::SIGNATURE)),
    ("http-none", Case::Http(Way::Nothing)),
    ("http-extractor", Case::Http(Way::Extractor)),
    ("http-ours", Case::Http(Way::Ours)),
    ("http-ours-table", Case::Http(Way::OursWithTable)),
];

#[derive(Clone, Copy)]
enum Case {
    Verify(&'static str),
    Mint(&'static str),
    Http(Way),
}

/// Runs a case with HS256 so many times, after a few runs to warm up. `refused` lists the cases that are
/// refused. Returns whether the case exists.
#[must_use = "returns whether the case exists"]
pub fn run_instructions(case: &str, times: u32) -> bool {
    let keys = Keys::generate("HS256");
    let Some((_, case)) = CASES.into_iter().find(|(name, _)| *name == case) else {
        if case == "refused" {
            refused::names(&keys).for_each(|name| println!("{name}"));
            return true;
        }
        if let Some(candidate) = refused::find(case, &keys) {
            count(candidate, times);
            return true;
        }
        for (name, _) in CASES {
            println!("{name}");
        }
        return false;
    };
    match case {
        Case::Verify(name) => count(find(Field::new(&keys).verify(), name), times),
        Case::Mint(name) => count(find(Field::new(&keys).mint(), name), times),
        Case::Http(way) => count(requests(way, &keys), times),
    }
    true
}

/// Installs a recorder of metrics, for what they cost with one.
#[cfg(feature = "metrics")]
pub fn install_recorder() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder();
    recorder.expect("the first recorder of the process");
}

fn find<'a>(candidates: Vec<Candidate<'a>>, name: &str) -> Candidate<'a> {
    let found = candidates.into_iter().find(|other| other.name == name);
    found.expect("a candidate of this name")
}

fn count(mut candidate: Candidate<'_>, times: u32) {
    candidate.run(10);
    counted(&mut candidate, times);
}

/// The function whose instructions are counted, with all its callees.
#[inline(never)]
fn counted(candidate: &mut Candidate<'_>, times: u32) {
    candidate.run(times);
    black_box(candidate);
}
