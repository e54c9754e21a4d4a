//! A cluster of three nodes: each subject is on one of them, nodes fail, slots move.

use std::rc::Rc;

use flask_pyjwt::{
    RedisStore,
    store::{SessionStore, Standing},
};

use super::{
    commands::Monitor,
    load::{Load, subjects},
    records::{Answers as _, NOW, auth, patient, reason, revoke_session, rotation, session},
    server::{DURABLE, RIGHTS, Server, free_port, needs_redis, wait_for, wait_until},
};

/// The first and the last slot of each node.
const SLOTS: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

/// The three nodes, and after them the replica of the last one, if there is one.
pub(crate) struct Cluster(pub(crate) Vec<Server>);

impl Cluster {
    pub(crate) fn start() -> Self {
        let nodes = SLOTS.map(|(first, last)| {
            let (node, bus) = node();
            node.ask::<String>(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            (node, bus)
        });
        let cluster = Self::of(nodes.into());
        cluster.agrees("cluster_size:3");
        cluster
    }

    /// The same with a replica of the last node, which is in sync.
    pub(crate) fn with_replica() -> Self {
        let mut cluster = Self::start();
        let (replica, bus) = node();
        cluster.0[0].ask::<String>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", replica.port));
        cluster.0.push(replica);
        cluster.agrees("cluster_known_nodes:4");
        let primary = &cluster.0[2].ask::<String>("CLUSTER MYID");
        cluster.0[3].ask::<String>(&format!("CLUSTER REPLICATE {primary}"));
        wait_for("the replica is in step", || {
            let field = |field| cluster.0[3].info("replication", field);
            (field("master_link_status")? == "up").then_some(())
        });
        cluster
    }

    /// One node with all slots.
    pub(crate) fn of_one() -> Self {
        let (node, _) = node();
        node.ask::<String>("CLUSTER ADDSLOTSRANGE 0 16383");
        let cluster = Self(vec![node]);
        cluster.agrees("cluster_size:1");
        cluster
    }

    fn of(nodes: Vec<(Server, String)>) -> Self {
        for (node, bus) in &nodes[1..] {
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port);
            nodes[0].0.ask::<String>(&meet);
        }
        Self(nodes.into_iter().map(|(node, _)| node).collect())
    }

    /// Waits until every node knows this about the cluster, and where all slots are.
    pub(crate) fn agrees(&self, known: &str) {
        for node in &self.0 {
            wait_for("the nodes agree", || {
                let info: String = node.ask("CLUSTER INFO");
                let agrees = info.contains("cluster_state:ok")
                    && info.contains("cluster_slots_ok:16384")
                    && info.contains(known);
                agrees.then_some(())
            });
        }
    }

    pub(crate) async fn store(&self) -> RedisStore {
        // The store learns of the other nodes from this one.
        let builder = RedisStore::builder().timeout(time::Duration::seconds(1));
        let store = builder.connect_cluster([self.0[1].url()]).await;
        store.expect("connected")
    }

    /// A store whose Redis user has only the documented rights.
    async fn store_with_rights(&self) -> RedisStore {
        let rights = format!("{RIGHTS} +cluster|slots +asking");
        for node in &self.0 {
            node.ask::<String>(&format!("ACL SETUSER app on >s3cret {rights}"));
        }
        let url = format!("redis://app:s3cret@127.0.0.1:{}", self.0[1].port);
        let store = patient().connect_cluster([url]).await;
        store.expect("connected")
    }

    /// The slot of a subject.
    pub(crate) fn slot(&self, subject: &str) -> u16 {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
        let key = format!("flask-pyjwt:{}", BASE64_URL_SAFE_NO_PAD.encode(subject));
        self.0[0].ask(&format!("CLUSTER KEYSLOT {key}"))
    }

    /// The node that has a subject.
    pub(crate) fn node(&self, subject: &str) -> usize {
        let slot = self.slot(subject);
        let has = |(first, last): &(u16, u16)| (*first..=*last).contains(&slot);
        SLOTS.iter().position(has).expect("some node has it")
    }
}

/// A node without slots that knows no other node, and the port by which other nodes know it.
pub(crate) fn node() -> (Server, String) {
    let bus = free_port().to_string();
    let mut options = DURABLE.to_vec();
    // A node that only waits for a busy machine must not be considered failed.
    options.extend([
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        "30000",
    ]);
    // A node must not answer for subjects of another node.
    options.extend([
        "--cluster-require-full-coverage",
        "no",
        "--cluster-port",
        &bus,
    ]);
    (Server::with(&options), bus)
}

