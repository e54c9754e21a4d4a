//! Checks that are given up, and stores that are dropped.

use std::rc::Rc;

use flask_pyjwt::store::{SessionStore as _, Standing};
use futures_util::{future::join_all, poll};

use super::{hears, kept, near_to};
use crate::redis_store::records::{Answers as _, NOW, auth, connected, revoke_session, session};
use support::redis::{Server, needs_redis, wait_for, wait_until};

#[actix_web::test]
async fn checks_that_are_given_up_harm_no_others() {
    needs_redis!();
    let server = Server::start();
    let (store, other) = (near_to(&server).await, connected(&server).await);
    let token = auth("ann", "1", "0");
    for round in 0..5 {
        store.opens(&session("ann", "1", NOW), NOW).await;
        server.pause();
        let mut given_up: Vec<_> = (0..100).map(|_| store.standing(&token, NOW)).collect();
        for check in &mut given_up {
            assert!(poll!(check).is_pending());
        }
        let waiting = given_up.split_off(50);
        drop(given_up);
        server.go_on();
        for answer in join_all(waiting).await {
            assert_eq!(answer.expect("an answer"), Standing::Good, "round {round}");
        }
        assert_eq!(kept(&store, &token).await, Standing::Good, "round {round}");
        other.revokes(&revoke_session("ann", "1"), NOW).await;
        hears(&store).await;
        assert_eq!(store.standing_of(&token, NOW).await, Standing::Revoked);
    }
}

#[actix_web::test]
async fn a_change_that_is_given_up_is_seen_when_it_is_made() {
    needs_redis!();
    let server = Server::start();
    let store = near_to(&server).await;
    let token = auth("ann", "1", "0");
    store.opens(&session("ann", "1", NOW), NOW).await;
    assert_eq!(kept(&store, &token).await, Standing::Good);
    server.pause();
    let revocation = revoke_session("ann", "1");
    let mut revoking = store.revoke(&revocation, NOW);
    assert!(poll!(&mut revoking).is_pending());
    drop(revoking);
    server.go_on();
    wait_until("it is made", async || {
        store.standing_of(&token, NOW).await == Standing::Revoked
    })
    .await;
    assert_eq!(kept(&store, &token).await, Standing::Revoked);
}

/// The threads of this process that drive stores.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads");
    let names = tasks.filter_map(|task| {
        let name = task.ok()?.path().join("comm");
        std::fs::read_to_string(name).ok()
    });
    names.filter(|it| it.starts_with("flask-pyjwt-red")).count()
}

#[actix_web::test]
async fn dropped_stores_leave_no_connection_and_no_thread() {
    needs_redis!();
    let server = Server::start();
    let clients = || {
        let clients = server.info("clients", "connected_clients");
        clients
            .expect("a count")
            .parse::<usize>()
            .expect("a number")
    };
    wait_for("only this connection is left", || {
        (clients() == 1).then_some(())
    });
    let token = auth("ann", "1", "0");
    for round in 0..10 {
        let mut stores = Vec::new();
        for _ in 0..3 {
            stores.push(Rc::new(near_to(&server).await));
        }
        stores[0].opens(&session("ann", "1", NOW), NOW).await;
        for store in &stores {
            hears(store).await;
            assert_eq!(kept(store, &token).await, Standing::Good);
        }
        assert!(clients() > 6, "each store has two connections");
        if round % 2 == 0 {
            // A question is on its way when the store is dropped.
            server.pause();
            let other = auth("bob", "1", "0");
            let mut check = stores[0].standing(&other, NOW);
            assert!(poll!(&mut check).is_pending());
            drop(check);
            drop(stores);
            server.go_on();
        } else {
            drop(stores);
        }
        wait_for("the connections are closed", || {
            (clients() == 1).then_some(())
        });
    }
    #[cfg(target_os = "linux")]
    if std::env::var_os("NEXTEST").is_some() {
        // Without nextest, other tests have stores in this process.
        wait_for("the threads end", || (threads() == 0).then_some(()));
    }
}
