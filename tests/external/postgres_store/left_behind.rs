//! Locks that others hold: what the store leaves behind at the server, and a migration that waits for nobody.

use flask_pyjwt::{
    NearCache, PostgresStore,
    sqlx::{Connection as _, PgConnection, raw_sql},
    store::{SessionStore as _, Standing},
};
use futures_util::future::join_all;

use super::{
    records::{connected, patient, pool},
    server::{Server, needs_postgres},
};
use crate::redis_store::records::{Answers as _, NOW, auth, opening, reason, session};
use support::redis::wait_until;

const FEW: &[&str] = &["max_connections=40"];
const LOCK: &str = "BEGIN; LOCK TABLE flask_pyjwt_sessions IN ACCESS EXCLUSIVE MODE";

async fn locked(server: &Server) -> PgConnection {
    let mut other = PgConnection::connect(&server.url())
        .await
        .expect("connected");
    raw_sql(LOCK).execute(&mut other).await.expect("locked");
    other
}

fn count(server: &Server, condition: &str) -> usize {
    let clients = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    let answer = server.ask(&format!("{clients} AND {condition}"));
    answer.parse().expect("a number")
}

#[actix_web::test]
async fn checks_that_wait_for_a_lock_leave_connections_to_others_and_recover() {
    needs_postgres!();
    let server = Server::with(FEW);
    connected(&server)
        .await
        .opens(&session("ann", "1", NOW), NOW)
        .await;
    let store = PostgresStore::new(pool(&server.url())).expect("a store");
    let token = auth("ann", "1", "0");
    let mut other = locked(&server).await;
    for _ in 0..12 {
        let answers = join_all((0..8).map(|_| store.standing(&token, NOW))).await;
        assert!(answers.iter().all(Result::is_err));
    }
    // Four in use, and four times as many that were given up.
    let waiting = count(&server, "wait_event_type = 'Lock'");
    assert!((1..=20).contains(&waiting), "{waiting}");
    raw_sql("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("unlocked");
    wait_until("checks are answered again", async || {
        let standing = store.standing(&token, NOW).await;
        standing.is_ok_and(|it| it == Standing::Good)
    })
    .await;
}

#[actix_web::test]
async fn changes_that_wait_for_a_lock_end_at_the_server_too() {
    needs_postgres!();
    let server = Server::with(FEW);
    connected(&server).await;
    let store = PostgresStore::new(pool(&server.url())).expect("a store");
    let mut other = locked(&server).await;
    for _ in 0..12 {
        let opening = opening("ann", "1", NOW);
        let answers = join_all((0..8).map(|_| store.open(&opening, NOW))).await;
        assert!(answers.iter().all(Result::is_err));
    }
    wait_until("nothing waits while the lock is held", async || {
        count(&server, "wait_event_type = 'Lock'") == 0
    })
    .await;
    raw_sql("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("unlocked");
    wait_until("logins go on", async || {
        store.open(&opening("ann", "2", NOW), NOW).await.is_ok()
    })
    .await;
    let sessions = store.lists("ann", NOW).await;
    assert!(sessions.iter().all(|it| it.id == "2"), "{sessions:?}");
}

/// By `pg_dump`, for instance, or by a long change.
#[actix_web::test]
async fn a_migration_that_has_nothing_to_do_waits_for_nobody_who_uses_the_tables() {
    needs_postgres!();
    let server = Server::start();
    let store = patient(&server.url())
        .near_cache(NearCache::new())
        .schema("auth")
        .build()
        .expect("valid settings");
    store.migrate().await.expect("migrated");
    store.opens(&session("ann", "1", NOW), NOW).await;
    let mut other = PgConnection::connect(&server.url())
        .await
        .expect("connected");
    let tables = "auth.flask_pyjwt_sessions, auth.flask_pyjwt_tokens, auth.flask_pyjwt_subjects";
    let lock = format!("BEGIN; LOCK TABLE {tables} IN ROW EXCLUSIVE MODE");
    raw_sql(flask_pyjwt::sqlx::AssertSqlSafe(lock))
        .execute(&mut other)
        .await
        .expect("locked");
    server.ask(&store.migration());
    store.migrate().await.expect("nothing to do");

    // With something to do, it gives up, and nothing has changed.
    server.ask("ALTER FUNCTION auth.flask_pyjwt_announce() RENAME TO another");
    let error = store.migrate().await.expect_err("the tables are in use");
    assert!(reason(&error).contains("lock timeout"), "{error:?}");
    let token = auth("ann", "1", "0");
    assert_eq!(store.standing_of(&token, NOW).await, Standing::Good);
    drop(other);
    wait_until("it is migrated", async || store.migrate().await.is_ok()).await;
    store.near_cache_ready().await.expect("announced");
}
