//! An error and its sources in one sentence.

use std::{
    error::Error,
    fmt::{self, Display},
};

/// The number of sources that are shown. An error of a session store can have any source, even itself.
const MAX_SOURCES: usize = 16;

/// Displays an error and its sources, as `what failed: why: why that`.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        for _ in 0..MAX_SOURCES {
            let Some(cause) = source else { break };
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// What an error and all its sources say.
pub(crate) fn said(error: &dyn Error) -> String {
    Chain(error).to_string()
}

/// Implements `Debug` of public errors as the sentence that `Display` and the sources give.
///
/// `fn main() -> Result<(), Box<dyn Error>>` and `expect` print errors by `Debug`. A derived one shows the name of
/// a variant, where the sentence says what to do.
macro_rules! debug_is_the_sentence {
    ($($error:ty),+ $(,)?) => {$(
        impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&$crate::error_chain::Chain(self), f)
            }
        }
    )+};
}
pub(crate) use debug_is_the_sentence;
