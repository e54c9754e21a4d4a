//! `PostgresStore` with a server of its own.

use std::sync::Arc;

use flask_pyjwt::{NearCache, PostgresStore, sqlx::PgPool};
use support::postgres::{self, Server};

use super::{Room, Store};

/// A new store, and its server. Changes are written to the disk before they are acknowledged. Returns `None` if
/// PostgreSQL is not installed.
pub(super) async fn fresh(has_near_cache: bool) -> Option<(Store, Room)> {
    if !postgres::is_there() {
        return None;
    }
    let server = Server::with(&["fsync=on", "shared_buffers=1GB", "max_wal_size=8GB"]);
    let pool = PgPool::connect_lazy(&server.url()).expect("a URL");
    // Many concurrent logins can take longer than one request may.
    let mut builder = PostgresStore::builder(pool).timeout(time::Duration::seconds(30));
    if has_near_cache {
        builder = builder.near_cache(NearCache::new().max_entries(4_000_000));
    }
    let store = builder.build().expect("valid settings");
    store.migrate().await.expect("migrated");
    if has_near_cache {
        store.near_cache_ready().await.expect("it listens");
    }
    Some((Arc::new(store), Room::Postgres(server)))
}

/// The size of the tables with their indexes.
pub(super) fn bytes(server: &Server) -> f64 {
    let tables = ["sessions", "tokens", "subjects"];
    let sizes = tables.map(|it| format!("pg_total_relation_size('flask_pyjwt_{it}')"));
    let size = server.ask(&format!("SELECT {}", sizes.join(" + ")));
    size.parse().unwrap_or(f64::NAN)
}
