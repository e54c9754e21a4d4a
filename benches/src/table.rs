//! Section `table`: the table of verified tokens with hits, misses, floods and several threads.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use flask_pyjwt::AuthManager;
use serde_json::{Map, Value};

use crate::{
    allocations::Allocations,
    claims,
    keys::Keys,
    peers::JsonWebToken,
    race::{Candidate, decile, race},
    report::{Cell, Report, Table},
    settings::Settings,
};

const COLUMNS: [&str; 4] = ["case", "ns", "of jsonwebtoken, map", "of no table"];

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let most = if settings.quick { 10_000 } else { 100_000 };
    let hs256 = Keys::generate("HS256");
    for live in [1, 1_000, most] {
        hits(&hs256, live, settings, report);
    }
    let rs256 = Keys::generate("RS256");
    hits(
        &rs256,
        if settings.quick { 100 } else { 1_000 },
        settings,
        report,
    );
    flood(&hs256, most, settings, report);
    flood(
        &rs256,
        if settings.quick { 300 } else { 2_000 },
        settings,
        report,
    );
    threads(&hs256, settings, report);

    let counted = Allocations::count(settings);
    let mut table = Table::new("Memory of a token in the table", &["algorithm", "bytes"]);
    for (algorithm, bytes) in &counted.table_entry {
        table.row(algorithm, [Cell::Number(*bytes, 0)]);
    }
    report.table(table);
}

/// Distinct valid tokens, in an order that is bad for caches.
pub(crate) fn tokens(keys: &Keys, count: usize) -> Vec<String> {
    let auth = keys.manager(false);
    (0..count)
        .map(|n| claims::mint(&auth, &format!("user{n:06}@example")))
        .map(|token| token.signed().to_owned())
        .collect()
}

/// Returns the tokens one after the other, in jumps, forever.
pub(crate) fn cycle<'a>(tokens: &'a [String]) -> impl FnMut() -> &'a str {
    let mut at = 0;
    // Coprime to every power of ten: every token comes once before any is repeated.
    let step = if tokens.len() > 7_919 { 7_919 } else { 1 };
    move || {
        at = (at + step) % tokens.len();
        &tokens[at]
    }
}

fn verify<'a>(auth: &'a AuthManager, tokens: &'a [String]) -> impl FnMut() + 'a {
    let mut next = cycle(tokens);
    move || {
        black_box(auth.verify_token(black_box(next())).expect("valid"));
    }
}

fn jsonwebtoken<'a>(peer: &'a JsonWebToken, tokens: &'a [String]) -> impl FnMut() + 'a {
    let mut next = cycle(tokens);
    move || {
        let claims: Option<Map<String, Value>> = peer.verify(black_box(next()));
        black_box(claims.expect("valid"));
    }
}

