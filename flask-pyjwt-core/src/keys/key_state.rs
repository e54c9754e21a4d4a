//! What is told of a key to those who run the server.

use time::{Duration, OffsetDateTime};

use super::{AuthType, VerifyingKey};

/// One key of a manager: [`AuthManager::keys`](crate::AuthManager::keys).
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

    /// What tokens name it by: `kid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The one algorithm that it serves.
    #[must_use]
    pub fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    /// Whether tokens are minted with it.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signs
    }

    /// When it is dropped: the last of its tokens has expired then. `None` for a key that stays.
    #[must_use]
    pub fn retires_at(&self) -> Option<OffsetDateTime> {
        self.retires_at
    }
}
