//! A primary, its replica and three sentinels: failover, and the old primary afterwards.

use std::rc::Rc;

use flask_pyjwt::{
    RedisStore,
    store::{RedisStoreBuilder, SessionStore, Standing},
};

use super::{
    load::{Load, subjects},
    records::{Answers as _, NOW, auth, opening, patient, reason, revoke_session, session},
    server::{DURABLE, Sentinel, Server, needs_redis, wait_for, wait_until},
};

/// Servers that are monitored by sentinels.
pub(crate) struct Watched {
    pub(crate) primary: Server,
    pub(crate) replica: Server,
    sentinels: Vec<Sentinel>,
}

impl Watched {
    /// `down_after`: after how many milliseconds of silence the primary is considered down.
    pub(crate) fn start(down_after: u64) -> Self {
        let primary = Server::durable();
        let mut options = DURABLE.to_vec();
        let port = primary.port.to_string();
        options.extend(["--replicaof", "127.0.0.1", &port]);
        let replica = Server::with(&options);
        wait_for("the replica has everything", || {
            let link = replica.info("replication", "master_link_status");
            link.filter(|it| it == "up")
        });
        let start = |_| Sentinel::start(&primary, 2, down_after);
        let sentinels: Vec<_> = (0..3).map(start).collect();
        for sentinel in &sentinels {
            wait_for("the sentinels know each other", || {
                let others = sentinel.count("num-other-sentinels");
                (others == 2 && sentinel.count("num-slaves") == 1).then_some(())
            });
        }
        Self {
            primary,
            replica,
            sentinels,
        }
    }

    fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Sentinel::url).collect()
    }

    pub(crate) async fn store(&self, builder: RedisStoreBuilder) -> Rc<RedisStore> {
        let store = builder.connect_sentinel(self.urls(), "mymaster").await;
        Rc::new(store.expect("connected"))
    }

    /// Waits until all sentinels name the replica.
    pub(crate) fn has_failed_over(&self) {
        for sentinel in &self.sentinels {
            wait_for("the replica becomes the primary", || {
                sentinel.primary().filter(|it| *it == self.replica.port)
            });
        }
    }
}

#[actix_web::test]
async fn a_failover_loses_no_change_that_a_replica_had_to_acknowledge() {
    needs_redis!();
    let mut watched = Watched::start(500);
    let store = watched
        .store(RedisStore::builder().wait_for_replicas(1))
        .await;
    let load = Load::start(&store, subjects(20));
    load.wait_for_steps(500).await;
    watched.primary.kill();
    load.fails(20).await;
    watched.has_failed_over();
    // The new primary has no replica: checks are answered, and changes are not acknowledged.
    wait_until("the new primary answers", async || {
        store.standing(&auth("zoe", "1", "0"), NOW).await.is_ok()
    })
    .await;
    assert!(store.open(&opening("zoe", "1", NOW), NOW).await.is_err());
    // The old primary comes back with its data, and becomes the replica.
    watched.primary.restart();
    load.wait_for_steps(500).await;
    assert_eq!(
        watched.primary.info("replication", "role").as_deref(),
        Some("slave")
    );
    load.stop().await;
}

#[actix_web::test]
async fn an_old_primary_that_recovers_is_not_used() {
    needs_redis!();
    // Longer than the interval at which the sentinels are asked again.
    let watched = Watched::start(1_500);
    let idle = watched.store(RedisStore::builder()).await;
    let busy = watched
        .store(RedisStore::builder().timeout(time::Duration::seconds(2)))
        .await;
    let ids: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    for id in &ids {
        busy.opens(&session("ann", id, NOW), NOW).await;
        assert_eq!(
            idle.standing_of(&auth("ann", id, "0"), NOW).await,
            Standing::Good
        );
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
        busy.open(&opening("bob", "1", NOW), NOW).await.is_ok()
    })
    .await;
    for id in &ids {
        busy.revokes(&revoke_session("ann", id), NOW).await;
    }
    // The old one still believes that it is the primary, and this store is connected to it.
    watched.primary.go_on();
    for id in &ids {
        let standing = idle.standing(&auth("ann", id, "0"), NOW).await;
        assert_ne!(standing.ok(), Some(Standing::Good), "session {id}");
    }
    wait_until("the other store has found the new primary", async || {
        idle.standing(&auth("bob", "1", "0"), NOW)
            .await
            .is_ok_and(|it| it == Standing::Good)
    })
    .await;
}

#[actix_web::test]
async fn failed_sentinels_do_not_matter_while_one_answers() {
    needs_redis!();
    let mut watched = Watched::start(500);
    let urls = watched.urls();
    let store = watched.store(patient()).await;
    watched.sentinels.truncate(1);
    store.opens(&session("ann", "1", NOW), NOW).await;
    let another = patient().connect_sentinel(&urls, "mymaster").await;
    let another = another.expect("one sentinel is enough");
    assert_eq!(
        another.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Good
    );

    let error = RedisStore::builder()
        .connect_sentinel(&urls[..1], "other")
        .await;
    let unknown = reason(&error.expect_err("no such name"));
    assert!(unknown.contains("No such master"), "{unknown}");
    watched.sentinels.clear();
    // There is no majority left that could choose another primary.
    store.opens(&session("ann", "2", NOW), NOW).await;
    let error = RedisStore::builder()
        .connect_sentinel(&urls, "mymaster")
        .await;
    let nobody = reason(&error.expect_err("no sentinel"));
    assert!(
        nobody.starts_with("no sentinel names the primary mymaster: "),
        "{nobody}"
    );
}
