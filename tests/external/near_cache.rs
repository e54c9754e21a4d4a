//! `RedisStore` with a near cache, with real servers: what was announced is never overlooked, and without a server
//! that announces, no answer is used.

mod address;
mod agreement;
mod by_hand;
mod cluster;
mod connection;
mod herd;
mod lifetime;
mod load;
#[cfg(target_os = "linux")]
mod partition;
mod processes;
mod rights;
mod sentinel;

use std::sync::atomic::{AtomicU64, Ordering};

use flask_pyjwt::{
    NearCache, RedisStore,
    store::{RedisStoreBuilder, SessionStore, Standing, TokenIdentity},
};
use time::Duration;

use crate::redis_store::records::{Answers as _, NOW, lone, patient};
use support::redis::{Server, wait_until};

/// A store that waits for as long as a busy machine needs, and uses its answers for a minute of silence: so only
/// an announcement or a lost connection makes it forget something within a test.
fn near() -> RedisStoreBuilder {
    patient().near_cache(NearCache::new().max_silence(Duration::MINUTE))
}

/// A store that notices within a second that a server hangs.
fn impatient() -> RedisStoreBuilder {
    let near_cache = NearCache::new().max_silence(Duration::milliseconds(500));
    RedisStore::builder()
        .timeout(Duration::milliseconds(200))
        .near_cache(near_cache)
}

/// A store that gets a sign of life each second, and that a busy machine does not keep from it.
fn lively() -> RedisStoreBuilder {
    patient().near_cache(NearCache::new().max_silence(Duration::seconds(4)))
}

async fn near_to(server: &Server) -> RedisStore {
    near().connect(server.url()).await.expect("connected")
}

fn hits(store: &RedisStore) -> u64 {
    store.near_cache_counts().expect("a near cache").hits
}

/// Waits until checks of a token are answered from the near cache, and returns the answer.
async fn kept(store: &RedisStore, token: &TokenIdentity) -> Standing {
    let mut standing = None;
    wait_until("checks are answered from the near cache", async || {
        let before = hits(store);
        standing = store.standing(token, NOW).await.ok();
        standing.is_some() && hits(store) > before
    })
    .await;
    standing.expect("an answer")
}

/// Returns when a store has heard what was announced before. It asks something new, and the answer comes on the
/// same connection after the announcements.
async fn hears(store: &RedisStore) {
    hears_about(store, "nobody").await;
}

/// The same of the server that has this subject.
async fn hears_about(store: &RedisStore, subject: &str) {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    let new = lone(subject, Some(&format!("new-{number}")), NOW);
    store.standing_of(&new, NOW).await;
}

/// The key of a subject.
fn key(subject: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    format!("flask-pyjwt:{}", BASE64_URL_SAFE_NO_PAD.encode(subject))
}
