//! `docs/threats.md` 56: an attacker who can write to Redis writes other claims, or another session's. They are
//! never signed.

use flask_pyjwt::{AuthManager, SessionError, TokenError, TokenPair};

use super::{
    records::patient,
    server::{Server, needs_redis},
};
use support::{hs256, manager};

async fn auth(server: &Server) -> AuthManager {
    let store = patient().connect(server.url()).await.expect("connected");
    manager(hs256().session_store(store))
}

/// The key of a subject, and the field of its session.
fn place(pair: &TokenPair) -> [String; 2] {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let subject = URL_SAFE_NO_PAD.encode(pair.auth.sub());
    let session = pair.auth.session_id().expect("it exists");
    [format!("flask-pyjwt:{subject}"), format!("s:{session}")]
}

fn read(server: &Server, [key, field]: &[String; 2]) -> String {
    let mut command = redis::cmd("HGET");
    command.arg(key).arg(field);
    command.query(&mut server.connect()).expect("read")
}

fn write(server: &Server, [key, field]: &[String; 2], record: &str) {
    let mut command = redis::cmd("HSET");
    command.arg(key).arg(field).arg(record);
    command
        .query::<i64>(&mut server.connect())
        .expect("written");
}

async fn is_refused(auth: &AuthManager, pair: &TokenPair, what: &str) {
    for _ in 0..2 {
        let refused = auth.refresh(&pair.refresh).await.map(drop);
        let expected = SessionError::Token(TokenError::Revoked);
        assert_eq!(refused, Err(expected), "{what}");
    }
}

type Change = fn(&str) -> String;

#[actix_web::test]
async fn claims_written_into_redis_are_never_signed() {
    needs_redis!();
    let server = Server::start();
    let auth = auth(&server).await;
    let changes: [(&str, Change); 4] = [
        ("another scope", |record| record.replace("false", "true")),
        ("plain claims", |record| {
            let end = record.rfind('\n').expect("three lines");
            format!("{}\n{}", &record[..end], r#"{"scope":{"admin":true}}"#)
        }),
        ("a later end", |record| {
            let [opened, _, ends, rest] =
                <[_; 4]>::try_from(record.splitn(4, ',').collect::<Vec<_>>()).expect("four parts");
            let ends: i64 = ends.parse().expect("a moment");
            let far = ends + 1_000_000_000;
            format!("{opened},{far},{far},{rest}")
        }),
        ("a later login", |record| {
            let (opened, rest) = record[1..].split_once(',').expect("two parts");
            let opened: i64 = opened.parse().expect("a moment");
            format!("[{},{rest}", opened + 1_000_000)
        }),
    ];
    for (what, change) in changes {
        let login = auth
            .login("alice")
            .scope(serde_json::json!({"admin": false}));
        let pair = login.await.expect("opened");
        let place = place(&pair);
        let record = read(&server, &place);
        let changed = change(&record);
        assert_ne!(changed, record, "{what}");
        write(&server, &place, &changed);
        is_refused(&auth, &pair, what).await;
    }
}

#[actix_web::test]
async fn a_record_moved_to_another_session_is_never_minted_from() {
    needs_redis!();
    let server = Server::start();
    let auth = auth(&server).await;
    let root = auth
        .login("root")
        .claim("admin", true)
        .await
        .expect("opened");
    let alice = auth.login("alice").await.expect("opened");
    let twin = auth
        .login("alice")
        .claim("admin", true)
        .await
        .expect("opened");
    let [of_root, of_alice, of_twin] =
        [&root, &alice, &twin].map(|pair| read(&server, &place(pair)));
    // With alice's own pair, so that her refresh token is the current one.
    let ids = |record: &str| {
        record[record.find("[[").expect("pairs")..record.find("]]").expect("an end")].to_owned()
    };
    for (record, what) in [
        (of_root, "another subject's"),
        (of_twin, "another session's"),
    ] {
        let moved = record.replace(&ids(&record), &ids(&of_alice));
        write(&server, &place(&alice), &moved);
        is_refused(&auth, &alice, what).await;
    }
    write(&server, &place(&alice), &of_alice);
    let pair = auth.refresh(&alice.refresh).await.expect("as it was");
    assert!(pair.auth.claim("admin").is_none());
}
