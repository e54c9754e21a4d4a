//! The positions of values in a JSON text.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    /// An integer that fits `i64` or `u64`.
    Integer,
    /// A finite number with a fraction or an exponent, or an integer beyond 64 bits.
    Float,
    String,
    EscapedString,
    Array,
    Object,
}

/// The position of one value: `start..end` in the text (for a string, without the quotes), and the
/// index of the node after everything that it contains. The members of an object are stored as a
/// string node and a value in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) next: u32,
}
