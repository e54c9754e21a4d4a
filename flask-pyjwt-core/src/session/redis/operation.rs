//! Whether a request reads or writes.

/// The kind of a request, which decides whether it may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    /// A change that has the same result when it is made twice.
    Write,
    /// A change that must not be sent twice, because the second one may arrive after another
    /// request has undone the first.
    WriteOnce,
}

impl Operation {
    /// Whether the operation may be sent again when it is unknown whether it was executed.
    pub(super) fn is_repeatable(self) -> bool {
        match self {
            Self::Read | Self::Write => true,
            Self::WriteOnce => false,
        }
    }
}
