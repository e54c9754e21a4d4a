//! Whether cached answers of the store are still valid.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How many managers with sessions this process has created.
static MADE: AtomicU64 = AtomicU64::new(0);

/// The first epoch of a manager. No other manager reaches it, so none accepts an answer that the
/// store of another manager gave about the same token.
fn first_epoch() -> u64 {
    (MADE.fetch_add(1, Ordering::Relaxed) << 40) | 1
}

/// How many revocations a manager has begun, and how many of them have finished.
pub(super) struct Revocations {
    begun: AtomicU64,
    finished: AtomicU64,
}

impl Revocations {
    pub(super) fn new() -> Arc<Self> {
        let epoch = first_epoch();
        Arc::new(Self {
            begun: AtomicU64::new(epoch),
            finished: AtomicU64::new(epoch),
        })
    }

    /// The current epoch, which changes with each revocation of this process. An answer of another
    /// epoch is not valid. `None` while a revocation is running.
    pub(super) fn epoch(&self) -> Option<u64> {
        // In this order: `begun` is never behind `finished`.
        let finished = self.finished.load(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Acquire);
        (begun == finished).then_some(begun)
    }
}

/// While this guard exists, a revocation may happen at any moment: cached answers are not used, and
/// new answers are not cached.
pub(super) struct PendingRevocation(Arc<Revocations>);

impl PendingRevocation {
    pub(super) fn begin(revocations: &Arc<Revocations>) -> Self {
        revocations.begun.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(revocations))
    }
}

impl Drop for PendingRevocation {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Ordering::AcqRel);
    }
}
