//! Verification by managers that trust many issuers, of tokens of the last one.

use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key};

use super::FLAT;
use crate::{
    claims::{self, SUBJECT},
    keys::Keys,
    race::{Candidate, race},
    report::{Cell, Report, Table},
    settings::Settings,
};

/// The number of other trusted issuers. With none, the token is of the manager's own issuer.
const COUNTS: [usize; 4] = [0, 1, 10, 100];
/// HS256 is so cheap that a growing look-up would show. EdDSA is what issuers publish.
const ALGORITHMS: [&str; 2] = ["HS256", "EdDSA"];
const AUDIENCE: &str = "https://api.example.com";

pub(super) fn run(settings: &Settings, report: &mut Report) {
    for algorithm in ALGORITHMS {
        settings.progress(&format!("growth: issuers, {algorithm}"));
        measure(algorithm, settings, report);
    }
}

fn measure(algorithm: &str, settings: &Settings, report: &mut Report) {
    let columns = [
        "other issuers",
        "no table, ns",
        "of one other",
        "table hit, ns",
        "own token, ns",
    ];
    let title = format!(
        "Growth: other issuers (a token of the last one, {algorithm}; without any: of the own one)"
    );
    let mut table = Table::new(title, &columns);
    let mut candidates: Vec<_> = COUNTS
        .into_iter()
        .flat_map(|count| candidates(algorithm, count))
        .collect();
    let times = race(&mut candidates, settings.budget(6.0));
    for (times_of, count) in times.chunks_exact(3).zip(COUNTS) {
        let growth = times_of[0] / times[3];
        let cells = [
            Cell::Number(times_of[0], 0),
            Cell::Number(growth, 2),
            Cell::Number(times_of[1], 0),
            Cell::Number(times_of[2], 0),
        ];
        table.row(&count.to_string(), cells);
        if count > 1 {
            let what = format!("Growth: {count} other issuers, {algorithm}, of one");
            report.at_most(what, FLAT, growth);
        }
    }
    report.table(table);
}

/// The issuer with this number, and its key. 0 is the manager's own issuer.
fn issuer(algorithm: &str, n: usize) -> (String, Keys) {
    let mut keys = Keys::generate(algorithm);
    if keys.is_secret() {
        keys.private = format!("secret number {n:06}, for nothing but measurement");
    }
    (format!("https://issuer{n:06}.example.com"), keys)
}

fn config(name: &str, keys: &Keys) -> Config {
    let auth_type: AuthType = keys.algorithm.parse().expect("a known algorithm");
    Config::new(name, auth_type, &keys.private).audience(AUDIENCE)
}

/// An issuer as the other manager trusts it.
fn trusted(name: &str, keys: &Keys) -> Issuer {
    let auth_type: AuthType = keys.algorithm.parse().expect("a known algorithm");
    let key = if keys.is_secret() {
        Key::new(auth_type, &keys.private)
    } else {
        Key::verify_only(auth_type, &keys.public)
    };
    Issuer::new(name).key(key).audience(AUDIENCE)
}

/// Verification by a manager that trusts so many others: of a token of the last one without and with a table,
/// and of a token of its own issuer without a table.
fn candidates(algorithm: &str, count: usize) -> [Candidate<'static>; 3] {
    let issuers: Vec<_> = (0..=count).map(|n| issuer(algorithm, n)).collect();
    let minted = |n: usize| {
        let (name, keys) = &issuers[n];
        let minting = AuthManager::new(config(name, keys)).expect("a valid configuration");
        claims::mint(&minting, SUBJECT).signed().to_owned()
    };
    let (name, keys) = &issuers[0];
    let config = issuers[1..]
        .iter()
        .fold(config(name, keys), |config, (name, keys)| {
            config.trust(trusted(name, keys))
        });
    let table = AuthManager::new(config.clone()).expect("a valid configuration");
    let none = AuthManager::new(config.token_table(0, 0)).expect("a valid configuration");
    let same = none.clone();
    let (token, own) = (minted(count), minted(0));
    let again = token.clone();
    [
        Candidate::new(format!("{count}, no table"), move || {
            none.verify_token(&token).expect("valid")
        }),
        Candidate::new(format!("{count}, hit"), move || {
            table.verify_token(&again).expect("valid")
        }),
        Candidate::new(format!("{count}, own"), move || {
            same.verify_token(&own).expect("valid")
        }),
    ]
}
