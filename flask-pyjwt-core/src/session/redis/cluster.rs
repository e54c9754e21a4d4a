//! A cluster: which of its nodes a key is asked of.

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
    Problem,
    line::{Line, Times},
    pair::{Pair, Way},
    reply::as_text,
    servers::Settings,
    slot::slot,
    source::Source,
    target,
};

/// How often a request follows a redirection.
const MOST_REDIRECTIONS: usize = 4;
/// The nodes are asked for the slots no more often than this.
const PAUSE: Duration = Duration::from_millis(100);

/// The nodes of a cluster, each with lines of its own: one that hangs does not concern the others.
pub(super) struct Cluster {
    seeds: Vec<ConnectionInfo>,
    settings: Settings,
    map: Mutex<Map>,
    is_refreshing: AtomicBool,
}

/// What is known of the cluster.
#[derive(Default)]
struct Map {
    /// First and last slot, and whose they are, by `host:port`.
    ranges: Vec<(u16, u16, Arc<str>)>,
    nodes: HashMap<Arc<str>, Pair>,
    refreshed: Option<Instant>,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<ConnectionInfo>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            seeds,
            settings,
            map: Mutex::default(),
            is_refreshing: AtomicBool::new(false),
        })
    }

    /// Sends commands that are all about one key to the node that has it.
    pub(super) async fn ask(
        self: &Arc<Self>,
        way: Way,
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
        for _ in 0..=MOST_REDIRECTIONS {
            let line = node.line(way);
            let answer = if asks {
                ask_in_passing(line, commands, way.times(), deadline).await
            } else {
                line.ask(commands, way.times(), deadline).await
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
                    .line(Way::Read)
                    .ask(&question, Times::Any, deadline)
                    .await?;
                match values.first() {
                    Some(Value::ServerError(error)) => Err(Problem::refused(&server, error)),
                    Some(Value::Array(ranges)) => Ok(owners(ranges, &server)),
                    _ => Ok(Vec::new()),
                }
            });
        }
        let mut problem = Problem::NoNode(0);
        while let Some(answer) = asked.join_next().await {
            match answer.unwrap_or(Err(Problem::Ended)) {
                Ok(owners) if !owners.is_empty() => {
                    self.learn(owners);
                    return Ok(());
                }
                Ok(_) => {}
                Err(it) => problem = it,
            }
        }
        Err(problem)
    }

    /// Asks them again, beside the requests, where what is known has turned out to be wrong.
    fn refresh_soon(self: &Arc<Self>) {
        let now = Instant::now();
        let is_due = |at: Instant| now.duration_since(at) >= PAUSE;
        if !self.map().refreshed.is_none_or(is_due)
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
                tracing::debug!(%problem, "nobody says which node has which slots");
            }
            cluster.map().refreshed = Some(Instant::now());
            cluster.is_refreshing.store(false, Ordering::Release);
        });
    }

    /// All nodes that may know anything.
    fn known(&self) -> Vec<Pair> {
        let mut map = self.map();
        for seed in &self.seeds {
            self.node(&mut map, seed.clone());
        }
        map.nodes.values().cloned().collect()
    }

    /// Replaces what is known. Nodes that have no slots any more are let go.
    fn learn(&self, owners: Vec<Owner>) {
        let mut map = self.map();
        let ranges = owners.into_iter().map(|it| {
            let info = target::like(&self.seeds[0], &it.host, it.port);
            (it.first, it.last, self.node(&mut map, info).0)
        });
        let ranges: Vec<_> = ranges.collect();
        map.nodes
            .retain(|address, _| ranges.iter().any(|(.., owner)| owner == address));
        map.ranges = ranges;
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        // Every change leaves it whole.
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn node(&self, map: &mut Map, info: ConnectionInfo) -> (Arc<str>, Pair) {
        let address: Arc<str> = info.addr().to_string().into();
        let pair = map
            .nodes
            .entry(Arc::clone(&address))
            .or_insert_with(|| Pair::new(Source::Node(info), self.settings));
        let pair = pair.clone();
        (address, pair)
    }

    fn owner(&self, slot: u16) -> Option<Pair> {
        let map = self.map();
        let mut ranges = map.ranges.iter();
        let (.., owner) = ranges.find(|(first, last, _)| (*first..=*last).contains(&slot))?;
        map.nodes.get(owner).cloned()
    }

    /// The node that a redirection names: `MOVED slot host:port`. Without a host it is that of the
    /// node that says so.
    fn redirected(&self, error: &ServerError, by: &str) -> Option<Pair> {
        let (_, address) = error.details()?.split_once(' ')?;
        let (host, port) = target::split(address)?;
        let host = match host {
            "" | "?" => target::split(by)?.0,
            host => host,
        };
        let info = target::like(&self.seeds[0], host, port);
        Some(self.node(&mut self.map(), info).1)
    }
}

/// Asks a node for a key that it is just being given.
async fn ask_in_passing(
    line: &Arc<Line>,
    commands: &Pipeline,
    times: Times,
    deadline: Instant,
) -> Result<(Arc<str>, Vec<Value>), Problem> {
    let mut asking = Pipeline::new();
    asking.cmd("ASKING");
    for command in commands.cmd_iter() {
        asking.add_command(command.clone());
    }
    let (server, mut values) = line.ask(&asking, times, deadline).await?;
    values.drain(..1);
    Ok((server, values))
}

/// A range of slots, and whose it is.
struct Owner {
    first: u16,
    last: u16,
    host: String,
    port: u16,
}

/// What a node says to `CLUSTER SLOTS`: for each range first, last, the primary, replicas.
fn owners(ranges: &[Value], by: &str) -> Vec<Owner> {
    let number = |value: Option<&Value>| match value {
        Some(Value::Int(number)) => u16::try_from(*number).ok(),
        _ => None,
    };
    let owner = |range: &Value| {
        let Value::Array(range) = range else {
            return None;
        };
        let Some(Value::Array(primary)) = range.get(2) else {
            return None;
        };
        let host = match primary.first().and_then(as_text) {
            None | Some("" | "?") => target::split(by)?.0,
            Some(host) => host,
        };
        Some(Owner {
            first: number(range.first())?,
            last: number(range.get(1))?,
            host: host.to_owned(),
            port: number(primary.get(1))?,
        })
    };
    ranges.iter().filter_map(owner).collect()
}

/// The nodes by which it was found.
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, seed) in self.seeds.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{}", seed.addr())?;
        }
        Ok(())
    }
}
