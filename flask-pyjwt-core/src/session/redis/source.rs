//! Where the connections of a line come from, and what its server has to be.

use std::{fmt, sync::Arc};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, RedisResult, Value,
    aio::MultiplexedConnection,
};
use tokio::time::Duration;

use super::{Problem, line::Connected, reply, sentinels::Sentinels};

/// How many requests a connection takes before the first has been written.
const BUFFERED: usize = 1024;

/// Where the connections of a line come from.
#[derive(Clone)]
pub(super) enum Source {
    /// A server that has to be a primary.
    Primary(ConnectionInfo),
    /// The primary that the sentinels name.
    Sentinels(Arc<Sentinels>),
    /// A node of a cluster, which itself sends away what is not its own; or a sentinel.
    Node(ConnectionInfo),
}

impl Source {
    pub(super) async fn connect(
        &self,
        within: Duration,
    ) -> Result<(MultiplexedConnection, Arc<str>), Problem> {
        let (info, has_to_be_primary) = match self {
            Self::Node(info) => (info.clone(), false),
            Self::Primary(info) => (info.clone(), true),
            Self::Sentinels(sentinels) => (sentinels.primary(within / 2).await?, true),
        };
        let server: Arc<str> = info.addr().to_string().into();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(BUFFERED);
        let client = Client::open(info).map_err(|error| Problem::connect(&server, error))?;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| Problem::connect(&server, error))?;
        if has_to_be_primary {
            is_primary(&mut connection, &server).await?;
        }
        if !matches!(self, Self::Node(_)) {
            warn_of_eviction(&mut connection, &server).await;
        }
        Ok((connection, server))
    }

    /// Asks whether a connection holds, and leads to the primary.
    ///
    /// A server that was made a replica goes on answering those who are connected to it, with what it
    /// knows. A node of a cluster does not.
    pub(super) async fn confirm(
        &self,
        connected: &Connected,
        within: Duration,
    ) -> Result<(), Problem> {
        let mut connection = connected.connection.clone();
        match self {
            Self::Node(_) => {
                let answer = ask(&mut connection, &redis::cmd("PING")).await;
                answer.map_err(|error| Problem::connect(&connected.server, error))?;
                Ok(())
            }
            Self::Primary(_) => is_primary(&mut connection, &connected.server).await,
            Self::Sentinels(sentinels) => {
                // Sentinels that cannot be reached have made nobody else the primary.
                if let Ok(info) = sentinels.primary(within / 2).await
                    && info.addr().to_string() != *connected.server
                {
                    let server = connected.server.to_string();
                    return Err(Problem::Replica { server });
                }
                is_primary(&mut connection, &connected.server).await
            }
        }
    }
}

/// What a server is said to be when it cannot be reached. There are no credentials in it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary(info) | Self::Node(info) => info.addr().fmt(f),
            Self::Sentinels(sentinels) => sentinels.fmt(f),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

async fn ask(connection: &mut MultiplexedConnection, command: &Cmd) -> RedisResult<Value> {
    connection.send_packed_command(command).await
}

/// Asks a server whether it is a primary.
async fn is_primary(connection: &mut MultiplexedConnection, server: &str) -> Result<(), Problem> {
    let role = ask(connection, &redis::cmd("ROLE")).await;
    match role.map_err(|error| Problem::connect(server, error))? {
        Value::ServerError(error) => Err(Problem::refused(server, &error)),
        Value::Array(role) if reply::is_text(role.first(), "master") => Ok(()),
        _ => Err(Problem::Replica {
            server: server.to_owned(),
        }),
    }
}

/// Warns of a server that throws away what it holds when it has no room left.
async fn warn_of_eviction(connection: &mut MultiplexedConnection, server: &str) {
    let mut question = redis::cmd("INFO");
    question.arg("memory");
    let Ok(Value::BulkString(info)) = ask(connection, &question).await else {
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
            "this Redis server forgets sessions and revocations when its memory is full: set its \
             maxmemory-policy to noeviction"
        );
    }
}
