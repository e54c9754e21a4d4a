//! Configures and connects a store.

use std::{fmt, sync::Arc};

use redis::ConnectionInfo;
use time::Duration;

use super::{
    super::{
        StoreError,
        near_cache::{Cache, NearCache},
    },
    address,
    primary::Primary,
    problem::Problem,
    sentinels::Sentinels,
    servers::Servers,
    settings::Settings,
    store::RedisStore,
    tls::Tls,
    worker::Worker,
};

const DEFAULT_PREFIX: &str = "flask-pyjwt";
/// A little less than the default timeout of the manager, so that the manager can log the reason.
const DEFAULT_TIMEOUT: Duration = Duration::milliseconds(200);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::seconds(2);
const MAX_TIMEOUT: Duration = Duration::minutes(1);

/// Configures and connects a [`RedisStore`]. Created by [`RedisStore::builder`].
///
/// ```no_run
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::builder()
///     .prefix("shop")
///     .wait_for_replicas(1)
///     .connect_sentinel(
///         ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379", "redis://10.0.0.3:26379"],
///         "mymaster",
///     )
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[must_use = "a store is connected by one of the `connect` methods"]
#[derive(Clone)]
pub struct RedisStoreBuilder {
    prefix: String,
    replicas: u32,
    timeout: Duration,
    connect_timeout: Duration,
    near_cache: Option<NearCache>,
    tls: Tls,
}

impl RedisStore {
    /// Connects to a single server, given as `redis://user:password@host:6379/0`.
    ///
    /// Use [`RedisStore::builder`] for Sentinel, a cluster, client certificates, and other
    /// timeouts.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Its source says which server cannot be reached and why, or what
    /// is wrong with the URL.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::RedisStore;
    ///
    /// # #[actix_web::main]
    /// # async fn main() {
    /// // The scheme is wrong. With a server, `redis://localhost:6379/0` is accepted.
    /// assert!(RedisStore::connect("http://localhost:6379").await.is_err());
    /// # }
    /// ```
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, StoreError> {
        Self::builder().connect(url).await
    }

    /// Returns a builder for other servers or settings than [`RedisStore::connect`] uses.
    pub fn builder() -> RedisStoreBuilder {
        RedisStoreBuilder::new()
    }
}

impl RedisStoreBuilder {
    fn new() -> Self {
        Self {
            prefix: DEFAULT_PREFIX.to_owned(),
            replicas: 0,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            near_cache: None,
            tls: Tls::default(),
        }
    }

    /// Sets the prefix of the keys, which is followed by a colon. The default is `flask-pyjwt`.
    ///
    /// Stores with the same prefix share their sessions. Two applications with different keys need
    /// different prefixes.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how many replicas must acknowledge a change before it counts. The default is none.
    ///
    /// If fewer replicas acknowledge a change in time, the result is an error, although the change
    /// may have been made. Only changes that all replicas have are certain to survive the loss of
    /// the primary.
    pub fn wait_for_replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets how long to wait for an answer, including a reconnection: 1 millisecond to 1 minute.
    /// The default is 200 milliseconds.
    ///
    /// Choose a little less than [`Config::store_timeout`](crate::Config::store_timeout). Then the
    /// log says what was wrong.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long one attempt to connect may take: 1 millisecond to 1 minute. The default is 2
    /// seconds. Requests do not wait this long.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Keeps answers about auth tokens in this process. Redis announces when they change. Without
    /// this, each check asks Redis.
    ///
    /// A revocation by another process takes effect here as soon as its announcement arrives,
    /// usually within a millisecond. Without a sign of life of the server for
    /// [`max_silence`](NearCache::max_silence), no answer is used any more, and each check asks
    /// Redis as without a near cache. Refresh tokens are never answered from the cache.
    ///
    /// This opens one more connection to each server, with RESP3 and `CLIENT TRACKING`. The user of
    /// Redis needs the permission `+client|tracking`, and in a cluster also `+cluster|info` and
    /// `+cluster|nodes`. If a server does not announce changes, connecting fails.
    ///
    /// ```no_run
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{NearCache, RedisStore};
    /// use time::Duration;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let near_cache = NearCache::new().max_silence(Duration::milliseconds(500));
    /// let store = RedisStore::builder().near_cache(near_cache);
    /// let store = store.connect("redis://127.0.0.1:6379").await?;
    ///
    /// // Out of range: without a sign of life for an hour, revocations could go unnoticed.
    /// let near_cache = NearCache::new().max_silence(Duration::HOUR);
    /// let refused = RedisStore::builder().near_cache(near_cache);
    /// assert!(refused.connect("redis://127.0.0.1:6379").await.is_err());
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    pub fn near_cache(mut self, near_cache: NearCache) -> Self {
        self.near_cache = Some(near_cache);
        self
    }

    /// Connects to a single server: `redis://user:password@host:6379/0`, `rediss://…` for TLS
    /// (feature `redis-store-tls`), or `unix:///path/to/socket`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Its source says which server cannot be reached and why, or
    /// which setting is invalid.
    pub async fn connect(self, url: impl AsRef<str>) -> Result<RedisStore, StoreError> {
        let settings = self.settings()?;
        let target = self.target(url.as_ref())?;
        let primary = Primary::Configured(Box::new(target));
        let cache = self.cache()?;
        let servers = Servers::single(primary, settings, cache.as_ref());
        self.start(servers, settings, cache).await
    }

