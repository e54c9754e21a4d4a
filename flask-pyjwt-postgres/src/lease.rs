//! A connection that one request uses.

use std::{future::poll_fn, sync::Arc};

use sqlx::{AssertSqlSafe, Either, Postgres, pool::PoolConnection, postgres::PgRow, raw_sql};

use crate::{
    connections::Connections,
    problem::{Problem, leaves_the_connection},
};

/// A connection that one request uses. It goes to the next request when this is dropped, unless a
/// statement is in progress or the connection is broken. Then it is closed.
pub(crate) struct Lease {
    connections: Arc<Connections>,
    connection: Option<PoolConnection<Postgres>>,
    uses: u32,
    is_clean: bool,
}

/// The result of one statement.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) rows: Vec<PgRow>,
    /// How many rows were read or changed.
    pub(crate) count: u64,
}

impl Lease {
    pub(crate) fn new(
        connections: Arc<Connections>,
        connection: PoolConnection<Postgres>,
        uses: u32,
    ) -> Self {
        Self {
            connections,
            connection: Some(connection),
            uses,
            is_clean: true,
        }
    }

    /// Takes the connection out, so that dropping this does nothing.
    pub(crate) fn into_parts(mut self) -> Option<(PoolConnection<Postgres>, u32)> {
        Some((self.connection.take()?, self.uses))
    }

    /// Sends statements in one message of the simple query protocol, and returns their results.
    ///
    /// PostgreSQL runs several statements in one message as one transaction. After an error, none of
    /// them has changed anything.
    ///
    /// # Errors
    ///
    /// After [`Problem::Broken`], the statements may have been committed.
    pub(crate) async fn run(&mut self, statements: String) -> Result<Vec<Answer>, Problem> {
        let Some(connection) = &mut self.connection else {
            return Err(Problem::Closed);
        };
        self.uses += 1;
        self.is_clean = false;
        let result = run(connection, statements).await;
        self.is_clean = result.as_ref().err().is_none_or(leaves_the_connection);
        result.map_err(|error| Problem::of(&error, self.connections.server()))
    }

    /// Closes the connection.
    pub(crate) fn close(mut self) {
        self.is_clean = false;
    }
}

async fn run(
    connection: &mut PoolConnection<Postgres>,
    statements: String,
) -> Result<Vec<Answer>, sqlx::Error> {
    // All values in it are digits: see `literal.rs`.
    let mut results = raw_sql(AssertSqlSafe(statements)).fetch_many(&mut **connection);
    let mut answers = Vec::new();
    let mut answer = Answer::default();
    while let Some(item) = poll_fn(|context| results.as_mut().poll_next(context)).await {
        match item? {
            Either::Right(row) => answer.rows.push(row),
            Either::Left(done) => {
                answer.count = done.rows_affected();
                answers.push(std::mem::take(&mut answer));
            }
        }
    }
    Ok(answers)
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if self.is_clean {
            self.connections.hand_on(connection, self.uses);
        } else {
            // Without its pool, which would wait for the answer.
            self.connections.abandon(connection.detach());
        }
    }
}
