//! Changes: many in one transaction, all of them on the disk before one is answered.

use redb::{Database, Error, StorageError};

use super::{rows::Rows, worker::Health};
use crate::session::{Moment, subject::horizon};

/// How much of what has ended is forgotten with each change. One change adds one end at the most, so
/// that two would do.
const STEPS: usize = 4;

/// Tells somebody that his change is on the disk, or why it was not made.
pub(super) type Finish = Box<dyn FnOnce() + Send>;

/// A step, which gives its answer for when it is on the disk; none when nobody waits any more. Its
/// error is one that nothing can go on after.
pub(super) type Step =
    Box<dyn FnOnce(&mut Rows<'_>) -> Result<Option<Finish>, StorageError> + Send>;

/// Somebody's change.
pub(super) struct Change {
    /// The caller's time.
    pub(super) now: Moment,
    pub(super) step: Step,
}

/// Makes the changes in their order. Whose change is dropped without an answer learns that from his
/// end of it.
pub(super) fn write(database: &Database, health: &Health, changes: Vec<Change>) {
    if health.check().is_err() {
        return;
    }
    match commit(database, changes) {
        Ok(finishes) => finishes.into_iter().for_each(|finish| finish()),
        Err(error) => health.fail(&error),
    }
}

fn commit(database: &Database, changes: Vec<Change>) -> Result<Vec<Finish>, Error> {
    let now = changes.iter().map(|change| change.now).min();
    let steps = STEPS * changes.len();

    // It is durable when `commit` returns (`Durability::Immediate`, the default). With one phase, a
    // last state that turns out damaged would silently be the one before it.
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    let mut rows = Rows::of(&transaction)?;
    let mut finishes = Vec::with_capacity(changes.len());
    for change in changes {
        finishes.extend((change.step)(&mut rows)?);
    }
    rows.forget_ended(horizon(now.unwrap_or(Moment::MIN)), steps)?;
    let anything = rows.has_changes();
    drop(rows);
    if anything {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(finishes)
}
