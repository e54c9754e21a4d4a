//! Hundreds of users log in, refresh, are checked and log out while three servers move their sessions to another
//! store. Nobody is logged out, nobody who has logged out comes back, and of concurrent refreshes one wins.

mod clients;

use std::sync::Arc;

use flask_pyjwt::{
    AuthManager, FileStore, MemoryStore, MigratingStore, RedisStore, store::SessionStore,
};
use support::{
    SECRET,
    folder::Folder,
    redis::{Server, needs_redis},
};
use time::Duration;

use self::clients::{Load, Servers};

/// A store that a server opens, or one that all servers of a test share.
type Store = Arc<dyn SessionStore>;

/// A server of the application, on the real clock.
fn server(store: impl SessionStore) -> AuthManager {
    let config = flask_pyjwt::Config::new("moving", flask_pyjwt::AuthType::HS256, SECRET)
        .store_timeout(Duration::seconds(60))
        .max_sessions(8)
        .session_store(store);
    AuthManager::new(config).expect("a valid configuration")
}

/// The three phases of a move: the old store alone, both, the new store alone. All servers stop between the first
/// two, and are replaced one by one between the last two.
async fn move_sessions(old: impl AsyncFn() -> Store, new: impl AsyncFn() -> Store) {
    let servers = Servers::start([
        server(old().await),
        server(old().await),
        server(old().await),
    ]);
    let load = Load::start(200, &servers);
    load.wait_for_steps(1_000).await;

    servers.stop().await;
    for number in 0..3 {
        servers.replace(
            number,
            server(MigratingStore::new(old().await, new().await)),
        );
    }
    servers.go_on();
    load.wait_for_changes_of_all().await;
    load.wait_for_steps(1_000).await;

    for number in 0..3 {
        servers.replace(number, server(new().await));
        load.wait_for_steps(200).await;
    }
    load.stop().await;
}

#[actix_web::test]
async fn two_hundred_users_move_from_memory_to_a_file() {
    let folder = Folder::new("migration");
    let old: Store = Arc::new(MemoryStore::default());
    let new: Store = Arc::new(FileStore::open(folder.file("new.redb")).expect("it opens"));
    move_sessions(async || Arc::clone(&old), async || Arc::clone(&new)).await;
}

/// A store with its own connections, as each process has.
async fn redis(server: &Server, prefix: &str) -> Store {
    let builder = RedisStore::builder().prefix(prefix);
    let builder = builder.timeout(Duration::seconds(30));
    Arc::new(builder.connect(server.url()).await.expect("connected"))
}

#[actix_web::test]
async fn two_hundred_users_move_from_a_file_to_redis() {
    needs_redis!();
    let (folder, server) = (Folder::new("migration"), Server::start());
    let old: Store = Arc::new(FileStore::open(folder.file("old.redb")).expect("it opens"));
    let new = async || redis(&server, "new").await;
    move_sessions(async || Arc::clone(&old), new).await;
}

#[actix_web::test]
async fn two_hundred_users_move_from_redis_to_redis() {
    needs_redis!();
    let server = Server::start();
    let new = async || redis(&server, "new").await;
    move_sessions(async || redis(&server, "old").await, new).await;
}

#[cfg(all(unix, feature = "postgres-store"))]
#[actix_web::test]
async fn two_hundred_users_move_from_redis_to_postgres_with_near_caches() {
    use flask_pyjwt::{NearCache, PostgresStore, sqlx::PgPool};
    use support::postgres;

    needs_redis!();
    postgres::needs_postgres!();
    let (redis, postgres) = (Server::start(), postgres::Server::start());
    let old = async || {
        let builder = RedisStore::builder().near_cache(NearCache::new());
        let builder = builder.timeout(Duration::seconds(30));
        let store: Store = Arc::new(builder.connect(redis.url()).await.expect("connected"));
        store
    };
    let new = async || {
        let pool = PgPool::connect_lazy(&postgres.url()).expect("a URL");
        let builder = PostgresStore::builder(pool).near_cache(NearCache::new());
        let builder = builder.timeout(Duration::seconds(30));
        let store = builder.build().expect("valid settings");
        store.migrate().await.expect("migrated");
        let store: Store = Arc::new(store);
        store
    };
    move_sessions(old, new).await;
}
