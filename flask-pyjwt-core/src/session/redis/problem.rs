//! What can go wrong between here and Redis.

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};

use super::super::StoreError;

/// Why there is no answer: the source of a [`StoreError`]. No address has credentials in it.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Problem {
    #[error("this cannot be a configuration of RedisStore: {0}")]
    Configuration(String),
    #[error("cannot connect to the Redis server {server}: {reason}")]
    Connect { server: String, reason: String },
    #[error(
        "the Redis server {server} is a replica: sessions are kept by a primary, which the \
         sentinels or a cluster can name"
    )]
    Replica { server: String },
    #[error("the connection to the Redis server {server} is broken: {reason}")]
    Broken { server: String, reason: String },
    #[error("the Redis server {server} does not answer")]
    Silent { server: String },
    #[error("the Redis server {server} refuses: {reason}")]
    Refused { server: String, reason: String },
    #[error("{acknowledged} replicas have the change of {wanted} that are to have it")]
    Replicas { wanted: u32, acknowledged: i64 },
    #[error("no sentinel names the primary {name}: {reason}")]
    NoPrimary { name: String, reason: String },
    #[error("no node of the Redis cluster has the slot {0}")]
    NoNode(u16),
    #[error("the nodes of the Redis cluster send each other the same request")]
    Redirected,
    #[error("too many requests wait for Redis already")]
    Busy,
    #[error("the thread that talks to Redis has ended")]
    Ended,
}

impl Problem {
    pub(super) fn configuration(reason: impl Into<String>) -> Self {
        Self::Configuration(reason.into())
    }

    /// What a server says in place of an answer.
    pub(super) fn refused(server: &str, error: &ServerError) -> Self {
        Self::Refused {
            server: server.to_owned(),
            reason: reason(error),
        }
    }

    /// Why there is no connection.
    pub(super) fn connect(server: &str, error: RedisError) -> Self {
        let reason = match (error.kind(), ServerError::try_from(error)) {
            (_, Ok(error)) => reason(&error),
            (ErrorKind::AuthenticationFailed, Err(_)) => {
                "it does not accept this name and password".to_owned()
            }
            (_, Err(error)) => error.to_string(),
        };
        Self::Connect {
            server: server.to_owned(),
            reason,
        }
    }
}

/// What a server says. It may repeat the arguments of a command: they are left out.
fn reason(error: &ServerError) -> String {
    let details = error.details().unwrap_or_default();
    let details = details.split(", with args").next().unwrap_or_default();
    format!("{} {details}", error.code()).trim_end().to_owned()
}

impl From<Problem> for StoreError {
    fn from(problem: Problem) -> Self {
        Self::unavailable(problem)
    }
}

/// The error of an answer that is one: the key may be something else than a hash.
pub(super) fn refusal(server: &str, error: &ServerError) -> StoreError {
    if error.code() == "WRONGTYPE" {
        return StoreError::corrupt("the key of a subject is no hash");
    }
    Problem::refused(server, error).into()
}

/// Whether a server does not know a script, not having been asked to run it yet.
pub(super) fn is_unknown_script(error: &ServerError) -> bool {
    error.kind() == Some(ServerErrorKind::NoScript)
}
