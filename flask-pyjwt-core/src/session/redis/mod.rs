//! Sessions in Redis, for deployments of many processes.
//!
//! The path of a request: [`store`] makes one command of it, with [`script`] and [`encoding`]. The
//! [`worker`]'s thread takes the command over. [`servers`] sends it: through a [`connection`] to the one
//! primary, or to the node of a [`cluster`] that holds the subject's key.
//!
//! The files import one way: builder, store, servers, cluster, then `read_write`, primary, sentinels,
//! node, connection, operation, and below them what knows no server.

mod address;
mod builder;
mod cluster;
mod connection;
mod encoding;
mod node;
mod operation;
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
mod worker;

pub use self::{builder::RedisStoreBuilder, store::RedisStore};
