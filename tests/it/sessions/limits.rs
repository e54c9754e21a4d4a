//! Limits of sessions and revoked tokens for one account, and managers that do or do not share a store.

use std::sync::{Arc, Mutex};

use actix_web::{HttpResponse, test::TestRequest};
use flask_pyjwt::{
    AuthManager, AuthType, Config, MemoryStore, SessionError, SessionEvent, Token, TokenError,
};
use futures_util::future::join_all;
use serde_json::json;
use time::Duration;

use super::clock;
use support::{claims_with, forge::forge, header, hs256, keys, log, manager};

const REVOKED: Result<(), SessionError> = Err(SessionError::Token(TokenError::Revoked));

fn with_memory() -> Config {
    hs256().session_store(MemoryStore::default())
}

/// Records the sessions that are ended to make room for others.
fn evictions(config: Config) -> (Config, Arc<Mutex<Vec<String>>>) {
    let evicted = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&evicted);
    let config = config.on_session_event(move |event| {
        if let SessionEvent::Evicted { session, .. } = event {
            noted.lock().expect("no panic").push(session.clone());
        }
    });
    (config, evicted)
}

#[test]
fn the_limit_of_sessions_is_from_one_to_a_thousand() {
    for most in [1, 2, 100, 999, 1_000] {
        assert!(AuthManager::new(with_memory().max_sessions(most)).is_ok());
    }
    for most in [0, 1_001, 65_536, usize::MAX] {
        let error = AuthManager::new(with_memory().max_sessions(most)).expect_err("refused");
        let error = error.to_string();
        assert!(error.contains("max_sessions"), "{error}");
        assert!(error.contains("1 to 1000"), "{error}");
    }
}

#[actix_web::test]
async fn by_default_a_subject_has_at_most_a_hundred_sessions() {
    let (config, evicted) = evictions(with_memory().clock(clock()));
    let auth = manager(config);
    for _ in 0..150 {
        auth.login("alice").await.expect("opened");
    }
    assert_eq!(auth.sessions("alice").await.expect("listed").len(), 100);
    assert_eq!(evicted.lock().expect("no panic").len(), 50);
}

/// `docs/threats.md` 44.
#[actix_web::test]
async fn fifty_logins_at_once_with_a_limit_of_two_leave_two_sessions() {
    let (config, evicted) = evictions(with_memory().max_sessions(2));
    let auth = manager(config);
    let logins = join_all((0..50).map(|_| async { auth.login("alice").await })).await;
    let pairs: Vec<_> = logins.into_iter().map(|it| it.expect("opened")).collect();
    let listed = auth.sessions("alice").await.expect("listed");
    assert_eq!(listed.len(), 2);
    let mut good = Vec::new();
    for pair in &pairs {
        if auth.check_revocation(&pair.auth).await.is_ok() {
            assert_eq!(auth.check_revocation(&pair.refresh).await, Ok(()));
            good.extend(pair.auth.session_id());
        } else {
            assert_eq!(auth.check_revocation(&pair.refresh).await, REVOKED);
        }
    }
    assert_eq!(good.len(), 2);
    assert!(listed.iter().all(|session| good.contains(&&*session.id)));
    let evicted = evicted.lock().expect("no panic");
    assert_eq!(evicted.len(), 48);
    assert!(evicted.iter().all(|session| !good.contains(&&**session)));
}

#[actix_web::test]
async fn a_login_that_replaces_its_browsers_session_ends_no_session_of_other_devices() {
    let clock = clock();
    let (config, evicted) = evictions(with_memory().clock(clock.clone()).max_sessions(2));
    let auth = manager(config.revocation_staleness(Duration::minutes(5)));
    let phone = auth.login("alice").await.expect("opened");
    clock.advance(Duration::seconds(1));
    let browser = auth.login("alice").await.expect("opened");
    let mut answer = HttpResponse::Ok();
    auth.set_cookies(&mut answer, &browser)
        .expect("small enough");
    let answer = answer.finish();
    let request = answer.cookies().fold(TestRequest::default(), |to, cookie| {
        to.cookie(cookie.into_owned())
    });
    let seen = auth.verify_token(browser.auth.signed()).expect("valid");
    assert_eq!(auth.check_revocation(&seen).await, Ok(()));

    clock.advance(Duration::seconds(1));
    let login = auth.login("alice").replacing(&request.to_http_request());
    let again = login.await.expect("opened");
    assert_eq!(auth.check_revocation(&seen).await, REVOKED);
    for token in [&phone.auth, &phone.refresh, &again.auth, &again.refresh] {
        assert_eq!(auth.check_revocation(token).await, Ok(()));
    }
    assert!(evicted.lock().expect("no panic").is_empty());
}

#[actix_web::test]
async fn a_session_ended_to_make_room_is_refused_despite_a_cached_answer() {
    let config = with_memory().clock(clock()).max_sessions(1);
    let auth = manager(config.revocation_staleness(Duration::minutes(5)));
    let first = auth.login("alice").await.expect("opened");
    let seen = auth.verify_token(first.auth.signed()).expect("valid");
    assert_eq!(auth.check_revocation(&seen).await, Ok(()));
    auth.login("alice").await.expect("opened");
    assert_eq!(auth.check_revocation(&seen).await, REVOKED);
}