fn rows(title: &str, candidates: &[Candidate<'_>], times: &[f64], none: usize) -> Table {
    let mut table = Table::new(title, &COLUMNS);
    for (candidate, time) in candidates.iter().zip(times) {
        let cells = [
            Cell::Number(*time, 0),
            Cell::Number(time / times[0], 4),
            Cell::Number(time / times[none], 4),
        ];
        table.row(&candidate.name, cells);
    }
    table
}

fn hits(keys: &Keys, live: usize, settings: &Settings, report: &mut Report) {
    let algorithm = &keys.algorithm;
    settings.progress(&format!("table: {live} live tokens, {algorithm}"));
    let tokens = tokens(keys, live);
    let peer = JsonWebToken::new(keys);
    let without = keys.manager(false);
    let default = keys.manager(true);
    let config = keys.config().token_table(64 * live.max(1_000), 1 << 30);
    let roomy = AuthManager::new(config).expect("a valid configuration");
    for token in &tokens {
        drop((roomy.verify_token(token), default.verify_token(token)));
    }
    let mut candidates = vec![
        Candidate::new("jsonwebtoken, map", jsonwebtoken(&peer, &tokens)),
        Candidate::new("no table", verify(&without, &tokens)),
        Candidate::new("hit", verify(&roomy, &tokens)),
        Candidate::new("table of the default size", verify(&default, &tokens)),
    ];
    let times = race(&mut candidates, settings.budget(5.0));
    let title = format!("Table: {algorithm}, {live} live tokens");
    report.table(rows(&title, &candidates, &times, 1));
    if live == 1_000 {
        let limit = if keys.is_secret() { 0.05 } else { 0.01 };
        let what = format!("table hit, {algorithm}, {live} live tokens, of jsonwebtoken");
        report.at_most(what, limit, times[2] / times[0]);
    }
}

/// Every token comes back only after the table has evicted it.
fn flood(keys: &Keys, count: usize, settings: &Settings, report: &mut Report) {
    let algorithm = &keys.algorithm;
    settings.progress(&format!("table: flood, {algorithm}"));
    let valid = tokens(keys, count);
    let forged: Vec<String> = valid.iter().map(|token| forge(token)).collect();
    let peer = JsonWebToken::new(keys);
    let without = keys.manager(false);
    let default = keys.manager(true);
    let config = keys.config().token_table(count / 8, 1 << 30);
    let small = AuthManager::new(config).expect("a valid configuration");
    for token in &valid {
        drop((default.verify_token(token), small.verify_token(token)));
    }
    let refuse = |auth: &'static str, manager: AuthManager| {
        let mut next = cycle(&forged);
        Candidate::new(auth, move || {
            assert!(manager.verify_token(black_box(next())).is_err());
        })
    };
    let mut candidates = vec![
        Candidate::new("jsonwebtoken, map", jsonwebtoken(&peer, &valid)),
        Candidate::new("valid, no table", verify(&without, &valid)),
        Candidate::new("valid, small table: all missed", verify(&small, &valid)),
        Candidate::new("valid, table of the default size", verify(&default, &valid)),
        refuse("forged, no table", without.clone()),
        refuse("forged, table", default.clone()),
    ];
    let times = race(&mut candidates, settings.budget(8.0));
    let title = format!("Table: {algorithm}, a flood of {count} distinct tokens");
    report.table(rows(&title, &candidates, &times, 1));
    let what = format!("flood of valid tokens, {algorithm}, of no table");
    report.at_most(what, 1.05, times[2] / times[1]);
    let what = format!("flood of forged tokens, {algorithm}, of no table");
    report.at_most(what, 1.05, times[5] / times[4]);
}

/// The same token with another signature.
pub(crate) fn forge(token: &str) -> String {
    let at = token.len() - 10;
    let other = if token.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    [&token[..at], other, &token[at + 1..]].concat()
}

/// Hits on one thread, and on two concurrently.
fn threads(keys: &Keys, settings: &Settings, report: &mut Report) {
    settings.progress("table: threads");
    let tokens = tokens(keys, 1_000);
    let columns = ["threads", "ns of each", "of one thread"];
    let mut table = Table::new("Table: HS256, 1000 live tokens, hits", &columns);
    let budget = settings.budget(3.0);
    let one = hits_by(keys, 1, &tokens, budget);
    let two = hits_by(keys, 2, &tokens, budget);
    table.row("1", [Cell::Number(one, 0), Cell::Number(1.0, 2)]);
    table.row("2", [Cell::Number(two, 0), Cell::Number(two / one, 2)]);
    report.table(table);
}

fn hits_by(keys: &Keys, threads: usize, tokens: &[String], budget: Duration) -> f64 {
    let auth = keys.manager(true);
    let barrier = Barrier::new(threads);
    let measure = || {
        let mut verify = verify(&auth, tokens);
        for _ in 0..2 * tokens.len() {
            verify();
        }
        barrier.wait();
        let (mut means, began) = (Vec::new(), Instant::now());
        while began.elapsed() < budget {
            let began = Instant::now();
            for _ in 0..tokens.len() {
                verify();
            }
            means.push(began.elapsed().as_secs_f64() * 1e9 / 1_000.0);
        }
        decile(means)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        let means = running
            .into_iter()
            .map(|thread| thread.join().expect("measured"));
        means.fold(0.0, f64::max)
    })
}
