//! A cluster: which of its nodes has a key.
//!
//! This is not the cluster client of the `redis` crate, as of version 1.8. While that client asks for the
//! slots, none of its requests advances: one node that hangs delays the requests to all others as soon as
//! a slot moves. It goes on asking a node that hangs after a replica was promoted in its place. And it
//! sends a change again when the answer is late or the connection is lost; without retries it follows no
//! redirection either.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use redis::{ConnectionInfo, Pipeline, ServerError, ServerErrorKind, Value};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};

use super::{
    address, connection::Connection, node::Node, operation::Operation, problem::Problem,
    read_write::ReadWrite, reply::as_text, settings::Settings, slot::slot,
};

/// How many redirections a request follows.
const MAX_REDIRECTIONS: usize = 4;
/// The least time between two questions to the nodes for their slots.
const REFRESH_INTERVAL: Duration = Duration::from_millis(100);

/// The nodes of a cluster, each with connections of its own: one that hangs does not delay the others.
pub(super) struct Cluster {
    seeds: Vec<ConnectionInfo>,
    settings: Settings,
    topology: Mutex<Topology>,
    is_refreshing: AtomicBool,
}

/// What is known of the cluster.
#[derive(Default)]
struct Topology {
    /// First and last slot, and the `host:port` of the node that has them.
    ranges: Vec<(u16, u16, Arc<str>)>,
    nodes: HashMap<Arc<str>, ReadWrite<Node>>,
    refreshed: Option<Instant>,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<ConnectionInfo>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            seeds,
            settings,
            topology: Mutex::default(),
            is_refreshing: AtomicBool::new(false),
        })
    }

    /// Sends commands that are all about one key to the node that has it.
    ///
    /// A node that redirects has not carried out what it was sent, so following it sends nothing twice.
    pub(super) async fn ask(
        self: &Arc<Self>,
        operation: Operation,
        key: &[u8],
        commands: &Pipeline,
        deadline: Instant,
    ) -> Result<(Arc<str>, Vec<Value>), Problem> {
        let slot = slot(key);
        let Some(mut node) = self.owner(slot) else {
            self.refresh_soon();
            return Err(Problem::NoNode(slot));
        };
        let mut asks = false;
        for _ in 0..=MAX_REDIRECTIONS {
            let connection = node.connection(operation);
            let answer = if asks {
                ask_with_asking(connection, commands, operation, deadline).await
            } else {
                connection.ask(commands, operation, deadline).await
            };
            let (server, values) = match answer {
                Ok(answer) => answer,
                Err(problem) => {
                    self.refresh_soon();
                    return Err(problem);
                }
            };
            let Some(Value::ServerError(error)) = values.first() else {
                return Ok((server, values));
            };
            match error.kind() {
                Some(ServerErrorKind::Moved) => {
                    self.refresh_soon();
                    asks = false;
                }
                Some(ServerErrorKind::Ask) => asks = true,
                Some(
                    ServerErrorKind::ClusterDown
                    | ServerErrorKind::ReadOnly
                    | ServerErrorKind::MasterDown,
                ) => {
                    self.refresh_soon();
                    return Ok((server, values));
                }
                _ => return Ok((server, values)),
            }
            let Some(next) = self.redirected(error, &server) else {
                return Ok((server, values));
            };
            node = next;
        }
        Err(Problem::Redirected)
    }

    /// Asks the nodes which of them has which slots.
    pub(super) async fn refresh(&self, deadline: Instant) -> Result<(), Problem> {
        let mut asked = JoinSet::new();
        for node in self.known() {
            asked.spawn(async move {
                let mut question = Pipeline::new();
                question.cmd("CLUSTER").arg("SLOTS");
                let (server, values) = node
                    .connection(Operation::Read)
                    .ask(&question, Operation::Read, deadline)
                    .await?;
                match values.first() {
                    Some(Value::ServerError(error)) => Err(Problem::refused(&server, error)),
                    Some(Value::Array(ranges)) => Ok(slot_ranges(ranges, &server)),
                    _ => Ok(Vec::new()),
                }
            });
        }
        let mut problem = Problem::NoNode(0);
        while let Some(answer) = asked.join_next().await {
            match answer.unwrap_or(Err(Problem::Ended)) {
                Ok(ranges) if !ranges.is_empty() => {
                    self.learn(ranges);
                    return Ok(());
                }
                Ok(_) => {}
                Err(it) => problem = it,
            }
        }
        Err(problem)
    }

    /// Asks them again, in the background, where what is known has turned out to be wrong.
    fn refresh_soon(self: &Arc<Self>) {
        let now = Instant::now();
        let is_due = |at: Instant| now.duration_since(at) >= REFRESH_INTERVAL;
        if !self.topology().refreshed.is_none_or(is_due)
            || self.is_refreshing.swap(true, Ordering::AcqRel)
        {
            return;
        }
        let cluster = Arc::clone(self);
        tokio::spawn(async move {
            let refreshed = cluster
                .refresh(now + cluster.settings.connect_timeout)
                .await;
            if let Err(problem) = refreshed {
                tracing::debug!(%problem, "no node of the Redis cluster tells which node has which slots");
            }
            cluster.topology().refreshed = Some(Instant::now());
            cluster.is_refreshing.store(false, Ordering::Release);
        });
    }

    /// All nodes that may know the slots.
    fn known(&self) -> Vec<ReadWrite<Node>> {
        let mut topology = self.topology();
        for seed in &self.seeds {
            self.node(&mut topology, seed.clone());
        }
        topology.nodes.values().cloned().collect()
    }

    /// Replaces what is known. Nodes that have no slots any more are dropped.
    fn learn(&self, ranges: Vec<SlotRange>) {
        let mut topology = self.topology();
        let ranges = ranges.into_iter().map(|it| {
            let info = address::like(&self.seeds[0], &it.host, it.port);
            (it.first, it.last, self.node(&mut topology, info).0)
        });
        let ranges: Vec<_> = ranges.collect();
        topology
            .nodes
            .retain(|address, _| ranges.iter().any(|(.., owner)| owner == address));
        topology.ranges = ranges;
    }

    fn topology(&self) -> MutexGuard<'_, Topology> {
        // A panic cannot leave it half changed.
        self.topology.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node at this address, which is added where it is new.
    fn node(&self, topology: &mut Topology, info: ConnectionInfo) -> (Arc<str>, ReadWrite<Node>) {
        let address: Arc<str> = info.addr().to_string().into();
        let node = topology
            .nodes
            .entry(Arc::clone(&address))
            .or_insert_with(|| ReadWrite::new(Node(info), self.settings));
        let node = node.clone();
        (address, node)
    }

    fn owner(&self, slot: u16) -> Option<ReadWrite<Node>> {
        let topology = self.topology();
        let mut ranges = topology.ranges.iter();
        let (.., owner) = ranges.find(|(first, last, _)| (*first..=*last).contains(&slot))?;
        topology.nodes.get(owner).cloned()
    }

    /// The node that a redirection names: `MOVED slot host:port`. Where it names no host, it
    /// means the host of the node that redirects.
    fn redirected(&self, error: &ServerError, by: &str) -> Option<ReadWrite<Node>> {
        let (_, named) = error.details()?.split_once(' ')?;
        let (host, port) = address::split(named)?;
        let host = match host {
            "" | "?" => address::split(by)?.0,
            host => host,
        };
        let info = address::like(&self.seeds[0], host, port);
        Some(self.node(&mut self.topology(), info).1)
    }
}

