//! What is checked when a store connects, and the errors.

use flask_pyjwt::{
    RedisStore,
    store::{RedisStoreBuilder, SessionStore, Standing},
};
use time::Duration;

use super::{
    records::{
        Answers as _, NOW, auth, opening, patient, reason, revoke_session, revoke_subject,
        revoke_token, rotation, session,
    },
    server::{RIGHTS, Server, free_port, needs_redis, wait_for, wait_until},
};

/// Why the store cannot connect to a URL. Checks that the error shows no credentials.
async fn refusal(builder: RedisStoreBuilder, url: &str) -> String {
    let error = builder.connect(url).await.expect_err(url);
    for text in [format!("{error} {error:?}"), reason(&error)] {
        assert!(
            !text.contains("s3cret") && !text.contains("t0ken"),
            "{text}"
        );
    }
    reason(&error)
}

#[actix_web::test]
async fn the_error_of_a_missing_server_has_its_address() {
    let port = free_port();
    let url = format!("redis://t0ken:s3cret@127.0.0.1:{port}/3");
    let reason = refusal(RedisStore::builder(), &url).await;
    let expected = format!("cannot connect to the Redis server 127.0.0.1:{port}: ");
    assert!(
        reason.starts_with(&expected) && reason.contains("refused"),
        "{reason}"
    );

    // The port is open, but nothing answers.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let url = format!("redis://t0ken:s3cret@127.0.0.1:{port}");
    let builder = RedisStore::builder().connect_timeout(Duration::milliseconds(50));
    let reason = refusal(builder, &url).await;
    assert_eq!(
        reason,
        format!("the Redis server 127.0.0.1:{port} does not answer")
    );
}

#[actix_web::test]
async fn invalid_configurations_are_refused() {
    for (url, part) in [
        ("", "the URL has the form redis://user:password@host:6379/0"),
        ("127.0.0.1:6379", "the URL has the form"),
        ("http://t0ken:s3cret@host", "the URL has the form"),
        ("redis://t0ken:s3cret@host/database", "database"),
        ("redis://t0ken:s3cret@0.0.0.0", "wildcard"),
        ("redis://t0ken:s3cret@ho st", "the URL has the form"),
        #[cfg(not(feature = "redis-store-tls"))]
        (
            "rediss://t0ken:s3cret@host",
            "the feature `redis-store-tls`",
        ),
        #[cfg(feature = "redis-store-tls")]
        ("rediss://t0ken:s3cret@host/#insecure", "#insecure"),
    ] {
        let reason = refusal(RedisStore::builder(), url).await;
        assert!(reason.contains(part), "{url}: {reason}");
    }
    for (builder, part) in [
        (RedisStore::builder().prefix(""), "`prefix` is empty"),
        (
            RedisStore::builder().timeout(Duration::ZERO),
            "`timeout` must be",
        ),
        (
            RedisStore::builder().timeout(Duration::seconds(61)),
            "`timeout` must be",
        ),
        (
            RedisStore::builder().connect_timeout(Duration::seconds(-1)),
            "`connect_timeout` must be",
        ),
    ] {
        let reason = refusal(builder, "redis://t0ken:s3cret@127.0.0.1").await;
        assert!(reason.contains(part), "{reason}");
    }
    let none: [&str; 0] = [];
    let error = RedisStore::builder().connect_cluster(none).await;
    assert!(reason(&error.expect_err("no node")).contains("empty"));
    let error = RedisStore::builder()
        .connect_cluster(["redis://host/1"])
        .await;
    assert!(reason(&error.expect_err("a database")).contains("database 0"));
    let error = RedisStore::builder()
        .connect_sentinel(["redis://host"], "")
        .await;
    assert!(reason(&error.expect_err("no name")).contains("name"));
}

#[actix_web::test]
async fn credentials_are_used_and_never_shown() {
    needs_redis!();
    let server = Server::with(&["--save", "", "--requirepass", "s3cret"]);
    let port = server.port;
    for (url, part) in [
        (format!("redis://127.0.0.1:{port}"), "NOAUTH"),
        (
            format!("redis://:t0ken@127.0.0.1:{port}"),
            "name and password",
        ),
        (
            format!("redis://t0ken:s3cret@127.0.0.1:{port}"),
            "name and password",
        ),
    ] {
        let reason = refusal(RedisStore::builder(), &url).await;
        assert!(reason.contains(part), "{reason}");
    }
    let builder = RedisStore::builder();
    let shown = format!("{builder:?}");
    let store = builder.connect(server.url()).await.expect("connected");
    store.opens(&session("ann", "1", NOW), NOW).await;
    let shown = format!("{shown} {store:?}");
    assert!(
        shown.contains(&format!("127.0.0.1:{port}")) && !shown.contains("s3cret"),
        "{shown}"
    );
    let nodes = [server.url()];
    let error = RedisStore::builder().connect_cluster(&nodes).await;
    let reason = reason(&error.expect_err("no cluster"));
    assert!(reason.contains("cluster support disabled"), "{reason}");
}

#[actix_web::test]
async fn the_documented_rights_of_a_user_are_sufficient() {
    needs_redis!();
    let server = Server::start();
    server.ask::<String>(&format!("ACL SETUSER app on >s3cret {RIGHTS}"));
    let url = format!("redis://app:s3cret@127.0.0.1:{}", server.port);
    let store = patient().connect(&url).await.expect("connected");
    super::rules::are_kept(&store).await;

    let other = RedisStore::builder().prefix("other").connect(&url).await;
    let other = other.expect("connected");
    let error = other.standing(&auth("ann", "1", "0"), NOW).await;
    let reason = reason(&error.expect_err("another's keys"));
    assert!(reason.contains("NOPERM"), "{reason}");
    server.ask::<String>("ACL SETUSER app -role");
    let reason = refusal(RedisStore::builder(), &url).await;
    assert!(
        reason.contains("NOPERM") && reason.contains("role"),
        "{reason}"
    );
}

#[actix_web::test]
async fn a_replica_is_refused() {
    needs_redis!();
    let primary = Server::start();
    let replica = Server::start();
    let store = RedisStore::connect(replica.url()).await.expect("connected");
    store.opens(&session("ann", "1", NOW), NOW).await;
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Good
    );

    // The primary has become a replica, and the connection stays open.
    replica.ask::<String>(&format!("REPLICAOF 127.0.0.1 {}", primary.port));
    wait_until("the replica is noticed", async || {
        let answer = store.standing(&auth("ann", "1", "0"), NOW).await;
        answer.is_err_and(|error| reason(&error).contains("is a replica"))
    })
    .await;
    for changed in [
        store.open(&opening("ann", "1", NOW), NOW).await,
        store.revoke(&revoke_session("ann", "1"), NOW).await,
        store.revoke(&revoke_token("ann", "1", NOW), NOW).await,
        store.revoke(&revoke_subject("ann", NOW, NOW), NOW).await,
        store
            .rotate(&rotation("ann", "1", "0", "1", NOW))
            .await
            .map(|_| Vec::new()),
    ] {
        assert!(changed.is_err());
    }
    let reason = refusal(RedisStore::builder(), &replica.url()).await;
    assert!(reason.contains("is a replica"), "{reason}");
    wait_for("the replica has what the primary has", || {
        let link = replica.info("replication", "master_link_status");
        link.filter(|it| it == "up")
    });
    replica.ask::<String>("REPLICAOF NO ONE");
    wait_until("it is a primary again", async || {
        let answer = store.standing(&auth("ann", "1", "0"), NOW).await;
        answer.is_ok_and(|standing| standing == Standing::Revoked)
    })
    .await;
}
