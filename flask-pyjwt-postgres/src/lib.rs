//! The session store of `flask-pyjwt` in PostgreSQL. Depend on that package with the feature `postgres-store` instead of
//! this one.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod announced;
mod announcements;
mod builder;
mod connections;
mod database;
mod follower;
mod lease;
mod literal;
mod names;
mod near;
mod problem;
mod rows;
mod schema;
mod steps;
mod store;
mod sweep;
mod worker;

pub use crate::{builder::PostgresStoreBuilder, store::PostgresStore};

/// The crate `sqlx`, in the version whose `PgPool` the store takes.
pub use sqlx;
