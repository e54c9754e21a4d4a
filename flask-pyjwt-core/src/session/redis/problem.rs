//! Errors in the communication with Redis.

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};

use super::super::StoreError;

/// Why Redis did not answer: the source of a [`StoreError`]. Addresses do not contain credentials.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Problem {
    #[error("the configuration of RedisStore is invalid: {0}")]
    Configuration(String),
    #[error("cannot connect to the Redis server {server}: {reason}")]
    Connect { server: String, reason: String },
    #[error(
        "the Redis server {server} is a replica, but sessions need the primary: connect to the primary, \
         or use Sentinel or a cluster, which name it"
    )]
    Replica { server: String },
    #[error("the connection to the Redis server {server} is broken: {reason}")]
    Broken { server: String, reason: String },
    #[error("the Redis server {server} does not answer")]
    Silent { server: String },
    #[error("the Redis server {server} refused the command: {reason}")]
    Refused { server: String, reason: String },
    #[error("{acknowledged} of {wanted} required replicas have acknowledged the change")]
    Replicas { wanted: u32, acknowledged: i64 },
    #[error("no sentinel names the primary {name}: {reason}")]
    NoPrimary { name: String, reason: String },
    #[error("no node of the Redis cluster has slot {0}")]
    NoNode(u16),
    #[error("the nodes of the Redis cluster redirect the request in a circle")]
    Redirected,
    #[error(
        "the Redis server {server} does not announce changes, which the near cache needs: {reason}: it has to be Redis \
         7 or Valkey, and its user needs the permissions that the guide lists for the near cache"
    )]
    Unannounced { server: String, reason: String },
    #[error("the Redis servers did not announce changes in time, which the near cache needs")]
    Announcements,
    #[error("too many requests are waiting for Redis")]
    Busy,
    #[error("the thread of RedisStore has ended")]
    Ended,
}

impl Problem {
    pub(super) fn configuration(reason: impl Into<String>) -> Self {
        Self::Configuration(reason.into())
    }

    /// An error reply of a server.
    pub(super) fn refused(server: &str, error: &ServerError) -> Self {
        Self::Refused {
            server: server.to_owned(),
            reason: reason(error),
        }
    }

    /// An error reply of a server that was asked to announce changes.
    pub(super) fn unannounced(server: &str, error: &ServerError) -> Self {
        Self::Unannounced {
            server: server.to_owned(),
            reason: reason(error),
        }
    }

    /// Why no connection could be opened.
    pub(super) fn connect(server: &str, error: RedisError) -> Self {
        let reason = match (error.kind(), ServerError::try_from(error)) {
            (_, Ok(error)) => reason(&error),
            (ErrorKind::AuthenticationFailed, Err(_)) => {
                "it does not accept this user name and password".to_owned()
            }
            (_, Err(error)) => error.to_string(),
        };
        Self::Connect {
            server: server.to_owned(),
            reason,
        }
    }
}

/// The error text of a server, without the arguments of the command, which it may repeat.
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

/// Converts an error reply. If the key is not a hash, the store is corrupt.
pub(super) fn refusal(server: &str, error: &ServerError) -> StoreError {
    if error.code() == "WRONGTYPE" {
        return StoreError::corrupt("the key of a subject is not a hash");
    }
    Problem::refused(server, error).into()
}

/// Whether the server does not know the script because it has not run it before.
pub(super) fn is_unknown_script(error: &ServerError) -> bool {
    error.kind() == Some(ServerErrorKind::NoScript)
}
