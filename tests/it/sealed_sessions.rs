//! `docs/threats.md` 56: an attacker who can write to the session store changes sessions. The changes are never
//! signed.

use flask_pyjwt::{
    AuthManager, AuthType, Key, MemoryStore, SessionError, TokenError, TokenPair,
    store::{Generation, Moment, Opening, SessionRecord, SessionStore as _},
    testing::FrozenClock,
};
use serde_json::json;
use time::Duration;

use support::{NOW, at, gated::Gated, hs256, log, manager};

const MOMENT: Moment = Moment::from_milliseconds(NOW * 1_000);

struct Server {
    auth: AuthManager,
    store: Gated<MemoryStore>,
    clock: FrozenClock,
}

impl Server {
    fn new() -> Self {
        let (store, clock) = (
            Gated::new(MemoryStore::default()),
            FrozenClock::new(at(NOW)),
        );
        let config = hs256().clock(clock.clone()).session_store(store.clone());
        Self {
            auth: manager(config),
            store,
            clock,
        }
    }

    async fn login(&self, subject: &str) -> TokenPair {
        let login = self.auth.login(subject).claim("admin", false);
        login.await.expect("opened")
    }

    /// The stored record of the only session of a subject.
    async fn record(&self, subject: &str) -> SessionRecord {
        let mut records = self
            .store
            .inner
            .sessions(subject, 10, MOMENT)
            .await
            .expect("listed");
        records.pop().expect("one")
    }

    /// Writes a record as an attacker who knows the store's password.
    async fn write(&self, record: &SessionRecord) {
        self.store
            .inner
            .open(&Opening::new(record.clone(), 10), MOMENT)
            .await
            .expect("written");
    }

    /// Asserts that no token is minted from a record, and that the log has the reason.
    async fn refuses(&self, pair: &TokenPair, what: &str) {
        let log = log::capture();
        for _ in 0..2 {
            let refused = self.auth.refresh(&pair.refresh).await;
            let expected = || Err(SessionError::Token(TokenError::Revoked));
            assert_eq!(refused.map(drop), expected(), "{what}");
            let refused = self.auth.refresh(&pair.refresh).claim("own", 1).await;
            assert_eq!(refused.map(drop), expected(), "{what}, with new claims");
        }
        let lines = log.take();
        let is_logged =
            |line: &log::Line| line.level == "ERROR" && line.text.contains("changed outside");
        assert!(lines.iter().any(is_logged), "{what}: {lines:?}");
        let tells = lines.iter().any(|line| line.text.contains("admin"));
        assert!(!tells, "{what}: claims in the log");
    }
}

type Change = fn(&mut SessionRecord);

