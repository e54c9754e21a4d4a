//! How much of Redis one account can use, and hashes from before there were limits.

use flask_pyjwt::{
    RedisStore,
    store::{Moment, Opening, Rotated, SessionStore, Standing, StoreError},
};
use futures_util::future::join_all;

use time::Duration;

use super::{
    records::{
        Answers as _, DAY, HOUR, IDLE, NOW, auth, connected, lone, milliseconds, refresh,
        revoke_session, revoke_subject, revoke_token, rotation, session,
    },
    server::{Server, needs_redis},
};

const ANN: &str = "flask-pyjwt:YW5u";

fn length(server: &Server) -> i64 {
    server.ask(&format!("HLEN {ANN}"))
}

/// Writes so many sessions of `ann` as a version without limits has left them, newer ones with later times, and
/// as many revoked tokens.
async fn leave_many(server: &Server, store: &RedisStore, many: usize, tokens: usize) {
    store
        .opens(&session("ann", "model", NOW - DAY), NOW - DAY)
        .await;
    let stored: String = server.ask(&format!("HGET {ANN} s:model"));
    let mut connection = server.connect();
    for first in (0..many).step_by(1_000) {
        let mut write = redis::cmd("HSET");
        write.arg(ANN);
        for number in first..many.min(first + 1_000) {
            let opened = (NOW - DAY).milliseconds().to_string();
            let later = Duration::milliseconds(i64::try_from(number).expect("small"));
            let refreshed = (NOW - HOUR + later).milliseconds().to_string();
            let own = stored.replace(&opened, &refreshed);
            write.arg(format!("s:{number}")).arg(own);
        }
        write.exec(&mut connection).expect("written");
    }
    for first in (0..tokens).step_by(1_000) {
        let mut write = redis::cmd("HSET");
        write.arg(ANN);
        for number in first..tokens.min(first + 1_000) {
            write
                .arg(format!("t:old-{number}"))
                .arg((NOW + 3 * DAY).milliseconds());
        }
        write.exec(&mut connection).expect("written");
    }
    server.ask::<i64>(&format!("PEXPIRE {ANN} {}", milliseconds(20 * DAY)));
}

/// `docs/threats.md` 43.
#[actix_web::test]
async fn one_account_cannot_grow_without_limit_or_delay_others() {
    needs_redis!();
    let server = Server::start();
    let store = &connected(&server).await;
    for first in (0..4_000).step_by(200) {
        let steps = (first..first + 200).map(async |number| {
            let now = NOW + Duration::milliseconds(number);
            let id = number.to_string();
            store.opens_of(&session("ann", &id, now), 100, now).await;
            let revoked = revoke_token("ann", &id, NOW + DAY);
            match store.revoke(&revoked, now).await {
                Ok(_) => true,
                Err(StoreError::TooManyTokens { limit: 1_000 }) => false,
                Err(other) => panic!("{other:?}"),
            }
        });
        let accepted = join_all(steps).await;
        assert!(first >= 1_000 || accepted.iter().all(|it| *it), "{first}");
        assert!(length(&server) <= 1_100, "{first}");
    }
    assert_eq!(length(&server), 1_100);
    assert_eq!(
        store
            .lists("ann", NOW + Duration::milliseconds(4_000))
            .await
            .len(),
        100
    );
    let bob = session("bob", "1", NOW);
    store.opens(&bob, NOW).await;
    store
        .revokes(&revoke_token("bob", "x", NOW + DAY), NOW)
        .await;
    assert_eq!(
        store.standing_of(&lone("bob", Some("x"), NOW), NOW).await,
        Standing::Revoked
    );
    assert_eq!(
        store.standing_of(&auth("bob", "1", "0"), NOW).await,
        Standing::Good
    );
    // Logging in and out leaves nothing.
    for number in 0..300 {
        let id = format!("short {number}");
        store
            .opens_of(
                &session("ann", &id, NOW + Duration::milliseconds(5_000)),
                100,
                NOW + Duration::milliseconds(5_000),
            )
            .await;
        store
            .revokes(
                &revoke_session("ann", &id),
                NOW + Duration::milliseconds(5_000),
            )
            .await;
    }
    assert!(length(&server) <= 1_100);
    // Ended entries make room again.
    let later = NOW + DAY + HOUR;
    store
        .revokes(&revoke_token("ann", "later", later + HOUR), later)
        .await;
    assert!(length(&server) <= 101, "{}", length(&server));
}

