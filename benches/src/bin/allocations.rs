//! Counts allocations per operation and prints them as JSON: a part of `cargo bench`.

use std::alloc::System;

use flask_pyjwt_benches::{Counted, print_allocations};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> serde_json::Result<()> {
    print_allocations(&|| {
        let stats = ALLOCATOR.stats();
        let (allocated, freed) = (stats.bytes_allocated, stats.bytes_deallocated);
        Counted {
            calls: stats.allocations + stats.reallocations,
            // Bytes that reallocations have added are already among the allocated bytes.
            live_bytes: i64::try_from(allocated).unwrap_or(0) - i64::try_from(freed).unwrap_or(0),
        }
    })
}
