//! Errors in the communication with PostgreSQL.

use flask_pyjwt_core::store::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Why PostgreSQL did not answer: the source of a [`StoreError`]. Addresses do not contain
/// credentials, and no error repeats a value of a statement.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the configuration of PostgresStore is invalid: {0}")]
    Configuration(String),
    #[error("cannot connect to the PostgreSQL server {server}: {reason}")]
    Connect { server: String, reason: String },
    #[error(
        "no connection to the PostgreSQL server {server} was free within {milliseconds} ms: the server does not answer, \
         or PostgresStore needs more `connections`"
    )]
    NoConnection { server: String, milliseconds: u128 },
    #[error("the PostgreSQL server {server} did not answer within {milliseconds} ms")]
    Silent { server: String, milliseconds: u128 },
    #[error("the connection to the PostgreSQL server {server} is broken: {reason}")]
    Broken { server: String, reason: String },
    #[error(
        "the PostgreSQL server {server} is a replica or read-only: a replica learns of changes too late for sessions, so \
         connect to the primary"
    )]
    Replica { server: String },
    #[error(
        "the tables of PostgresStore are not there ({reason}): call `PostgresStore::migrate`, or run the SQL of \
         `PostgresStore::migration`"
    )]
    NotMigrated { reason: String },
    #[error(
        "the tables of PostgresStore have version {found}, and this program knows up to {known}"
    )]
    Newer { found: i64, known: i64 },
    #[error("the PostgreSQL server {server} refused the statement: {reason}")]
    Refused { server: String, reason: String },
    #[error(
        "the triggers are not there, or not enabled, that announce changes to a near cache: call \
         `PostgresStore::migrate`, or run the SQL of `PostgresStore::migration`"
    )]
    NoTriggers,
    #[error(
        "notifications do not come back: a connection pooler such as PgBouncer does not pass them on, so \
         `near_cache_connection` has to lead to PostgreSQL itself"
    )]
    NoNotifications,
    #[error("it is not known whether changes are announced: {0}")]
    Unannounced(String),
    #[error(
        "the connections lead to another PostgreSQL server than the one that announces changes"
    )]
    Moved,
    #[error("PostgresStore has no near cache")]
    NoNearCache,
    #[error("the session was changed by others {0} times while this change was tried")]
    Contended(usize),
    #[error("too many requests are waiting for PostgreSQL")]
    Busy,
    #[error("the application has closed its pool")]
    Closed,
    #[error("the thread of PostgresStore has ended")]
    Ended,
    /// Concurrent transactions: the same can be tried again.
    #[error("the PostgreSQL server {server} ended the transaction in favour of a concurrent one")]
    Conflict { server: String },
}

impl Problem {
    pub(crate) fn configuration(reason: impl Into<String>) -> Self {
        Self::Configuration(reason.into())
    }

    /// Why a statement failed.
    pub(crate) fn of(error: &sqlx::Error, server: &str) -> Self {
        let server = server.to_owned();
        let Some(refusal) = refusal(error) else {
            let reason = error.to_string();
            return Self::Broken { server, reason };
        };
        let reason = format!("{} ({})", refusal.message(), refusal.code());
        if is_fatal(refusal) {
            return Self::Broken { server, reason };
        }
        match refusal.code() {
            "40001" | "40P01" => Self::Conflict { server },
            "25006" => Self::Replica { server },
            // Of a table, a column or a schema that does not exist.
            "42P01" | "42703" | "3F000" => Self::NotMigrated { reason },
            _ => Self::Refused { server, reason },
        }
    }
}

fn refusal(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

fn is_fatal(refusal: &PgDatabaseError) -> bool {
    matches!(refusal.severity(), PgSeverity::Fatal | PgSeverity::Panic)
}

/// Whether the connection can be used again after this error: the server has answered, and goes on.
pub(crate) fn leaves_the_connection(error: &sqlx::Error) -> bool {
    refusal(error).is_some_and(|refusal| !is_fatal(refusal))
}

impl From<Problem> for StoreError {
    fn from(problem: Problem) -> Self {
        Self::unavailable(problem)
    }
}
