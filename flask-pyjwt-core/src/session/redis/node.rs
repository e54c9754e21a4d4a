//! A server that is used whatever its role: a cluster node or a sentinel.

use std::{fmt, sync::Arc};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, RedisResult, Value,
    aio::MultiplexedConnection,
};
use tokio::time::Duration;

use super::{
    connection::{Endpoint, Opened},
    problem::Problem,
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
    let server: Arc<str> = info.addr().to_string().into();
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(within))
        .set_response_timeout(None)
        .set_pipeline_buffer_size(BUFFERED);
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
