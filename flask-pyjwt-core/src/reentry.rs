//! Prevents recursion when a callback of the application calls this library.

use std::{cell::Cell, thread::LocalKey};

/// A running call of the application's code on this thread, such as a clock or a hook.
///
/// ```text
/// on_rejection → CurrentToken::extract → refused → on_rejection is not called again
/// ```
pub(crate) struct Calling(&'static LocalKey<Cell<bool>>);

impl Calling {
    /// Returns `None` if this thread is already in such a call.
    pub(crate) fn begin(is_calling: &'static LocalKey<Cell<bool>>) -> Option<Self> {
        let is_nested = is_calling.replace(true);
        (!is_nested).then(|| Self(is_calling))
    }
}

/// Also runs when the application's code panics.
impl Drop for Calling {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
