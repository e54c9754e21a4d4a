//! How a store is connected.

use std::{fmt, sync::Arc};

use redis::ConnectionInfo;
use time::Duration;

use super::{
    super::StoreError, address, primary::Primary, problem::Problem, sentinels::Sentinels,
    servers::Servers, settings::Settings, store::RedisStore, tls::Tls, worker::Worker,
};

const DEFAULT_PREFIX: &str = "flask-pyjwt";
/// A little less than the manager waits by default, which then has the reason to log.
const DEFAULT_TIMEOUT: Duration = Duration::milliseconds(200);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::seconds(2);
const LONGEST_TIMEOUT: Duration = Duration::minutes(1);

/// A [`RedisStore`] in the making: [`RedisStore::builder`].
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
    tls: Tls,
}

impl RedisStore {
    /// Connects to one server: `redis://user:password@host:6379/0`. For sentinels, a cluster and TLS, and
    /// to change what holds by default: [`RedisStore::builder`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], whose source says which server cannot be reached and why, or what
    /// is wrong with the URL.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, StoreError> {
        Self::builder().connect(url).await
    }

    /// Configures a store with other servers or other times than [`RedisStore::connect`] has.
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
            tls: Tls::default(),
        }
    }

    /// Sets what the keys begin with, before a colon: by default `flask-pyjwt`. Stores that have the
    /// same are one store; two applications with keys of their own need two.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how many replicas have to have a change before it counts: by default none. A change that
    /// fewer have acknowledged in time is an error, although it may have been made.
    ///
    /// Only what all replicas have is certain to survive the loss of the primary.
    pub fn wait_for_replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// Sets for how long an answer is waited for, connecting anew included: 1 millisecond to a
    /// minute, by default 200 milliseconds. It should be a little less than
    /// [`Config::store_timeout`](crate::Config::store_timeout): then the log says what was wrong.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets for how long one attempt to connect may take: 1 millisecond to a minute, by default two
    /// seconds. Requests do not wait for so long.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Connects to one server: `redis://user:password@host:6379/0`, `rediss://…` with TLS (feature
    /// `redis-store-tls`), or `unix:///path/to/socket`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], whose source says which server cannot be reached and why, or what
    /// cannot be a configuration.
    pub async fn connect(self, url: impl AsRef<str>) -> Result<RedisStore, StoreError> {
        let settings = self.settings()?;
        let target = self.target(url.as_ref())?;
        let primary = Primary::Configured(Box::new(target));
        self.start(Servers::single(primary, settings), settings)
            .await
    }

    /// Connects to the primary that these sentinels name, and after a failover to the next one.
    ///
    /// `primary` is the name by which they know it. Where it asks for a password, has another database
    /// than 0 or TLS, it is a URL with the name in place of the host:
    /// `rediss://user:password@mymaster/1`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], whose source says what is wrong.
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
            return Err(Problem::configuration("the primary needs its name").into());
        }
        let sentinels = Sentinels::new(sentinels, name, primary, settings.connect_timeout);
        let primary = Primary::Named(Arc::new(sentinels));
        self.start(Servers::single(primary, settings), settings)
            .await
    }

    /// Connects to a cluster by some of its nodes, which say where the others are. Credentials and
    /// TLS of the first are those of all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], whose source says what is wrong.
    pub async fn connect_cluster<S: AsRef<str>>(
        self,
        nodes: impl IntoIterator<Item = S>,
    ) -> Result<RedisStore, StoreError> {
        let settings = self.settings()?;
        let nodes = self.targets(nodes)?;
        if nodes.iter().any(|node| node.redis_settings().db() != 0) {
            return Err(Problem::configuration("a cluster has only the database 0").into());
        }
        if nodes.iter().any(|node| address::host(node).is_none()) {
            return Err(Problem::configuration("the nodes of a cluster have hosts").into());
        }
        self.start(Servers::cluster(nodes, settings), settings)
            .await
    }

    /// The values that every way of connecting needs, checked.
    fn settings(&self) -> Result<Settings, Problem> {
        let limits = Duration::MILLISECOND..=LONGEST_TIMEOUT;
        for (name, timeout) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if !limits.contains(&timeout) {
                let reason = format!("`{name}` must be 1 millisecond to a minute");
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

    /// Starts the thread, and makes the first connection.
    async fn start(self, servers: Servers, settings: Settings) -> Result<RedisStore, StoreError> {
        let worker = Worker::start().map_err(StoreError::unavailable)?;
        let servers = Arc::new(servers);
        let connecting = Arc::clone(&servers);
        let connected = async move { connecting.connect(settings.connect_timeout).await };
        worker.run(connected).await?;
        Ok(RedisStore::new(servers, worker, self.prefix))
    }
}

#[cfg(feature = "redis-store-tls")]
impl RedisStoreBuilder {
    /// Sets the certificate authorities that are trusted for servers, in PEM, in place of the
    /// system's.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.tls.roots = Some(pem.as_ref().to_vec());
        self
    }

    /// Sets the certificate and the key by which servers know this client, in PEM.
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
            .finish_non_exhaustive()
    }
}
