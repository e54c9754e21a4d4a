//! Each store and number of sessions is measured in a separate process, because earlier measurements leave
//! traces in the allocator.

use std::{io, time::Duration};

use actix_web::rt::System;
use serde::{Deserialize, Serialize};

use super::{Measured, measure};
use crate::process::{self, Process};

/// The argument that starts the bench as such a process.
pub(crate) const MODE: &str = "measure-sessions";

/// What to measure, and how long each part may take.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) name: String,
    pub(super) count: usize,
    pub(super) budget: Duration,
}

impl Order {
    /// Runs the measurement. Returns `None` if there is no server for the store.
    pub(super) fn carry_out(&self) -> io::Result<Option<Measured>> {
        let answer = Process::start(&[], MODE, self)?.line()?;
        serde_json::from_str(&answer).map_err(io::Error::other)
    }
}

/// The body of such a process.
pub(crate) fn carry_out() -> io::Result<()> {
    let order: Order = process::order()?;
    let measured = System::new().block_on(measure(&order));
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}
