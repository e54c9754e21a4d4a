//! The servers of a store: one primary, configured or named by sentinels, or a cluster.

use std::{fmt, sync::Arc};

use redis::{Cmd, ConnectionInfo, Pipeline, Value};
use tokio::time::{Duration, Instant};

use super::{
    super::{StoreError, near_cache::Cache},
    cluster::Cluster,
    connection::Server,
    operation::Operation,
    primary::Primary,
    problem::{Problem, is_unknown_script, refusal},
    read_write::ReadWrite,
    reply,
    script::Script,
    settings::Settings,
    tracker::Line,
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
    pub(super) fn single(primary: Primary, settings: Settings, cache: Option<&Arc<Cache>>) -> Self {
        let topology = Topology::Single(ReadWrite::new(primary, settings, cache));
        Self { topology, settings }
    }

    pub(super) fn cluster(
        seeds: Vec<ConnectionInfo>,
        settings: Settings,
        cache: Option<Arc<Cache>>,
    ) -> Self {
        let topology = Topology::Cluster(Cluster::new(seeds, settings, cache));
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
                primary.track();
                match primary.tracker() {
                    Some(tracker) => tracker.ready(deadline).await,
                    None => Ok(()),
                }
            }
            Topology::Cluster(cluster) => {
                cluster.refresh(deadline).await?;
                cluster.tracked(deadline).await
            }
        }
    }

    /// The connection to the server that announces the changes of a key, if there is one.
    pub(super) fn line(&self, key: &[u8]) -> Option<Line> {
        match &self.topology {
            Topology::Single(primary) => primary.tracker()?.line(),
            Topology::Cluster(cluster) => cluster.line(key),
        }
    }

    /// Runs a read command on a key.
    pub(super) async fn read(&self, key: &[u8], question: Cmd) -> Result<Value, StoreError> {
        self.read_on(None, key, question)
            .await
            .map(|(_, value)| value)
    }

    /// Runs a read command on a key, on this connection if it works. Returns whether the reply is
    /// from there.
    pub(super) async fn read_on(
        &self,
        line: Option<Line>,
        key: &[u8],
        question: Cmd,
    ) -> Result<(bool, Value), StoreError> {
        let deadline = Instant::now() + self.settings.timeout;
        let mut commands = Pipeline::with_capacity(1);
        commands.add_command(question);
        if let Some(line) = line {
            match line.ask(&commands, deadline).await {
                // A node that does not have the key redirects. Other errors are told as without a cache.
                Ok(values) => match values.into_iter().next() {
                    None | Some(Value::ServerError(_)) => {}
                    Some(value) => return Ok((true, value)),
                },
                Err(Problem::Broken { .. }) => {}
                Err(problem) => return Err(problem.into()),
            }
        }
        let value = self.read_by(deadline, key, &commands).await?;
        Ok((false, value))
    }

    async fn read_by(
        &self,
        deadline: Instant,
        key: &[u8],
        commands: &Pipeline,
    ) -> Result<Value, StoreError> {
        let (server, values) = self.ask(Operation::Read, key, commands, deadline).await?;
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
    ) -> Result<(Server, Vec<Value>), Problem> {
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
    ) -> Result<(Server, Vec<Value>), Problem> {
        match &self.topology {
            Topology::Single(primary) => {
                let connection = primary.connection(operation);
                let answer = connection.ask(commands, operation, deadline).await?;
                if let Some(tracker) = primary.tracker() {
                    tracker.found(&answer.0);
                }
                Ok(answer)
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
