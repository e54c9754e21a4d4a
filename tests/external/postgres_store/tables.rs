//! The migration, names of tables, the sweep, and rows that are not what the store has written.

use flask_pyjwt::{
    PostgresStore,
    store::{SessionStore as _, Standing, StoreError},
};
use futures_util::future::join_all;
use time::Duration;

use super::{
    records::{connected, patient, pool},
    server::{Server, needs_postgres},
};
use crate::redis_store::records::{
    Answers as _, DAY, HOUR, IDLE, NOW, auth, lone, opening, reason, revoke_subject, revoke_token,
    rotation, session,
};
use support::redis::wait_until;

#[actix_web::test]
async fn several_processes_can_migrate_at_once_and_again() {
    needs_postgres!();
    let server = Server::start();
    let stores: Vec<_> = (0..8)
        .map(|_| {
            patient(&server.url())
                .schema("auth")
                .build()
                .expect("valid")
        })
        .collect();
    for _ in 0..2 {
        let migrating = stores.iter().map(PostgresStore::migrate);
        for migrated in join_all(migrating).await {
            migrated.expect("migrated");
        }
    }
    stores[0].opens(&session("ann", "1", NOW), NOW).await;
    assert_eq!(
        server.ask("SELECT count(*) FROM auth.flask_pyjwt_sessions"),
        "1"
    );
    assert_eq!(
        server.ask("SELECT version FROM auth.flask_pyjwt_versions"),
        "1"
    );
    // The SQL does the same, in the hands of another tool.
    server.ask(
        &patient(&server.url())
            .table_prefix("by_hand_")
            .build()
            .expect("valid")
            .migration(),
    );
    let store = patient(&server.url())
        .table_prefix("by_hand_")
        .build()
        .expect("valid");
    store.migrate().await.expect("nothing to do");
    assert_eq!(store.lists("ann", NOW).await, []);
}

#[actix_web::test]
async fn a_user_who_may_not_create_tables_can_use_them() {
    needs_postgres!();
    let server = Server::start();
    let owner = connected(&server).await;
    owner.opens(&session("ann", "1", NOW), NOW).await;
    server.ask(
        "CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON flask_pyjwt_sessions, \
         flask_pyjwt_tokens, flask_pyjwt_subjects TO app; GRANT SELECT ON flask_pyjwt_versions TO app",
    );
    let url = server.url().replace("postgres@", "app@");
    let store = patient(&url).build().expect("valid settings");
    store.migrate().await.expect("nothing to do");
    store.opens(&session("ann", "2", NOW), NOW).await;
    store.rotates(&rotation("ann", "2", "0", "1", NOW)).await;
    store
        .revokes(&revoke_token("ann", "x", NOW + DAY), NOW)
        .await;
    store
        .revokes(&revoke_subject("ann", NOW, NOW + DAY), NOW)
        .await;
    assert_eq!(store.sweep(NOW + 60 * DAY).await.expect("swept"), 2);
}

#[actix_web::test]
async fn errors_say_what_to_do() {
    needs_postgres!();
    let server = Server::start();
    let store = patient(&server.url()).build().expect("valid settings");
    let error = store.standing(&auth("ann", "1", "0"), NOW).await;
    let reason = reason(&error.expect_err("there are no tables"));
    assert!(reason.contains("call `PostgresStore::migrate`"), "{reason}");
    store.migrate().await.expect("migrated");
    server.ask("INSERT INTO flask_pyjwt_versions VALUES (2)");
    let error = store.migrate().await.expect_err("a newer version");
    assert!(
        super::records::reason(&error).contains("have version 2"),
        "{error:?}"
    );

    for (url, expected) in [
        (
            "postgres://nobody@127.0.0.1",
            "role \"nobody\" does not exist",
        ),
        (
            "postgres://postgres:secret@127.0.0.1",
            "database \"nothing\" does not exist",
        ),
    ] {
        let url = format!("{url}:{}/nothing?sslmode=disable", server.port);
        let store = patient(&url).build().expect("valid settings");
        let error = store.standing(&auth("ann", "1", "0"), NOW).await;
        let error = error.expect_err("no such database");
        let reason = super::records::reason(&error);
        assert!(reason.contains(expected), "{reason}");
        assert!(!format!("{error:?} {store:?}").contains("secret"));
    }
    let port = support::redis::free_port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let store = PostgresStore::new(pool(&url)).expect("a store");
    let error = store.standing(&auth("ann", "1", "0"), NOW).await;
    let reason = super::records::reason(&error.expect_err("nobody listens"));
    assert!(reason.contains(&format!("127.0.0.1:{port}")), "{reason}");
}

#[actix_web::test]
async fn invalid_settings_are_refused() {
    let builder = || PostgresStore::builder(pool("postgres://localhost/x"));
    for (invalid, setting) in [
        (builder().schema("a b"), "`schema`"),
        (builder().schema("pg_catalog"), "`schema`"),
        (builder().table_prefix("Shop"), "`table_prefix`"),
        (
            builder().table_prefix("x\"; DROP TABLE y; --"),
            "`table_prefix`",
        ),
        (builder().timeout(Duration::ZERO), "`timeout`"),
        (
            builder().connect_timeout(Duration::HOUR),
            "`connect_timeout`",
        ),
        (builder().connections(0), "`connections`"),
        (builder().connections(1_001), "`connections`"),
        (builder().sweep_interval(Duration::ZERO), "`sweep_interval`"),
    ] {
        let reason = reason(&invalid.build().expect_err("invalid"));
        assert!(reason.contains(setting), "{reason}");
    }
}

