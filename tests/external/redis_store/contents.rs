//! The data in Redis: the keys, their expiry, and what happens when another client writes there.

use flask_pyjwt::store::{Moment, Opening, Rotated, SessionStore, Standing, StoreError};

use time::Duration;

use super::{
    records::{
        Answers as _, DAY, HOUR, IDLE, NOW, auth, connected, lone, opening, patient,
        revoke_session, revoke_subject, revoke_token, rotation, session,
    },
    server::{Server, needs_redis},
};

/// `ann` in base64url.
const ANN: &str = "flask-pyjwt:YW5u";

/// When a key expires, rounded to minutes.
fn expires_in(server: &Server, key: &str) -> Duration {
    let milliseconds: i64 = server.ask(&format!("PTTL {key}"));
    let minute = 60_000;
    Duration::milliseconds((milliseconds + minute / 2) / minute * minute)
}

#[actix_web::test]
async fn a_subject_is_one_key_that_begins_with_the_prefix() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    let builder = patient().prefix("shop");
    let shop = builder.connect(server.url()).await.expect("connected");
    for (subject, id) in [("ann", "1"), ("ann", "2"), ("é 😀{}*", "1")] {
        store.opens(&session(subject, id, NOW), NOW).await;
        let all = revoke_subject(subject, NOW - DAY, NOW + DAY);
        store
            .revokes(&revoke_token(subject, "x", NOW + DAY), NOW)
            .await;
        store.revokes(&all, NOW).await;
    }
    shop.opens(&session("ann", "1", NOW), NOW).await;
    let mut keys: Vec<String> = server.ask("KEYS *");
    keys.sort();
    assert_eq!(keys, [ANN, "flask-pyjwt:w6kg8J-YgHt9Kg", "shop:YW5u"]);
    // Two prefixes are two stores.
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Revoked
    );
    assert_eq!(
        shop.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Good
    );
}

#[actix_web::test]
async fn a_key_expires_an_hour_after_its_last_entry() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    assert_eq!(expires_in(&server, ANN), IDLE + HOUR);
    let mut short = session("ann", "2", NOW);
    short.expires_at = NOW + HOUR;
    store.opens(&short, NOW).await;
    store
        .revokes(&revoke_token("ann", "x", NOW + HOUR), NOW)
        .await;
    store.revokes(&revoke_session("ann", "1"), NOW).await;
    assert_eq!(expires_in(&server, ANN), IDLE + HOUR);
    let all = revoke_subject("ann", NOW, NOW + 10 * DAY);
    store.revokes(&all, NOW).await;
    assert_eq!(expires_in(&server, ANN), 10 * DAY + HOUR);
    store
        .revokes(&revoke_token("ann", "x", NOW + 20 * DAY), NOW)
        .await;
    assert_eq!(expires_in(&server, ANN), 20 * DAY + HOUR);
    store
        .revokes(&revoke_token("ann", "x", NOW + HOUR), NOW)
        .await;
    let x = lone("ann", Some("x"), NOW + Duration::MILLISECOND);
    assert_eq!(
        server.ask::<String>(&format!("HGET {ANN} t:x")),
        (NOW + 20 * DAY).milliseconds().to_string()
    );
    assert_eq!(store.standing_of(&x, NOW).await, Standing::Revoked);

    // A rotation extends a session. The expiry depends on the caller's clock, not on that of Redis.
    store.opens(&session("bob", "1", NOW), NOW).await;
    let now = NOW + 6 * DAY;
    store.rotates(&rotation("bob", "1", "0", "1", now)).await;
    assert_eq!(expires_in(&server, "flask-pyjwt:Ym9i"), IDLE + HOUR);
    // Nothing is left of a session that has ended, or of an empty hash.
    store.opens(&session("cy", "1", NOW), NOW + 8 * DAY).await;
    store.opens(&session("dan", "1", NOW), NOW).await;
    store.revokes(&revoke_session("dan", "1"), NOW).await;
    super::server::wait_until("what has ended is gone", async || {
        server.ask::<i64>("EXISTS flask-pyjwt:Y3k flask-pyjwt:ZGFu") == 0
    })
    .await;
}

#[actix_web::test]
async fn a_subject_that_is_always_active_does_not_grow() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    // A session of an hour and a revocation every ten minutes: 6 of each are current, and 6 are kept for another
    // hour. One session is rotated all the time.
    let mut most = 0;
    store.opens(&session("ann", "long", NOW), NOW).await;
    for (number, opened) in (0..2_000_i32).zip(2..) {
        let now = NOW + HOUR * number / 6;
        let mut short = session("ann", &number.to_string(), now);
        short.expires_at = now + HOUR;
        store.opens(&short, now).await;
        let revoked = revoke_token("ann", &format!("x{number}"), now + HOUR);
        store.revokes(&revoked, now).await;
        let next = (number + 1).to_string();
        let mut long = rotation("ann", "long", &number.to_string(), &next, now);
        long.idle = DAY;
        assert!(
            matches!(store.rotates(&long).await, Rotated::Won(_)),
            "{number}"
        );
        most = most.max(server.ask::<i64>(&format!("HLEN {ANN}")));
        assert_eq!(store.lists("ann", now).await.len(), 7.min(opened));
    }
    assert!(most < 60, "{most} entries, of which 25 are needed");
}

