//! The space that sessions take.

use std::{fs, path::PathBuf};

use super::redis_server::RedisServer;

/// How the space of a store is measured.
pub(super) enum Room {
    Memory,
    File(PathBuf),
    Redis(RedisServer),
    #[cfg(feature = "postgres-store")]
    Postgres(support::postgres::Server),
}

impl Room {
    /// Bytes in use now.
    pub(super) fn bytes(&self) -> f64 {
        match self {
            Self::Memory => resident_bytes(),
            Self::File(path) => fs::metadata(path).map_or(f64::NAN, |file| file.len() as f64),
            Self::Redis(server) => server.info("memory", "used_memory").unwrap_or(f64::NAN),
            #[cfg(feature = "postgres-store")]
            Self::Postgres(server) => super::postgres::bytes(server),
        }
    }
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
