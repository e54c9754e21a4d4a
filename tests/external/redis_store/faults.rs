//! A server that is paused, killed and restarted under load.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use actix_web::{rt::time::timeout, web};
use flask_pyjwt::{
    CurrentToken, RedisStore, TokenError, require_token,
    store::{SessionStore, Standing},
    testing::FrozenClock,
};
use futures_util::future::join_all;
use time::Duration;

use super::{
    load::{Load, subjects},
    records::{Answers as _, NOW, auth, connected, opening, reason, session},
    server::{Server, needs_redis, wait_until},
};
use support::{NOW as SECONDS, at, hs256, manager, site::Site};

#[actix_web::test]
async fn a_paused_server_is_an_error_in_time_and_requests_do_not_pile_up() {
    needs_redis!();
    let server = Server::start();
    let store = Rc::new(RedisStore::connect(server.url()).await.expect("connected"));
    let load = Load::start(&store, subjects(20));
    for _ in 0..3 {
        load.wait_for_steps(300).await;
        server.pause();
        load.fails(40).await;
        server.go_on();
    }
    load.wait_for_steps(300).await;
    load.stop().await;

    // Ten thousand concurrent checks to a server that hangs all return.
    store.opens(&session("ann", "1", NOW), NOW).await;
    server.pause();
    let token = auth("ann", "1", "0");
    let questions = join_all((0..10_000).map(|_| store.standing(&token, NOW)));
    let answers = timeout(std::time::Duration::from_secs(60), questions).await;
    assert!(answers.expect("they end").iter().all(Result::is_err));
    server.go_on();
    wait_until("the server answers", async || {
        store
            .standing(&token, NOW)
            .await
            .is_ok_and(|it| it == Standing::Good)
    })
    .await;
}

/// Forwards bytes between a store and a server until the connection is silenced. Then neither side receives
/// anything from the other any more, as when a host has disappeared.
struct Passage {
    port: u16,
    connections: Arc<Mutex<Vec<Arc<AtomicBool>>>>,
}

impl Passage {
    fn to(server: &Server) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::<Mutex<Vec<Arc<AtomicBool>>>>::default();
        let (known, target) = (Arc::clone(&connections), server.port);
        thread::spawn(move || {
            for near in listener.incoming() {
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(("127.0.0.1", target))) else {
                    return;
                };
                let is_silent = Arc::<AtomicBool>::default();
                known
                    .lock()
                    .expect("not poisoned")
                    .push(Arc::clone(&is_silent));
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone(), to.try_clone());
                    let (mut from, mut to) = (from.expect("a stream"), to.expect("a stream"));
                    let is_silent = Arc::clone(&is_silent);
                    thread::spawn(move || {
                        let mut bytes = [0; 4096];
                        while let Ok(count @ 1..) = from.read(&mut bytes) {
                            if is_silent.load(Ordering::Acquire) {
                                continue;
                            }
                            if to.write_all(&bytes[..count]).is_err() {
                                break;
                            }
                        }
                    });
                }
            }
        });
        Self { port, connections }
    }

    fn silence(&self) {
        for is_silent in &*self.connections.lock().expect("not poisoned") {
            is_silent.store(true, Ordering::Release);
        }
    }
}

#[actix_web::test]
async fn a_silent_connection_is_replaced() {
    needs_redis!();
    let server = Server::start();
    let passage = Passage::to(&server);
    let url = format!("redis://127.0.0.1:{}", passage.port);
    let store = RedisStore::builder()
        .timeout(Duration::seconds(1))
        .connect(url)
        .await
        .expect("connected");
    store.opens(&session("ann", "1", NOW), NOW).await;
    for _ in 0..3 {
        passage.silence();
        assert!(store.standing(&auth("ann", "1", "0"), NOW).await.is_err());
        assert_eq!(
            store.standing_of(&auth("ann", "1", "0"), NOW).await,
            Standing::Good
        );
    }
}

#[actix_web::test]
async fn requests_beyond_the_queue_limit_are_refused_at_once() {
    needs_redis!();
    let server = Server::start();
    let builder = RedisStore::builder().timeout(Duration::seconds(2));
    let store = builder.connect(server.url()).await.expect("connected");
    server.pause();
    let token = auth("ann", "1", "0");
    let answers = join_all((0..20_000).map(|_| store.standing(&token, NOW))).await;
    let busy = answers.iter().filter(|answer| {
        let error = answer.as_ref().expect_err("it hangs");
        reason(error) == "too many requests are waiting for Redis"
    });
    assert_eq!(busy.count(), 20_000 - 16_384);
}

