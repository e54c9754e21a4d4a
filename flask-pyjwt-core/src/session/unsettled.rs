//! Whether the store's earlier answers can be believed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How many managers with sessions this process has made.
static MADE: AtomicU64 = AtomicU64::new(0);

/// The first epoch of a manager. No other manager counts so far, so that none believes what the store of
/// another one has said of the same token.
fn first_epoch() -> u64 {
    (MADE.fetch_add(1, Ordering::Relaxed) << 40) | 1
}

/// How many revocations a manager has begun, and how many of those have ended.
pub(super) struct Revocations {
    begun: AtomicU64,
    settled: AtomicU64,
}

impl Revocations {
    pub(super) fn new() -> Arc<Self> {
        let epoch = first_epoch();
        Arc::new(Self {
            begun: AtomicU64::new(epoch),
            settled: AtomicU64::new(epoch),
        })
    }

    /// Counts what this process has revoked. Answers of another epoch are worth nothing, and none is
    /// believed while something is being revoked.
    pub(super) fn epoch(&self) -> Option<u64> {
        // In this order: `begun` is never behind `settled`.
        let settled = self.settled.load(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Acquire);
        (begun == settled).then_some(begun)
    }
}

/// As long as this lives, something may be revoked at any moment: no earlier answer of the store is believed,
/// and none that comes meanwhile is remembered.
pub(super) struct Unsettled(Arc<Revocations>);

impl Unsettled {
    pub(super) fn begin(revocations: &Arc<Revocations>) -> Self {
        revocations.begun.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(revocations))
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        self.0.settled.fetch_add(1, Ordering::AcqRel);
    }
}
