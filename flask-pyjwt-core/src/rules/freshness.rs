//! What the login of a token has to be: how recent, and of which authentication context class.

use super::{AcrValues, RuleError};
use crate::token::{Token, Verification};

/// What the login of a token has to be. By default it does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// The token has to be the one that the login returned.
    pub(crate) login: bool,
    /// The login has to be at most this many seconds ago.
    pub(crate) max_age: Option<u32>,
    /// The login has to be of one of these authentication context classes.
    pub(crate) acr: Option<AcrValues>,
}

impl Freshness {
    /// Checks the claims `acr` and `auth_time` (OpenID Connect Core, section 2). A token without them is refused.
    ///
    /// Each error has all that the next login has to be, so that the client learns it at once.
    pub(crate) fn check(
        &self,
        token: &Token,
        verification: &Verification,
    ) -> Result<(), RuleError> {
        self.check_acr(token)?;
        self.check_age(token, verification)
    }

    /// Checks the claim `acr`.
    pub(crate) fn check_acr(&self, token: &Token) -> Result<(), RuleError> {
        match &self.acr {
            Some(acr) if !acr.are_met_by(token) => Err(RuleError::Acr {
                acr_values: acr.joined(),
                max_age: if self.login { Some(0) } else { self.max_age },
            }),
            _ => Ok(()),
        }
    }

    /// Whether the time of the login matters.
    pub(crate) fn has_age(&self) -> bool {
        self.login || self.max_age.is_some()
    }

    /// Checks the claim `auth_time`.
    pub(crate) fn check_age(
        &self,
        token: &Token,
        verification: &Verification,
    ) -> Result<(), RuleError> {
        if !self.has_age() {
            return Ok(());
        }
        let too_old = |max_age| RuleError::LoginTooOld {
            max_age,
            acr_values: self.acr.as_ref().map(AcrValues::joined).unwrap_or_default(),
        };
        let now = verification.clock.now()?;
        let leeway = verification.rules.leeway;
        let login = token
            .authenticated_at()
            .filter(|login| *login <= now.plus(leeway));
        if self.login && login != Some(token.issued_at()) {
            return Err(too_old(0));
        }
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        let longest = i64::from(max_age).saturating_add(leeway);
        if login.is_some_and(|login| now <= login.plus(longest)) {
            Ok(())
        } else {
            Err(too_old(max_age))
        }
    }
}
