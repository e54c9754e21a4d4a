//! What applies to every server of a store.

use tokio::time::Duration;

/// The timeouts of a store, and how many replicas confirm a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// How long a request waits for its answer.
    pub(super) timeout: Duration,
    /// How long one attempt to connect may take.
    pub(super) connect_timeout: Duration,
    /// How many replicas must have a change before it counts.
    pub(super) replicas: u32,
}
