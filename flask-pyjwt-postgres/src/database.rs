//! Questions and changes, with their timeout and their repetition.

use std::{sync::Arc, time::Duration};

use flask_pyjwt_core::store::StoreError;
use tokio::time::{Instant, timeout_at};

use crate::{
    connections::Connections,
    lease::{Answer, Lease},
    literal::Key,
    names::Names,
    problem::Problem,
};

/// What begins every change: one transaction, in which each statement sees what was committed before
/// it began. The server does not wait for a lock much longer than the caller, who cannot tell it to
/// stop. If the database is set up to acknowledge changes that a crash may undo, this one is written
/// to disk all the same.
fn prelude(timeout: Duration) -> String {
    format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\
         SELECT set_config('lock_timeout', '{}ms', true), \
         CASE WHEN current_setting('synchronous_commit') = 'off' \
         THEN set_config('synchronous_commit', 'local', true) END",
        timeout.as_millis()
    )
}

/// How often a transaction is tried again that PostgreSQL has ended in favour of another one.
const MOST_CONFLICTS: usize = 20;

/// The database, for one call: everything has to happen before a deadline.
pub(crate) struct Database {
    connections: Arc<Connections>,
    names: Arc<Names>,
    timeout: Duration,
    deadline: Instant,
}

impl Database {
    pub(crate) fn new(connections: Arc<Connections>, names: Arc<Names>, timeout: Duration) -> Self {
        Self {
            connections,
            names,
            timeout,
            deadline: Instant::now() + timeout,
        }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// # Errors
    ///
    /// If the server is a replica: it may not know of a revocation yet.
    pub(crate) fn check_primary(&self, is_replica: bool) -> Result<(), Problem> {
        if is_replica {
            let server = self.connections.server().to_owned();
            return Err(Problem::Replica { server });
        }
        Ok(())
    }

    /// Asks. If the connection is broken, another one is asked.
    pub(crate) async fn read(&self, statement: String) -> Result<Vec<Answer>, StoreError> {
        let mut is_repeated = false;
        for _ in 0..MOST_CONFLICTS {
            match self.send(statement.clone()).await {
                Err(Problem::Conflict { .. }) => {}
                Err(Problem::Broken { .. }) if !is_repeated => is_repeated = true,
                result => return Ok(result?),
            }
        }
        Err(Problem::Contended(MOST_CONFLICTS).into())
    }

    /// Changes something in one transaction. With a key, one change of its subject waits for the
    /// other.
    ///
    /// It is not repeated when the connection breaks: a login that is made twice would restore a
    /// session that was ended in between.
    pub(crate) async fn write(
        &self,
        key: Option<Key>,
        statements: &str,
    ) -> Result<Vec<Answer>, StoreError> {
        let lock = key.map(|key| {
            let number = key.lock(self.names.identity());
            format!(", pg_advisory_xact_lock({number})")
        });
        let lock = lock.unwrap_or_default();
        let prelude = prelude(self.timeout);
        for _ in 0..MOST_CONFLICTS {
            match self.send(format!("{prelude}{lock};{statements}")).await {
                Err(Problem::Conflict { .. }) => {}
                result => return Ok(result?),
            }
        }
        Err(Problem::Contended(MOST_CONFLICTS).into())
    }

    /// Sends one message. A connection that has not answered in time is closed.
    async fn send(&self, statements: String) -> Result<Vec<Answer>, Problem> {
        let taken = timeout_at(self.deadline, self.connections.take()).await;
        let mut lease: Lease = taken.map_err(|_| Problem::NoConnection {
            server: self.connections.server().to_owned(),
            milliseconds: self.timeout.as_millis(),
        })??;
        let answered = timeout_at(self.deadline, lease.run(statements)).await;
        let result = answered.unwrap_or_else(|_| {
            Err(Problem::Silent {
                server: self.connections.server().to_owned(),
                milliseconds: self.timeout.as_millis(),
            })
        });
        if let Err(Problem::Broken { .. }) = result {
            self.connections.distrust_kept();
        }
        result
    }
}
