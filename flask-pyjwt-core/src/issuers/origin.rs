//! Whose tokens some rules are for, besides the plain name.

use std::sync::Arc;

use super::{ClaimNames, Template};
use crate::token::{Json, NumericDate, TokenError};

/// What is known of an issuer besides its name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The name that routes may call it by.
    pub(crate) label: Option<String>,
    /// Whose tokens they are where nobody can list the issuers.
    pub(crate) template: Option<Box<FromTemplate>>,
    /// What a function has found, and for how long it counts.
    pub(crate) resolved: Option<Arc<Resolved>>,
}

/// The issuers of a template, and what their tokens have to repeat of their names.
#[derive(Debug, Clone)]
pub(crate) struct FromTemplate {
    pub(crate) template: Template,
    /// Claims, each with the placeholder whose text it has to be.
    pub(crate) claims: Vec<(String, String)>,
}

/// For how long an issuer counts that a function has found.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The text of the pattern that led to the function.
    pub(crate) pattern: Arc<str>,
    /// The seconds since 1970 from and until which it counts.
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// Whether it was replaced, or is not an issuer any more.
    pub(crate) is_over: std::sync::atomic::AtomicBool,
}

impl Resolved {
    /// Whether it counts now.
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        !self.is_over.load(std::sync::atomic::Ordering::Acquire)
            && (self.from..self.until).contains(&now.seconds())
    }

    /// Ends it, with the tokens that were verified under it.
    #[cfg(feature = "jwks")]
    pub(crate) fn end(&self) {
        self.is_over
            .store(true, std::sync::atomic::Ordering::Release);
    }
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
    pub(crate) fn is_live(&self, now: NumericDate) -> bool {
        self.resolved
            .as_ref()
            .is_none_or(|resolved| resolved.is_live(now))
    }

    /// Whether a route calls it so.
    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        let resolved = self.resolved.as_ref();
        self.label.as_deref() == Some(wanted)
            || resolved.is_some_and(|resolved| *resolved.pattern == *wanted)
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
