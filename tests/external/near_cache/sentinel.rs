//! A primary, its replica and three sentinels: failover, and the old primary afterwards.

use flask_pyjwt::store::{SessionStore as _, Standing};
use time::Duration;

use super::{hears, impatient, kept};
use crate::redis_store::{
    load::{Load, subjects},
    records::{Answers as _, NOW, auth, opening, patient, revoke_session, session},
    sentinel::Watched,
};
use support::redis::{needs_redis, wait_for, wait_until};

/// The primary hangs until its replica was promoted and sessions were ended there. Then it goes on, and considers
/// itself the primary for a moment.
#[actix_web::test]
async fn nothing_that_an_old_primary_has_said_is_answered_after_a_failover() {
    needs_redis!();
    let watched = Watched::start(500);
    let store = watched.store(impatient()).await;
    let other = watched.store(patient().timeout(Duration::seconds(2))).await;
    let all = subjects(20);
    for subject in &all {
        store.opens(&session(subject, "1", NOW), NOW).await;
        assert_eq!(kept(&store, &auth(subject, "1", "0")).await, Standing::Good);
    }
    wait_for("the replica has everything", || {
        let offset = |field| watched.primary.info("replication", field);
        let own = offset("master_repl_offset")?;
        let replica = offset("slave0")?;
        replica.contains(&format!("offset={own},")).then_some(())
    });
    watched.primary.pause();
    watched.has_failed_over();
    wait_until("the new primary answers", async || {
        other.open(&opening("bob", "1", NOW), NOW).await.is_ok()
    })
    .await;
    for subject in &all {
        other.revokes(&revoke_session(subject, "1"), NOW).await;
    }
    watched.primary.go_on();
    for subject in &all {
        let answer = store.standing(&auth(subject, "1", "0"), NOW).await;
        assert_ne!(answer.ok(), Some(Standing::Good), "{subject}");
    }
    // The new primary announces changes to the store.
    wait_until("the store has found the new primary", async || {
        store.standing(&auth("bob", "1", "0"), NOW).await.is_ok()
    })
    .await;
    assert_eq!(kept(&store, &auth("bob", "1", "0")).await, Standing::Good);
    other.revokes(&revoke_session("bob", "1"), NOW).await;
    wait_until("the end is noticed", async || {
        let answer = store.standing(&auth("bob", "1", "0"), NOW).await;
        answer.is_ok_and(|it| it == Standing::Revoked)
    })
    .await;
    for subject in &all {
        let ended = auth(subject, "1", "0");
        assert_eq!(kept(&store, &ended).await, Standing::Revoked);
    }
}

#[actix_web::test]
async fn a_failover_loses_no_change_that_a_replica_had_to_acknowledge() {
    needs_redis!();
    let mut watched = Watched::start(500);
    let builder = impatient().timeout(Duration::milliseconds(400));
    let store = watched.store(builder.wait_for_replicas(1)).await;
    let load = Load::start(&store, subjects(20));
    load.wait_for_steps(300).await;
    watched.primary.kill();
    load.fails(20).await;
    watched.has_failed_over();
    watched.primary.restart();
    load.wait_for_steps(300).await;
    load.stop().await;
}

#[actix_web::test]
async fn a_primary_that_becomes_a_replica_gives_no_answers_any_more() {
    needs_redis!();
    let watched = Watched::start(30_000);
    let url = watched.primary.url();
    let store = impatient().connect(&url).await.expect("connected");
    let token = auth("ann", "1", "0");
    store.opens(&session("ann", "1", NOW), NOW).await;
    assert_eq!(kept(&store, &token).await, Standing::Good);
    watched.replica.ask::<String>("REPLICAOF NO ONE");
    let replicaof = format!("REPLICAOF 127.0.0.1 {}", watched.replica.port);
    watched.primary.ask::<String>(&replicaof);
    wait_until("it is noticed", async || {
        store.standing(&token, NOW).await.is_err()
    })
    .await;
    for _ in 0..50 {
        assert!(store.standing(&token, NOW).await.is_err());
    }
    wait_for("it has the other's data", || {
        let link = watched.primary.info("replication", "master_link_status");
        link.filter(|it| it == "up")
    });
    let new = patient().connect(watched.replica.url()).await;
    let new = new.expect("connected");
    new.revokes(&revoke_session("ann", "1"), NOW).await;
    wait_for("it hears of the change", || {
        (watched.primary.ask::<i64>("DBSIZE") == 0).then_some(())
    });
    watched.primary.ask::<String>("REPLICAOF NO ONE");
    wait_until("it is a primary again", async || {
        store.standing(&auth("bob", "1", "0"), NOW).await.is_ok()
    })
    .await;
    hears(&store).await;
    assert_eq!(kept(&store, &token).await, Standing::Revoked);
}
