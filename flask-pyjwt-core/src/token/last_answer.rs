//! What a session store has said of a token.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// When a session store last said that a token is good, for those who need not ask every time.
#[derive(Debug, Default)]
pub(crate) struct LastAnswer {
    /// Milliseconds since 1970.
    at: AtomicI64,
    /// What was revoked by then, counted; 0 for no answer. Written last.
    epoch: AtomicU64,
}

impl LastAnswer {
    /// Whether that was said at most so many milliseconds ago, and nothing was revoked since.
    pub(crate) fn holds(&self, epoch: u64, now: i64, staleness: i64) -> bool {
        self.epoch.load(Ordering::Acquire) == epoch
            && (0..=staleness).contains(&now.saturating_sub(self.at.load(Ordering::Acquire)))
    }

    /// Notes that it was said now, to a question that was asked at that epoch.
    pub(crate) fn note(&self, epoch: u64, now: i64) {
        self.at.store(now, Ordering::Release);
        self.epoch.store(epoch, Ordering::Release);
    }
}
