//! A server that is used whatever its role: a cluster node or a sentinel.

use std::{fmt, sync::Arc};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ProtocolVersion, RedisResult, Value,
    aio::MultiplexedConnection,
};
use tokio::time::Duration;

use super::{
    announced::Announced,
    connection::{Endpoint, Opened, Server},
    listener::Listener,
    problem::Problem,
    reply,
};

/// How many requests can be queued on a connection before the first one is written.
const BUFFERED: usize = 1024;

/// A cluster node, which redirects requests for keys that it does not have, or a sentinel.
#[derive(Clone)]
pub(super) struct Node(pub(super) ConnectionInfo);

impl Endpoint for Node {
    async fn open(&self, within: Duration) -> Result<Opened, Problem> {
        open(self.0.clone(), within).await
    }

    /// Only checks that the connection works. A node that has lost its slots redirects.
    async fn confirm(&self, opened: &mut Opened, _: Duration) -> Result<(), Problem> {
        let answer = send(&mut opened.connection, &redis::cmd("PING")).await;
        answer.map_err(|error| Problem::connect(&opened.server, error))?;
        Ok(())
    }

    async fn locate(&self, _: Duration) -> Result<ConnectionInfo, Problem> {
        Ok(self.0.clone())
    }

    /// Checks that the node is a primary, that the cluster works, and which slots the node has. A
    /// node that is not asked does not redirect.
    async fn announces(&self, opened: &mut Opened, _: Duration) -> Result<Announced, Problem> {
        let Opened { connection, server } = opened;
        is_primary(connection, server).await?;
        let mut ask = async |what: &str| {
            let mut command = redis::cmd("CLUSTER");
            command.arg(what);
            match send(connection, &command).await {
                Ok(Value::ServerError(error)) => Err(Problem::unannounced(server, &error)),
                Ok(value) => Ok(value),
                Err(error) => Err(Problem::connect(server, error)),
            }
        };
        let info = ask("INFO").await?;
        let nodes = ask("NODES").await?;
        Announced::by_node(&info, &nodes, server)
    }
}

/// The address without credentials.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.addr().fmt(f)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Opens a connection to a server.
pub(super) async fn open(info: ConnectionInfo, within: Duration) -> Result<Opened, Problem> {
    open_with(info, config(within)).await
}

/// Opens a connection on which the server can say what it was not asked.
pub(super) async fn announcing(
    info: ConnectionInfo,
    within: Duration,
    listener: Arc<Listener>,
) -> Result<Opened, Problem> {
    let settings = info.redis_settings().clone();
    let settings = settings.set_protocol(ProtocolVersion::RESP3);
    let config = config(within).set_push_sender(listener);
    open_with(info.set_redis_settings(settings), config).await
}

fn config(within: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(within))
        .set_response_timeout(None)
        .set_pipeline_buffer_size(BUFFERED)
}

async fn open_with(info: ConnectionInfo, config: AsyncConnectionConfig) -> Result<Opened, Problem> {
    let server = Server::new(info.addr().to_string());
    let client = Client::open(info).map_err(|error| Problem::connect(&server, error))?;
    let connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .map_err(|error| Problem::connect(&server, error))?;
    Ok(Opened { connection, server })
}

/// Sends one command.
pub(super) async fn send(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
) -> RedisResult<Value> {
    connection.send_packed_command(command).await
}

/// Checks that a server is a primary.
pub(super) async fn is_primary(
    connection: &mut MultiplexedConnection,
    server: &str,
) -> Result<(), Problem> {
    let role = send(connection, &redis::cmd("ROLE")).await;
    match role.map_err(|error| Problem::connect(server, error))? {
        Value::ServerError(error) => Err(Problem::refused(server, &error)),
        Value::Array(role) if reply::is_text(role.first(), "master") => Ok(()),
        _ => Err(Problem::Replica {
            server: server.to_owned(),
        }),
    }
}
