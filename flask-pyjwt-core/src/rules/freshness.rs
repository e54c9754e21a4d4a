//! How recent a login has to be.

use super::RuleError;
use crate::token::{Token, Verification};

/// How recent the login of a token has to be. By default it does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// The token has to be the one that the login returned.
    pub(crate) login: bool,
    /// The login has to be at most this many seconds ago.
    pub(crate) max_age: Option<u32>,
}

impl Freshness {
    /// Checks the claim `auth_time` (OpenID Connect Core, section 2). A token without it is refused.
    pub(crate) fn check(self, token: &Token, verification: &Verification) -> Result<(), RuleError> {
        if !self.login && self.max_age.is_none() {
            return Ok(());
        }
        let now = verification.clock.now()?;
        let leeway = verification.rules.leeway;
        let login = token
            .authenticated_at()
            .filter(|login| *login <= now.plus(leeway));
        if self.login && login != Some(token.issued_at()) {
            return Err(RuleError::LoginTooOld { max_age: 0 });
        }
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        let longest = i64::from(max_age).saturating_add(leeway);
        if login.is_some_and(|login| now <= login.plus(longest)) {
            Ok(())
        } else {
            Err(RuleError::LoginTooOld { max_age })
        }
    }
}