#[actix_web::test]
async fn a_cluster_keeps_the_rules_with_one_command_to_one_node() {
    needs_redis!();
    let cluster = Cluster::start();
    let store = cluster.store_with_rights().await;
    super::rules::are_kept(&store).await;

    for subject in subjects(30) {
        let node = cluster.node(&subject);
        store.opens(&session(&subject, "1", NOW), NOW).await;
        let mut monitors: Vec<_> = cluster.0.iter().map(Monitor::start).collect();
        store.rotates(&rotation(&subject, "1", "0", "1", NOW)).await;
        store.standing_of(&auth(&subject, "1", "1"), NOW).await;
        for (number, monitor) in monitors.iter_mut().enumerate() {
            let commands = monitor.commands(&cluster.0[number]);
            if number == node {
                assert!(
                    commands == ["evalsha", "hmget"] || commands == ["evalsha", "eval", "hmget"]
                );
            } else {
                assert!(commands.is_empty(), "{commands:?}");
            }
        }
    }
    for node in &cluster.0 {
        assert!(node.ask::<i64>("DBSIZE") > 0);
    }
}

#[actix_web::test]
async fn a_failed_node_is_an_error_for_its_subjects_only() {
    needs_redis!();
    let mut cluster = Cluster::start();
    let store = Rc::new(cluster.store().await);
    let all = subjects(60);
    let (lost, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|subject| cluster.node(subject) == 2);
    assert!(lost.len() > 5 && others.len() > 10);
    let on_lost = Load::start(&store, lost.clone());
    let on_others = Load::start(&store, others.clone());
    on_lost.wait_for_steps(200).await;
    on_others.wait_for_steps(200).await;
    for is_killed in [true, false] {
        if is_killed {
            cluster.0[2].kill();
        } else {
            cluster.0[2].pause();
        }
        on_lost.fails(50).await;
        on_others.wait_for_steps(500).await;
        let error = store.standing(&auth(&lost[0], "1", "0"), NOW).await;
        assert!(error.is_err());
        assert_eq!(on_others.account.failed.get(), 0);
        if is_killed {
            cluster.0[2].restart();
        } else {
            cluster.0[2].go_on();
        }
        on_lost.wait_for_steps(200).await;
    }
    let on_others = on_others.stop().await;
    assert_eq!(on_others.failed.get(), 0);
    on_lost.stop().await;
}

#[actix_web::test]
async fn subjects_stay_available_when_their_slot_moves() {
    needs_redis!();
    let cluster = Cluster::start();
    let store = cluster.store_with_rights().await;
    let subject = "ann";
    let slot = cluster.slot(subject);
    let from = cluster.node(subject);
    let to = (from + 1) % 3;
    let ids = [0, 1, 2].map(|node: usize| cluster.0[node].ask::<String>("CLUSTER MYID"));
    let (source, target) = (&cluster.0[from], &cluster.0[to]);
    store.opens(&session(subject, "1", NOW), NOW).await;

    // While the slot moves, a node that is asked for a moved key redirects to its new node.
    target.ask::<String>(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[from]));
    source.ask::<String>(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[to]));
    assert_eq!(
        store.standing_of(&auth(subject, "1", "0"), NOW).await,
        Standing::Good
    );
    let keys: Vec<String> = source.ask(&format!("CLUSTER GETKEYSINSLOT {slot} 10"));
    assert_eq!(keys.len(), 1);
    let move_key = format!("MIGRATE 127.0.0.1 {} {} 0 5000", target.port, keys[0]);
    assert_eq!(source.ask::<String>(&move_key), "OK");
    assert_eq!(
        store.standing_of(&auth(subject, "1", "0"), NOW).await,
        Standing::Good
    );
    store.rotates(&rotation(subject, "1", "0", "1", NOW)).await;
    store.opens(&session(subject, "2", NOW), NOW).await;

    for node in [target, source] {
        node.ask::<String>(&format!("CLUSTER SETSLOT {slot} NODE {}", ids[to]));
    }
    assert_eq!(
        store.standing_of(&auth(subject, "2", "0"), NOW).await,
        Standing::Good
    );
    assert_eq!(store.lists(subject, NOW).await.len(), 2);
    // The right node is asked directly, once the store knows about the move.
    wait_until("the move is known", async || {
        let mut monitor = Monitor::start(source);
        store.revokes(&revoke_session(subject, "2"), NOW).await;
        let commands = monitor.commands(source);
        !commands.iter().any(|it| it.starts_with("eval"))
    })
    .await;
    assert_eq!(
        store.standing_of(&auth(subject, "1", "1"), NOW).await,
        Standing::Good
    );
    assert_eq!(
        store.standing_of(&auth(subject, "2", "0"), NOW).await,
        Standing::Revoked
    );
}

#[actix_web::test]
async fn a_cluster_that_cannot_be_reached_is_an_error() {
    let port = free_port();
    let nodes = [format!("redis://:s3cret@127.0.0.1:{port}")];
    let error = RedisStore::builder().connect_cluster(nodes).await;
    let error = error.expect_err("no cluster");
    let message = format!("{} {error:?}", reason(&error));
    assert!(
        message.contains(&format!("127.0.0.1:{port}")) && !message.contains("s3cret"),
        "{message}"
    );
}
