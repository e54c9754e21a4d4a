//! `RedisStore` against real servers, each test with its own: alone, watched by sentinels, as a cluster.
//!
//! `REDIS_SERVER` names another binary than `redis-server`, for instance that of Valkey.
#![cfg(feature = "redis-store")]

mod common;

#[path = "redis_store/cluster.rs"]
mod cluster;
#[path = "redis_store/commands.rs"]
mod commands;
#[cfg(all(feature = "store-conformance", feature = "memory-store"))]
#[path = "redis_store/conformance.rs"]
mod conformance;
#[path = "redis_store/connecting.rs"]
mod connecting;
#[path = "redis_store/contents.rs"]
mod contents;
#[path = "redis_store/faults.rs"]
mod faults;
#[path = "redis_store/laws.rs"]
mod laws;
#[path = "redis_store/limits.rs"]
mod limits;
#[path = "redis_store/load.rs"]
mod load;
#[path = "redis_store/lost_answers.rs"]
mod lost_answers;
#[path = "redis_store/races.rs"]
mod races;
#[path = "redis_store/records.rs"]
mod records;
#[path = "redis_store/same.rs"]
mod same;
#[path = "redis_store/sealed.rs"]
mod sealed;
#[path = "redis_store/sentinel.rs"]
mod sentinel;
#[path = "redis_store/server.rs"]
mod server;
#[cfg(feature = "redis-store-tls")]
#[path = "redis_store/tls.rs"]
mod tls;
