//! The sentinels, which tell which server is the primary.

use std::{fmt, sync::Arc};

use redis::{ConnectionInfo, Pipeline, Value};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant, timeout_at},
};

use super::{
    address, connection::Connection, node::Node, operation::Operation, problem::Problem,
    reply::as_text,
};

/// The sentinels that monitor a primary and its replicas.
pub(super) struct Sentinels {
    connections: Vec<Arc<Connection<Node>>>,
    /// The name that the sentinels use for the primary.
    name: String,
    /// The primary's credentials, database and TLS.
    primary: ConnectionInfo,
}

/// The answer of one sentinel: the address of the primary, and the epoch of the latest failover.
struct NamedPrimary {
    host: String,
    port: u16,
    epoch: u64,
}

impl Sentinels {
    pub(super) fn new(
        sentinels: Vec<ConnectionInfo>,
        name: String,
        primary: ConnectionInfo,
        connect_timeout: Duration,
    ) -> Self {
        let connection = |info| Connection::new(Node(info), connect_timeout, false);
        Self {
            connections: sentinels.into_iter().map(connection).collect(),
            name,
            primary,
        }
    }

    /// Asks the sentinels for the primary. If they differ, the answer with the latest failover
    /// counts. Sentinels that do not answer in time are ignored if another one has answered.
    pub(super) async fn primary(&self, within: Duration) -> Result<ConnectionInfo, Problem> {
        let deadline = Instant::now() + within;
        let mut asked = JoinSet::new();
        for connection in &self.connections {
            asked.spawn(ask(Arc::clone(connection), self.name.clone(), deadline));
        }
        let mut latest: Option<NamedPrimary> = None;
        let mut problem = None;
        while let Ok(Some(answer)) = timeout_at(deadline, asked.join_next()).await {
            match answer.unwrap_or(Err(Problem::Ended)) {
                Ok(named) if latest.as_ref().is_none_or(|it| it.epoch < named.epoch) => {
                    latest = Some(named);
                }
                Ok(_) => {}
                Err(it) => problem = Some(it),
            }
        }
        match latest {
            Some(named) => Ok(address::like(&self.primary, &named.host, named.port)),
            None => Err(Problem::NoPrimary {
                name: self.name.clone(),
                reason: problem.map_or_else(|| "none answers".to_owned(), |it| it.to_string()),
            }),
        }
    }
}

async fn ask(
    connection: Arc<Connection<Node>>,
    name: String,
    deadline: Instant,
) -> Result<NamedPrimary, Problem> {
    let mut question = Pipeline::new();
    question.cmd("SENTINEL").arg("MASTER").arg(&name);
    let (server, values) = connection.ask(&question, Operation::Read, deadline).await?;
    let invalid = || Problem::NoPrimary {
        name: name.clone(),
        reason: format!("{server} does not answer like a sentinel"),
    };
    let fields = match values.into_iter().next() {
        Some(Value::Array(fields)) => fields,
        Some(Value::ServerError(error)) => return Err(Problem::refused(&server, &error)),
        _ => return Err(invalid()),
    };
    let field = |name: &str| {
        let mut pairs = fields.chunks_exact(2);
        let pair = pairs.find(|pair| as_text(&pair[0]) == Some(name))?;
        as_text(&pair[1])
    };
    let named = field("ip").and_then(|host| {
        Some(NamedPrimary {
            host: host.to_owned(),
            port: field("port")?.parse().ok()?,
            epoch: field("config-epoch")?.parse().ok()?,
        })
    });
    named.ok_or_else(invalid)
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}