#[actix_web::test]
async fn a_row_of_another_subject_or_with_other_content_is_corrupt() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    for change in [
        "key = sha256('bob')",
        "id = '2'",
        "record = '{}'",
        "record = 'not JSON'",
        "record = '\\xff00'",
    ] {
        server.ask("TRUNCATE flask_pyjwt_sessions");
        store.opens(&session("ann", "1", NOW), NOW).await;
        server.ask(&format!("UPDATE flask_pyjwt_sessions SET {change}"));
        let is_of_bob = change.starts_with("key");
        let subject = if is_of_bob { "bob" } else { "ann" };
        let id = if change.starts_with("id") { "2" } else { "1" };
        let answers = [
            store.standing(&auth(subject, id, "0"), NOW).await.map(drop),
            store
                .rotate(&rotation(subject, id, "0", "1", NOW))
                .await
                .map(drop),
        ];
        for answer in answers {
            let error = answer.expect_err(change);
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        }
        // A logout removes it.
        store
            .revokes(&revoke_subject(subject, NOW, NOW + DAY), NOW)
            .await;
        assert_eq!(store.lists(subject, NOW).await, []);
    }
}

/// Fills the tables, and returns the time at which everything of it has ended.
async fn fill(store: &PostgresStore, many: usize) -> flask_pyjwt::store::Moment {
    let fill = (0..many).map(async |number| {
        let subject = format!("subject {number}");
        store.opens(&session(&subject, "1", NOW), NOW).await;
        store
            .revokes(&revoke_token(&subject, "x", NOW + DAY), NOW)
            .await;
    });
    join_all(fill).await;
    NOW + IDLE
}

fn rows(server: &Server) -> String {
    server.ask(
        "SELECT (SELECT count(*) FROM flask_pyjwt_sessions), (SELECT count(*) FROM flask_pyjwt_tokens), \
         (SELECT count(*) FROM flask_pyjwt_subjects)",
    )
}

#[actix_web::test]
async fn the_sweep_removes_what_ended_an_hour_ago_and_nothing_else() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    let end = fill(&store, 3).await;
    store
        .revokes(&revoke_subject("bob", NOW, NOW + 2 * DAY), NOW)
        .await;
    // This one was refreshed, and ends later.
    store
        .rotates(&rotation("subject 2", "1", "0", "1", NOW + HOUR))
        .await;
    let just_before = |moment| moment - Duration::MILLISECOND;
    for (now, removed, left) in [
        (just_before(NOW + DAY + HOUR), 0, "3|3|1"),
        (NOW + DAY + HOUR, 3, "3|0|1"),
        (NOW + 2 * DAY + HOUR, 1, "3|0|0"),
        (just_before(end + HOUR), 0, "3|0|0"),
        (end + HOUR, 2, "1|0|0"),
        (just_before(end + 2 * HOUR), 0, "1|0|0"),
        (end + 2 * HOUR, 1, "0|0|0"),
    ] {
        assert_eq!(store.sweep(now).await.expect("swept"), removed, "{now:?}");
        assert_eq!(rows(&server), left);
    }
}

#[actix_web::test]
async fn several_sweeps_at_once_remove_each_row_once_and_wait_for_nobody() {
    use flask_pyjwt::sqlx::{Connection as _, PgConnection, raw_sql};

    needs_postgres!();
    let server = Server::start();
    let stores = [
        connected(&server).await,
        connected(&server).await,
        connected(&server).await,
    ];
    let end = fill(&stores[0], 1_200).await;
    let mut other = PgConnection::connect(&server.url())
        .await
        .expect("connected");
    let lock = "BEGIN; SELECT FROM flask_pyjwt_sessions WHERE key = sha256('subject 7') FOR UPDATE";
    raw_sql(lock).execute(&mut other).await.expect("locked");
    let sweeps = join_all(stores.iter().map(|store| store.sweep(end + HOUR))).await;
    let removed: u64 = sweeps.into_iter().map(|it| it.expect("swept")).sum();
    assert_eq!(removed, 2_399);
    assert_eq!(rows(&server), "1|0|0");
    raw_sql("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("unlocked");
    assert_eq!(stores[1].sweep(end + HOUR).await.expect("swept"), 1);
}

#[actix_web::test]
async fn the_store_sweeps_by_itself_by_the_clock_of_its_caller() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    let end = fill(&store, 2).await;
    let store = patient(&server.url()).sweep_interval(Duration::SECOND);
    let store = store.build().expect("valid settings");
    let token = lone("ann", None, NOW);
    assert_eq!(store.standing_of(&token, end + HOUR).await, Standing::Good);
    wait_until("it is swept", async || rows(&server) == "0|0|0").await;
}

#[actix_web::test]
async fn stores_with_different_prefixes_do_not_share_sessions() {
    needs_postgres!();
    let server = Server::start();
    let shop = connected(&server).await;
    let other = patient(&server.url()).table_prefix("other_").build();
    let other = other.expect("valid settings");
    other.migrate().await.expect("migrated");
    shop.open(&opening("ann", "1", NOW), NOW)
        .await
        .expect("opened");
    let token = auth("ann", "1", "0");
    assert_eq!(shop.standing_of(&token, NOW).await, Standing::Good);
    assert_eq!(other.standing_of(&token, NOW).await, Standing::Revoked);
}
