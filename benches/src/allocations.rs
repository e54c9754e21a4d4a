//! Allocations per operation. They are counted by another program, whose allocator counts.

use std::{collections::BTreeMap, process::Command};

use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// What the other program has found.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Allocations {
    pub(crate) per_operation: BTreeMap<String, BTreeMap<String, f64>>,
    /// Bytes of heap for each token in the table, by algorithm.
    pub(crate) table_entry: BTreeMap<String, f64>,
    /// Bytes of heap for each token in the table and in what stands beside it.
    pub(crate) cache_entry: BTreeMap<String, f64>,
    nothing: BTreeMap<String, f64>,
}

impl Allocations {
    /// Has the other program count; says so and goes on without where that fails.
    pub(crate) fn count(settings: &Settings) -> Self {
        settings.progress("counting allocations");
        let output = Command::new(&settings.allocations).output();
        let found = output
            .ok()
            .and_then(|output| serde_json::from_slice(&output.stdout).ok());
        found.unwrap_or_else(|| {
            eprintln!("the program `allocations` has failed: no counts");
            Self::default()
        })
    }

    /// Allocations per operation of every candidate.
    pub(crate) fn of(&self, operation: &str, algorithm: &str) -> &BTreeMap<String, f64> {
        let counts = self.per_operation.get(&format!("{operation} {algorithm}"));
        counts.unwrap_or(&self.nothing)
    }
}
