//! The session store in Redis, for deployments with many processes.
//!
//! [`store`] turns a request into one command or script, with [`script`] and [`encoding`]. The
//! thread of [`worker`] executes it. [`servers`] sends it through a [`connection`] to the primary,
//! or to the node of a [`cluster`] that holds the subject's key.
//!
//! With a near cache, [`near`] asks on the connections of a [`tracker`] for each server, which
//! announces changes to a [`listener`].
//!
//! Imports go one way: builder, store, near, servers, cluster, then `read_write`, tracker, primary,
//! sentinels, node, listener, connection, operation, and below them the files that do not deal with
//! servers.

mod address;
mod announced;
mod builder;
mod cluster;
mod connection;
mod encoding;
mod listener;
mod near;
mod node;
mod operation;
mod outcome;
mod primary;
mod problem;
mod read_write;
mod reply;
mod script;
mod sentinels;
mod servers;
mod settings;
mod slot;
mod store;
#[cfg(feature = "redis-store-tls")]
mod tls;
#[cfg(not(feature = "redis-store-tls"))]
#[path = "no_tls.rs"]
mod tls;
mod tracker;
mod worker;

pub use self::{builder::RedisStoreBuilder, store::RedisStore};
