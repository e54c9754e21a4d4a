//! The session store that the variable `STORE` names.

use std::error::Error;

use flask_pyjwt::{Config, FileStore, MemoryStore, NearCache, RedisStore};
use flask_pyjwt_postgres::{PostgresStore, sqlx::PgPool};

/// What `STORE` may be.
const ALLOWED: &str = "STORE is `memory`, `file:PATH`, `redis://HOST:PORT` or \
                       `postgres://USER@HOST/DATABASE`, the last two with `?near_cache=1` or without";

/// Adds the store to the configuration.
pub(crate) async fn with_store(config: Config, store: &str) -> Result<Config, Box<dyn Error>> {
    let (scheme, rest) = store.split_once(':').unwrap_or((store, ""));
    match scheme {
        "memory" if store == "memory" => {
            explain("memory", false);
            Ok(config.session_store(MemoryStore::default()))
        }
        "file" if !rest.is_empty() => {
            explain("a file", false);
            Ok(config.session_store(FileStore::open(rest)?))
        }
        "redis" => {
            let (url, has_near_cache) = without_near_cache(store)?;
            let mut store = RedisStore::builder();
            if has_near_cache {
                store = store.near_cache(NearCache::new());
            }
            let store = store.connect(url).await?;
            explain("Redis", has_near_cache);
            Ok(config.session_store(store))
        }
        "postgres" | "postgresql" => {
            let (url, has_near_cache) = without_near_cache(store)?;
            // The pool of the application: the store has its tables in the same database.
            let mut store = PostgresStore::builder(PgPool::connect(&url).await?);
            if has_near_cache {
                store = store.near_cache(NearCache::new());
            }
            let store = store.build()?;
            store.migrate().await?;
            explain("PostgreSQL", has_near_cache);
            Ok(config.session_store(store))
        }
        _ => Err(ALLOWED.into()),
    }
}

fn explain(place: &str, has_near_cache: bool) {
    let near_cache = if has_near_cache {
        ", with a near cache in this process"
    } else {
        ""
    };
    println!("Sessions are kept in {place}{near_cache}.");
}

/// Takes the parameter `near_cache` off a URL, because the driver does not know it. Returns whether it is 1.
fn without_near_cache(url: &str) -> Result<(String, bool), String> {
    let Some((address, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), false));
    };
    let is_ours = |parameter: &&str| parameter.split('=').next() == Some("near_cache");
    let (ours, others): (Vec<_>, Vec<_>) = query.split('&').partition(is_ours);
    let has_near_cache = match ours[..] {
        [] | ["near_cache=0"] => false,
        ["near_cache=1"] => true,
        _ => return Err("`near_cache` in STORE is 0 or 1, and is given once".to_owned()),
    };
    Ok(match others[..] {
        [] => (address.to_owned(), has_near_cache),
        _ => (format!("{address}?{}", others.join("&")), has_near_cache),
    })
}
