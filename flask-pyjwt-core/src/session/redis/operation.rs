//! What a request does.

/// What a request does, and so whether it may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    /// A change that has the same outcome when it is made twice.
    Write,
    /// A change that is never sent twice: the second may arrive after somebody has undone the first.
    WriteOnce,
}

impl Operation {
    /// Whether it may be sent again when nobody knows whether it was carried out.
    pub(super) fn is_repeatable(self) -> bool {
        match self {
            Self::Read | Self::Write => true,
            Self::WriteOnce => false,
        }
    }
}
