//! `RedisStore` with real servers, separate ones for each test: standalone, with Sentinel, as a cluster.
//!
//! `REDIS_SERVER` selects another binary than `redis-server`, for example that of Valkey.

pub(crate) mod cluster;
mod cluster_faults;
pub(crate) mod commands;
pub(crate) mod conformance;
mod connecting;
mod contents;
mod faults;
mod limits;
pub(crate) mod load;
mod lost_answers;
mod moves;
pub(crate) mod races;
pub(crate) mod records;
pub(crate) mod rules;
pub(crate) mod same;
mod sealed;
pub(crate) mod sentinel;
#[cfg(feature = "redis-store-tls")]
mod tls;

use support::redis as server;
