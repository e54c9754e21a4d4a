//! With real servers, on free ports of this machine.

use actix_web::rt::System;
use flask_pyjwt::{PostgresStore, RedisStore};
use sqlx::PgPool;
use support::{folder::Folder, postgres, redis};

use crate::{
    program::Program,
    sessions::{list_and_end, open, three},
};

/// The store answers, and has the time of this machine.
fn is_healthy(program: &Program<'_>) {
    let report = program.run(&["doctor", "--json"]).ends_with(0).json();
    let checks = report["checks"].as_array().expect("checks");
    for (name, text) in [("store", "answers"), ("clock", "less than a second apart")] {
        let is_there = checks.iter().any(|check| {
            let said = check["text"].as_str().expect("a text");
            check["name"] == name && check["state"] == "ok" && said.contains(text)
        });
        assert!(is_there, "{name}: {report:#}");
    }
}

#[test]
fn sessions_in_redis_are_listed_and_ended() {
    redis::needs_redis!();
    let server = redis::Server::start();
    let url = server.url();
    System::new().block_on(async {
        let store = RedisStore::connect(&url).await.expect("a store");
        open(store, three()).await;
    });
    let folder = Folder::new("redis");
    is_healthy(&Program::good(&folder).with(&[("STORE", &url)]));
    list_and_end(&Program::good(&folder).with(&[("STORE", &url)]), &[]);
}

#[test]
fn sessions_in_postgresql_are_listed_and_ended() {
    postgres::needs_postgres!();
    let server = postgres::Server::start();
    let url = server.url();
    let folder = Folder::new("postgres");
    let program = Program::good(&folder).with(&[("STORE", &url)]);
    // Without its tables.
    program.run(&["sessions", "list", "alice"]).ends_with(1);
    let report = program.run(&["doctor"]).ends_with(1);
    assert!(
        report.out.contains("migrate") && !report.out.contains("does not answer"),
        "{report:?}"
    );
    System::new().block_on(async {
        let pool = PgPool::connect(&url).await.expect("a pool");
        let store = PostgresStore::new(pool).expect("a store");
        store.migrate().await.expect("tables");
        open(store, three()).await;
    });
    is_healthy(&program);
    list_and_end(&program, &[]);
}
