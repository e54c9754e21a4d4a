//! The state of a key source, for health checks.

use time::OffsetDateTime;

/// Reports whether the fetched keys of another issuer are available, for health checks.
/// [`AuthManager::key_sources`](crate::AuthManager::key_sources) and
/// [`AuthManager::fetch_keys`](crate::AuthManager::fetch_keys) return one for each issuer.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, Config, Issuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nothing listens on this port, so the keys cannot be fetched.
/// let issuer = Issuer::new("https://accounts.example")
///     .jwks_url("http://127.0.0.1:1/jwks.json")
///     .allow_http_on_loopback(true)
///     .audience("our-api");
/// let auth = AuthManager::new(Config::for_issuers([issuer]))?;
///
/// let states = auth.fetch_keys().await;
/// assert_eq!(states[0].issuer(), "https://accounts.example");
/// assert!(!states[0].is_usable());
/// assert!(states[0].error().is_some());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "jwks")]
#[doc(alias = "health check")]
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
    /// Returns the issuer's name, or the text of its template.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the address of the key set or of the discovery document.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the IDs of the known keys without duplicates. The ID of a key without `kid` is an empty string.
    #[must_use]
    #[doc(alias = "kid")]
    pub fn key_ids(&self) -> &[String] {
        &self.key_ids
    }

    /// Returns when the keys were last fetched, or `None` if they never were.
    #[must_use]
    pub fn fetched_at(&self) -> Option<OffsetDateTime> {
        self.fetched_at
    }

    /// Returns until when the keys stay usable if no further fetch succeeds:
    /// [`Issuer::keep_keys`](crate::Issuer::keep_keys) after the last fetch.
    #[must_use]
    pub fn usable_until(&self) -> Option<OffsetDateTime> {
        self.usable_until
    }

    /// Returns whether there is a usable key now. Without one, requests with the issuer's tokens fail with status 503.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Returns why the last fetch failed, or `None` if it succeeded.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}
