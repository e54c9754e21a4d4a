//! A cluster: nodes hang, fail and are replaced, and slots move.

use flask_pyjwt::{
    RedisStore,
    store::{SessionStore as _, Standing},
};
use time::Duration;

use super::{hears_about, hits, impatient, kept, lively, near};
use crate::redis_store::{
    cluster::{Cluster, node},
    load::subjects,
    records::{Answers as _, DAY, NOW, auth, lone, revoke_session, revoke_token, session},
    rules,
};
use support::redis::{RIGHTS, needs_redis, wait_for, wait_until};

/// A store that notices within a second that a node hangs, but waits for its answers.
async fn near_to(cluster: &Cluster) -> RedisStore {
    let store = impatient().timeout(Duration::seconds(1));
    let store = store.connect_cluster([cluster.0[1].url()]).await;
    store.expect("connected")
}

/// Waits until a token is refused. From then on, it always is.
async fn is_refused(store: &RedisStore, token: &flask_pyjwt::store::TokenIdentity) {
    wait_until("the end is noticed", async || {
        let standing = store.standing(token, NOW).await;
        standing.is_ok_and(|it| it == Standing::Revoked)
    })
    .await;
    for _ in 0..10 {
        let standing = store.standing(token, NOW).await.ok();
        assert_ne!(standing, Some(Standing::Good), "{token:?}");
    }
}

#[actix_web::test]
async fn the_documented_rights_are_sufficient_and_each_node_announces_its_changes() {
    needs_redis!();
    let cluster = Cluster::start();
    let rights = "+client|tracking +cluster|slots +cluster|info +cluster|nodes +asking";
    for node in &cluster.0 {
        node.ask::<String>(&format!("ACL SETUSER app on >s3cret {RIGHTS} {rights}"));
    }
    let url = format!("redis://app:s3cret@127.0.0.1:{}", cluster.0[1].port);
    let store = near().connect_cluster([&url]).await.expect("connected");
    rules::are_kept(&store).await;
    let other = cluster.store().await;
    for subject in subjects(30) {
        let token = auth(&subject, "1", "0");
        store.opens(&session(&subject, "1", NOW), NOW).await;
        assert_eq!(kept(&store, &token).await, Standing::Good);
        other.revokes(&revoke_session(&subject, "1"), NOW).await;
        hears_about(&store, &subject).await;
        assert_eq!(store.standing_of(&token, NOW).await, Standing::Revoked);
    }
    for right in ["client|tracking", "cluster|nodes", "cluster|info"] {
        for node in &cluster.0 {
            node.ask::<String>(&format!("ACL SETUSER app -{right}"));
        }
        let refused = near().connect_cluster([&url]).await;
        refused.expect_err("the right is missing");
        for node in &cluster.0 {
            node.ask::<String>(&format!("ACL SETUSER app +{right}"));
        }
    }
}

#[actix_web::test]
async fn a_node_that_hangs_ends_the_answers_about_its_subjects_only() {
    needs_redis!();
    let cluster = Cluster::start();
    let store = near_to(&cluster).await;
    let all = subjects(40);
    for subject in &all {
        store.opens(&session(subject, "1", NOW), NOW).await;
        assert_eq!(kept(&store, &auth(subject, "1", "0")).await, Standing::Good);
    }
    let (lost, others): (Vec<_>, Vec<_>) = all.iter().partition(|it| cluster.node(it) == 2);
    cluster.0[2].pause();
    wait_until("it is noticed", async || {
        store.standing(&auth(lost[0], "1", "0"), NOW).await.is_err()
    })
    .await;
    let before = hits(&store);
    for subject in &others {
        let token = auth(subject, "1", "0");
        assert_eq!(store.standing_of(&token, NOW).await, Standing::Good);
    }
    assert_eq!(hits(&store), before + others.len() as u64);
    assert!(store.standing(&auth(lost[1], "1", "0"), NOW).await.is_err());
    cluster.0[2].go_on();
    assert_eq!(kept(&store, &auth(lost[0], "1", "0")).await, Standing::Good);
}

