//! The check of the issuers that a route accepts.

use super::{Requirement, RuleError};
use crate::token::{Token, TokenError, Verification};

impl Requirement {
    /// Refuses tokens of issuers that the route does not name, if it names any. A name that the manager does not trust is a
    /// mistake, which is reported for every token.
    pub(crate) fn check_issuer(
        &self,
        token: &Token,
        verification: &Verification,
    ) -> Result<(), RuleError> {
        if self.issuers.is_empty() {
            return Ok(());
        }
        let mut wanted = self.issuers.iter();
        if let Some(unknown) = wanted.find(|wanted| !verification.trusts(wanted)) {
            return Err(RuleError::RouteMistake(format!(
                "it requires the issuer `{unknown}`, which the manager does not trust: add it with \
                 `Config::trust`, give the name to an issuer with `Issuer::named`, or correct it",
            )));
        }
        if self.issuers.iter().any(|wanted| token.is_of(wanted)) {
            Ok(())
        } else {
            Err(TokenError::Issuer.into())
        }
    }
}
