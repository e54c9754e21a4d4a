//! The last time a session store confirmed a token.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Records when a session store last confirmed a token, so that a check within the permitted staleness needs no
/// query.
#[derive(Debug, Default)]
pub(crate) struct LastAnswer {
    /// Milliseconds since 1970.
    at: AtomicI64,
    /// The number of revocations before the query; 0 if the store has not answered yet. Written last, so that a
    /// reader that sees it also sees `at`.
    epoch: AtomicU64,
}

impl LastAnswer {
    /// Returns whether the store confirmed the token at most `staleness` milliseconds ago, and nothing has been
    /// revoked since.
    pub(crate) fn holds(&self, epoch: u64, now: i64, staleness: i64) -> bool {
        self.epoch.load(Ordering::Acquire) == epoch
            && (0..=staleness).contains(&now.saturating_sub(self.at.load(Ordering::Acquire)))
    }

    /// Records a confirmation at `now` whose query started at `epoch`.
    pub(crate) fn note(&self, epoch: u64, now: i64) {
        self.at.store(now, Ordering::Release);
        self.epoch.store(epoch, Ordering::Release);
    }
}
