//! What the store's own client does in a cluster that the cluster client of the `redis` crate does not: a node
//! that hangs never delays other requests, and a change is sent once.

use std::{collections::HashSet, future::Future, pin::pin, rc::Rc, sync::atomic::Ordering};

use flask_pyjwt::{
    RedisStore,
    store::{Rotated, SessionStore, Standing},
};
use futures_util::{
    future::{Either, join_all, select},
    join,
};

use super::{
    cluster::Cluster,
    load::{Load, subjects},
    lost_answers::Cutter,
    records::{Answers as _, NOW, auth, opening, patient, revoke_session, rotation, session},
    server::{Server, needs_redis, wait_for, wait_until},
};

/// How many scripts a node has run, not counting those that it has redirected.
fn scripts_run(node: &Server) -> u64 {
    let count = |command: &str| {
        let stats = node.info("commandstats", &format!("cmdstat_{command}"));
        let stats = stats.unwrap_or_default();
        let calls = stats.split(',').find_map(|it| it.strip_prefix("calls="));
        calls.map_or(0, |calls| calls.parse().expect("a number"))
    };
    count("evalsha") + count("eval")
}

/// Runs each script once, so that the node with the subject knows them all.
async fn send_scripts(store: &RedisStore, subject: &str) {
    for id in ["known", "used"] {
        store.opens(&session(subject, id, NOW), NOW).await;
    }
    let first = rotation(subject, "known", "0", "1", NOW);
    store.rotates(&first).await;
    let token = auth(subject, "known", "1");
    store.mark_used(&token, NOW).await.expect("marked");
    store.revokes(&revoke_session(subject, "known"), NOW).await;
}

/// A slot that moves from one node to another.
struct Move<'a> {
    slot: u16,
    source: &'a Server,
    target: &'a Server,
    target_id: String,
}

impl<'a> Move<'a> {
    /// Moves the keys: the source redirects each request for one of them to the target, this one time.
    fn begin(cluster: &'a Cluster, slot: u16, [source, target]: [usize; 2]) -> Self {
        let [source, target] = [source, target].map(|node| &cluster.0[node]);
        let id = |node: &Server| node.ask::<String>("CLUSTER MYID");
        let target_id = id(target);
        let importing = format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(source));
        target.ask::<String>(&importing);
        source.ask::<String>(&format!("CLUSTER SETSLOT {slot} MIGRATING {target_id}"));
        for key in source.ask::<Vec<String>>(&format!("CLUSTER GETKEYSINSLOT {slot} 10")) {
            let migrate = format!("MIGRATE 127.0.0.1 {} {key} 0 5000", target.port);
            assert_eq!(source.ask::<String>(&migrate), "OK");
        }
        Self {
            slot,
            source,
            target,
            target_id,
        }
    }

    /// Gives the slot to the target: from now on the source redirects permanently.
    fn end(self) {
        for node in [self.target, self.source] {
            let owner = format!("CLUSTER SETSLOT {} NODE {}", self.slot, self.target_id);
            node.ask::<String>(&owner);
        }
    }
}

/// `docs/threats.md` 35. Only requests for its own subjects wait for a node that hangs, also when another node
/// redirects at the same time, so that the store has to fetch the slot map.
#[actix_web::test]
async fn a_node_that_hangs_does_not_delay_requests_to_others_even_while_slots_move() {
    needs_redis!();
    let cluster = Cluster::start();
    // The store waits for half a minute: whoever has an answer before has not waited.
    let store = patient().connect_cluster([cluster.0[1].url()]).await;
    let store = store.expect("connected");
    let all = subjects(60);
    for subject in &all {
        store.opens(&session(subject, "1", NOW), NOW).await;
    }
    let (lost, others): (Vec<_>, Vec<_>) = all.iter().partition(|it| cluster.node(it) == 2);
    let moving = others.iter().filter(|it| cluster.node(it) == 0);
    let slots: HashSet<u16> = moving.map(|it| cluster.slot(it)).collect();
    assert!(lost.len() > 5 && slots.len() > 5);

    cluster.0[2].pause();
    let tokens: Vec<_> = lost.iter().map(|it| auth(it, "1", "0")).collect();
    let waiting = join_all(tokens.iter().map(|token| store.standing(token, NOW)));
    let answered = async {
        for slot in slots {
            let moving = Move::begin(&cluster, slot, [0, 1]);
            for subject in &others {
                let token = auth(subject, "1", "0");
                assert_eq!(store.standing_of(&token, NOW).await, Standing::Good);
            }
            moving.end();
            for subject in &others {
                let token = auth(subject, "1", "0");
                assert_eq!(store.standing_of(&token, NOW).await, Standing::Good);
            }
        }
    };
    first(answered, waiting, "the others had to wait").await;
    cluster.0[2].go_on();
    for token in &tokens {
        wait_until("the node answers", async || {
            store
                .standing(token, NOW)
                .await
                .is_ok_and(|it| it == Standing::Good)
        })
        .await;
    }
}

/// Waits for one future, which must finish before another one.
async fn first(wanted: impl Future<Output = ()>, pending: impl Future, message: &str) {
    match select(pin!(pending), pin!(wanted)).await {
        Either::Left(_) => panic!("{message}"),
        Either::Right(_) => {}
    }
}