#[actix_web::test]
async fn acknowledged_changes_survive_a_killed_server() {
    needs_redis!();
    let mut server = Server::durable();
    let store = Rc::new(RedisStore::connect(server.url()).await.expect("connected"));
    let load = Load::start(&store, subjects(20));
    for _ in 0..3 {
        load.wait_for_steps(300).await;
        server.kill();
        load.fails(20).await;
        server.restart();
    }
    load.wait_for_steps(300).await;
    load.stop().await;
}

#[actix_web::test]
async fn a_restart_between_two_requests_causes_no_error() {
    needs_redis!();
    let mut server = Server::durable();
    let store = connected(&server).await;
    for number in 0..5 {
        let id = number.to_string();
        // A session could already have been ended by others, so it is not opened a second time.
        wait_until("a session is opened", async || {
            store.open(&opening("ann", &id, NOW), NOW).await.is_ok()
        })
        .await;
        server.restart();
        assert_eq!(
            store.standing_of(&auth("ann", &id, "0"), NOW).await,
            Standing::Good
        );
        server.restart();
    }
    assert_eq!(store.lists("ann", NOW).await.len(), 5);
}

#[actix_web::test]
async fn a_connection_closed_by_the_server_causes_no_error() {
    needs_redis!();
    let server = Server::start();
    let store = connected(&server).await;
    store.opens(&session("ann", "1", NOW), NOW).await;
    for _ in 0..20 {
        server.ask::<i64>("CLIENT KILL TYPE normal SKIPME yes");
        assert_eq!(
            store.standing_of(&auth("ann", "1", "0"), NOW).await,
            Standing::Good
        );
    }
}

#[require_token]
async fn me(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[actix_web::test]
async fn threat_35_revoked_tokens_are_refused_and_all_tokens_while_redis_is_down() {
    needs_redis!();
    let mut server = Server::durable();
    let clock = FrozenClock::new(at(SECONDS));
    let store = RedisStore::connect(server.url()).await.expect("connected");
    let auth = manager(hs256().clock(clock.clone()).session_store(store));
    let registered = auth.clone();
    let site = Site::new(move |app| {
        app.app_data(registered.clone())
            .route("/me", web::get().to(me));
    })
    .await;
    let first = auth.login("alice").label("Firefox").await.expect("opened");
    let other = auth.login("alice").await.expect("opened");
    assert_eq!(site.get("/me", first.auth.signed()).await.text(), "alice");
    let second = auth.refresh(&first.refresh).await.expect("rotated");
    let again = auth.refresh(&first.refresh).await.expect("in time");
    assert_eq!(again.refresh.signed(), second.refresh.signed());
    assert_eq!(auth.sessions("alice").await.expect("listed").len(), 2);
    auth.logout(&other.auth).await.expect("ended");
    let reply = site.get("/me", other.auth.signed()).await;
    reply.is_refused(401, "invalid_token", "token_revoked", "logged out");

    server.kill();
    for token in [&second.auth, &other.auth] {
        let reply = site.get("/me", token.signed()).await;
        reply.is_refused(503, "temporarily_unavailable", "unavailable", "down");
    }
    assert!(auth.login("alice").await.is_err());
    server.restart();
    wait_until("the server is back", async || {
        auth.check_revocation(&second.auth).await.is_ok()
    })
    .await;
    let reply = site.get("/me", other.auth.signed()).await;
    reply.is_refused(401, "invalid_token", "token_revoked", "after a restart");

    clock.advance(Duration::seconds(10));
    let replayed = auth.refresh(&first.refresh).await.expect_err("a copy");
    assert_eq!(replayed, TokenError::Replayed.into());
    // A clock that is set back makes nothing valid again.
    clock.set(at(SECONDS));
    for token in [&first.auth, &second.auth, &other.auth] {
        let refused = auth.check_revocation(token).await.expect_err("ended");
        assert_eq!(refused, TokenError::Revoked.into());
    }
}
