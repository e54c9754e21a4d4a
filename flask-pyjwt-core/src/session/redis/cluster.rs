//! A Redis cluster: finds the node that has a key.
//!
//! This does not use the cluster client of the `redis` crate (version 1.8), for three reasons.
//! While that client asks for the slots, none of its requests advances, so one node that hangs
//! delays all requests as soon as a slot moves. It keeps using a node that hangs after a replica
//! was promoted. And it sends a change again after a late answer or a lost connection, while
//! without retries it does not follow redirections.

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
    super::near_cache::Cache,
    address,
    connection::{Connection, Server},
    node::Node,
    operation::Operation,
    problem::Problem,
    read_write::ReadWrite,
    reply::as_text,
    settings::Settings,
    slot::slot,
    tracker::Line,
};

/// How many redirections a request follows at most.
const MAX_REDIRECTIONS: usize = 4;
/// The shortest time between two questions for the slots.
const REFRESH_INTERVAL: Duration = Duration::from_millis(100);

/// The nodes of a cluster. Each has its own connections, so a node that hangs does not delay the
/// others.
pub(super) struct Cluster {
    seeds: Vec<ConnectionInfo>,
    settings: Settings,
    /// The near cache of the store, if it has one.
    cache: Option<Arc<Cache>>,
    topology: Mutex<Topology>,
    is_refreshing: AtomicBool,
}

/// What the client knows about the cluster.
#[derive(Default)]
struct Topology {
    /// First slot, last slot, and the `host:port` of their node.
    ranges: Vec<(u16, u16, Arc<str>)>,
    nodes: HashMap<Arc<str>, ReadWrite<Node>>,
    refreshed: Option<Instant>,
}

impl Cluster {
    pub(super) fn new(
        seeds: Vec<ConnectionInfo>,
        settings: Settings,
        cache: Option<Arc<Cache>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            seeds,
            settings,
            cache,
            topology: Mutex::default(),
            is_refreshing: AtomicBool::new(false),
        })
    }

    /// Sends commands for one key to the node that has the key.
    ///
    /// A node that redirects has not executed the commands, so following a redirection sends
    /// nothing twice.
    pub(super) async fn ask(
        self: &Arc<Self>,
        operation: Operation,
        key: &[u8],
        commands: &Pipeline,
        deadline: Instant,
    ) -> Result<(Server, Vec<Value>), Problem> {
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
                Ok(answer) => {
                    if let Some(tracker) = node.tracker() {
                        tracker.found(&answer.0);
                    }
                    answer
                }
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

    /// The connection to the node that announces the changes of a key, if there is one.
    pub(super) fn line(&self, key: &[u8]) -> Option<Line> {
        self.cache.as_ref()?;
        self.owner(slot(key))?.tracker()?.line()
    }

    /// Waits until the nodes announce changes, if the store has a near cache. A node that cannot be
    /// reached is no error, as long as others can.
    pub(super) async fn tracked(&self, deadline: Instant) -> Result<(), Problem> {
        let nodes: Vec<_> = self.topology().nodes.values().cloned().collect();
        for tracker in nodes.iter().filter_map(ReadWrite::tracker) {
            if let Err(problem @ Problem::Unannounced { .. }) = tracker.ready(deadline).await {
                return Err(problem);
            }
        }
        Ok(())
    }

    /// Asks the nodes for their slots.
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

    /// Asks for the slots again in the background, after an answer showed that the known ones are
    /// outdated.
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
                tracing::debug!(%problem, "no node of the Redis cluster answers which node has which slots");
            }
            cluster.topology().refreshed = Some(Instant::now());
            cluster.is_refreshing.store(false, Ordering::Release);
        });
    }

    /// All nodes that can answer which node has which slots.
    fn known(&self) -> Vec<ReadWrite<Node>> {
        let mut topology = self.topology();
        for seed in &self.seeds {
            self.node(&mut topology, seed.clone());
        }
        topology.nodes.values().cloned().collect()
    }

    /// Replaces the known slots. Nodes without slots are dropped.
    fn learn(&self, ranges: Vec<SlotRange>) {
        let mut topology = self.topology();
        let ranges = ranges.into_iter().map(|it| {
            let info = address::like(&self.seeds[0], &it.host, it.port);
            (it.first, it.last, self.node(&mut topology, info).0)
        });
        let ranges: Vec<_> = ranges.collect();
        // The node of a dropped connection announces nothing any more.
        topology
            .nodes
            .retain(|address, _| ranges.iter().any(|(.., owner)| owner == address));
        for node in topology.nodes.values() {
            node.track();
        }
        topology.ranges = ranges;
    }

    fn topology(&self) -> MutexGuard<'_, Topology> {
        // A panic cannot leave it half-changed, so a poisoned lock is usable.
        self.topology.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node at this address. A new one is added.
    fn node(&self, topology: &mut Topology, info: ConnectionInfo) -> (Arc<str>, ReadWrite<Node>) {
        let address: Arc<str> = info.addr().to_string().into();
        let node = topology
            .nodes
            .entry(Arc::clone(&address))
            .or_insert_with(|| ReadWrite::new(Node(info), self.settings, self.cache.as_ref()));
        let node = node.clone();
        (address, node)
    }

    fn owner(&self, slot: u16) -> Option<ReadWrite<Node>> {
        let topology = self.topology();
        let mut ranges = topology.ranges.iter();
        let (.., owner) = ranges.find(|(first, last, _)| (*first..=*last).contains(&slot))?;
        topology.nodes.get(owner).cloned()
    }

    /// The node that a redirection names: `MOVED slot host:port`. Without a host, it is the host of
    /// the redirecting node.
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

/// Asks a node for a key in a slot that the node is importing.
async fn ask_with_asking(
    connection: &Arc<Connection<Node>>,
    commands: &Pipeline,
    operation: Operation,
    deadline: Instant,
) -> Result<(Server, Vec<Value>), Problem> {
    let mut asking = Pipeline::new();
    asking.cmd("ASKING");
    for command in commands.cmd_iter() {
        asking.add_command(command.clone());
    }
    let (server, mut values) = connection.ask(&asking, operation, deadline).await?;
    values.drain(..1);
    Ok((server, values))
}

/// A range of slots and its node.
struct SlotRange {
    first: u16,
    last: u16,
    host: String,
    port: u16,
}

/// Parses the reply to `CLUSTER SLOTS`. Each range has the first slot, the last slot, the primary
/// and the replicas.
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

/// The configured nodes, without credentials.
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, seed) in self.seeds.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{}", seed.addr())?;
        }
        Ok(())
    }
}