#[actix_web::test]
async fn a_record_changed_in_the_store_is_never_minted_from() {
    let changes: [(&str, Change); 12] = [
        ("other claims", |it| {
            it.claims = it.claims.replace("false", "true");
        }),
        ("claims without a seal", |it| {
            it.claims = r#"{"admin":true}"#.to_owned();
        }),
        ("an empty seal", |it| {
            it.claims = r#"{"seal":"","claims":{"admin":true}}"#.to_owned();
        }),
        ("nothing", |it| it.claims.clear()),
        ("claims appended to the claims", |it| {
            it.claims
                .insert_str(it.claims.len() - 1, r#","admin":true"#);
        }),
        ("text appended to the seal", |it| it.claims.push(' ')),
        ("another seal", |it| {
            it.claims = it.claims.replacen(r#":""#, r#":"AAAA"#, 1);
        }),
        ("an earlier login", |it| {
            it.opened_at -= Duration::MILLISECOND;
        }),
        ("a later login", |it| it.opened_at += Duration::SECOND),
        ("a later end", |it| it.ends_at += Duration::MILLISECOND),
        ("an earlier end", |it| it.ends_at -= Duration::MILLISECOND),
        ("parts cut elsewhere", |it| {
            (it.opened_at, it.ends_at) = (it.ends_at, it.opened_at);
        }),
    ];
    for (what, change) in changes {
        let server = Server::new();
        let pair = server.login("alice").await;
        let mut record = server.record("alice").await;
        change(&mut record);
        server.write(&record).await;
        server.refuses(&pair, what).await;
    }
}

#[actix_web::test]
async fn claims_of_another_session_or_subject_are_never_minted() {
    let server = Server::new();
    let admin = server.auth.login("root").claim("admin", true);
    admin.await.expect("opened");
    let (alice, root) = (server.login("alice").await, server.record("root").await);
    let own = server.record("alice").await;
    for (what, mut record) in [
        ("claims", {
            let mut changed = own.clone();
            changed.claims = root.claims.clone();
            changed
        }),
        ("all but the place", {
            let mut changed = root.clone();
            changed.id = own.id.clone();
            changed.subject = own.subject.clone();
            changed
        }),
    ] {
        record.generations.clone_from(&own.generations);
        server.write(&record).await;
        server.refuses(&alice, what).await;
    }
}

#[actix_web::test]
async fn pairs_that_were_never_issued_are_never_minted() {
    let changes: [fn(&mut Generation); 4] = [
        |it| it.issued_at += Duration::HOUR,
        |it| it.issued_at = Moment::from_milliseconds(-1),
        |it| it.auth_id = "x".repeat(100_000),
        |it| it.refresh_id.push('"'),
    ];
    for change in changes {
        let server = Server::new();
        let pair = server.login("alice").await;
        server.auth.refresh(&pair.refresh).await.expect("rotated");
        let mut record = server.record("alice").await;
        change(record.generations.last_mut().expect("two"));
        server.write(&record).await;
        let again = server.auth.refresh(&pair.refresh).await;
        assert!(matches!(again, Err(SessionError::Token(_))), "{again:?}");
    }
}

#[actix_web::test]
async fn a_session_ends_at_its_sealed_end_whatever_the_store_says() {
    let server = Server::new();
    let pair = server.login("alice").await;
    let mut record = server.record("alice").await;
    record.expires_at = Moment::from_milliseconds(i64::MAX);
    let mut latest = pair;
    for _ in 0..4 {
        server.clock.advance(Duration::days(6));
        server
            .write(&{
                let mut changed = record.clone();
                changed.generations = server.record("alice").await.generations;
                changed
            })
            .await;
        latest = server.auth.refresh(&latest.refresh).await.expect("rotated");
        let longest = latest.refresh.exp() - at(NOW);
        assert!(longest <= Duration::days(30), "{longest}");
    }
    server.clock.advance(Duration::days(6));
    assert!(server.auth.refresh(&latest.refresh).await.is_err());
}

#[actix_web::test]
async fn a_session_survives_every_key_rotation() {
    let server = Server::new();
    let auth = &server.auth;
    let mut pair = server.login("alice").await;
    for number in 0..6_u8 {
        let key = Key::new(AuthType::HS256, [number + 1; 32]).id(format!("key {number}"));
        auth.rotate(key).expect("another key");
        // Long enough for the previous key to be dropped before the next rotation.
        server.clock.advance(Duration::days(4));
        pair = auth.refresh(&pair.refresh).await.expect("rotated");
        assert_eq!(pair.auth.claims()["admin"], json!(false));
        assert_eq!(pair.auth.sub(), "alice");
        let retired = auth.keys().iter().filter(|key| !key.signs()).count();
        assert!(retired <= 2, "{:?}", auth.keys());
    }
    // Sealed again with the signing key: no other key is needed.
    for key in auth.keys().into_iter().filter(|key| !key.signs()) {
        auth.remove_key(key.id()).expect("dropped");
    }
    let pair = auth
        .refresh(&pair.refresh)
        .claim("team", 7)
        .await
        .expect("rotated");
    assert_eq!(pair.auth.claims()["team"], 7);
    assert!(pair.auth.claim("admin").is_none());
}

#[actix_web::test]
async fn sessions_sealed_with_a_removed_key_are_refused() {
    let server = Server::new();
    let pair = server.login("alice").await;
    let old = server.auth.keys()[0].id().to_owned();
    let new = Key::new(AuthType::HS256, [9; 32]).id("new");
    server.auth.rotate(new).expect("another key");
    server.auth.remove_key(&old).expect("dropped");
    server.refuses(&pair, "a seal of a removed key").await;
}

#[actix_web::test]
async fn a_record_of_another_issuer_with_the_same_secret_is_never_minted_from() {
    let server = Server::new();
    let config = hs256().issuer("another").clock(server.clock.clone());
    let another = manager(config.session_store(server.store.clone()));
    let theirs = another.login("alice").claim("admin", true);
    theirs.await.expect("opened");
    let theirs = server.record("alice").await;
    let pair = server.login("alice").await;
    let records = server
        .store
        .inner
        .sessions("alice", 10, MOMENT)
        .await
        .expect("listed");
    let own = records
        .into_iter()
        .find(|own| Some(&*own.id) == pair.auth.session_id());
    let own = own.expect("it exists");
    server
        .write(&{
            let mut changed = own;
            changed.claims = theirs.claims;
            changed
        })
        .await;
    server.refuses(&pair, "a seal of another issuer").await;
}

#[actix_web::test]
async fn records_contain_the_claims_in_clear_and_nothing_about_the_key() {
    let server = Server::new();
    server.login("alice").await;
    let record = server.record("alice").await;
    let sealed: serde_json::Value = serde_json::from_str(&record.claims).expect("JSON");
    assert_eq!(sealed["claims"], json!({"admin": false}));
    assert_eq!(sealed["seal"].as_str().map(str::len), Some(48));
}

#[actix_web::test]
async fn claims_written_into_the_session_file_are_never_signed() {
    use flask_pyjwt::FileStore;

    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = path.join(format!("sealed-{}.redb", std::process::id()));
    let store = Gated::new(FileStore::open(&path).expect("opened"));
    // The speed of the disk does not matter here.
    let config = hs256().store_timeout(Duration::minutes(1));
    let auth = manager(config.session_store(store.clone()));
    let pair = auth.login("alice").claim("admin", false).await;
    let pair = pair.expect("opened");
    let records = store.inner.sessions("alice", 10, MOMENT).await;
    let record = records.expect("listed").pop().expect("one");
    let claims = record.claims.replace("false", "true");
    let changed = {
        let mut changed = record.clone();
        changed.claims = claims;
        changed
    };
    let put = |record: SessionRecord| Opening::new(record, 10);
    let written = store.inner.open(&put(changed), MOMENT).await;
    written.expect("written");
    let refused = auth.refresh(&pair.refresh).await;
    let expected = SessionError::Token(TokenError::Revoked);
    assert_eq!(refused.map(drop), Err(expected));
    let written = store.inner.open(&put(record), MOMENT).await;
    written.expect("written");
    let pair = auth.refresh(&pair.refresh).await.expect("as it was");
    assert_eq!(pair.auth.claims()["admin"], json!(false));
    drop((auth, store));
    std::fs::remove_file(&path).expect("it exists");
}
