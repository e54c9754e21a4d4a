//! Servers that hang, are killed, restarted, demoted, full, or closed in the middle of a request.

use std::rc::Rc;

use flask_pyjwt::{
    PostgresStore,
    sqlx::{Connection as _, PgConnection, raw_sql},
    store::{Rotated, SessionStore as _, Standing, StoreError},
};
use futures_util::future::join_all;
use time::Duration;

use super::{
    records::{connected, patient, pool},
    server::{Proxy, Server, needs_postgres},
};
use crate::redis_store::{
    load::{Load, subjects},
    records::{
        Answers as _, DAY, NOW, auth, opening, reason, revoke_session, revoke_subject, rotation,
        session,
    },
};
use support::redis::wait_until;

/// A store with the default timeout.
async fn hurried(server: &Server) -> PostgresStore {
    connected(server).await;
    PostgresStore::new(pool(&server.url())).expect("a store")
}

async fn recovers(store: &PostgresStore) {
    let token = auth("ann", "1", "0");
    wait_until("the store answers", async || {
        let standing = store.standing(&token, NOW).await;
        standing.is_ok_and(|it| it == Standing::Good)
    })
    .await;
}

#[actix_web::test]
async fn a_paused_server_is_an_error_in_time_and_requests_do_not_pile_up() {
    needs_postgres!();
    let server = Server::start();
    let store = Rc::new(hurried(&server).await);
    let load = Load::start(&store, subjects(10));
    for _ in 0..2 {
        load.wait_for_steps(100).await;
        server.pause();
        load.fails(40).await;
        server.go_on();
    }
    load.wait_for_steps(100).await;
    load.stop().await;

    let patient = connected(&server).await;
    patient.opens(&session("ann", "1", NOW), NOW).await;
    server.pause();
    let token = auth("ann", "1", "0");
    let answers = join_all((0..5_000).map(|_| store.standing(&token, NOW))).await;
    assert!(answers.iter().all(Result::is_err));
    server.go_on();
    recovers(&store).await;
}

#[actix_web::test]
async fn a_server_that_is_killed_under_load_loses_no_acknowledged_change() {
    needs_postgres!();
    let mut server = Server::start();
    let store = Rc::new(hurried(&server).await);
    let load = Load::start(&store, subjects(10));
    for _ in 0..3 {
        load.wait_for_steps(200).await;
        server.kill();
        load.fails(20).await;
        server.restart();
    }
    load.wait_for_steps(100).await;
    load.stop().await;
}

/// Otherwise changes of the last 30 seconds are only in the memory of the server that is killed here.
#[actix_web::test]
async fn a_database_that_acknowledges_early_loses_no_acknowledged_change() {
    needs_postgres!();
    let settings = ["synchronous_commit=off", "wal_writer_delay=10000"];
    let mut server = Server::with(&settings);
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    store.opens(&session("bob", "1", NOW), NOW).await;
    server.ask("CHECKPOINT");
    store.revokes(&revoke_session("ann", "1"), NOW).await;
    store.rotates(&rotation("bob", "1", "0", "1", NOW)).await;
    server.restart();
    let standing = store.standing_of(&auth("ann", "1", "0"), NOW).await;
    assert_eq!(standing, Standing::Revoked);
    let bob = store.lists("bob", NOW).await;
    assert_eq!(bob[0].generations.len(), 2);
}

#[actix_web::test]
async fn connections_that_an_administrator_ends_are_replaced() {
    needs_postgres!();
    let server = Server::start();
    let store = Rc::new(hurried(&server).await);
    let load = Load::start(&store, subjects(10));
    for _ in 0..10 {
        load.wait_for_steps(50).await;
        server.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        );
    }
    load.wait_for_steps(50).await;
    load.stop().await;
}

#[actix_web::test]
async fn a_replica_is_refused_until_it_is_promoted() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    let replica = server.replica();
    let store = patient(&replica.url()).build().expect("valid settings");
    let token = auth("ann", "1", "0");
    let refused = [
        store.standing(&token, NOW).await.map(drop),
        store.sessions("ann", 10, NOW).await.map(drop),
        store.open(&opening("ann", "2", NOW), NOW).await.map(drop),
        store
            .rotate(&rotation("ann", "1", "0", "1", NOW))
            .await
            .map(drop),
        store
            .revoke(&revoke_session("ann", "1"), NOW)
            .await
            .map(drop),
        store
            .revoke(&revoke_subject("ann", NOW, NOW + DAY), NOW)
            .await
            .map(drop),
        store.migrate().await,
    ];
    for (number, refused) in refused.into_iter().enumerate().take(6) {
        let error = refused.expect_err("a replica");
        assert!(
            reason(&error).contains("is a replica"),
            "{number}: {error:?}"
        );
    }
    replica.ask("SELECT pg_promote()");
    recovers(&store).await;
    store.revokes(&revoke_session("ann", "1"), NOW).await;
}

