//! The state of a key, for health checks and key rotation.

use time::{Duration, OffsetDateTime};

use super::{AuthType, VerifyingKey};

/// Describes one of a manager's keys: its ID, its algorithm, and whether it signs.
/// [`AuthManager::keys`](crate::AuthManager::keys) returns one for each key.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Key};
///
/// let key = |id: &str, secret: &str| Key::new(AuthType::HS256, secret).id(id);
/// let first = key("2026-01", "change-me: at least 32 bytes of secret");
/// let auth = AuthManager::new(Config::with_key("example", first))?;
/// auth.rotate(key("2026-02", "change-me too: the next secret of 32 bytes"))?;
///
/// let keys = auth.keys();
/// let signing = keys.iter().find(|key| key.signs()).expect("a signing key");
/// assert_eq!((signing.id(), signing.retires_at()), ("2026-02", None));
///
/// // The previous key verifies until its last token has expired.
/// let retired = keys.iter().find(|key| !key.signs()).expect("a retired key");
/// assert_eq!(retired.id(), "2026-01");
/// assert!(retired.retires_at().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    id: String,
    auth_type: AuthType,
    signs: bool,
    retires_at: Option<OffsetDateTime>,
}

impl KeyState {
    pub(super) fn of(key: &VerifyingKey, signs: bool) -> Self {
        let moment = |second| OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::seconds(second));
        Self {
            id: key.id.clone(),
            auth_type: key.auth_type,
            signs,
            retires_at: key.end_second().map(moment),
        }
    }

    /// Returns the key ID: `kid` in the header of tokens.
    #[must_use]
    #[doc(alias = "kid")]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the key's algorithm.
    #[must_use]
    pub fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    /// Returns whether new tokens are signed with this key.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signs
    }

    /// Returns when the key is dropped, because the last of its tokens has expired. Returns `None` for a key that has no
    /// end.
    #[must_use]
    pub fn retires_at(&self) -> Option<OffsetDateTime> {
        self.retires_at
    }
}
