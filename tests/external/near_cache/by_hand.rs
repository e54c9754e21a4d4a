//! What an administrator does to the data, and what a server forgets.

use flask_pyjwt::store::{SessionStore as _, Standing};

use super::{hears, kept, key, lively, near_to};
use crate::redis_store::{
    load::subjects,
    records::{
        Answers as _, DAY, NOW, auth, connected, lone, revoke_session, revoke_token, session,
    },
};
use support::redis::{Server, needs_redis, wait_until};

#[actix_web::test]
async fn removed_data_is_not_answered_from_the_near_cache() {
    needs_redis!();
    let server = Server::start();
    let store = near_to(&server).await;
    let token = auth("ann", "1", "0");
    for command in [
        "DEL KEY",
        "UNLINK KEY",
        "HDEL KEY s:1",
        "RENAME KEY other",
        "MOVE KEY 1",
        "EXPIRE KEY 0",
        "COPY empty KEY REPLACE",
        "FLUSHDB",
        "FLUSHDB ASYNC",
        "FLUSHALL",
        "FLUSHALL ASYNC",
    ] {
        server.ask::<String>("FLUSHALL");
        server.ask::<i64>("HSET empty field value");
        store.opens(&session("ann", "1", NOW), NOW).await;
        assert_eq!(kept(&store, &token).await, Standing::Good, "{command}");
        let command = command.replace("KEY", &key("ann"));
        server.ask::<redis::Value>(&command);
        hears(&store).await;
        let standing = store.standing_of(&token, NOW).await;
        assert_eq!(standing, Standing::Revoked, "{command}");
    }
}

#[actix_web::test]
async fn data_that_expires_or_is_put_back_is_not_answered_from_the_near_cache() {
    needs_redis!();
    let server = Server::start();
    let store = near_to(&server).await;
    let token = auth("ann", "1", "0");
    store.opens(&session("ann", "1", NOW), NOW).await;
    let mut dump = redis::cmd("DUMP");
    dump.arg(key("ann"));
    let dump: Vec<u8> = dump.query(&mut server.connect()).expect("dumped");
    assert_eq!(kept(&store, &token).await, Standing::Good);

    // The store does not ask, so only the server notices that the key has expired.
    server.ask::<i64>(&format!("PEXPIRE {} 1", key("ann")));
    wait_until("the key expires", async || {
        store.standing_of(&token, NOW).await == Standing::Revoked
    })
    .await;
    assert_eq!(kept(&store, &token).await, Standing::Revoked);
    let mut restore = redis::cmd("RESTORE");
    restore.arg(key("ann")).arg(0).arg(dump).arg("REPLACE");
    restore.exec(&mut server.connect()).expect("restored");
    hears(&store).await;
    assert_eq!(store.standing_of(&token, NOW).await, Standing::Good);
}

/// Redis does not announce that databases are exchanged.
#[actix_web::test]
async fn exchanged_databases_are_noticed_at_the_next_sign_of_life() {
    needs_redis!();
    let server = Server::start();
    let store = lively().connect(server.url()).await.expect("connected");
    let (of_session, without) = (auth("ann", "1", "0"), lone("ann", Some("x"), NOW));
    store.opens(&session("ann", "1", NOW), NOW).await;
    store
        .revokes(&revoke_token("ann", "x", NOW + DAY), NOW)
        .await;
    for (before, after, of_other) in [
        (Standing::Good, Standing::Revoked, Standing::Good),
        (Standing::Revoked, Standing::Good, Standing::Revoked),
    ] {
        assert_eq!(kept(&store, &of_session).await, before);
        kept(&store, &without).await;
        server.ask::<String>("SWAPDB 0 1");
        wait_until("the exchange is noticed", async || {
            store.standing_of(&of_session, NOW).await == after
                && store.standing_of(&without, NOW).await == of_other
        })
        .await;
    }
}

#[actix_web::test]
async fn a_server_that_remembers_one_key_announces_what_it_forgets() {
    needs_redis!();
    let server = Server::start();
    server.ask::<String>("CONFIG SET tracking-table-max-keys 1");
    let (store, other) = (near_to(&server).await, connected(&server).await);
    let all = subjects(50);
    for subject in &all {
        store.opens(&session(subject, "1", NOW), NOW).await;
        let token = auth(subject, "1", "0");
        assert_eq!(kept(&store, &token).await, Standing::Good);
    }
    let remembered = server.info("stats", "tracking_total_keys");
    let remembered: usize = remembered.expect("a count").parse().expect("a number");
    assert!(remembered <= 2, "{remembered}");
    for subject in &all {
        other.revokes(&revoke_session(subject, "1"), NOW).await;
    }
    hears(&store).await;
    for subject in &all {
        let token = auth(subject, "1", "0");
        assert_eq!(store.standing_of(&token, NOW).await, Standing::Revoked);
    }
}

#[actix_web::test]
async fn forgotten_scripts_and_statistics_change_nothing() {
    needs_redis!();
    let server = Server::start();
    let (store, other) = (near_to(&server).await, connected(&server).await);
    let token = auth("ann", "1", "0");
    for command in ["SCRIPT FLUSH", "CONFIG RESETSTAT", "CLIENT NO-EVICT on"] {
        store.opens(&session("ann", "1", NOW), NOW).await;
        assert_eq!(kept(&store, &token).await, Standing::Good);
        server.ask::<String>(command);
        other.revokes(&revoke_session("ann", "1"), NOW).await;
        hears(&store).await;
        let standing = store.standing(&token, NOW).await.expect("an answer");
        assert_eq!(standing, Standing::Revoked, "{command}");
    }
}