#[actix_web::test]
async fn a_full_disk_refuses_changes_and_loses_nothing() {
    needs_postgres!();
    let Some(server) = Server::on_small_disk(64) else {
        println!("skipped: only root can make a small disk");
        return;
    };
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    store.opens(&session("bob", "1", NOW), NOW).await;
    server.ask("CREATE TABLE filler (text text)");
    // With large rows first, and then with smaller ones, until nothing fits.
    server.ask(
        "DO $$ DECLARE size int := 1000000; BEGIN \
           WHILE size > 100 LOOP \
             BEGIN \
               INSERT INTO filler SELECT string_agg(md5(random()::text), '') FROM generate_series(1, size / 32); \
             EXCEPTION WHEN disk_full THEN size := size / 4; END; \
           END LOOP; \
         END $$",
    );
    let mut last = None;
    for number in 0..2_000 {
        let mut large = session("carol", &number.to_string(), NOW);
        large.claims = "x".repeat(6_000);
        let opening = flask_pyjwt::store::Opening::new(large, 1_000);
        match store.open(&opening, NOW).await {
            Ok(_) => {}
            Err(error) => {
                last = Some((number, error));
                break;
            }
        }
    }
    let (opened, error) = last.expect("the disk is full");
    assert!(reason(&error).contains("No space left"), "{error:?}");
    assert_eq!(store.lists("carol", NOW).await.len(), opened);
    // Checks and logouts go on.
    let standing = store.standing_of(&auth("ann", "1", "0"), NOW).await;
    assert_eq!(standing, Standing::Good);
    store.revokes(&revoke_session("ann", "1"), NOW).await;
    let standing = store.standing_of(&auth("ann", "1", "0"), NOW).await;
    assert_eq!(standing, Standing::Revoked);
    server.ask("DROP TABLE filler");
    store.opens(&session("dave", "1", NOW), NOW).await;
    assert_eq!(store.lists("bob", NOW).await, [session("bob", "1", NOW)]);
}

#[actix_web::test]
async fn a_rotation_whose_connection_is_cut_is_recognised_when_it_is_repeated() {
    needs_postgres!();
    let server = Server::start();
    let proxy = Proxy::to(server.port);
    connected(&server).await;
    let store = patient(&server.url_at(proxy.port))
        .build()
        .expect("valid settings");
    for (number, is_forwarded) in [true, false, true].into_iter().enumerate() {
        let subject = format!("subject {number}");
        store.opens(&session(&subject, "1", NOW), NOW).await;
        let attempt = rotation(&subject, "1", "0", "1", NOW);
        proxy.cut_next("UPDATE", is_forwarded);
        let error = store.rotate(&attempt).await.expect_err("it was cut");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert_eq!(proxy.cuts(), number + 1);
        let sessions = store.lists(&subject, NOW).await;
        let generations = if is_forwarded { 2 } else { 1 };
        assert_eq!(sessions[0].generations.len(), generations);
        // The same attempt is recognised, and another one with the same token does not win.
        let Rotated::Won(session) = store.rotates(&attempt).await else {
            panic!("it is the same attempt");
        };
        assert_eq!(session.current(), Some(&attempt.successor));
        let another = store.rotates(&rotation(&subject, "1", "0", "2", NOW)).await;
        assert!(matches!(another, Rotated::Again(..)), "{another:?}");
    }
}

#[actix_web::test]
async fn a_change_whose_connection_is_cut_is_an_error_and_is_not_made_twice() {
    needs_postgres!();
    let server = Server::start();
    let proxy = Proxy::to(server.port);
    connected(&server).await;
    let store = patient(&server.url_at(proxy.port))
        .build()
        .expect("valid settings");
    for is_forwarded in [true, false] {
        proxy.cut_next("INSERT", is_forwarded);
        let id = is_forwarded.to_string();
        assert!(store.open(&opening("ann", &id, NOW), NOW).await.is_err());
        let opened = store.lists("ann", NOW).await;
        assert_eq!(opened.iter().any(|it| it.id == id), is_forwarded);
        let inserted = server.ask("SELECT count(*), max(revision) FROM flask_pyjwt_sessions");
        assert_eq!(inserted, "1|0");
    }
    proxy.cut_next("DELETE", true);
    assert!(
        store
            .revoke(&revoke_session("ann", "true"), NOW)
            .await
            .is_err()
    );
    let standing = store.standing_of(&auth("ann", "true", "0"), NOW).await;
    assert_eq!(standing, Standing::Revoked);
    // A check is asked again.
    proxy.cut_next("SELECT", true);
    store.standing_of(&auth("ann", "true", "0"), NOW).await;
    assert_eq!(proxy.cuts(), 4);
}

#[actix_web::test]
async fn a_locked_table_is_an_error_in_time_and_leaves_no_connection_behind() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    let store = hurried(&server).await;
    let mut other = PgConnection::connect(&server.url())
        .await
        .expect("connected");
    let lock = "BEGIN; LOCK TABLE flask_pyjwt_sessions IN ACCESS EXCLUSIVE MODE";
    raw_sql(lock).execute(&mut other).await.expect("locked");
    let token = auth("ann", "1", "0");
    for _ in 0..10 {
        let error = store.standing(&token, NOW).await.expect_err("it is locked");
        let reason = reason(&error);
        assert!(reason.contains("within 200 ms"), "{reason}");
    }
    raw_sql("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("unlocked");
    recovers(&store).await;
}

/// The application has one connection, and a slow query on it.
#[actix_web::test]
async fn a_query_of_the_application_does_not_delay_the_store() {
    needs_postgres!();
    let server = Server::start();
    connected(&server).await;
    let pool = flask_pyjwt::sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_lazy(&server.url()).expect("a URL");
    let store = PostgresStore::builder(pool.clone())
        .timeout(Duration::seconds(10))
        .build()
        .expect("valid settings");
    let held = pool.acquire().await.expect("a connection");
    store.opens(&session("ann", "1", NOW), NOW).await;
    drop(held);

    pool.close().await;
    let error = store.standing(&auth("ann", "1", "0"), NOW).await;
    let reason = reason(&error.expect_err("the pool is closed"));
    assert!(reason.contains("closed its pool"), "{reason}");
}
