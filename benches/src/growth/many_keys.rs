//! Verification by managers with many keys, of tokens that name the last key.

use flask_pyjwt::{AuthManager, AuthType, Key};

use super::FLAT;
use crate::{
    claims::{self, SUBJECT},
    keys::Keys,
    race::{Candidate, race},
    report::{Cell, Report, Table},
    settings::Settings,
};

const COUNTS: [usize; 4] = [1, 10, 100, 1_000];

pub(super) fn run(keys: &Keys, settings: &Settings, report: &mut Report) {
    let columns = ["keys", "no table, ns", "of one key", "table hit, ns"];
    let title = "Growth: keys (a token that names the last one, HS256)";
    let mut table = Table::new(title, &columns);
    settings.progress("growth: keys");
    let mut candidates: Vec<_> = COUNTS
        .into_iter()
        .flat_map(|count| candidates(keys, count))
        .collect();
    let times = race(&mut candidates, settings.budget(6.0));
    for (place, count) in COUNTS.iter().enumerate() {
        let [without, hit] = [times[2 * place], times[2 * place + 1]];
        let growth = without / times[0];
        let cells = [
            Cell::Number(without, 0),
            Cell::Number(growth, 2),
            Cell::Number(hit, 0),
        ];
        table.row(&count.to_string(), cells);
        if place > 0 {
            report.at_most(format!("Growth: {count} keys, of one"), FLAT, growth);
        }
    }
    report.table(table);
}

/// Verification by a manager with so many keys, without and with a table.
fn candidates(keys: &Keys, count: usize) -> [Candidate<'static>; 2] {
    let secret = |n: usize| format!("secret number {n:06}, for nothing but measurement");
    let id = |n: usize| format!("key{n:06}");
    let of = |n: usize| {
        let own = Keys {
            private: secret(n),
            ..keys.clone()
        };
        own.config().key_id(id(n))
    };
    let last = count - 1;
    let minting = AuthManager::new(of(last).token_table(0, 0)).expect("a valid configuration");
    let config = (1..count).fold(of(0), |config, n| {
        config.verification_key(Key::new(AuthType::HS256, secret(n)).id(id(n)))
    });
    let table = AuthManager::new(config.clone()).expect("a valid configuration");
    let none = AuthManager::new(config.token_table(0, 0)).expect("a valid configuration");
    let token = claims::mint(&minting, SUBJECT).signed().to_owned();
    let same = token.clone();
    [
        Candidate::new(count.to_string(), move || {
            none.verify_token(&token).expect("valid")
        }),
        Candidate::new("hit", move || table.verify_token(&same).expect("valid")),
    ]
}
