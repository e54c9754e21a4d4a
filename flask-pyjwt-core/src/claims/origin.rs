//! How an issuer is identified, besides its plain name.

use super::{ClaimNames, Template};
use crate::{
    jose::{NumericDate, TokenError},
    json::Json,
};

/// Additional facts about an issuer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The name that routes may use for the issuer.
    pub(crate) label: Option<String>,
    /// The template that the issuer's name matches, if the issuer is one of many.
    pub(crate) template: Option<Box<FromTemplate>>,
    /// How long the issuer is valid, if a function of the application has resolved it.
    #[cfg(feature = "jwks")]
    pub(crate) resolved: Option<std::sync::Arc<super::Resolved>>,
}

/// A template of issuer names, and the claims that must repeat parts of the name.
#[derive(Debug, Clone)]
pub(crate) struct FromTemplate {
    pub(crate) template: Template,
    /// Claims, each with the placeholder whose value it must repeat.
    pub(crate) claims: Vec<(String, String)>,
}

impl FromTemplate {
    /// Returns the first claim that does not equal the value of its placeholder.
    pub(crate) fn unlike_in(
        &self,
        payload: Json<'_>,
        issuer: &str,
        names: &ClaimNames,
    ) -> Option<&str> {
        let is_repeated = |(claim, placeholder): &&(String, String)| {
            let value = self.template.value(issuer, placeholder);
            let claim = names.find(payload, claim);
            matches!((claim, value), (Some(claim), Some(value)) if claim.is_str(value))
        };
        let unlike = self.claims.iter().find(|claim| !is_repeated(claim));
        unlike.map(|(claim, _)| claim.as_str())
    }
}

impl Origin {
    /// Whether tokens of this issuer are still accepted, as far as the resolved issuer is
    /// concerned.
    #[cfg(feature = "jwks")]
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        let resolved = self.resolved.as_ref();
        resolved.is_none_or(|resolved| resolved.is_live(now))
    }

    #[cfg(not(feature = "jwks"))]
    #[expect(
        clippy::unused_self,
        reason = "same signature with every set of features"
    )]
    pub(crate) fn is_live(&self, _: NumericDate) -> bool {
        true
    }

    /// Whether a route uses this name for the issuer.
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

    /// The name that routes use, or the pattern by which a function of the application resolves issuers.
    #[cfg(feature = "metrics")]
    pub(crate) fn label(&self) -> Option<&str> {
        #[cfg(feature = "jwks")]
        if let Some(resolved) = &self.resolved {
            return Some(&resolved.pattern);
        }
        self.label.as_deref()
    }

    /// Refuses an issuer name that is neither the plain name nor matches the template.
    pub(crate) fn check_name(&self, plain: &str, issuer: &str) -> Result<(), TokenError> {
        let is_right = match &self.template {
            None => *issuer == *plain,
            Some(from) => from.template.matches(issuer),
        };
        is_right.then_some(()).ok_or(TokenError::Issuer)
    }
}
