//! Stores for tests. Sessions, tokens and rotations are those of the tests with Redis.

use flask_pyjwt::{
    PostgresStore, PostgresStoreBuilder,
    sqlx::{PgPool, postgres::PgPoolOptions},
};
use time::Duration;

use super::server::Server;
pub(crate) use crate::redis_store::records::reason;

/// A pool as an application has one.
pub(crate) fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().connect_lazy(url).expect("a valid URL")
}

/// A store for tests that are not about time: on a busy machine it waits as long as necessary.
pub(crate) fn patient(url: &str) -> PostgresStoreBuilder {
    let builder = PostgresStore::builder(pool(url));
    builder
        .timeout(Duration::seconds(30))
        .connect_timeout(Duration::seconds(30))
        .sweep_interval(None)
}

/// Such a store on one server, with its tables.
pub(crate) async fn connected(server: &Server) -> PostgresStore {
    let store = patient(&server.url()).build().expect("valid settings");
    store.migrate().await.expect("migrated");
    store
}
