//! Benchmarks of `flask-pyjwt` and comparable packages: `cargo bench -p flask-pyjwt-benches`.

mod allocations;
mod cache;
mod candidates;
mod chart;
mod claims;
mod cores;
mod counting;
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
mod flood;
mod floor;
mod growth;
mod http;
mod instructions;
mod keys;
mod peers;
mod process;
mod race;
mod refused;
mod report;
mod run;
mod server;
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
mod sessions;
mod settings;
mod table;
mod verify;

#[cfg(feature = "metrics")]
pub use crate::instructions::install_recorder;
// The functions that the three programs call.
pub use crate::{
    counting::{Counted, print_allocations},
    instructions::run_instructions,
    run::run,
};