#[actix_web::test]
async fn unreadable_data_is_an_error() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    let is_corrupt = |error: StoreError| matches!(error, StoreError::Corrupt { .. });
    let mut connection = server.connect();
    for stored in [
        &b""[..],
        b"{}",
        b"\xff\n\n",
        b"[1]\nnull\n{}",
        b"[1,9999999999999,9999999999999,[[\"r-0\",\"a-0\",1.5]]]\nnull\n{}",
        b"[1,9999999999999,9999999999999,[[\"r-0\",\"a-0\"]]]\nnull\n{}",
        b"[1,9999999999999,9999999999999,[[\"r-0\",7,1]]]\nnull\n{}",
        b"[1,9999999999999,9999999999999,[[\"r-0\",\"a-0\",1,\"2\",null]]]\nnull\n{}",
        b"[1,9999999999999,9999999999999,[[\"r-0\",\"a-0\",1,null,1.5]]]\nnull\n{}",
        b"[1,9999999999999,9999999999999,[[\"r-0\",\"a-0\",1,2,3,4]]]\nnull\n{}",
        b"[1,9999999999999,9999999999999,{\"1\":[\"r-0\",\"a-0\",1]},5]\nnull\n{}",
        b"[1,99999999999999999999,9999999999999,[[\"r-0\",\"a-0\",1]]]\nnull\n{}",
        b"[1,1e400,9999999999999,[[\"r-0\",\"a-0\",1]]]\nnull\n{}",
        b"[null,9999999999999,9999999999999,[[\"r-0\",\"a-0\",1]]]\nnull\n{}",
        b"[1,9999999999999,9999999999999,[[\"r-0\",\"a-0\",1]]]",
    ] {
        let text = String::from_utf8_lossy(stored);
        let mut write = redis::cmd("HSET");
        write.arg(ANN).arg("s:1").arg(stored);
        write.exec(&mut connection).expect("written");
        let checked = store.standing(&auth("ann", "1", "0"), NOW).await;
        assert!(is_corrupt(checked.expect_err(&text)), "{text}");
        let rotated = store.rotate(&rotation("ann", "1", "0", "1", NOW)).await;
        assert!(is_corrupt(rotated.expect_err(&text)), "{text}");
        let marked = store.mark_used(&auth("ann", "1", "0"), NOW).await;
        assert!(is_corrupt(marked.expect_err(&text)), "{text}");
        assert!(
            is_corrupt(store.sessions("ann", 1_000, NOW).await.expect_err(&text)),
            "{text}"
        );
        let left: Vec<u8> = redis::cmd("HGET")
            .arg(ANN)
            .arg("s:1")
            .query(&mut connection)
            .expect("it stays");
        assert_eq!(left, stored, "{text}");
    }
    // The session can still be ended, and any value in place of a revocation is one.
    store.revokes(&revoke_session("ann", "1"), NOW).await;
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Revoked
    );
    store.opens(&session("ann", "1", NOW), NOW).await;
    server.ask::<i64>(&format!("HSET {ANN} t:a-0 whatever n whatever"));
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Revoked
    );
    let checked = store.standing(&lone("ann", None, NOW), NOW).await;
    assert!(is_corrupt(checked.expect_err("unreadable")));
    store
        .revokes(&revoke_subject("ann", NOW, NOW + DAY), NOW)
        .await;
    assert_eq!(
        store.standing_of(&lone("ann", None, NOW), NOW).await,
        Standing::Revoked
    );
    assert_eq!(
        store
            .standing_of(&lone("ann", None, NOW + Duration::MILLISECOND), NOW)
            .await,
        Standing::Good
    );

    server.ask::<i64>(&format!("DEL {ANN}"));
    server.ask::<String>(&format!("SET {ANN} text"));
    let checked = store.standing(&auth("ann", "1", "0"), NOW).await;
    assert!(is_corrupt(checked.expect_err("not a hash")));
    let rotated = store.rotate(&rotation("ann", "1", "0", "1", NOW)).await;
    assert!(is_corrupt(rotated.expect_err("not a hash")));
    let opened = store.open(&opening("ann", "1", NOW), NOW).await;
    assert!(is_corrupt(opened.expect_err("not a hash")));
}

#[actix_web::test]
async fn a_time_out_of_range_is_refused() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    let mut endless = session("ann", "1", NOW);
    endless.ends_at = Moment::MAX;
    assert!(
        store
            .open(&Opening::new(endless, 1_000), NOW)
            .await
            .is_err()
    );
    assert!(
        store
            .open(&opening("ann", "1", NOW), Moment::MIN)
            .await
            .is_err()
    );
    let rotation = rotation("ann", "1", "0", "1", Moment::MAX);
    assert!(store.rotate(&rotation).await.is_err());
    assert_eq!(server.ask::<i64>("DBSIZE"), 0);
    // A revocation without an end is kept for the longest possible time.
    let all = revoke_subject("ann", Moment::MAX, Moment::MAX);
    store.revokes(&all, NOW).await;
    let token = lone("ann", None, Moment::from_milliseconds(253_402_300_799_000));
    assert_eq!(store.standing_of(&token, NOW).await, Standing::Revoked);
}

#[actix_web::test]
async fn a_server_without_free_memory_refuses_changes_and_answers_checks() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    server.ask::<String>("CONFIG SET maxmemory 1");
    let error = store.open(&opening("ann", "2", NOW), NOW).await;
    let reason = super::records::reason(&error.expect_err("no memory"));
    assert!(reason.contains("OOM"), "{reason}");
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Good
    );
}
