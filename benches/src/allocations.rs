//! Allocations per operation. Another program with a counting allocator counts them.

use std::{collections::BTreeMap, process::Command};

use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// The results of the other program.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Allocations {
    pub(crate) per_operation: BTreeMap<String, BTreeMap<String, f64>>,
    /// Bytes of heap for each token in the table, by algorithm.
    pub(crate) table_entry: BTreeMap<String, f64>,
    /// Bytes of heap for each token in the table and in the data structures next to it.
    pub(crate) cache_entry: BTreeMap<String, f64>,
    nothing: BTreeMap<String, f64>,
}

impl Allocations {
    /// Runs the other program. If that fails, it prints a message and continues without counts.
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
