//! A server that must be the primary: a configured one, or the one that the sentinels name.

use std::{fmt, sync::Arc};

use redis::{ConnectionInfo, Value, aio::MultiplexedConnection};
use tokio::time::Duration;

use super::{
    announced::Announced,
    connection::{Endpoint, Opened},
    node::{is_primary, open, send},
    problem::Problem,
    sentinels::Sentinels,
};

/// A server that must be the primary.
#[derive(Clone)]
pub(super) enum Primary {
    /// This server.
    Configured(Box<ConnectionInfo>),
    /// The server that the sentinels name.
    Named(Arc<Sentinels>),
}

impl Endpoint for Primary {
    async fn open(&self, within: Duration) -> Result<Opened, Problem> {
        let info = self.locate(within / 2).await?;
        let Opened {
            mut connection,
            server,
        } = open(info, within).await?;
        is_primary(&mut connection, &server).await?;
        warn_of_eviction(&mut connection, &server).await;
        Ok(Opened { connection, server })
    }

    /// Checks that the server is still the primary. A server that was made a replica keeps
    /// answering its clients with outdated data.
    async fn confirm(&self, opened: &mut Opened, within: Duration) -> Result<(), Problem> {
        // If no sentinel answers, no failover can have happened.
        if let Self::Named(sentinels) = self
            && let Ok(info) = sentinels.primary(within / 2).await
            && info.addr().to_string() != *opened.server
        {
            let server = opened.server.to_string();
            return Err(Problem::Replica { server });
        }
        is_primary(&mut opened.connection, &opened.server).await
    }

    async fn locate(&self, within: Duration) -> Result<ConnectionInfo, Problem> {
        match self {
            Self::Configured(info) => Ok(ConnectionInfo::clone(info)),
            Self::Named(sentinels) => sentinels.primary(within).await,
        }
    }

    /// The primary announces the changes of all keys.
    async fn announces(&self, opened: &mut Opened, within: Duration) -> Result<Announced, Problem> {
        self.confirm(opened, within).await?;
        let Opened { connection, server } = opened;
        let mut question = redis::cmd("INFO");
        question.arg("commandstats");
        match send(connection, &question).await {
            Ok(Value::ServerError(error)) => Err(Problem::unannounced(server, &error)),
            Ok(statistics) => Announced::by_primary(&statistics, server),
            Err(error) => Err(Problem::connect(server, error)),
        }
    }
}

/// The address, or the name that the sentinels use, without credentials.
impl fmt::Display for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured(info) => info.addr().fmt(f),
            Self::Named(sentinels) => sentinels.fmt(f),
        }
    }
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Logs a warning if the server evicts sessions when its memory is full.
async fn warn_of_eviction(connection: &mut MultiplexedConnection, server: &str) {
    let mut question = redis::cmd("INFO");
    question.arg("memory");
    let Ok(Value::BulkString(info)) = send(connection, &question).await else {
        return;
    };
    let info = String::from_utf8_lossy(&info);
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name));
    let is_bounded = field("maxmemory:").is_some_and(|it| it != "0");
    if let Some(policy) = field("maxmemory_policy:")
        && is_bounded
        && policy != "noeviction"
    {
        tracing::warn!(
            server,
            policy,
            "this Redis server evicts sessions and revocations when its memory is full: set its \
             maxmemory-policy to noeviction"
        );
    }
}
