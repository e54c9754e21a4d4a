//! Section `cache`: the table of verified tokens compared with `quick_cache`.

mod quick_cache;

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use flask_pyjwt::{AuthManager, Token};

use self::quick_cache::QuickCache;
use crate::{
    allocations::Allocations,
    keys::Keys,
    race::{Candidate, decile, percentile, race},
    report::{Cell, Report, Table},
    settings::Settings,
    table::{cycle, forge, tokens},
};

const OURS: &str = "table";
const QUICK: &str = "quick_cache";
/// More bytes than any of the cases needs: the number of entries is the limit.
const BYTES: usize = 1 << 30;

/// Verifies a token, or finds it among the verified ones.
trait Verifier: Sync {
    fn verify(&self, text: &str) -> Option<Token>;
}

impl Verifier for AuthManager {
    fn verify(&self, text: &str) -> Option<Token> {
        self.verify_token(text).ok()
    }
}

impl Verifier for QuickCache {
    fn verify(&self, text: &str) -> Option<Token> {
        self.verify_token(text)
    }
}

fn ours(keys: &Keys, entries: usize) -> AuthManager {
    let config = keys.config().token_table(entries, BYTES);
    AuthManager::new(config).expect("a valid configuration")
}

fn quick(keys: &Keys, entries: usize) -> QuickCache {
    QuickCache::new(keys.manager(false), entries)
}

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let keys = Keys::generate("HS256");
    let most = if settings.quick { 10_000 } else { 100_000 };
    settings.progress("cache: tokens");
    let all = tokens(&keys, most);
    times(&keys, &all, settings, report);
    threads(&keys, &all[..1_000], settings, report);
    flood(&keys, &all, settings, report);
    slowest(&keys, &all, settings, report);

    let counted = Allocations::count(settings);
    let mut table = Table::new(
        "Cache: memory of 10,000 tokens",
        &["candidate", "bytes of each"],
    );
    for (name, bytes) in counted.cache_entry {
        table.row(&name, [Cell::Number(bytes, 0)]);
    }
    report.table(table);
}

