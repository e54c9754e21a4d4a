//! Section `near`: checks of a `RedisStore` with a near cache, and how soon a revocation is seen.

mod delay;
mod rates;
mod requests;

use flask_pyjwt::{NearCache, RedisStore};

pub(crate) use self::{
    delay::{MODE as DELAY, watch},
    rates::{MODE as RATES, carry_out},
    requests::Stored,
};
use super::redis_server::RedisServer;
use crate::{report::Report, settings::Settings};

/// Sessions that are live during each measurement.
const SESSIONS: usize = 1_000;

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    if RedisServer::start().is_none() {
        eprintln!("near: redis-server is not installed: it is skipped");
        return;
    }
    for (what, measure) in [
        (
            "rates",
            rates::run as fn(&Settings, &mut Report) -> std::io::Result<()>,
        ),
        ("requests", requests::run),
        ("delay", delay::run),
    ] {
        settings.progress(&format!("near: {what}"));
        if let Err(error) = measure(settings, report) {
            eprintln!("near: {what}: {error}");
        }
    }
}

/// A store with or without a near cache.
async fn store(url: &str, is_near: bool) -> RedisStore {
    let mut builder = RedisStore::builder().timeout(time::Duration::seconds(30));
    if is_near {
        builder = builder.near_cache(NearCache::new());
    }
    builder.connect(url).await.expect("it connects")
}
