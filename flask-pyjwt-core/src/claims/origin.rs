//! Whose tokens some rules are for, besides the plain name.

use super::{ClaimNames, Template};
use crate::{
    jose::{NumericDate, TokenError},
    json::Json,
};

/// What is known of an issuer besides its name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The name that routes may call it by.
    pub(crate) label: Option<String>,
    /// Whose tokens they are where nobody can list the issuers.
    pub(crate) template: Option<Box<FromTemplate>>,
    /// What a function has found, and for how long it counts.
    #[cfg(feature = "jwks")]
    pub(crate) resolved: Option<std::sync::Arc<super::Resolved>>,
}

/// The issuers of a template, and what their tokens have to repeat of their names.
#[derive(Debug, Clone)]
pub(crate) struct FromTemplate {
    pub(crate) template: Template,
    /// Claims, each with the placeholder whose text it has to be.
    pub(crate) claims: Vec<(String, String)>,
}

impl FromTemplate {
    /// Whether each claim is the very text that stands for its placeholder.
    pub(crate) fn is_repeated_by(
        &self,
        payload: Json<'_>,
        issuer: &str,
        names: &ClaimNames,
    ) -> bool {
        self.claims.iter().all(|(claim, placeholder)| {
            let value = self.template.value(issuer, placeholder);
            let claim = names.find(payload, claim);
            matches!((claim, value), (Some(claim), Some(value)) if claim.is_str(value))
        })
    }
}

impl Origin {
    /// Whether the tokens judged by these rules may still count, as far as the issuer is concerned.
    #[cfg(feature = "jwks")]
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        let resolved = self.resolved.as_ref();
        resolved.is_none_or(|resolved| resolved.is_live(now))
    }

    #[cfg(not(feature = "jwks"))]
    #[expect(
        clippy::unused_self,
        reason = "the same call with every set of features"
    )]
    pub(crate) fn is_live(&self, _: NumericDate) -> bool {
        true
    }

    /// Whether a route calls it so.
    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        let is_called = self.label.as_deref() == Some(wanted);
        #[cfg(feature = "jwks")]
        let is_called = is_called
            || self
                .resolved
                .as_ref()
                .is_some_and(|resolved| *resolved.pattern == *wanted);
        is_called
    }

    /// Refuses a name that does not match the template.
    pub(crate) fn check_name(&self, plain: &str, issuer: &str) -> Result<(), TokenError> {
        let is_right = match &self.template {
            None => *issuer == *plain,
            Some(from) => from.template.matches(issuer),
        };
        is_right.then_some(()).ok_or(TokenError::Issuer)
    }
}
