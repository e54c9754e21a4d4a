//! Whose tokens a route accepts.

use super::{Requirement, RuleError};
use crate::token::{Token, TokenError, Verification};

/// Whose tokens a route accepts, for [`RequireToken::issuer`](crate::RequireToken::issuer): one text or
/// several. Each is the name of an issuer, the text of a template, or a name that was given with
/// [`Issuer::named`](crate::Issuer::named).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerNames(Vec<String>);

impl IssuerNames {
    /// The names. Nobody is meant by an empty text, which no issuer has.
    pub(super) fn into_names(self) -> Vec<String> {
        if self.0.is_empty() {
            return vec![String::new()];
        }
        self.0
    }
}

impl From<&str> for IssuerNames {
    fn from(issuer: &str) -> Self {
        Self(vec![issuer.to_owned()])
    }
}

impl From<String> for IssuerNames {
    fn from(issuer: String) -> Self {
        Self(vec![issuer])
    }
}

impl From<&String> for IssuerNames {
    fn from(issuer: &String) -> Self {
        Self(vec![issuer.clone()])
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for IssuerNames {
    fn from(issuers: [T; N]) -> Self {
        Self(issuers.map(Into::into).into())
    }
}

impl<T: Into<String>> From<Vec<T>> for IssuerNames {
    fn from(issuers: Vec<T>) -> Self {
        Self(issuers.into_iter().map(Into::into).collect())
    }
}

impl<T: AsRef<str>> From<&[T]> for IssuerNames {
    fn from(issuers: &[T]) -> Self {
        Self(issuers.iter().map(|it| it.as_ref().to_owned()).collect())
    }
}

impl Requirement {
    /// Whether a token is of an issuer that the route wants, if it wants certain ones. A name that nobody
    /// trusts is a mistake, which is told for whatever token comes first.
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
