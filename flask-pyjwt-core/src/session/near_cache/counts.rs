//! What a near cache counts.

/// What the near cache of a store has done since the store was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearCacheCounts {
    /// Checks that were answered from the cache.
    pub hits: u64,
    /// Checks of auth tokens that had to ask the server.
    pub misses: u64,
    /// Questions that were sent for those checks. Concurrent checks of one subject share them.
    pub questions: u64,
    /// Changes of subjects that the servers have announced, or that this process has made.
    pub changes: u64,
    /// How often all answers of a server were discarded: it was silent, its connection was lost, or
    /// it could not say what had changed.
    pub emptied: u64,
    /// Tokens that are remembered now, including those that will not be used again.
    pub entries: usize,
}
