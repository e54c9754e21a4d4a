//! Whose tokens a route accepts.

use super::Requirement;
use crate::{
    token::{Token, TokenError, Verification},
    web::Rejection,
};

impl Requirement {
    /// Whether a token is of the issuer that the route wants, if it wants one. A name that nobody
    /// trusts is a mistake, which is told for whatever token comes first.
    pub(crate) fn check_issuer(
        &self,
        token: &Token,
        verification: &Verification,
    ) -> Result<(), Rejection> {
        let Some(wanted) = &self.issuer else {
            return Ok(());
        };
        if !verification.trusts(wanted) {
            return Err(Rejection::RouteMistake(format!(
                "it requires the issuer `{wanted}`, which the manager does not trust: add it with \
                 `Config::trust`, or correct the name",
            )));
        }
        if token.iss() == wanted {
            Ok(())
        } else {
            Err(TokenError::Issuer.into())
        }
    }
}
