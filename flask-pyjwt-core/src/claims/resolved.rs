//! How long an issuer is valid after a function of the application has resolved it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::jose::NumericDate;

/// How long a resolved issuer is valid, in seconds.
pub(crate) const AGE: i64 = 300;

/// The validity of an issuer that a function has resolved.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The pattern for which the function is registered.
    pub(crate) pattern: Arc<str>,
    /// Start of the validity, in seconds since 1970.
    pub(crate) from: i64,
    until: i64,
    /// Whether the issuer was replaced, or is no longer an issuer.
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

    /// Whether the issuer is valid now. After the clock was set back, it has to be resolved again.
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        !self.is_over.load(Ordering::Acquire) && (self.from..self.until).contains(&now.seconds())
    }

    /// Ends the validity. Tokens verified under this issuer are no longer accepted.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}