#[actix_web::test]
async fn a_login_that_finds_no_room_ends_nothing() {
    let clock = clock();
    let config = |store| hs256().clock(clock.clone()).session_store(store);
    let (config, evicted) = evictions(config(MemoryStore::new(3)).max_sessions(2));
    let auth = manager(config);
    let [first, second] = [auth.login("alice").await, auth.login("alice").await];
    auth.login("bob").await.expect("opened");
    for _ in 0..3 {
        let refused = auth.login("alice").await;
        assert!(
            matches!(refused, Err(SessionError::Store(_))),
            "{refused:?}"
        );
    }
    for pair in [first, second] {
        let pair = pair.expect("opened");
        assert_eq!(auth.check_revocation(&pair.auth).await, Ok(()));
    }
    assert!(evicted.lock().expect("no panic").is_empty());
}

/// Revokes a thousand tokens of the subject that belong to no session.
async fn revoke_a_thousand(auth: &AuthManager, subject: &str) {
    for number in 0..1_000 {
        let token = plain(auth, subject, number);
        auth.revoke_token(&token).await.expect("revoked");
    }
}

/// A token without a session, with this number.
fn plain(auth: &AuthManager, subject: &str, number: u32) -> Token {
    let claims = claims_with(json!({"sub": subject, "jti": format!("t{number}")}));
    let signed = forge(header(AuthType::HS256), claims, &keys::key(AuthType::HS256));
    auth.verify_token(&signed).expect("valid")
}

#[actix_web::test]
async fn after_a_thousand_revoked_tokens_the_session_or_the_subject_is_revoked() {
    let auth = manager(with_memory().clock(clock()));
    revoke_a_thousand(&auth, "mallory").await;
    let [one, other] = [auth.login("mallory").await, auth.login("mallory").await];
    let [one, other] = [one.expect("opened"), other.expect("opened")];
    let another = plain(&auth, "mallory", 5_000);
    let bobs = plain(&auth, "bob", 5_000);

    auth.revoke_token(&one.auth).await.expect("revoked");
    for token in [&one.auth, &one.refresh] {
        assert_eq!(auth.check_revocation(token).await, REVOKED);
    }
    for token in [&other.auth, &other.refresh, &another] {
        assert_eq!(auth.check_revocation(token).await, Ok(()));
    }
    let last = plain(&auth, "mallory", 1_000);
    auth.revoke_token(&last).await.expect("revoked");
    for token in [&last, &other.auth, &other.refresh, &another] {
        assert_eq!(auth.check_revocation(token).await, REVOKED);
    }
    assert_eq!(auth.check_revocation(&bobs).await, Ok(()));
    let anew = auth.login("mallory").await.expect("opened");
    assert_eq!(auth.check_revocation(&anew.auth).await, Ok(()));
}

#[actix_web::test]
async fn managers_that_share_a_store_share_its_revocations() {
    let store = Arc::new(MemoryStore::default());
    let clock = clock();
    let with = |store| manager(hs256().clock(clock.clone()).session_store(store));
    let [first, second] = [with(Arc::clone(&store)), with(store)];
    let [one, other] = [first.login("alice").await, second.login("alice").await];
    let [one, other] = [one.expect("opened"), other.expect("opened")];
    assert_eq!(second.check_revocation(&one.auth).await, Ok(()));
    second.logout(&one.auth).await.expect("ended");
    assert_eq!(first.check_revocation(&one.auth).await, REVOKED);
    let next = first.refresh(&other.refresh).await.expect("rotated");
    assert_eq!(second.check_revocation(&next.auth).await, Ok(()));
    assert_eq!(second.sessions("alice").await.expect("listed").len(), 1);
}

/// The log about managers with separate stores in memory when these two are made.
fn log_of(first: Config, second: Config) -> Vec<String> {
    let log = log::capture();
    let _managers = [manager(first), manager(second)];
    let lines = log.take().into_iter();
    let about = lines.filter(|line| line.text.contains("MemoryStore"));
    about
        .map(|line| format!("{} {}", line.level, line.text))
        .collect()
}

#[test]
fn a_second_manager_with_a_separate_memory_store_is_logged() {
    let secret = keys::secret(AuthType::HS256);
    let own = |issuer: &str| Config::new(issuer, AuthType::HS256, &*secret);
    let memory = MemoryStore::default;
    for (first, second) in [
        (
            own("a").session_store(memory()),
            own("a").session_store(memory()),
        ),
        (
            own("b").session_store(Arc::new(memory())),
            own("b").session_store(memory()),
        ),
    ] {
        let logged = log_of(first, second);
        assert_eq!(logged.len(), 1, "{logged:?}");
        assert!(logged[0].starts_with("ERROR"), "{logged:?}");
        for part in ["HttpServer::new", "register a clone", "Arc<MemoryStore>"] {
            assert!(logged[0].contains(part), "{logged:?}");
        }
    }
    let shared = Arc::new(memory());
    let cloned = own("d").session_store(memory());
    let at = |issuer, clock| own(issuer).clock(clock).session_store(memory());
    for (first, second) in [
        (
            own("c").session_store(Arc::clone(&shared)),
            own("c").session_store(shared),
        ),
        (cloned.clone(), cloned),
        (
            own("e").session_store(memory()),
            own("f").session_store(memory()),
        ),
        (own("g").session_store(memory()), own("g")),
        // Tests can make any number of managers.
        (at("h", clock()), at("h", clock())),
    ] {
        assert_eq!(log_of(first, second), [""; 0]);
    }
    // A dropped manager does not count, even if its store is still in use.
    let kept = Arc::new(memory());
    let with_kept = own("k").session_store(Arc::clone(&kept));
    assert_eq!(log_of(with_kept, own("l")), [""; 0]);
    assert_eq!(log_of(own("k").session_store(memory()), own("l")), [""; 0]);
    drop(kept);
    for _ in 0..2 {
        assert_eq!(log_of(own("i").session_store(memory()), own("j")), [""; 0]);
    }
}