/// A replica takes over: while its primary hangs, after it was killed, and while both work.
#[actix_web::test]
async fn what_a_promoted_replica_revokes_is_refused() {
    needs_redis!();
    for fault in ["hangs", "is killed", "works"] {
        let mut cluster = Cluster::with_replica();
        let (store, other) = (near_to(&cluster).await, cluster.store().await);
        let all = subjects(40);
        let lost: Vec<_> = all.iter().filter(|it| cluster.node(it) == 2).collect();
        for subject in &lost {
            store.opens(&session(subject, "1", NOW), NOW).await;
            assert_eq!(kept(&store, &auth(subject, "1", "0")).await, Standing::Good);
        }
        wait_for("the replica has it all", || {
            let offset = |node: usize| cluster.0[node].info("replication", "master_repl_offset");
            (offset(2)? == offset(3)?).then_some(())
        });
        match fault {
            "hangs" => cluster.0[2].pause(),
            "is killed" => cluster.0[2].kill(),
            _ => {}
        }
        let how = if fault == "works" { "" } else { " TAKEOVER" };
        cluster.0[3].ask::<String>(&format!("CLUSTER FAILOVER{how}"));
        for subject in &lost {
            wait_until("the new node revokes", async || {
                let revocation = revoke_session(subject, "1");
                other.revoke(&revocation, NOW).await.is_ok()
            })
            .await;
        }
        match fault {
            "hangs" => cluster.0[2].go_on(),
            "is killed" => cluster.0[2].restart(),
            _ => {}
        }
        for subject in &lost {
            is_refused(&store, &auth(subject, "1", "0")).await;
        }
        assert_eq!(
            kept(&store, &auth(lost[0], "1", "0")).await,
            Standing::Revoked,
            "{fault}"
        );
    }
}

/// Also about subjects of which there is nothing to move: a token without a session is good until it is revoked.
#[actix_web::test]
async fn what_is_revoked_where_a_slot_has_moved_is_refused() {
    needs_redis!();
    let mut cluster = Cluster::start();
    let store = lively().connect_cluster([cluster.0[1].url()]).await;
    let (store, other) = (store.expect("connected"), cluster.store().await);
    // A node that the stores do not know, because it has no slots.
    let (new, bus) = node();
    cluster.0[0].ask::<String>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", new.port));
    cluster.0.push(new);
    cluster.agrees("cluster_known_nodes:4");
    let ids = [0, 1, 2, 3].map(|node: usize| cluster.0[node].ask::<String>("CLUSTER MYID"));
    for (subject, has_data, is_new) in [
        ("ann", true, false),
        ("bob", false, true),
        ("carol", true, true),
        ("dave", false, false),
    ] {
        let slot = cluster.slot(subject);
        let from = cluster.node(subject);
        let to = if is_new { 3 } else { (from + 1) % 3 };
        let (source, target) = (&cluster.0[from], &cluster.0[to]);
        let token = lone(subject, Some("x"), NOW);
        let of_session = auth(subject, "1", "0");
        if has_data {
            store.opens(&session(subject, "1", NOW), NOW).await;
            assert_eq!(kept(&store, &of_session).await, Standing::Good);
        }
        assert_eq!(kept(&store, &token).await, Standing::Good);
        target.ask::<String>(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[from]));
        source.ask::<String>(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[to]));
        if subject == "dave" {
            // Of a key that is not there, the target is asked, while the slot is still the source's.
            other
                .revokes(&revoke_token(subject, "x", NOW + DAY), NOW)
                .await;
            is_refused(&store, &token).await;
        }
        for key in source.ask::<Vec<String>>(&format!("CLUSTER GETKEYSINSLOT {slot} 10")) {
            let migrate = format!("MIGRATE 127.0.0.1 {} {key} 0 5000", target.port);
            assert_eq!(source.ask::<String>(&migrate), "OK");
        }
        for node in [target, source] {
            node.ask::<String>(&format!("CLUSTER SETSLOT {slot} NODE {}", ids[to]));
        }
        if has_data {
            assert_eq!(store.standing_of(&of_session, NOW).await, Standing::Good);
            other.revokes(&revoke_session(subject, "1"), NOW).await;
            is_refused(&store, &of_session).await;
        }
        other
            .revokes(&revoke_token(subject, "x", NOW + DAY), NOW)
            .await;
        is_refused(&store, &token).await;
        // The new node announces its changes.
        assert_eq!(kept(&store, &token).await, Standing::Revoked, "{subject}");
    }
}
