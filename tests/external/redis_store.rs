//! `RedisStore` with real servers, separate ones for each test: standalone, with Sentinel, as a cluster.
//!
//! `REDIS_SERVER` selects another binary than `redis-server`, for example that of Valkey.

mod cluster;
mod cluster_faults;
mod commands;
mod conformance;
mod connecting;
mod contents;
mod faults;
mod limits;
mod load;
mod lost_answers;
mod races;
mod records;
mod rules;
mod same;
mod sealed;
mod sentinel;
#[cfg(feature = "redis-store-tls")]
mod tls;

use support::redis as server;
