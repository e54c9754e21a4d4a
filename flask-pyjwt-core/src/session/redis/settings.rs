//! Settings for all servers of a store.

use tokio::time::Duration;

/// The timeouts of a store, and the number of replicas that must acknowledge a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// How long a request waits for an answer.
    pub(super) timeout: Duration,
    /// How long one attempt to connect may take.
    pub(super) connect_timeout: Duration,
    /// How many replicas must acknowledge a change.
    pub(super) replicas: u32,
}