/// Fills both with these tokens. Returns the bytes per token of each, including unused entries.
pub(crate) fn entry_sizes(
    keys: &Keys,
    tokens: &[String],
    live_bytes: &dyn Fn() -> i64,
) -> [(&'static str, f64); 2] {
    let fill = |make: &dyn Fn() -> Box<dyn Verifier>| {
        let before = live_bytes();
        let verifier = make();
        for token in tokens {
            black_box(verifier.verify(token).is_some());
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let each = (live_bytes() - before) as f64 / tokens.len() as f64;
        each
    };
    let entries = tokens.len();
    [
        (OURS, fill(&|| Box::new(ours_of_one_thread(keys, entries)))),
        (QUICK, fill(&|| Box::new(quick(keys, entries)))),
    ]
}

fn candidate<'a>(verifier: &'a dyn Verifier, tokens: &'a [String]) -> Candidate<'a> {
    let mut next = cycle(tokens);
    Candidate::new("", move || {
        black_box(verifier.verify(black_box(next())).expect("valid"))
    })
}

/// Hits, misses and refusals on one thread.
fn times(keys: &Keys, all: &[String], settings: &Settings, report: &mut Report) {
    settings.progress("cache: hits, misses");
    let columns = ["case", OURS, QUICK, "table / quick_cache", "no table"];
    let mut table = Table::new("Cache: ns of a verification, HS256, one thread", &columns);
    let without = keys.manager(false);
    let mut row = |name: &str, mut candidates: Vec<Candidate<'_>>| {
        let times = race(&mut candidates, settings.budget(6.0));
        let cells = [
            Cell::Number(times[0], 0),
            Cell::Number(times[1], 0),
            Cell::Number(times[0] / times[1], 2),
            Cell::Number(times[2], 0),
        ];
        table.row(name, cells);
    };
    for live in [1, 1_000, all.len()] {
        let tokens = &all[..live];
        let entries = 64 * live.max(1_000);
        let (ours, quick) = (ours(keys, entries), quick(keys, entries));
        for token in tokens {
            drop((ours.verify(token), quick.verify(token)));
        }
        let verifiers: [&dyn Verifier; 3] = [&ours, &quick, &without];
        let candidates = verifiers.map(|it| candidate(it, tokens)).into();
        row(&format!("hit, {live} live tokens"), candidates);
    }
    let (ours, quick) = (ours(keys, all.len() / 8), quick(keys, all.len() / 8));
    for token in all {
        drop((ours.verify(token), quick.verify(token)));
    }
    let verifiers: [&dyn Verifier; 3] = [&ours, &quick, &without];
    let candidates = verifiers.map(|it| candidate(it, all)).into();
    row("miss and insertion, full", candidates);
    let forged: Vec<String> = all.iter().map(|token| forge(token)).collect();
    let candidates = verifiers.map(|it| {
        let mut next = cycle(&forged);
        Candidate::new("", move || {
            assert!(it.verify(black_box(next())).is_none());
        })
    });
    row("miss of a forged token", candidates.into());
    report.table(table);
}

/// Hits of the same tokens on two threads at once, in nanoseconds per hit of the slower thread.
fn threads(keys: &Keys, tokens: &[String], settings: &Settings, report: &mut Report) {
    settings.progress("cache: threads");
    let columns = ["threads", OURS, QUICK, "table / quick_cache"];
    let mut table = Table::new("Cache: ns of a hit, HS256, the same tokens", &columns);
    let (ours, quick) = (ours(keys, 64_000), quick(keys, 64_000));
    let budget = settings.budget(2.0);
    for (name, live) in [
        ("2, 1,000 live tokens", tokens),
        ("2, one token", &tokens[..1]),
    ] {
        // Alternately, so that a disturbance affects both.
        let mut times = [f64::INFINITY; 2];
        for _ in 0..3 {
            for (time, verifier) in times.iter_mut().zip([&ours as &dyn Verifier, &quick]) {
                *time = time.min(hits_by(verifier, 2, live, budget / 3));
            }
        }
        let [ours, quick] = times;
        let cells = [
            Cell::Number(ours, 0),
            Cell::Number(quick, 0),
            Cell::Number(ours / quick, 2),
        ];
        table.row(name, cells);
    }
    report.table(table);
}

fn hits_by(verifier: &dyn Verifier, threads: usize, tokens: &[String], budget: Duration) -> f64 {
    let barrier = Barrier::new(threads);
    let measure = || {
        let mut next = cycle(tokens);
        let mut verify = || black_box(verifier.verify(black_box(next())).expect("valid"));
        for _ in 0..2 * tokens.len() {
            verify();
        }
        barrier.wait();
        let (mut means, began) = (Vec::new(), Instant::now());
        while began.elapsed() < budget {
            let began = Instant::now();
            for _ in 0..1_000 {
                verify();
            }
            means.push(began.elapsed().as_secs_f64() * 1e6);
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

/// Live tokens that are sent again and again, mixed with tokens that are sent once: how many of the live ones
/// are still in the cache.
fn flood(keys: &Keys, all: &[String], settings: &Settings, report: &mut Report) {
    settings.progress("cache: flood");
    let columns = ["single-use tokens for each live one", OURS, QUICK];
    let title = "Cache: live tokens that are remembered, 500 of them, room for 1,000";
    let mut table = Table::new(title, &columns);
    let (live, once) = all.split_at(500);
    for between in [1, 4, 16] {
        for (when, rounds) in [("live first", 3), ("all at once", 0)] {
            let ours = ours_of_one_thread(keys, 1_000);
            let quick = quick(keys, 1_000);
            let found = [&ours as &dyn Verifier, &quick].map(|it| {
                for token in live.iter().cycle().take(rounds * live.len()) {
                    black_box(it.verify(token).is_some());
                }
                remembered(it, live, once, between)
            });
            let name = format!("{between}, {when}");
            table.row(&name, found.map(|part| Cell::Number(part, 3)));
        }
    }
    report.table(table);
}

/// A table whose part for this thread has room for so many tokens: it has one part for each core.
fn ours_of_one_thread(keys: &Keys, entries: usize) -> AuthManager {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    ours(keys, entries * cores)
}

/// The fraction of the live tokens that is found, once all tokens were sent often enough.
fn remembered(verifier: &dyn Verifier, live: &[String], once: &[String], between: usize) -> f64 {
    let mut once = once.iter();
    let mut parts = Vec::new();
    // A token that was verified again has another address in memory than the earlier one, which is kept.
    let mut last = vec![None::<Token>; live.len()];
    loop {
        let mut hits = 0.0;
        for (token, last) in live.iter().zip(&mut last) {
            let found = verifier.verify(token).expect("valid");
            let is_same = |last: &Token| last.signed().as_ptr() == found.signed().as_ptr();
            hits += if last.as_ref().is_some_and(is_same) {
                1.0
            } else {
                0.0
            };
            *last = Some(found);
            for _ in 0..between {
                let Some(single) = once.next() else {
                    return percentile(parts, 50);
                };
                black_box(verifier.verify(single).is_some());
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "500")]
        parts.push(hits / live.len() as f64);
    }
}

/// The slowest of many insertions into an empty cache: how long one request may have to wait.
fn slowest(keys: &Keys, all: &[String], settings: &Settings, report: &mut Report) {
    settings.progress("cache: the slowest insertion");
    let columns = ["candidate", "first", "slowest of the others", "median"];
    let title = "Cache: µs of a verification and insertion, growing to the limit";
    let mut table = Table::new(title, &columns);
    let mut row = |name: &str, make: &dyn Fn() -> Box<dyn Verifier>| {
        // The fastest of several runs for each insertion: its own cost is in every run, and disturbances of the
        // machine are not.
        let mut best = vec![f64::INFINITY; all.len()];
        for _ in 0..8 {
            let verifier = make();
            for (best, token) in best.iter_mut().zip(all) {
                let began = Instant::now();
                black_box(verifier.verify(black_box(token)).is_some());
                *best = best.min(began.elapsed().as_secs_f64() * 1e6);
            }
        }
        let slowest = best[1..].iter().copied().fold(0.0, f64::max);
        let numbers = [best[0], slowest, percentile(best, 50)];
        table.row(name, numbers.map(|it| Cell::Number(it, 1)));
    };
    row(OURS, &|| Box::new(ours_of_one_thread(keys, all.len())));
    row(QUICK, &|| Box::new(quick(keys, all.len())));
    report.table(table);
}
