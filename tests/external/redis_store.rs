//! `RedisStore` against real servers, each test with its own: alone, watched by sentinels, as a cluster.
//!
//! `REDIS_SERVER` names another binary than `redis-server`, for instance that of Valkey.

mod cluster;
mod cluster_faults;
mod commands;
mod conformance;
mod connecting;
mod contents;
mod faults;
mod laws;
mod limits;
mod load;
mod lost_answers;
mod races;
mod records;
mod same;
mod sealed;
mod sentinel;
#[cfg(feature = "redis-store-tls")]
mod tls;

use support::redis as server;
