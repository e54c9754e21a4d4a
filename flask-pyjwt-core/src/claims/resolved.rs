//! For how long an issuer counts that a function of the application has found.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::jose::NumericDate;

/// Seconds for which an issuer counts.
pub(crate) const AGE: i64 = 300;

/// For how long an issuer counts that a function has found.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The text of the pattern that led to the function.
    pub(crate) pattern: Arc<str>,
    /// The seconds since 1970 from and until which it counts.
    pub(crate) from: i64,
    until: i64,
    /// Whether it was replaced, or is not an issuer any more.
    is_over: AtomicBool,
}

impl Resolved {
    pub(crate) fn from_now(pattern: &Arc<str>, now: NumericDate) -> Self {
        Self {
            pattern: Arc::clone(pattern),
            from: now.seconds(),
            until: now.seconds() + AGE,
            is_over: AtomicBool::new(false),
        }
    }

    /// Whether it counts now. A clock that was set back is a reason to ask again.
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        !self.is_over.load(Ordering::Acquire) && (self.from..self.until).contains(&now.seconds())
    }

    /// Ends it, with the tokens that were verified under it.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}
