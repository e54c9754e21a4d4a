//! Where the values of a scanned JSON text are.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    /// Fits `i64` or `u64`.
    Integer,
    /// Has a fraction or an exponent, or does not fit 64 bits; finite.
    Float,
    String,
    EscapedString,
    Array,
    Object,
}

/// One value: `start..end` of its text (a string's without the quotes), and the index after all
/// that it contains. An object's members are a string node and a value, in turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) next: u32,
}
