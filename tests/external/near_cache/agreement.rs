//! The rules of every store, with two stores that have near caches and are used in turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use flask_pyjwt::{
    RedisStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreFuture, TokenIdentity,
    },
    store_conformance,
};

use super::{hears, near, near_to};
use crate::{
    redis_store::{conformance::Own, rules, same::histories_agree},
    session_model::try_histories,
};
use support::redis::{Server, needs_redis};

/// Two stores on one server. Each operation uses the other one, after that has heard of the previous operation.
#[derive(Debug)]
struct Alternating {
    stores: [RedisStore; 2],
    turn: AtomicUsize,
}

impl Alternating {
    async fn with_prefix(server: &Server, prefix: &str) -> Self {
        let connect = async || {
            let store = near().prefix(prefix).connect(server.url()).await;
            store.expect("connected")
        };
        Self {
            stores: [connect().await, connect().await],
            turn: AtomicUsize::new(0),
        }
    }

    async fn next(&self) -> &RedisStore {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let store = &self.stores[turn % 2];
        hears(store).await;
        store
    }
}

impl SessionStore for Alternating {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move { self.next().await.open(opening, now).await })
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        Box::pin(async move { self.next().await.rotate(rotation).await })
    }
    /// Asks twice, so that the second answer is from the near cache if it may be.
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let store = self.next().await;
            store.standing(token, now).await?;
            store.standing(token, now).await
        })
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move { self.next().await.mark_used(token, now).await })
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move { self.next().await.revoke(revocation, now).await })
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        Box::pin(async move { self.next().await.sessions(subject, most, now).await })
    }
    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { self.next().await.adopt(subject, sessions, now).await })
    }
}

async fn two(server: &Server) -> Alternating {
    Alternating::with_prefix(server, "flask-pyjwt").await
}

async fn fresh() -> Own {
    Own::new(two).await
}

async fn reopened(own: Own) -> Own {
    own.again(two).await
}

store_conformance!(rules_of_two, fresh, reopened);

#[actix_web::test]
async fn one_store_keeps_the_rules() {
    needs_redis!();
    let server = Server::start();
    rules::are_kept(&near_to(&server).await).await;
    server.ask::<String>("FLUSHALL");
    rules::are_kept(&two(&server).await).await;
}

#[actix_web::test]
async fn random_histories_have_the_same_outcome_as_in_rust() {
    needs_redis!();
    let server = Server::start();
    let clear = || drop(server.ask::<String>("FLUSHALL"));
    histories_agree(&near_to(&server).await, 16, clear).await;
    histories_agree(&two(&server).await, 8, clear).await;
}

/// Each history has its own keys.
#[test]
fn histories_of_sessions_agree_with_the_model() {
    needs_redis!();
    let server = Server::start();
    let number = AtomicUsize::new(0);
    try_histories(15, async |_| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Alternating::with_prefix(&server, &format!("history-{number}")).await
    });
}