    /// Connects to the primary that these Sentinel servers name, and to the next one after a
    /// failover.
    ///
    /// `primary` is the name that the sentinels use for it. If the primary needs a password, TLS or
    /// another database than 0, give a URL with the name in place of the host:
    /// `rediss://user:password@mymaster/1`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Its source says which server cannot be reached and why, or
    /// which setting is invalid.
    pub async fn connect_sentinel<S: AsRef<str>>(
        self,
        sentinels: impl IntoIterator<Item = S>,
        primary: impl AsRef<str>,
    ) -> Result<RedisStore, StoreError> {
        let settings = self.settings()?;
        let sentinels = self.targets(sentinels)?;
        let primary = primary.as_ref();
        let (name, primary) = if primary.contains("://") {
            let primary = self.target(primary)?;
            (
                address::host(&primary).unwrap_or_default().to_owned(),
                primary,
            )
        } else {
            (primary.to_owned(), self.target("redis://primary")?)
        };
        if name.is_empty() {
            return Err(Problem::configuration("the name of the primary is missing").into());
        }
        let sentinels = Sentinels::new(sentinels, name, primary, settings.connect_timeout);
        let primary = Primary::Named(Arc::new(sentinels));
        let cache = self.cache()?;
        let servers = Servers::single(primary, settings, cache.as_ref());
        self.start(servers, settings, cache).await
    }

    /// Connects to a cluster through some of its nodes, which tell the addresses of the others.
    /// Credentials and TLS settings of the first node are used for all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Its source says which server cannot be reached and why, or
    /// which setting is invalid.
    pub async fn connect_cluster<S: AsRef<str>>(
        self,
        nodes: impl IntoIterator<Item = S>,
    ) -> Result<RedisStore, StoreError> {
        let settings = self.settings()?;
        let nodes = self.targets(nodes)?;
        if nodes.iter().any(|node| node.redis_settings().db() != 0) {
            return Err(Problem::configuration("a cluster only has database 0").into());
        }
        if nodes.iter().any(|node| address::host(node).is_none()) {
            return Err(Problem::configuration("a cluster node needs a host").into());
        }
        let cache = self.cache()?;
        let servers = Servers::cluster(nodes, settings, cache.clone());
        self.start(servers, settings, cache).await
    }

    /// Checks the settings that every way of connecting needs.
    fn settings(&self) -> Result<Settings, Problem> {
        let limits = Duration::MILLISECOND..=MAX_TIMEOUT;
        for (name, timeout) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if !limits.contains(&timeout) {
                let reason = format!("`{name}` must be between 1 millisecond and 1 minute");
                return Err(Problem::Configuration(reason));
            }
        }
        if self.prefix.is_empty() {
            return Err(Problem::configuration("`prefix` is empty"));
        }
        Ok(Settings {
            timeout: self.timeout.unsigned_abs(),
            connect_timeout: self.connect_timeout.unsigned_abs(),
            replicas: self.replicas,
        })
    }

    fn cache(&self) -> Result<Option<Arc<Cache>>, Problem> {
        let cache = self.near_cache.as_ref().map(Cache::new);
        cache.transpose().map_err(Problem::configuration)
    }

    fn target(&self, url: &str) -> Result<ConnectionInfo, Problem> {
        self.tls.apply(address::parse(url)?)
    }

    fn targets<S: AsRef<str>>(
        &self,
        urls: impl IntoIterator<Item = S>,
    ) -> Result<Vec<ConnectionInfo>, Problem> {
        let targets = urls.into_iter().map(|url| self.target(url.as_ref()));
        let targets = targets.collect::<Result<Vec<_>, Problem>>()?;
        if targets.is_empty() {
            return Err(Problem::configuration("the list of servers is empty"));
        }
        Ok(targets)
    }

    /// Starts the thread and makes the first connection.
    async fn start(
        self,
        servers: Servers,
        settings: Settings,
        cache: Option<Arc<Cache>>,
    ) -> Result<RedisStore, StoreError> {
        let worker = Worker::start().map_err(StoreError::unavailable)?;
        let servers = Arc::new(servers);
        let connecting = Arc::clone(&servers);
        let connected = async move { connecting.connect(settings.connect_timeout).await };
        worker.run(connected).await?;
        Ok(RedisStore::new(servers, worker, self.prefix, cache))
    }
}

#[cfg(feature = "redis-store-tls")]
impl RedisStoreBuilder {
    /// Sets the trusted certificate authorities for servers, in PEM. They replace those of the
    /// system.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.tls.roots = Some(pem.as_ref().to_vec());
        self
    }

    /// Sets the certificate and the private key of this client, in PEM.
    pub fn client_certificate(
        mut self,
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Self {
        self.tls.client = Some(redis::ClientTlsConfig {
            client_cert: certificate.as_ref().to_vec(),
            client_key: key.as_ref().to_vec(),
        });
        self
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("replicas", &self.replicas)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("near_cache", &self.near_cache)
            .finish_non_exhaustive()
    }
}
