//! The memory of the table of verified tokens. A separate program, since all its allocations are counted.

use std::{alloc::System, thread};

use flask_pyjwt::{AuthManager, AuthType, Config};
use serde::Deserialize;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LIMIT: usize = 4 << 20;

#[derive(Deserialize)]
struct Claims {
    roles: Vec<String>,
}

fn manager(entries: usize) -> AuthManager {
    let config = Config::new("i", AuthType::HS256, "a secret of 32 bytes, at the least");
    AuthManager::new(config.token_table(entries, LIMIT)).expect("a valid configuration")
}

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Verifies tokens until each of them is in the table, and reads all parts of each.
fn ask(auth: &AuthManager, tokens: &[String]) {
    for signed in tokens.iter().flat_map(|signed| [signed; 3]) {
        let token = auth.verify_token(signed).expect("valid");
        assert_eq!(token.claims()["roles"][0], "r0");
        assert_eq!(token.scope(), Some(&json!({ "admin": true })));
        assert_eq!(token.header()["alg"], "HS256");
        assert!(token.claim("n").is_some() && token.session_id().is_none());
        let claims: Claims = token.claims_as().expect("they fit");
        assert_eq!(claims.roles.len(), 20);
        let clone = token.clone();
        assert_eq!(clone.claims(), token.claims());
    }
}

/// `docs/threats.md` 50: everything that the process allocates for the table is counted, in the part of every
/// thread.
#[test]
fn the_table_stays_within_its_limit_in_bytes() {
    let minting = manager(0);
    let roles: Vec<_> = (0..20).map(|n| format!("r{n}")).collect();
    let tokens: Vec<_> = (0..6_000)
        .map(|n| {
            let builder = minting
                .auth_token("a \"quoted\" subject")
                .scope(json!({ "admin": true }));
            let token = builder.claim("roles", &roles).claim("n", n).sign();
            token.expect("minted").signed().to_owned()
        })
        .collect();
    drop(minting);
    let before = live();
    let without_table = manager(0);
    let own = live() - before;
    drop(without_table);
    assert!(own < 64 << 10, "{own} bytes before the first request");
    let before = live();
    let auth = manager(1 << 16);
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for _ in 0..2 * threads {
        thread::scope(|scope| {
            scope.spawn(|| ask(&auth, &tokens));
        });
    }
    let held = live() - before;
    // What the threads have left takes a few KiB.
    assert!(
        held <= LIMIT + own + (8 << 10),
        "{held} bytes, and {own} without a table"
    );
    assert!(held > LIMIT * 3 / 4, "{held} bytes: the table is not full");
    drop(auth);
    assert!(live() - before < 16 << 10, "all of it was the table's");
}
