//! What is told of a source of keys to those who run the server.

use time::OffsetDateTime;

/// A source of another issuer's keys: [`AuthManager::key_sources`](crate::AuthManager::key_sources).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySourceState {
    pub(super) issuer: String,
    pub(super) address: String,
    pub(super) key_ids: Vec<String>,
    pub(super) fetched_at: Option<OffsetDateTime>,
    pub(super) usable_until: Option<OffsetDateTime>,
    pub(super) is_usable: bool,
    pub(super) error: Option<String>,
}

impl KeySourceState {
    /// Whose keys they are.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where they come from: a key set or a discovery document.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The ids of the keys that are known, each once. A key without an id is an empty text.
    #[must_use]
    pub fn key_ids(&self) -> &[String] {
        &self.key_ids
    }

    /// When the keys were last fetched.
    #[must_use]
    pub fn fetched_at(&self) -> Option<OffsetDateTime> {
        self.fetched_at
    }

    /// Until when the keys are used should the source be down from now on.
    #[must_use]
    pub fn usable_until(&self) -> Option<OffsetDateTime> {
        self.usable_until
    }

    /// Whether there are keys that can be used now. Without them, tokens of the issuer are answered
    /// with 503.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Why the last fetch failed; `None` where it did not.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}
