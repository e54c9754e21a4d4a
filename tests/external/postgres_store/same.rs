//! The store decides like the Rust code, whatever is in between: both run thousands of random steps.

use flask_pyjwt::PostgresStore;

use super::{
    records::{connected, patient},
    server::{Bouncer, Server, needs_postgres},
};
use crate::redis_store::{
    races::{is_one_line, rotate_all},
    records::{Answers as _, NOW, session},
    same::{histories_agree, rotations_agree},
};

fn clear(server: &Server) {
    server.ask("TRUNCATE flask_pyjwt_sessions, flask_pyjwt_tokens, flask_pyjwt_subjects");
}

#[actix_web::test]
async fn random_rotations_have_the_same_outcome_as_in_rust() {
    needs_postgres!();
    let server = Server::start();
    rotations_agree(&connected(&server).await, 10).await;
}

#[actix_web::test]
async fn random_histories_have_the_same_outcome_as_in_rust() {
    needs_postgres!();
    let server = Server::start();
    histories_agree(&connected(&server).await, 50, || clear(&server)).await;
}

/// Random histories, and races.
async fn agrees(server: &Server, store: &PostgresStore) {
    histories_agree(store, 4, || clear(server)).await;
    for round in 0..3 {
        let subject = format!("round {round}");
        store.opens(&session(&subject, "1", NOW), NOW).await;
        let (won, successors) = rotate_all(store, round, "one").await;
        assert_eq!(won, 1, "round {round}");
        is_one_line(store, round, &successors).await;
    }
}

#[actix_web::test]
async fn pgbouncer_may_give_each_transaction_another_connection() {
    needs_postgres!();
    if !Bouncer::is_there() {
        return;
    }
    let server = Server::start();
    for mode in ["transaction", "statement"] {
        let bouncer = Bouncer::start(&server, mode);
        let store = patient(&server.url_at(bouncer.port)).build();
        let store = store.expect("valid settings");
        store.migrate().await.expect("migrated");
        agrees(&server, &store).await;
        // Nothing of a request is left on a connection.
        assert_eq!(
            server.ask("SELECT count(*) FROM pg_prepared_statements"),
            "0"
        );
        assert_eq!(
            server.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
            "0"
        );
    }
}

#[actix_web::test]
async fn a_database_whose_transactions_are_serializable_gives_the_same_answers() {
    needs_postgres!();
    let server = Server::with(&["default_transaction_isolation=serializable"]);
    agrees(&server, &connected(&server).await).await;
}
