//! A network that loses all packets, in a network namespace of its own.

use std::{env, path::Path, process::Command};

use flask_pyjwt::{
    RedisStore,
    store::{SessionStore as _, Standing},
};

use super::{hears, impatient, kept};
use crate::redis_store::{
    load::subjects,
    records::{Answers as _, NOW, auth, patient, revoke_session, session},
};
use support::{
    folder::Folder,
    redis::{Server, needs_redis, wait_until},
};

const INSIDE: &str = "NEAR_CACHE_NETWORK";

/// Runs a command that must succeed.
fn run(command: &str) {
    let mut words = command.split(' ');
    let status = Command::new(words.next().unwrap_or_default())
        .args(words)
        .status();
    assert!(status.is_ok_and(|it| it.success()), "{command}");
}

/// The command that starts a program in a new network namespace, if there is one.
fn unshare() -> Option<Command> {
    for arguments in [&["--net"][..], &["--user", "--map-root-user", "--net"]] {
        let mut probe = Command::new("unshare");
        let probe = probe
            .args(arguments)
            .args(["ip", "link", "set", "lo", "up"]);
        if probe.output().is_ok_and(|it| it.status.success()) {
            let mut command = Command::new("unshare");
            command.args(arguments);
            return Some(command);
        }
    }
    let is_ci = env::var("CI").is_ok_and(|it| it == "true");
    assert!(!is_ci, "unshare and ip cannot make a network namespace");
    println!("skipped: unshare and ip cannot make a network namespace");
    None
}

#[test]
fn without_a_network_nothing_is_answered_from_the_near_cache() {
    needs_redis!();
    let Some(mut command) = unshare() else { return };
    let status = command
        .arg(env::current_exe().expect("this test"))
        .args(["--exact", "near_cache::partition::inside", "--nocapture"])
        .env(INSIDE, "yes")
        .status();
    assert!(status.is_ok_and(|it| it.success()), "inside the namespace");
}

/// The other test runs this in a network namespace. The store reaches the server by the network, and another one
/// by a socket in a folder, which the loss of packets does not affect.
#[actix_web::test]
async fn inside() {
    if env::var_os(INSIDE).is_none() {
        return;
    }
    run("ip link set lo up");
    let folder = Folder::new("near-cache");
    let socket = folder.path().join("redis.sock");
    let server = Server::with(&["--save", "", "--unixsocket", &socket.display().to_string()]);
    let store = impatient().connect(server.url()).await.expect("connected");
    let other = by(&socket).await;
    // The host knows that it has no network; or it does not, and all packets are lost.
    for (cut, mend) in [
        ("ip link set lo down", "ip link set lo up"),
        (
            "tc qdisc replace dev lo root pfifo limit 0",
            "tc qdisc del dev lo root",
        ),
    ] {
        let all = subjects(10);
        for subject in &all {
            other.opens(&session(subject, "1", NOW), NOW).await;
        }
        hears(&store).await;
        for subject in &all {
            let token = auth(subject, "1", "0");
            assert_eq!(kept(&store, &token).await, Standing::Good, "{cut}");
        }
        run(cut);
        for subject in &all {
            other.revokes(&revoke_session(subject, "1"), NOW).await;
        }
        wait_until("the cut is noticed", async || {
            store.standing(&auth(&all[0], "1", "0"), NOW).await.is_err()
        })
        .await;
        for subject in &all {
            let answer = store.standing(&auth(subject, "1", "0"), NOW).await;
            assert!(answer.is_err(), "{cut}: {answer:?}");
        }
        run(mend);
        wait_until("the network is back", async || {
            let new = auth("somebody else", "1", "0");
            store.standing(&new, NOW).await.is_ok()
        })
        .await;
        hears(&store).await;
        for subject in &all {
            let token = auth(subject, "1", "0");
            assert_eq!(kept(&store, &token).await, Standing::Revoked, "{cut}");
        }
    }
}

async fn by(socket: &Path) -> RedisStore {
    let url = format!("unix://{}", socket.display());
    patient().connect(url).await.expect("connected")
}