/// Asks a node for a key in a slot that it is importing.
async fn ask_with_asking(
    connection: &Arc<Connection<Node>>,
    commands: &Pipeline,
    operation: Operation,
    deadline: Instant,
) -> Result<(Arc<str>, Vec<Value>), Problem> {
    let mut asking = Pipeline::new();
    asking.cmd("ASKING");
    for command in commands.cmd_iter() {
        asking.add_command(command.clone());
    }
    let (server, mut values) = connection.ask(&asking, operation, deadline).await?;
    values.drain(..1);
    Ok((server, values))
}

/// A range of slots, and the node that has them.
struct SlotRange {
    first: u16,
    last: u16,
    host: String,
    port: u16,
}

/// Reads the reply to `CLUSTER SLOTS`: for each range first, last, the primary, replicas.
fn slot_ranges(ranges: &[Value], by: &str) -> Vec<SlotRange> {
    let number = |value: Option<&Value>| match value {
        Some(Value::Int(number)) => u16::try_from(*number).ok(),
        _ => None,
    };
    let slot_range = |range: &Value| {
        let Value::Array(range) = range else {
            return None;
        };
        let Some(Value::Array(primary)) = range.get(2) else {
            return None;
        };
        let host = match primary.first().and_then(as_text) {
            None | Some("" | "?") => address::split(by)?.0,
            Some(host) => host,
        };
        Some(SlotRange {
            first: number(range.first())?,
            last: number(range.get(1))?,
            host: host.to_owned(),
            port: number(primary.get(1))?,
        })
    };
    ranges.iter().filter_map(slot_range).collect()
}

/// The nodes that were configured, without credentials.
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, seed) in self.seeds.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{}", seed.addr())?;
        }
        Ok(())
    }
}