#[actix_web::test]
async fn a_hash_from_before_the_limits_shrinks_a_little_with_each_login() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    leave_many(&server, &store, 20_000, 10).await;
    for most in [1, 100, 1_000, usize::MAX] {
        let some = store.sessions("ann", most, NOW).await.expect("listed");
        assert!(
            !some.is_empty() && some.len() <= most.min(4_000),
            "{most}: {}",
            some.len()
        );
    }
    let before = length(&server);
    let mut opened = Vec::new();
    for number in 0..2_000 {
        let now = NOW + Duration::milliseconds(number);
        let id = format!("new {number}");
        let evicted = store.opens_of(&session("ann", &id, now), 100, now).await;
        opened.push(id);
        if length(&server) < 4_000 {
            break;
        }
        assert!(evicted.len() <= 256, "{}", evicted.len());
    }
    assert!(
        opened.len() < 100,
        "{} logins for {before} fields",
        opened.len()
    );
    let last = session("ann", "last", NOW + HOUR);
    store.opens_of(&last, 100, NOW + HOUR).await;
    let listed = store.lists("ann", NOW + HOUR).await;
    assert_eq!(listed.len(), 100);
    assert!(listed.contains(&last));
    // No revocation was lost in the process.
    for number in 0..10 {
        let token = lone("ann", Some(&format!("old-{number}")), NOW);
        assert_eq!(store.standing_of(&token, NOW).await, Standing::Revoked);
    }
}

#[actix_web::test]
async fn a_subject_with_very_many_sessions_is_revoked_in_one_step() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    leave_many(&server, &store, 20_000, 2_000).await;
    // When it is full, it accepts no more tokens: the session or the subject is revoked.
    let one_more = store
        .revoke(&revoke_token("ann", "one more", NOW + DAY), NOW)
        .await;
    assert!(
        matches!(one_more, Err(StoreError::TooManyTokens { .. })),
        "{one_more:?}"
    );
    store.revokes(&revoke_session("ann", "17"), NOW).await;
    assert_eq!(
        store.standing_of(&auth("ann", "17", "0"), NOW).await,
        Standing::Revoked
    );
    assert_eq!(
        store.standing_of(&auth("ann", "18", "0"), NOW).await,
        Standing::Good
    );

    let of_another_store = [session("ann", "18", NOW)];
    let adopt = async || store.adopt("ann", &of_another_store, NOW).await;
    assert!(adopt().await.expect("adopted"));
    store
        .revokes(&revoke_subject("ann", NOW - HOUR, NOW + HOUR), NOW)
        .await;
    // The revocation, and the fact that the sessions were adopted.
    assert_eq!(length(&server), 2);
    assert!(!adopt().await.expect("an answer"));
    assert_eq!(store.lists("ann", NOW).await, []);
    for id in ["0", "18", "9999", "19999", "model"] {
        for token in [auth("ann", id, "0"), refresh("ann", id, "0")] {
            assert_eq!(store.standing_of(&token, NOW).await, Standing::Revoked);
        }
        let rotated = store.rotates(&rotation("ann", id, "0", "1", NOW)).await;
        assert_eq!(rotated, Rotated::Gone);
    }
    // Tokens that were revoked by their IDs stay revoked for the whole time.
    for (token, now) in [("old-0", NOW), ("old-1999", NOW + 3 * DAY)] {
        let token = lone("ann", Some(token), NOW);
        store.opens(&session("ann", "anew", now), now).await;
        assert_eq!(store.standing_of(&token, now).await, Standing::Revoked);
    }
    assert!(server.ask::<i64>(&format!("PTTL {ANN}")) > milliseconds(19 * DAY));
    assert_eq!(
        store.standing_of(&auth("ann", "anew", "0"), NOW).await,
        Standing::Good
    );
}

#[actix_web::test]
async fn an_opening_that_fails_ends_nothing() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    let first = session("ann", "1", NOW);
    store.opens(&first, NOW).await;
    server.ask::<String>("CONFIG SET maxmemory 1");
    let next = Opening::new(session("ann", "2", NOW), 1);
    assert!(store.open(&next, NOW).await.is_err());
    server.ask::<String>("CONFIG SET maxmemory 0");
    let mut endless = session("ann", "2", NOW);
    endless.ends_at = Moment::MAX;
    assert!(store.open(&Opening::new(endless, 1), NOW).await.is_err());
    assert_eq!(store.lists("ann", NOW).await, [first]);
    assert_eq!(store.opens_of(&next.session, 1, NOW).await, ["1"]);
}

#[actix_web::test]
async fn an_unreadable_session_is_removed_first() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    for stored in [
        "",
        "[]",
        "[1,9999999999999,1,[]]",
        "[1,9999999999999,1,[[\"r\",\"a\",1e999]]]\nnull\n{}",
    ] {
        let mut connection = server.connect();
        let old = session("ann", "old", NOW - HOUR);
        store.opens_of(&old, 1_000, NOW).await;
        let mut write = redis::cmd("HSET");
        write.arg(ANN).arg("s:bad").arg(stored);
        write.exec(&mut connection).expect("written");
        store.opens_of(&session("ann", "new", NOW), 2, NOW).await;
        let mut ids: Vec<_> = store.lists("ann", NOW).await;
        ids.retain(|session| session.expires_at == NOW + IDLE || session.id == "old");
        assert_eq!(ids.len(), 2, "{stored}");
        server.ask::<i64>(&format!("DEL {ANN}"));
    }
}
