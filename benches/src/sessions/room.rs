//! How much room sessions take.

use std::{fs, io, path::PathBuf, sync::Arc};

use actix_web::rt::System;
use flask_pyjwt::MemoryStore;

use super::{Store, fill, redis_server::RedisServer};
use crate::process::{self, Process};

/// How the room is found out that a store takes.
pub(super) enum Room {
    Memory,
    File(PathBuf),
    Redis(RedisServer),
}

impl Room {
    /// Bytes that so many sessions take in the store, which took `before` without them.
    pub(super) fn bytes_of(&self, count: usize, before: f64) -> f64 {
        match self {
            Self::Memory => bytes_in_memory(count).unwrap_or(f64::NAN),
            Self::File(_) | Self::Redis(_) => self.bytes() - before,
        }
    }

    /// Bytes that are taken now.
    pub(super) fn bytes(&self) -> f64 {
        match self {
            Self::Memory => resident_bytes(),
            Self::File(path) => fs::metadata(path).map_or(f64::NAN, |file| file.len() as f64),
            Self::Redis(server) => server.info("memory", "used_memory").unwrap_or(f64::NAN),
        }
    }
}

/// The argument that makes the bench a process that does nothing but hold sessions.
pub(crate) const MODE: &str = "take-room";

/// Bytes that so many sessions take in a process of their own: in this one, what other sections have
/// left in the allocator would make them look free of charge.
fn bytes_in_memory(count: usize) -> io::Result<f64> {
    let mut process = Process::start(&[], MODE, &count)?;
    process.line()?.parse().map_err(io::Error::other)
}

/// What such a process does: opens so many sessions, and tells how many bytes they take.
pub(crate) fn take_room() -> io::Result<()> {
    let count = process::order()?;
    System::new().block_on(async {
        let store: Store = Arc::new(MemoryStore::new(1 << 22));
        let before = resident_bytes();
        fill(&store, count).await;
        println!("{}", resident_bytes() - before);
    });
    Ok(())
}

/// The resident memory of this process in bytes.
fn resident_bytes() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| {
            let pages = text.split_whitespace().nth(1)?.parse::<f64>().ok()?;
            Some(pages * 4096.0)
        });
    pages.unwrap_or(f64::NAN)
}
