//! Code of the application that we call may call us. It does not make us call it again.

use std::{cell::Cell, thread::LocalKey};

/// A call of the application's code on this thread: a clock, a hook, a subscriber of events.
///
/// ```text
/// on_rejection → CurrentToken::extract → refused → on_rejection is not called again
/// ```
pub(crate) struct Calling(&'static LocalKey<Cell<bool>>);

impl Calling {
    /// Nothing where this thread is in such a call already.
    pub(crate) fn begin(is_calling: &'static LocalKey<Cell<bool>>) -> Option<Self> {
        let is_nested = is_calling.replace(true);
        (!is_nested).then(|| Self(is_calling))
    }
}

/// Also where the application's code panics.
impl Drop for Calling {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
