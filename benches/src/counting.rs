//! The program that counts allocations.

use std::hint::black_box;

use flask_pyjwt::AuthManager;

use crate::{
    allocations::Allocations,
    cache,
    candidates::Field,
    claims,
    http::{Way, requests},
    keys::{ALGORITHMS, Keys},
    race::Candidate,
    table,
};

/// Measured operations, after the same number to warm up.
const TIMES: u32 = 100;
/// Tokens whose memory in the table is measured.
const ENTRIES: usize = 10_000;

/// What the counting allocator has counted so far.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Number of allocations, including reallocations.
    pub calls: usize,
    /// Bytes that are allocated now.
    pub live_bytes: i64,
}

/// Counts with the program's allocator, and prints the results as JSON.
///
/// # Errors
///
/// If the results cannot be written as JSON.
pub fn print_allocations(counted: &dyn Fn() -> Counted) -> serde_json::Result<()> {
    let mut found = Allocations::default();
    for algorithm in ALGORITHMS {
        let keys = Keys::generate(algorithm);
        let field = Field::new(&keys);
        for (operation, candidates) in [("verify", field.verify()), ("mint", field.mint())] {
            let counts = candidates
                .into_iter()
                .map(|candidate| (candidate.name.clone(), calls(candidate, counted)))
                .collect();
            let key = format!("{operation} {algorithm}");
            found.per_operation.insert(key, counts);
        }
    }
    let keys = Keys::generate("HS256");
    let counts = Way::ALL
        .into_iter()
        .map(|way| (way.name().to_owned(), calls(requests(way, &keys), counted)))
        .collect();
    found.per_operation.insert("http HS256".to_owned(), counts);
    for algorithm in ["HS256", "RS256"] {
        let bytes = table_entry(&Keys::generate(algorithm), counted);
        found.table_entry.insert(algorithm.to_owned(), bytes);
    }
    let keys = Keys::generate("HS256");
    let live_bytes = || counted().live_bytes;
    found.cache_entry = cache::entry_sizes(&keys, &table::tokens(&keys, ENTRIES), &live_bytes)
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .into();
    println!("{}", serde_json::to_string(&found)?);
    Ok(())
}

fn calls(mut candidate: Candidate<'_>, counted: &dyn Fn() -> Counted) -> f64 {
    candidate.run(TIMES);
    let before = counted().calls;
    candidate.run(TIMES);
    let calls = counted().calls - before;
    f64::from(u32::try_from(calls).unwrap_or(u32::MAX)) / f64::from(TIMES)
}

/// Bytes that a verified token takes in the table: the difference between a full and an empty one.
fn table_entry(keys: &Keys, counted: &dyn Fn() -> Counted) -> f64 {
    let entries = if keys.is_secret() {
        ENTRIES
    } else {
        ENTRIES / 20
    };
    let minting = keys.manager(false);
    let tokens: Vec<String> = (0..entries)
        .map(|n| claims::mint(&minting, &format!("user{n:06}@example")))
        .map(|token| token.signed().to_owned())
        .collect();
    let config = keys.config().token_table(entries * 16, 1 << 30);
    let auth = AuthManager::new(config).expect("a valid configuration");
    drop(auth.verify_token(&tokens[0])); // the places
    let before = counted().live_bytes;
    for token in &tokens[1..] {
        black_box(auth.verify_token(token).is_ok());
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = (counted().live_bytes - before) as f64 / (entries - 1) as f64;
    each
}
