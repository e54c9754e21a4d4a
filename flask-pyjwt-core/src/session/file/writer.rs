//! Makes changes: many in one transaction, which is on disk before any of them is answered.

use redb::{Database, Error, StorageError};

use super::{rows::Rows, worker::Health};
use crate::session::{Moment, subject::horizon};

/// How many ended entries are removed for each change. A change adds at most one entry, so two
/// would be enough.
const STEPS: usize = 4;

/// Sends the answer to a caller.
pub(super) type Respond = Box<dyn FnOnce() + Send>;

/// A change to the rows. It returns the answer to send when the transaction is on disk, or `None`
/// if no caller waits. Its error makes the whole file unusable.
pub(super) type Step =
    Box<dyn FnOnce(&mut Rows<'_>) -> Result<Option<Respond>, StorageError> + Send>;

/// A requested change.
pub(super) struct Change {
    /// The caller's time.
    pub(super) now: Moment,
    pub(super) step: Step,
}

/// Makes the changes in order. A change that is dropped without an answer closes its caller's
/// channel.
pub(super) fn write(database: &Database, health: &Health, changes: Vec<Change>) {
    if health.check().is_err() {
        return;
    }
    match commit(database, changes) {
        Ok(responses) => responses.into_iter().for_each(|respond| respond()),
        Err(error) => health.fail(&error),
    }
}

fn commit(database: &Database, changes: Vec<Change>) -> Result<Vec<Respond>, Error> {
    let now = changes.iter().map(|change| change.now).min();
    let steps = STEPS * changes.len();

    // The commit is durable when `commit` returns (`Durability::Immediate`, the default). With a
    // one-phase commit, a damaged last state would silently be replaced by the one before it.
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    let mut rows = Rows::of(&transaction)?;
    let mut responses = Vec::with_capacity(changes.len());
    for change in changes {
        responses.extend((change.step)(&mut rows)?);
    }
    rows.forget_ended(horizon(now.unwrap_or(Moment::MIN)), steps)?;
    let anything = rows.has_changes();
    drop(rows);
    if anything {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(responses)
}