/// `docs/threats.md` 46. A change that is sent again after its answer was late would be made twice when the node
/// recovers: a session that was ended in between would be open again.
#[actix_web::test]
async fn a_change_whose_answer_is_late_is_sent_once() {
    needs_redis!();
    let cluster = Cluster::start();
    let node = &cluster.0[cluster.node("ann")];
    let store = cluster.store().await;
    send_scripts(&store, "ann").await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    node.ask::<String>("CONFIG RESETSTAT");

    node.pause();
    let (opened, rotated) = (
        opening("ann", "2", NOW),
        rotation("ann", "1", "0", "1", NOW),
    );
    let (token, gone) = (auth("ann", "used", "0"), revoke_session("ann", "known"));
    let open = store.open(&opened, NOW);
    let rotate = store.rotate(&rotated);
    let (mark, revoke) = (store.mark_used(&token, NOW), store.revoke(&gone, NOW));
    let (opened, rotated, marked, revoked) = join!(open, rotate, mark, revoke);
    assert!(opened.is_err() && rotated.is_err() && marked.is_err() && revoked.is_err());
    node.go_on();

    wait_for("the node carries out what it was sent", || {
        (scripts_run(node) >= 4).then_some(())
    });
    assert_eq!(store.lists("ann", NOW).await.len(), 3);
    assert_eq!(scripts_run(node), 4);
}

/// `docs/threats.md` 46.
#[actix_web::test]
async fn a_change_that_is_redirected_is_made_once() {
    needs_redis!();
    let cluster = Cluster::start();
    let store = cluster.store().await;
    for node in 0..3 {
        let all = subjects(60);
        let subject = all.iter().find(|it| cluster.node(it) == node);
        send_scripts(&store, subject.expect("there is one")).await;
    }
    store.opens(&session("ann", "1", NOW), NOW).await;
    let from = cluster.node("ann");
    let slot = cluster.slot("ann");
    for node in &cluster.0 {
        node.ask::<String>("CONFIG RESETSTAT");
    }
    let scripts_run = || cluster.0.iter().map(scripts_run).sum::<u64>();

    let moving = Move::begin(&cluster, slot, [from, (from + 1) % 3]);
    store.opens(&session("ann", "2", NOW), NOW).await;
    assert_eq!(scripts_run(), 1, "after ASK");
    moving.end();
    store.opens(&session("ann", "3", NOW), NOW).await;
    assert_eq!(scripts_run(), 2, "after MOVED");
    assert_eq!(store.lists("ann", NOW).await.len(), 3);
}

/// `docs/threats.md` 46. A session that is opened twice would be open again although it was ended. A rotation
/// that is made twice has the same outcome, and its client is waiting for it.
#[actix_web::test]
async fn after_a_broken_connection_a_rotation_is_sent_again_and_an_opening_is_not() {
    needs_redis!();
    let cluster = Cluster::of_one();
    let node = &cluster.0[0];
    // Text in the answer of the script, and how often it runs.
    for (text, scripts) in [("*0", 1), ("r-1", 2)] {
        let cutter = Cutter::to(node, text, 0);
        node.ask::<String>(&format!("CONFIG SET cluster-announce-port {}", cutter.port));
        let url = format!("redis://127.0.0.1:{}", cutter.port);
        let store = patient().connect_cluster([url]).await.expect("connected");
        send_scripts(&store, "ann").await;
        node.ask::<String>("CONFIG RESETSTAT");
        cutter.remaining.store(1, Ordering::Release);
        if scripts == 1 {
            let opened = store.open(&opening("ann", "1", NOW), NOW).await;
            assert!(opened.is_err(), "{opened:?}");
        } else {
            let won = store.rotates(&rotation("ann", "1", "0", "1", NOW)).await;
            assert!(matches!(won, Rotated::Won(_)), "{won:?}");
        }
        assert_eq!(cutter.remaining.load(Ordering::Acquire), 0, "it was cut");
        assert_eq!(scripts_run(node), scripts);
    }
}

/// `docs/threats.md` 35. The replica of a node that fails or hangs takes over: what was revoked stays revoked,
/// and other requests are not affected.
#[actix_web::test]
async fn after_a_failover_the_promoted_replica_has_the_subjects() {
    needs_redis!();
    for is_killed in [true, false] {
        let mut cluster = Cluster::with_replica();
        let store = Rc::new(cluster.store().await);
        let all = subjects(60);
        let (lost, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|it| cluster.node(it) == 2);
        for subject in &lost {
            for id in ["1", "2"] {
                store.opens(&session(subject, id, NOW), NOW).await;
            }
            store.revokes(&revoke_session(subject, "2"), NOW).await;
        }
        wait_for("the replica has it all", || {
            let offset = |node: usize| cluster.0[node].info("replication", "master_repl_offset");
            (offset(2)? == offset(3)?).then_some(())
        });
        let on_others = Load::start(&store, others);
        on_others.wait_for_steps(100).await;

        if is_killed {
            cluster.0[2].kill();
        } else {
            cluster.0[2].pause();
        }
        cluster.0[3].ask::<String>("CLUSTER FAILOVER TAKEOVER");
        for subject in &lost {
            wait_until("the replica is the node", async || {
                let standing = store.standing(&auth(subject, "1", "0"), NOW).await;
                standing.is_ok_and(|it| it == Standing::Good)
            })
            .await;
        }
        on_others.wait_for_steps(100).await;
        // The node that has lost its slots redirects all requests.
        if is_killed {
            cluster.0[2].restart();
        } else {
            cluster.0[2].go_on();
        }
        for subject in &lost {
            store.opens(&session(subject, "3", NOW), NOW).await;
            let ended = auth(subject, "2", "0");
            assert_eq!(store.standing_of(&ended, NOW).await, Standing::Revoked);
        }
        let on_others = on_others.stop().await;
        assert_eq!(on_others.failed.get(), 0);
    }
}
