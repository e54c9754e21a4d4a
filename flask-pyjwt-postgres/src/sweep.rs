//! Removes what has ended.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use flask_pyjwt_core::{
    __private::store::MARGIN,
    store::{Moment, StoreError},
};

use crate::{
    database::Database,
    literal::{Number, moment},
    rows::{column, unexpected},
};

/// How many rows of each table one transaction looks at. It takes a few milliseconds.
pub(crate) const BATCH: i64 = 500;
/// The pause between two batches, so that a sweep takes a fraction of the server's time.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// The time of the latest request. Only the caller's clock decides what has ended.
#[derive(Debug)]
pub(crate) struct LatestTime(AtomicI64);

impl LatestTime {
    /// No request yet: nothing has ended.
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    pub(crate) fn set(&self, now: Moment) {
        self.0.store(now.milliseconds(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Moment {
        Moment::from_milliseconds(self.0.load(Ordering::Relaxed))
    }
}

impl Database {
    /// Removes a batch of what ended an hour ago, and returns how many rows it looked at in each
    /// table at most.
    ///
    /// Rows that others are changing are skipped, so nobody waits for this.
    pub(crate) async fn sweep_batch(&self, now: Moment) -> Result<Swept, StoreError> {
        let horizon = moment(now - MARGIN);
        let names = self.names();
        let batch = Number(BATCH);
        let sessions = &names.sessions;
        // A session that was refreshed is looked at again when it may end next.
        let mut statements = format!(
            "WITH due AS MATERIALIZED (SELECT key, id FROM {sessions} WHERE sweep_at <= {horizon} \
             ORDER BY sweep_at LIMIT {batch} FOR UPDATE SKIP LOCKED), \
             gone AS (DELETE FROM {sessions} AS s USING due \
             WHERE s.key = due.key AND s.id = due.id AND s.expires_at <= {horizon} RETURNING 1), \
             later AS (UPDATE {sessions} AS s SET sweep_at = s.expires_at FROM due \
             WHERE s.key = due.key AND s.id = due.id AND s.expires_at > {horizon} RETURNING 1) \
             SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM gone), (SELECT count(*) FROM later)"
        );
        for (table, columns) in [(&names.tokens, "key, id"), (&names.subjects, "key")] {
            let _ = write!(
                statements,
                ";WITH due AS MATERIALIZED (SELECT {columns} FROM {table} WHERE until <= {horizon} \
                 ORDER BY until LIMIT {batch} FOR UPDATE SKIP LOCKED), \
                 gone AS (DELETE FROM {table} AS t WHERE ({columns}) IN (SELECT {columns} FROM due) \
                 AND t.until <= {horizon} RETURNING 1) \
                 SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM gone), 0::bigint"
            );
        }
        let answers = self.write(None, &statements).await?;
        let mut swept = Swept::default();
        for answer in answers.iter().rev().take(3) {
            let row = answer.rows.first().ok_or_else(unexpected)?;
            let (due, gone): (i64, i64) = (column(row, 0)?, column(row, 1)?);
            swept.is_whole |= due >= BATCH;
            swept.removed += u64::try_from(gone).unwrap_or_default();
        }
        Ok(swept)
    }
}

/// The result of one batch.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// How many rows were removed.
    pub(crate) removed: u64,
    /// Whether the batch was full, so that there may be more.
    pub(crate) is_whole: bool,
}
