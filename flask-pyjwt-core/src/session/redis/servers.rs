//! The servers of a store: one primary, configured or named by sentinels, or a cluster.

use std::{fmt, sync::Arc};

use redis::{Cmd, ConnectionInfo, Pipeline, Value};
use tokio::time::{Duration, Instant};

use super::{
    super::StoreError,
    cluster::Cluster,
    operation::Operation,
    primary::Primary,
    problem::{Problem, is_unknown_script, refusal},
    read_write::ReadWrite,
    reply,
    script::Script,
    settings::Settings,
};

/// The servers of a store.
pub(super) struct Servers {
    topology: Topology,
    settings: Settings,
}

enum Topology {
    /// One primary.
    Single(ReadWrite<Primary>),
    Cluster(Arc<Cluster>),
}

impl Servers {
    pub(super) fn single(primary: Primary, settings: Settings) -> Self {
        let topology = Topology::Single(ReadWrite::new(primary, settings));
        Self { topology, settings }
    }

    pub(super) fn cluster(seeds: Vec<ConnectionInfo>, settings: Settings) -> Self {
        let topology = Topology::Cluster(Cluster::new(seeds, settings));
        Self { topology, settings }
    }

    /// Whether changes wait for replicas.
    pub(super) fn waits(&self) -> bool {
        self.settings.replicas > 0
    }

    /// Opens the first connections.
    pub(super) async fn connect(&self, within: Duration) -> Result<(), Problem> {
        let deadline = Instant::now() + within;
        match &self.topology {
            Topology::Single(primary) => {
                for operation in [Operation::Read, Operation::Write] {
                    primary.connection(operation).ready(deadline).await?;
                }
                Ok(())
            }
            Topology::Cluster(cluster) => cluster.refresh(deadline).await,
        }
    }

    /// Runs a read command on a key.
    pub(super) async fn read(&self, key: &[u8], question: Cmd) -> Result<Value, StoreError> {
        let deadline = Instant::now() + self.settings.timeout;
        let mut commands = Pipeline::with_capacity(1);
        commands.add_command(question);
        let (server, values) = self.ask(Operation::Read, key, &commands, deadline).await?;
        match values.into_iter().next() {
            Some(Value::ServerError(error)) => Err(refusal(&server, &error)),
            Some(value) => Ok(value),
            None => Err(reply::unexpected()),
        }
    }

    /// Runs a script on a key. When this returns, the required replicas have the change.
    pub(super) async fn write(
        &self,
        key: &[u8],
        script: &Script,
        args: &[Vec<u8>],
    ) -> Result<Value, StoreError> {
        let deadline = Instant::now() + self.settings.timeout;
        let by_hash = script.by_hash(key, args);
        let mut answer = self.run(script.operation, key, by_hash, deadline).await?;
        if matches!(answer.1.first(), Some(Value::ServerError(error)) if is_unknown_script(error)) {
            let by_code = script.by_code(key, args);
            answer = self.run(script.operation, key, by_code, deadline).await?;
        }
        let (server, values) = answer;
        let mut values = values.into_iter();
        let value = match values.next() {
            Some(Value::ServerError(error)) => return Err(refusal(&server, &error)),
            Some(value) => value,
            None => return Err(reply::unexpected()),
        };
        if self.settings.replicas == 0 {
            return Ok(value);
        }
        match values.next() {
            Some(Value::Int(acknowledged)) if acknowledged >= i64::from(self.settings.replicas) => {
                Ok(value)
            }
            Some(Value::Int(acknowledged)) => Err(Problem::Replicas {
                wanted: self.settings.replicas,
                acknowledged,
            }
            .into()),
            Some(Value::ServerError(error)) => Err(refusal(&server, &error)),
            _ => Err(reply::unexpected()),
        }
    }

    /// Sends a change together with the command that waits for the replicas.
    async fn run(
        &self,
        operation: Operation,
        key: &[u8],
        change: Cmd,
        deadline: Instant,
    ) -> Result<(Arc<str>, Vec<Value>), Problem> {
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(change);
        if self.settings.replicas > 0 {
            let remaining = deadline.duration_since(Instant::now());
            let milliseconds = replica_timeout(remaining).as_millis().max(1);
            let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
            commands
                .cmd("WAIT")
                .arg(self.settings.replicas)
                .arg(milliseconds);
        }
        self.ask(operation, key, &commands, deadline).await
    }

    async fn ask(
        &self,
        operation: Operation,
        key: &[u8],
        commands: &Pipeline,
        deadline: Instant,
    ) -> Result<(Arc<str>, Vec<Value>), Problem> {
        match &self.topology {
            Topology::Single(primary) => {
                let connection = primary.connection(operation);
                connection.ask(commands, operation, deadline).await
            }
            Topology::Cluster(cluster) => cluster.ask(operation, key, commands, deadline).await,
        }
    }
}

/// How long the server waits for its replicas. This is less than the request waits, so that the
/// answer arrives in time: the server checks its waiting clients only ten times a second.
fn replica_timeout(remaining: Duration) -> Duration {
    let late = Duration::from_millis(100);
    (remaining.saturating_sub(late) * 3 / 4).max(remaining / 4)
}

/// The addresses without credentials.
impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.topology {
            Topology::Single(primary) => primary.connection(Operation::Read).fmt(f),
            Topology::Cluster(cluster) => cluster.fmt(f),
        }
    }
}
